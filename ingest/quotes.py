"""Where the words of a quote stand in a page's text, whatever its line ends and hyphens are."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Line-end hyphens as pdfium writes them, and what a list or a Markdown table adds to the words.
_SKIPPED = frozenset("-‐‑­\x02\ufffe|•*_`\\")
_MIN_PIECE = 12
_MIN_PART = 30
_MIN_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Span:
    """A run of characters of the page's text: index of the first, and how many."""

    start: int
    count: int


@dataclass(frozen=True, slots=True)
class _Folded:
    """Text with case, blanks and hyphens folded away, and where each letter came from."""

    text: str
    origins: tuple[int, ...]


def find_quotes(page_text: Sequence[str], quotes: Sequence[str]) -> list[Span]:
    """The spans of a page, given as its characters, that the quotes cover; none twice."""
    page = _fold(page_text)
    spans = dict.fromkeys(span for quote in quotes for span in _find(page, quote))
    return list(spans)


def _find(page: _Folded, quote: str) -> Iterator[Span]:
    """The whole quote; else each of its lines and cells; else the part that is on this page."""
    whole = _span(page, _fold(quote).text)
    if whole is not None:
        yield whole
        return
    for piece in quote.replace("|", "\n").split("\n"):
        folded = _fold(piece).text
        if len(folded) >= _MIN_PIECE:
            span = _span(page, folded) or _part(page, folded)
            if span is not None:
                yield span


def _span(page: _Folded, wanted: str) -> Span | None:
    place = page.text.find(wanted) if wanted else -1
    if place < 0:
        return None
    first, last = page.origins[place], page.origins[place + len(wanted) - 1]
    return Span(first, last - first + 1)


def _part(page: _Folded, wanted: str) -> Span | None:
    """The longest beginning or end of what was wanted, for a quote that runs over two pages."""
    least = max(_MIN_PART, int(_MIN_SHARE * len(wanted)))
    head = _longest(page.text, [wanted[:count] for count in range(least, len(wanted))])
    tail = _longest(page.text, [wanted[-count:] for count in range(least, len(wanted))])
    return _span(page, max(head, tail, key=len))


def _longest(text: str, parts: Sequence[str]) -> str:
    """The longest of ever longer parts that the text holds: if it lacks one, it lacks the next."""
    low, high = 0, len(parts)
    while low < high:
        middle = (low + high) // 2
        if parts[middle] in text:
            low = middle + 1
        else:
            high = middle
    return parts[low - 1] if low else ""


def _fold(chars: Sequence[str]) -> _Folded:
    letters: list[str] = []
    origins: list[int] = []
    for index, char in enumerate(chars):
        if char in _SKIPPED or char.isspace():
            continue
        for letter in unicodedata.normalize("NFKC", char).casefold():
            if unicodedata.category(letter)[0] not in "CMZ":
                letters.append(letter)
                origins.append(index)
    return _Folded("".join(letters), tuple(origins))
