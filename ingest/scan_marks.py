"""Where words stand in the picture of a scanned page, by the lines that OCR read there.

Of a line only its box is known, so that a part of it is found by the characters before it; narrow
and wide letters are counted as such. A page that lay on its side or on its head was turned to be
read: which way, is seen from where its lines were then and are in the picture.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate

from ingest.document import ScanLine

Edges = tuple[float, float, float, float]

# Widths of letters in usual type, as parts of a small "n".
_NARROW = frozenset("iljtfrI1.,:;'|!()[]/ ‘’“”·-")
_WIDE = frozenset("mwMW@%—")
_WIDTH_NARROW, _WIDTH_WIDE, _WIDTH_CAPITAL = 0.55, 1.5, 1.25


class ScanText:
    """The text of a scanned page, character by character, and where each stretch of it stands."""

    def __init__(self, lines: Sequence[ScanLine], width: float, height: float) -> None:
        """width, height: of the page as it is shown, points."""
        self._lines = [line for line in lines if line.is_read and line.text]
        self._quarters = _quarters(self._lines, width, height)
        self.chars = [char for line in self._lines for char in f"{line.text}\n"]

    def boxes(self, start: int, end: int) -> Iterator[Edges]:
        """The boxes around a stretch of the characters, one for each line it touches."""
        first = 0
        for line in self._lines:
            last = first + len(line.text)
            left, right = max(start, first), min(end, last)
            if left < right:
                yield _part(line, left - first, right - first, self._quarters)
            first = last + 1


def _part(line: ScanLine, start: int, end: int, quarters: int) -> Edges:
    """The box of some characters of a line."""
    begins, ends = _shares(line.text, start, end)
    if quarters in (2, 3):
        begins, ends = 1 - ends, 1 - begins
    left, top, right, bottom = line.box
    if quarters % 2:
        return left, top + begins * (bottom - top), right, top + ends * (bottom - top)
    return left + begins * (right - left), top, left + ends * (right - left), bottom


def _shares(text: str, start: int, end: int) -> tuple[float, float]:
    """How much of a line's width lies before two of its places, 0 to 1.

    Of a space beside them half is theirs: letters are as wide as they are only about so.
    """
    before = [0.0, *accumulate(map(_width, text))]
    begins = before[start] - (_WIDTH_NARROW / 2 if text[start - 1 : start] == " " else 0.0)
    ends = before[end] + (_WIDTH_NARROW / 2 if text[end : end + 1] == " " else 0.0)
    return begins / before[-1], ends / before[-1]


def _width(char: str) -> float:
    if char in _NARROW:
        return _WIDTH_NARROW
    if char in _WIDE:
        return _WIDTH_WIDE
    return _WIDTH_CAPITAL if char.isupper() else 1.0


def _quarters(lines: Sequence[ScanLine], width: float, height: float) -> int:
    """By how many quarters to the left the page was turned to be read."""

    def missed(quarters: int) -> float:
        return sum(_missed(line, quarters, width, height) for line in lines)

    return min(range(4), key=missed)


def _missed(line: ScanLine, quarters: int, width: float, height: float) -> float:
    """How far a line is from where it would be in the picture after so many quarters."""
    x, y = _middle(line.place)
    shown_x, shown_y = _middle(line.box)
    wanted = ((x, y), (width - y, x), (width - x, height - y), (y, height - x))[quarters]
    return abs(shown_x - wanted[0]) + abs(shown_y - wanted[1])


def _middle(edges: Edges) -> tuple[float, float]:
    left, top, right, bottom = edges
    return (left + right) / 2, (top + bottom) / 2
