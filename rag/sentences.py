"""Texts as units that can be quoted: sentences, list items, table rows, headings.

Pure. A unit knows where it stands, so that a quote is a slice of its passage and nothing else.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

LIST_MARK = re.compile(r"^[ \t]*(?:[-*+•▪◦·–]|\(?(?:\d{1,3}|[a-z]|[ivx]{1,5})[.)])[ \t]+", re.I)
HEADING_MARK = re.compile(r"^[ \t]*#{1,6}[ \t]+")
TABLE_RULE = re.compile(r"^[ \t]*\|?[ \t:|-]*-{3,}[ \t:|-]*\|?[ \t]*$")
SENTENCE_END = re.compile(r"[.!?]+[\"'”’)\]]*(?:[ \t]*\[\d{1,3}\])*(?=\s|$)")
ABBREVIATIONS = frozenset(
    re.findall(
        r"\S+",
        "e.g i.e etc vs cf no nos art sec para fig approx incl dept dr mr mrs ms prof st jr sr "
        "inc ltd co corp al p pp vol ed eds u.s u.k a.m p.m ph.d m.d jan feb mar apr jun jul aug "
        "sep sept oct nov dec",
    )
)


class UnitKind(StrEnum):
    """What a unit is; a quote keeps whole ones."""

    SENTENCE = "sentence"
    LIST_ITEM = "list item"
    TABLE_ROW = "table row"
    HEADING = "heading"


@dataclass(frozen=True, slots=True)
class Unit:
    """A stretch of a text, `text[start:end]`, without white space around it."""

    kind: UnitKind
    start: int
    end: int
    text: str
    header: str = ""  # of a table row: the table's first row


def units(text: str) -> tuple[Unit, ...]:
    """Cut a text into its units, in order; together they hold every character but white space."""
    return tuple(_units(text))


def _units(text: str) -> Iterator[Unit]:
    header = ""
    for start, end in _blocks(text):
        line = text[start:end]
        if not line.lstrip().startswith("|"):
            header = ""
        if line.lstrip().startswith("|"):
            yield _trim(UnitKind.TABLE_ROW, text, start, end, header)
            header = header or line
        elif HEADING_MARK.match(line):
            yield _trim(UnitKind.HEADING, text, start, end)
        else:
            kind = UnitKind.LIST_ITEM if LIST_MARK.match(line) else UnitKind.SENTENCE
            yield from _sentences(text, start, end, kind)


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Yield table rows, headings, list items with their wrapped lines, and paragraphs."""
    start: int | None = None
    end = 0
    for match in re.finditer(r"[^\n]*\n?", text):
        line = match.group()
        alone = line.lstrip().startswith("|") or HEADING_MARK.match(line)
        if start is not None and (not line.strip() or alone or LIST_MARK.match(line)):
            yield start, end
            start = None
        if not line.strip():
            continue
        if alone:
            yield match.start(), match.end()
            continue
        start = match.start() if start is None else start
        end = match.end()
    if start is not None:
        yield start, end


def _sentences(text: str, start: int, end: int, kind: UnitKind) -> Iterator[Unit]:
    mark = LIST_MARK.match(text[start:end])
    begin, seek = start, start + (mark.end() if mark else 0)
    for match in SENTENCE_END.finditer(text, seek, end):
        if is_sentence_end(text[begin : match.end()], text[match.end() : end]):
            yield _trim(kind, text, begin, match.end())
            begin, kind = match.end(), UnitKind.SENTENCE
    if text[begin:end].strip():
        yield _trim(kind, text, begin, end)


def is_sentence_end(before: str, after: str) -> bool:
    """Decide whether the full stop that ends `before` ends a sentence."""
    following = after.lstrip()
    if before.rstrip("\"'”’)]").endswith(("!", "?")):
        return not following[:1].islower()
    word = re.sub(r"[\"'”’)\]]*(?:[ \t]*\[\d{1,3}\])*$", "", before).rstrip(".").split()
    last = word[-1].lstrip("(\"'“‘[") if word else ""
    if last.lower() in ABBREVIATIONS or re.fullmatch(r"[A-Z]", last):  # an initial
        return False
    if len(word) == 1 and re.fullmatch(r"\d{1,3}|[ivx]+", last):  # "1. Wash your hands"
        return False
    return not following[:1].islower()


def _trim(kind: UnitKind, text: str, start: int, end: int, header: str = "") -> Unit:
    inner = text[start:end]
    start += len(inner) - len(inner.lstrip())
    inner = inner.strip()
    if kind is UnitKind.TABLE_ROW and TABLE_RULE.match(inner):
        kind = UnitKind.HEADING  # the rule under a header row says nothing
    return Unit(kind, start, start + len(inner), inner, header.strip())
