"""Finds a quote in the text of a page, and search words in a passage, so that both can be marked.

Page text and passage text come from the same file by different ways: line ends, hyphens and table
bars differ. So both are compared by their letters and digits alone, and marked in the original.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SHORTEST_PART_LETTERS = 12
_SENTENCE_END = re.compile(r"(?<=[.;:!?])\s+|\n+")
_CLOSING = '.!?"”’)'
_WORD = re.compile(r"\w+")
_SMALL_WORD = re.compile(
    r"an?|and|are|as|at|be|by|can|do|does|for|from|has|have|how|i|if|in|is|its?|may|must|not|of|on"
    r"|or|our|should|than|that|the|their|then|there|this|to|was|we|what|when|where|which|who|why"
    r"|will|with|your?"
)

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text, marked or not.

    first: whether the first mark of all begins here. opens, closes: whether a mark begins and ends
    here, for a mark may run on over several cells or paragraphs.
    """

    text: str
    marked: bool = False
    first: bool = False
    opens: bool = False
    closes: bool = False


@dataclass(frozen=True, slots=True)
class _Letters:
    """The letters and digits of a text in one case, and where in the text each one stands."""

    text: str
    places: tuple[int, ...]

    def span(self, start: int, count: int) -> Span:
        """Where in the text these letters stand."""
        return self.places[start], self.places[start + count - 1] + 1


def find_quote(page_text: str, quote: str) -> tuple[Span, ...]:
    """Where the quote stands; if not whole, then its sentences and rows, as far as they do."""
    page = _letters(page_text)
    whole = _letters(quote).text
    at = page.text.find(whole) if whole else -1
    spans = [page.span(at, len(whole))] if at >= 0 else list(_find_parts(page, quote))
    return tuple(_joined(page_text, spans))


def cut(text: str, spans: Sequence[Span], start: int, end: int) -> tuple[Piece, ...]:
    """A stretch of the text in pieces; spans are in order and do not overlap."""
    pieces: list[Piece] = []
    at = start
    for span in spans:
        left, right = max(span[0], start), min(span[1], end)
        if left >= right:
            continue
        opens = left == span[0]
        first = opens and span == spans[0]
        pieces.append(Piece(text[at:left]))
        pieces.append(Piece(text[left:right], True, first, opens, closes=right == span[1]))
        at = right
    pieces.append(Piece(text[at:end]))
    return tuple(piece for piece in pieces if piece.text)


def mark_words(text: str, query: str) -> tuple[Piece, ...]:
    """The text in pieces, with the words of the query (and their endings) marked."""
    words = _WORD.findall(query.casefold())
    stems = {_stem(word) for word in words if not _SMALL_WORD.fullmatch(word)}
    spans = [match.span() for match in _WORD.finditer(text) if _stem(match[0].casefold()) in stems]
    return cut(text, spans, 0, len(text))


def _letters(text: str) -> _Letters:
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        if character.isalnum():
            folded = character.casefold()
            letters.append(folded)
            places.extend([place] * len(folded))
    return _Letters("".join(letters), tuple(places))


def _find_parts(page: _Letters, quote: str) -> Iterator[Span]:
    at = 0
    for part in _SENTENCE_END.split(quote):
        wanted = _letters(part).text
        # A short part could stand anywhere: it counts only where it goes on from the one before.
        if wanted and at and page.text.startswith(wanted, at):
            start, count = at, len(wanted)
        elif len(wanted) >= SHORTEST_PART_LETTERS:
            start, count = _find_part(page.text, wanted, at)
        else:
            continue
        if count:
            yield page.span(start, count)
            at = start + count


def _find_part(page: str, wanted: str, at: int) -> tuple[int, int]:
    """First letter and count, if possible from `at` on; a count of 0 if it is nowhere."""
    for start in (page.find(wanted, at), page.find(wanted)):
        if start >= 0:
            return start, len(wanted)
    # A sentence may begin at the end of a page, and end at the beginning of the next one.
    for count in range(len(wanted) - 1, SHORTEST_PART_LETTERS - 1, -1):
        if page.endswith(wanted[:count]):
            return len(page) - count, count
        if page.startswith(wanted[-count:]):
            return 0, count
    return 0, 0


def _joined(text: str, spans: Sequence[Span]) -> list[Span]:
    """The spans in order; those with no letter between them are one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and not any(map(str.isalnum, text[joined[-1][1] : start])):
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return [(start, _with_stop(text, end)) for start, end in joined]


def _with_stop(text: str, end: int) -> int:
    """The end of a mark after the stop, quotation mark or bracket that closes its words."""
    while text[end : end + 1] and text[end] in _CLOSING:
        end += 1
    return end


def _stem(word: str) -> str:
    # Enough for marking: the search itself stems in the index.
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
