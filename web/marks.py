"""Cuts a text in pieces where it is marked: on pages and in passages."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingest.letters import Span

_WORD = re.compile(r"\w+")
_SMALL_WORD = re.compile(
    r"an?|and|are|as|at|be|by|can|do|does|for|from|has|have|how|i|if|in|is|its?|may|must|not|of|on"
    r"|or|our|should|than|that|the|their|then|there|this|to|was|we|what|when|where|which|who|why"
    r"|will|with|your?"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of a text to be marked, from start to end (not included).

    current: whether it belongs to the place that a reader has come for, among several.
    """

    start: int
    end: int
    current: bool = True


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text, marked or not.

    first: whether the first current mark begins here. opens, closes: whether a mark begins and
    ends here, for a mark may run on over several cells or paragraphs.
    """

    text: str
    marked: bool = False
    first: bool = False
    opens: bool = False
    closes: bool = False
    current: bool = True


def marks_of(spans: Iterable[Span], *, current: bool = True) -> tuple[Mark, ...]:
    """These stretches as marks."""
    return tuple(Mark(start, end, current) for start, end in spans)


def layered(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """The marks in order and none over another: of two, the current one is seen."""
    kept: list[Mark] = []
    for mark in sorted(marks, key=lambda one: (not one.current, one.start, one.end)):
        if not any(mark.start < other.end and other.start < mark.end for other in kept):
            kept.append(mark)
    return tuple(sorted(kept, key=lambda one: one.start))


def cut(text: str, marks: Sequence[Mark], start: int, end: int) -> tuple[Piece, ...]:
    """A stretch of the text in pieces; marks are in order and do not overlap."""
    lands = next((mark for mark in marks if mark.current), None)
    pieces: list[Piece] = []
    at = start
    for mark in marks:
        left, right = max(mark.start, start), min(mark.end, end)
        if left >= right:
            continue
        opens = left == mark.start
        first, closes = opens and mark == lands, right == mark.end
        pieces.append(Piece(text[at:left]))
        pieces.append(Piece(text[left:right], True, first, opens, closes, mark.current))
        at = right
    pieces.append(Piece(text[at:end]))
    return tuple(piece for piece in pieces if piece.text)


def mark_words(text: str, query: str) -> tuple[Piece, ...]:
    """The text in pieces, with the words of the query (and their endings) marked."""
    words = _WORD.findall(query.casefold())
    stems = {_stem(word) for word in words if not _SMALL_WORD.fullmatch(word)}
    spans = [match.span() for match in _WORD.finditer(text) if _stem(match[0].casefold()) in stems]
    return cut(text, marks_of(spans), 0, len(text))


def _stem(word: str) -> str:
    # Enough for marking: the search itself stems in the index.
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
