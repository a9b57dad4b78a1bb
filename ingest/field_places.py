"""Where a document states things about itself: its header tables, its labelled lines.

A policy says these on its first pages, some say them once more at the end. What stands in between
is about other things: a policy on records has "approved by:" in the middle of its rules.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from ingest.document import Block, BlockKind, ParsedDocument
from ingest.field_names import (
    OTHER_LABELS,
    FieldName,
    field_of,
    folded_label,
    is_label,
    labels,
)
from ingest.split import cells

_FRONT_PAGES, _FRONT_BLOCKS, _FRONT_BLOCKS_UNPAGED, _END_BLOCKS = 3, 40, 25, 12
# A line of labels is short; longer text is prose that happens to hold a colon.
_MAX_LINE_CHARS, _MAX_DETACHED_CHARS, _MAX_LINES = 600, 60, 50
_MAX_ROW_CHARS, _MAX_TABLE_LINES = 3000, 60
# The least share of known labels in a row that names columns.
_LABELS_IN_HEADER = 0.6
# What only a header says: a table needs one of these to be taken for one.
_TELLING = frozenset(
    (
        FieldName.POLICY_NUMBER,
        FieldName.OWNER,
        FieldName.EFFECTIVE_FROM,
        FieldName.REVIEW_DUE,
        FieldName.ORIGINATED,
        FieldName.LAST_APPROVED,
        FieldName.LAST_REVISED,
        FieldName.SUPERSEDES,
    )
)
_CUT = re.compile(r"\b(?:the|an?|of|for|from|to|and|or|in|on|with|by|at)$", re.IGNORECASE)
_NUMBERED = re.compile(r"\d{1,2}(?:[.)]|\s)")
_ELSEWHERE = re.compile(r"\b(?:related|references?|associated|see also|history|abbrev)", re.I)


class Where(IntEnum):
    """The kinds of place, the most trusted first."""

    TABLE = 0
    LINE = 1
    NEXT_LINE = 2
    END = 3


@dataclass(frozen=True, slots=True)
class Stated:
    """One labelled value as it stands in the document; label: folded; quote: its whole line."""

    label: str
    value: str
    page: int
    quote: str
    where: Where
    colon: bool = True

    @property
    def field(self) -> FieldName | None:
        """The field that the label names; None for what is not kept."""
        return field_of(self.label)


def _pattern() -> str:
    words = (re.escape(label).replace(r"\ ", r"[\s./-]+") for label in labels())
    return "|".join(words)


_LABEL = rf"(?P<label>{_pattern()})(?:\s?\(s\)|\.)?"
_WITH_COLON = re.compile(rf"(?:^|(?<=[\s|;,(])){_LABEL}\s*(?:#\s*)?[:：]\s*", re.IGNORECASE)
_AT_START = re.compile(rf"{_LABEL}(?:\s*#|\s*[-–—])?\s+(?=\S)", re.IGNORECASE)
_MARKER = re.compile(r"^(?:[-•]\s+|\d{1,2}\.\s+)")


def front(document: ParsedDocument) -> tuple[Block, ...]:
    """The first blocks of a document, in which it introduces itself."""
    count = _FRONT_BLOCKS if document.page_count > 1 else _FRONT_BLOCKS_UNPAGED
    blocks = document.blocks[:count]
    return tuple(block for block in blocks if block.page <= _FRONT_PAGES)


def stated(document: ParsedDocument) -> tuple[Stated, ...]:
    """Every labelled value of the first blocks and the last, in reading order."""
    first = front(document)
    end = document.blocks[max(len(first), len(document.blocks) - _END_BLOCKS) :]
    return (*_of_blocks(first, at_end=False), *_of_blocks(end, at_end=True))


def _of_blocks(blocks: Sequence[Block], *, at_end: bool) -> Iterator[Stated]:
    for index, block in enumerate(blocks):
        if block.kind is BlockKind.TABLE:
            heading = blocks[index - 1].text if index else ""
            if not _ELSEWHERE.search(heading[:80]):
                yield from _of_table(block, Where.END if at_end else Where.TABLE)
            continue
        goes_on = _goes_on(blocks[index + 1 : index + 2])
        for line in block.text.split("\n", _MAX_LINES)[:_MAX_LINES]:
            for one in _of_line(line, block.page, at_end=at_end):
                if not (one.field is FieldName.TITLE and (goes_on or _CUT.search(one.value))):
                    yield one
        if not at_end:
            yield from _of_next(block, blocks[index + 1 : index + 2])


def _goes_on(following: Sequence[Block]) -> bool:
    """Whether what follows may be the second line of a title: a heading of several words."""
    if not following or following[0].kind is not BlockKind.HEADING:
        return False
    text = following[0].text
    return len(text.split()) >= 3 and not _NUMBERED.match(text)


def _of_table(block: Block, where: Where) -> Iterator[Stated]:
    lines = block.text.split("\n")
    kept = (lines[:1] + lines[2:])[:_MAX_TABLE_LINES]
    rows = [cells(line) for line in kept if len(line) <= _MAX_ROW_CHARS]
    pairs = [pair for row in rows for pair in _pairs(row)]
    pairs += [pair for above, row, below in _trios(rows) for pair in _columns(above, row, below)]
    known = {field_of(label) for label, _, _ in pairs}
    if len({folded_label(label) for label, _, _ in pairs}) < 2 or not known & _TELLING:
        return
    for label, value, quote in pairs:
        yield Stated(folded_label(label), value, block.page, quote, where)


def _pairs(row: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Label and value from neighbouring cells, or from one cell "Label: value"."""
    filled = [cell for cell in row if cell]
    quote = " | ".join(filled)
    # "Owner | Text | who keeps it" describes data, "Version | Owner | Date" names columns: a header
    # has a label for each value.
    known = sum(map(is_label, filled))
    whole = sum(1 for cell in filled if not is_label(cell) and _labelled(cell))
    plain = len(filled) - known - whole
    if plain > known + whole or known > plain + 1:
        return
    following = [*filled[1:], ""]
    for cell, after in zip(filled, following, strict=True):
        if is_label(cell):
            if after and not is_label(after) and not _WITH_COLON.match(after):
                yield cell, after, quote
        else:
            yield from ((label, value, quote) for label, value, _ in _labelled(cell) if value)


def _trios(
    rows: Sequence[list[str]],
) -> Iterator[tuple[list[str], list[str], list[str]]]:
    """Each row but the first with the one above it and the one below."""
    return zip(rows, rows[1:], [*rows[2:], []], strict=False)


def _columns(
    above: Sequence[str], row: Sequence[str], below: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    """Values under a row of labels; two rows of values would be a list of others."""
    named = [is_label(cell) for cell in above if cell]
    if sum(named) < 2 or sum(named) < _LABELS_IN_HEADER * len(named):
        return
    if any(is_label(cell) for cell in row) or (any(below) and not any(map(is_label, below))):
        return
    for label, value in zip(above, row, strict=False):
        if is_label(label) and value:
            yield label, value, f"{label} | {value}"


def _of_line(line: str, page: int, *, at_end: bool) -> Iterator[Stated]:
    text = _MARKER.sub("", line)
    if len(text) > _MAX_LINE_CHARS:
        return
    for label, value, colon in _labelled(text, anywhere=not at_end):
        where = Where.END if at_end else Where.LINE
        yield Stated(folded_label(label), value, page, line.strip(), where, colon)


def _labelled(text: str, *, anywhere: bool = True) -> list[tuple[str, str, bool]]:
    """Label, value, and whether a colon stands between; a value ends where a label begins."""
    found = [match for match in _WITH_COLON.finditer(text) if _is_written_as_label(match)]
    first = _AT_START.match(text)
    colon = True
    if first and not (found and found[0].start() == 0):
        found.insert(0, first)
        colon = False
    if not found or not (anywhere or found[0].start() == 0):
        return []
    ends = [*(match.start() for match in found[1:]), len(text)]
    return [
        (match["label"], text[match.end() : end].strip(" |;,"), colon or index > 0)
        for index, (match, end) in enumerate(zip(found, ends, strict=True))
    ]


def _is_written_as_label(match: re.Match[str]) -> bool:
    return match.start() == 0 or match["label"][0].isupper()


def _of_next(block: Block, following: Sequence[Block]) -> Iterator[Stated]:
    """A label alone on its line, its value on the next."""
    if not following or not is_label(block.text) or block.text.strip().casefold() in OTHER_LABELS:
        return
    value = following[0]
    short = len(value.text) <= _MAX_DETACHED_CHARS and "\n" not in value.text
    if short and value.kind is not BlockKind.TABLE and not is_label(value.text):
        quote = f"{block.text} {value.text}"
        yield Stated(folded_label(block.text), value.text, value.page, quote, Where.NEXT_LINE)
