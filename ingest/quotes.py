"""Where the words of a quote stand in another writing of the same text.

A page of a PDF, the text that was read from it and a passage of that text are three writings of
the same words. A quote is a stretch of one of them, and comes with the text around it: words that
stand twice are found where the same words stand before and after them, and not where they happen
to come first.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.letters import Letters, Span, letters_of

SHORTEST_PART_LETTERS = 10
# So far words are compared around a quote that stands more than once.
_AROUND_LETTERS = 600
_MOST_PLACES = 200
_PART_END = re.compile(r"(?<=[.;:!?])\s+|\n+|\|")
_CLOSING = frozenset('.!?"”’)')


@dataclass(frozen=True, slots=True)
class Quote:
    """The stretch of a text from start to end (not included); the whole text where end is None.

    current: whether it is the one that a reader has come for, among several.
    """

    text: str
    start: int = 0
    end: int | None = None
    current: bool = True

    @property
    def last(self) -> int:
        """Where the stretch ends."""
        return len(self.text) if self.end is None else self.end


def find_quote(page: Sequence[str], quote: Quote) -> tuple[Span, ...]:
    """The stretches of the page, given as its characters, that the quote covers, in order."""
    return Finder(page).find(quote)


class Finder:
    """Finds quotes on one page; what is read of page and text is kept between two quotes."""

    def __init__(self, page: Sequence[str]) -> None:
        self._page = page
        self._on = letters_of(page)
        self._of: dict[str, Letters] = {}

    def find(self, quote: Quote) -> tuple[Span, ...]:
        """The whole quote; else its sentences, rows and cells, as far as they are there."""
        around = self._of.setdefault(quote.text, letters_of(quote.text))
        first, last = around.within(quote.start, quote.last)
        if first == last:
            return ()
        at = _best(self._on.text, around.text, first, last, 0)
        whole = [] if at is None else [(at, at + last - first)]
        found = whole or self._parts(around, quote)
        return tuple(_joined(self._page, [self._on.span(*letters) for letters in found]))

    def _parts(self, around: Letters, quote: Quote) -> Iterator[Span]:
        """Letters of the page, part by part."""
        at = 0
        for start, end in _cuts(quote):
            first, last = around.within(start, end)
            while last > first:
                # A short part could stand anywhere: it counts only where it goes on.
                if at and self._on.text.startswith(around.text[first:last], at):
                    place, count = at, last - first
                elif last - first >= SHORTEST_PART_LETTERS:
                    place, count = self._longest(around.text, first, last, at)
                else:
                    break
                if not count:
                    break
                yield place, place + count
                at = place + count
                first += count

    def _longest(self, around: str, first: int, last: int, at: int) -> tuple[int, int]:
        """Where the part stands, or its longest beginning, or its end: first letter and count."""
        place = _best(self._on.text, around, first, last, at)
        if place is not None:
            return place, last - first
        low, high = 0, last - first
        while low < high:
            middle = (low + high + 1) // 2
            if around[first : first + middle] in self._on.text:
                low = middle
            else:
                high = middle - 1
        if low >= SHORTEST_PART_LETTERS:
            place = _best(self._on.text, around, first, first + low, at)
            return (place if place is not None else 0), low
        return self._longest_end(around[first:last])

    def _longest_end(self, wanted: str) -> tuple[int, int]:
        """The end of a sentence that began on another page."""
        low, high = 0, len(wanted)
        while low < high:
            middle = (low + high + 1) // 2
            if wanted[-middle:] in self._on.text:
                low = middle
            else:
                high = middle - 1
        if low < SHORTEST_PART_LETTERS:
            return 0, 0
        return self._on.text.find(wanted[-low:]), low


def _cuts(quote: Quote) -> Iterator[Span]:
    start = quote.start
    for end in _PART_END.finditer(quote.text, quote.start, quote.last):
        yield start, end.start()
        start = end.end()
    yield start, quote.last


def _best(page: str, around: str, first: int, last: int, at: int) -> int | None:
    """Where the wanted letters stand on the page with the same letters around them.

    Of places that are alike, one from `at` on; and of several the one that comes as late among
    them as the wanted one among those in its own text.
    """
    wanted = around[first:last]
    places = list(_places(page, wanted))
    if len(places) < 2:
        return places[0] if places else None
    rank = sum(1 for place in _places(around, wanted) if place < first)

    def merit(numbered: tuple[int, int]) -> tuple[int, bool, int]:
        number, place = numbered
        alike = _likeness(page, place, around, first, last - first)
        return alike, place >= at, -abs(number - rank)

    return max(enumerate(places), key=merit)[1]


def _places(page: str, wanted: str) -> Iterator[int]:
    at = page.find(wanted)
    for _ in range(_MOST_PLACES):
        if at < 0:
            return
        yield at
        at = page.find(wanted, at + 1)


def _likeness(page: str, place: int, around: str, first: int, count: int) -> int:
    """How many letters before and after are the same here and there."""
    before = _common(
        page[max(0, place - _AROUND_LETTERS) : place][::-1],
        around[max(0, first - _AROUND_LETTERS) : first][::-1],
    )
    return before + _common(
        page[place + count : place + count + _AROUND_LETTERS],
        around[first + count : first + count + _AROUND_LETTERS],
    )


def _common(one: str, other: str) -> int:
    """How many letters two texts begin with alike."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _joined(page: Sequence[str], spans: Sequence[Span]) -> list[Span]:
    """The spans in order; those with no letter between them are one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and not any(map(str.isalnum, page[joined[-1][1] : start])):
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return [(start, _with_stop(page, end)) for start, end in joined]


def _with_stop(page: Sequence[str], end: int) -> int:
    """The end of a mark after the stop, quotation mark or bracket that closes its words."""
    while end < len(page) and page[end] in _CLOSING:
        end += 1
    return end
