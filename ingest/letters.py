"""A text's letters and digits alone, in one case, so that two writings of one text can be compared.

Line ends, hyphens, bullets and table bars differ between a page of a file, the text that was read
from it and what a person types. Letters and digits do not.
"""

import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Letters:
    """The letters of a text, and where in the text each one stands."""

    text: str
    places: tuple[int, ...]

    def span(self, first: int, last: int) -> Span:
        """Where in the text the letters from first up to last (not included) stand."""
        return self.places[first], self.places[last - 1] + 1

    def within(self, start: int, end: int) -> Span:
        """First and last letter (not included) of a stretch of the text."""
        return bisect_left(self.places, start), bisect_left(self.places, end)


def letters_of(characters: Sequence[str], *, accents: bool = True) -> Letters:
    """The letters of a text, given as its characters; without accents, "é" is "e"."""
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(characters):
        folded = _folded(character, accents)
        letters.append(folded)
        places.extend([place] * len(folded))
    return Letters("".join(letters), tuple(places))


def plain_letters(text: str) -> str:
    """The letters of a text without accents and without their places, which is much quicker."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text).casefold()))


@lru_cache(maxsize=4096)
def _folded(character: str, accents: bool) -> str:
    whole = unicodedata.normalize("NFKC" if accents else "NFKD", character).casefold()
    return "".join(letter for letter in whole if letter.isalnum())
