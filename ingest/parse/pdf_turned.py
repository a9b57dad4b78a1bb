"""Which way the text of a PDF page runs, and places on the page once it is turned upright.

Text may be drawn on its side, and a page may be shown turned (/Rotate); often both, so that one
undoes the other. The text alone decides here: upright is the way most of its characters stand.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest.parse.pdf_lines import Line

Edges = tuple[float, float, float, float]

_QUARTER = 90
# Lines on one level may differ by so much.
_LEVEL_PT = 1.0


@dataclass(frozen=True, slots=True)
class Frame:
    """A page turned upright.

    edges: left, bottom, right, top of the page as its file has them, points. turn: degrees by
    which its text runs away from left to right, against the clock: 0, 90, 180 or 270.
    shown: degrees by which the page is turned with the clock when it is shown.
    """

    edges: Edges
    turn: int = 0
    shown: int = 0

    @property
    def shown_turn(self) -> int:
        """How the text stands on the page as it is shown, degrees against the clock."""
        return (self.turn - self.shown) % 360

    @property
    def height(self) -> float:
        """The height of the page once upright, points."""
        left, bottom, right, top = self.edges
        return top - bottom if self.turn % 180 == 0 else right - left

    def place(self, x: float, y: float) -> tuple[float, float]:
        """A point of the file, from the lower left corner of the page once upright."""
        left, bottom, right, top = self.edges
        match self.turn:
            case 90:
                return y - bottom, right - x
            case 180:
                return right - x, top - y
            case 270:
                return top - y, x - left
        return x - left, y - bottom

    def box(self, left: float, bottom: float, right: float, top: float) -> Edges:
        """A box of the file, on the page once upright."""
        return _around(self.place(left, bottom), self.place(right, top))

    def file_box(self, left: float, bottom: float, right: float, top: float) -> Edges:
        """A box of the page once upright, as the file has it."""
        return _around(self._file_place(left, bottom), self._file_place(right, top))

    def _file_place(self, x: float, y: float) -> tuple[float, float]:
        left, bottom, right, top = self.edges
        match self.turn:
            case 90:
                return right - y, x + bottom
            case 180:
                return right - x, top - y
            case 270:
                return y + left, top - x
        return x + left, y + bottom


def _around(one: tuple[float, float], other: tuple[float, float]) -> Edges:
    (x1, y1), (x2, y2) = one, other
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def quarter(clockwise_degrees: float) -> int:
    """The nearest quarter turn against the clock, in degrees."""
    return round(-clockwise_degrees / _QUARTER) % 4 * _QUARTER


def main_turn(turns: Sequence[int]) -> int:
    """The turn of most characters; 0 if there are none."""
    return Counter(turns).most_common(1)[0][0] if turns else 0


def downwards(lines: Sequence["Line"], frame: Frame) -> list["Line"]:
    """The lines in order; those on their side, which pdfium may give bottom first, put right."""
    ordered: list[Line] = []
    for turn, run in groupby(lines, lambda line: line.turn):
        stretch = list(run)
        is_plain = turn == frame.turn == frame.shown == 0
        ordered.extend(stretch if is_plain else _put_right(stretch))
    return ordered


def _put_right(run: Sequence["Line"]) -> Sequence["Line"]:
    """Lines of one direction: turned over if more steps lead up than down."""
    steps = [line.y - before.y for before, line in pairwise(run)]
    upwards = sum(1 for step in steps if step < -_LEVEL_PT)
    if upwards <= sum(1 for step in steps if step > _LEVEL_PT):
        return run
    return sorted(run, key=lambda line: (round(line.y), line.left))
