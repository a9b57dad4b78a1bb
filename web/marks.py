"""Finds a quote in the text of a page, and search words in a passage, so that both can be marked.

Page text and passage text come from the same file by different ways: line ends, hyphens and table
bars differ. So both are compared by their letters and digits alone, and marked in the original.
"""

import re
from dataclasses import dataclass

SHORTEST_PART_LETTERS = 12
_SENTENCE_END = re.compile(r"(?<=[.;:!?])\s+|\n+")
_WORD = re.compile(r"\w+")
_SMALL_WORD = re.compile(
    r"an?|and|are|as|at|be|by|can|do|does|for|from|has|have|how|i|if|in|is|its?|may|must|not|of|on"
    r"|or|our|should|than|that|the|their|then|there|this|to|was|we|what|when|where|which|who|why"
    r"|will|with|your?"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text, marked or not."""

    text: str
    marked: bool


def mark_quote(page_text: str, quote: str) -> tuple[Piece, ...]:
    """The page's text in pieces; where the whole quote is not on the page, its sentences are."""
    letters, places = _letters(page_text)
    spans = _find(letters, places, quote)
    if not spans:
        for part in _SENTENCE_END.split(quote):
            spans += _find(letters, places, part, SHORTEST_PART_LETTERS)
    return _pieces(page_text, spans)


def mark_words(text: str, query: str) -> tuple[Piece, ...]:
    """The text in pieces, with the words of the query (and their endings) marked."""
    words = _WORD.findall(query.casefold())
    stems = {_stem(word) for word in words if not _SMALL_WORD.fullmatch(word)}
    spans = [match.span() for match in _WORD.finditer(text) if _stem(match[0].casefold()) in stems]
    return _pieces(text, spans)


def _letters(text: str) -> tuple[str, list[int]]:
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        if character.isalnum():
            folded = character.casefold()
            letters.append(folded)
            places.extend([place] * len(folded))
    return "".join(letters), places


def _find(letters: str, places: list[int], wanted: str, shortest: int = 1) -> list[tuple[int, int]]:
    wanted_letters, _ = _letters(wanted)
    if len(wanted_letters) < shortest:
        return []
    start = letters.find(wanted_letters)
    if start < 0:
        return []
    end = start + len(wanted_letters)
    return [(places[start], places[end - 1] + 1)]


def _pieces(text: str, spans: list[tuple[int, int]]) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    at = 0
    for start, end in sorted(spans):
        if end <= at:
            continue
        start = max(start, at)
        pieces += [Piece(text[at:start], False), Piece(text[start:end], True)]
        at = end
    pieces.append(Piece(text[at:], False))
    return tuple(piece for piece in pieces if piece.text)


def _stem(word: str) -> str:
    # Enough for marking: the search itself stems in the index.
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
