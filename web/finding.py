"""Finds words in the pages of one document, as a reader types them.

Case, accents and hyphens make no difference, nor does a line's end in the middle of a word. The
words are looked for as they stand together; where they nowhere do, a paragraph that has all of
them is found. A word that is typed is the beginning of a word in the text: "vial" finds "vials".
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.letters import Letters, Span, letters_of, plain_letters
from web.marks import Piece, cut, marks_of
from web.page_text import block_around, block_starts
from web.wording import table_words

MAX_WORDS_CHARS = 100
MOST_HITS = 200
_AROUND_CHARS = 70


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where the words are: the page, from 1, and where in its text they stand."""

    page: int
    spans: tuple[Span, ...]


def find_words(texts: Sequence[str], words: str) -> tuple[Hit, ...]:
    """Where the words are in the texts of the pages, in order, up to MOST_HITS."""
    typed = words[:MAX_WORDS_CHARS].split()
    together = plain_letters("".join(typed))
    parts = [part for part in map(plain_letters, typed) if part]
    if not together:
        return ()
    hits = list(_together(texts, together))
    return tuple(hits or _in_one_block(texts, parts) if len(parts) > 1 else hits)


def line_of(text: str, hit: Hit) -> tuple[Piece, ...]:
    """The words of a hit with some text of their paragraph around them."""
    first, last = hit.spans[0][0], hit.spans[-1][1]
    start, end = block_around(text, first)
    left = max(start, _word_start(text, first - _AROUND_CHARS)) if first - start else start
    right = min(max(end, last), last + _AROUND_CHARS)
    pieces = cut(text, marks_of(hit.spans), left, right)
    before = (Piece("… "),) if left > start else ()
    after = (Piece(" …"),) if right < end else ()
    return (*before, *(_flat(piece) for piece in pieces), *after)


def _together(texts: Sequence[str], wanted: str) -> Iterator[Hit]:
    left = MOST_HITS
    for page, text in enumerate(texts, 1):
        # The places of letters are costly, and most pages do not have the words at all.
        if wanted not in plain_letters(text):
            continue
        letters = letters_of(text, accents=False)
        for first in _beginnings(text, letters, wanted):
            yield Hit(page, (letters.span(first, first + len(wanted)),))
            left -= 1
            if not left:
                return


def _in_one_block(texts: Sequence[str], parts: Sequence[str]) -> Iterator[Hit]:
    left = MOST_HITS
    for page, text in enumerate(texts, 1):
        plain = plain_letters(text)
        if not all(part in plain for part in parts):
            continue
        for start in block_starts(text):
            spans = _all_parts(text, start, block_around(text, start)[1], parts)
            if spans:
                yield Hit(page, spans)
                left -= 1
                if not left:
                    return


def _all_parts(text: str, start: int, end: int, parts: Sequence[str]) -> tuple[Span, ...]:
    """Where the parts first stand in a block; nothing if one of them does not."""
    block = text[start:end]
    letters = letters_of(block, accents=False)
    spans: set[Span] = set()
    for part in parts:
        first = next(_beginnings(block, letters, part), None)
        if first is None:
            return ()
        left, right = letters.span(first, first + len(part))
        spans.add((start + left, start + right))
    return tuple(_apart(sorted(spans)))


def _apart(spans: Sequence[Span]) -> Iterator[Span]:
    """The spans without those that begin inside the one before."""
    end = -1
    for span in spans:
        if span[0] >= end:
            yield span
            end = span[1]


def _beginnings(text: str, letters: Letters, wanted: str) -> Iterator[int]:
    """The letters at which the wanted ones begin, each at the beginning of a word."""
    at = letters.text.find(wanted)
    while at >= 0:
        place = letters.places[at]
        begins = at == 0 or letters.places[at - 1] != place
        if begins and (place == 0 or not text[place - 1].isalnum()):
            yield at
            at += len(wanted) - 1
        at = letters.text.find(wanted, at + 1)


def _word_start(text: str, place: int) -> int:
    """The beginning of the next word from here."""
    blank = text.find(" ", max(0, place))
    return blank + 1 if 0 <= blank < place + _AROUND_CHARS else max(0, place)


def _flat(piece: Piece) -> Piece:
    text = table_words(piece.text) if "|" in piece.text and "\n" in piece.text else piece.text
    return Piece(" ".join(f"x{text}x".split())[1:-1], piece.marked, piece.first)
