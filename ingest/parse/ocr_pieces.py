"""The pieces of text that OCR saw in a picture, as lines of the page: upright, straight, in order.

The engine joins what stands close on one row, also over the narrow gutter between two columns. So a
piece is parted wherever the space in it is wide; what belongs to one line after all is joined again
when lines are made of rows.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from ingest.document import ScanLine
from ingest.parse.reading_order import in_reading_order

_Pair = tuple[float, float]
_TALL = 1.5
# A slant beyond this is no sheet that was drawn in askew, but text that was set so.
_MOST_SLANT = math.radians(10)
# A space is wide from so many heights of the line.
_WIDE_SPACE = 0.6


@dataclass(frozen=True, slots=True)
class Seen:
    """A piece of text in a picture: middle and size in pixels, slant in radians."""

    text: str
    score: float
    x: float
    y: float
    width: float
    height: float
    slant: float

    @property
    def is_tall(self) -> bool:
        """Whether it runs up or down the picture."""
        return len(self.text) > 2 and self.height > _TALL * self.width


def seen_in(text: str, score: float, corners: Sequence[_Pair]) -> Seen:
    """A piece out of the corners of its box, from the upper left around to the right."""
    (x1, y1), (x2, y2), (x3, y3), (x4, y4) = corners
    return Seen(
        text=text,
        score=score,
        x=(x1 + x2 + x3 + x4) / 4,
        y=(y1 + y2 + y3 + y4) / 4,
        width=(math.hypot(x2 - x1, y2 - y1) + math.hypot(x3 - x4, y3 - y4)) / 2,
        height=(math.hypot(x4 - x1, y4 - y1) + math.hypot(x3 - x2, y3 - y2)) / 2,
        slant=math.atan2(y2 - y1 + y3 - y4, x2 - x1 + x3 - x4),
    )


def parted(piece: Seen, words: Sequence[tuple[str, Any, Sequence[_Pair]]]) -> list[Seen]:
    """A piece, cut where the space between two of its words is wide.

    words: each with its score and the corners of its box.
    """
    if piece.is_tall or len(words) < 2:
        return [piece]
    parts: list[Seen] = []
    text, start, at = "", 0.0, 0
    for (before, after), (word, _, _) in zip(_spaces(piece, words), words, strict=True):
        found = piece.text.find(word, at)
        if found < 0:
            return [piece]
        if after - before >= _WIDE_SPACE * piece.height and text.strip():
            parts.append(_part(piece, text, start, before))
            text, start = "", after
        text += piece.text[at : found + len(word)]
        at = found + len(word)
    return [*parts, _part(piece, text + piece.text[at:], start, piece.width)]


def _spaces(piece: Seen, words: Sequence[tuple[str, Any, Sequence[_Pair]]]) -> Iterator[_Pair]:
    """From where to where the space before each word reaches, along the piece from its left."""
    cos, sin = math.cos(piece.slant), math.sin(piece.slant)
    before: float | None = None
    for _, _, corners in words:
        along = [
            float((x - piece.x) * cos + (y - piece.y) * sin) + piece.width / 2 for x, y in corners
        ]
        yield (min(along), min(along)) if before is None else (before, min(along))
        before = max(along)


def _part(piece: Seen, text: str, start: float, end: float) -> Seen:
    """The part of a piece between two distances from its left end."""
    off = (start + end - piece.width) / 2
    x, y = piece.x + off * math.cos(piece.slant), piece.y + off * math.sin(piece.slant)
    return replace(piece, text=text.strip(), x=x, y=y, width=max(end - start, 0.0))


def _slant(seen: Sequence[Seen]) -> float:
    """By how much the whole page is askew, radians."""
    slants = [piece.slant for piece in seen if piece.width > 4 * piece.height]
    slant = median(slants) if slants else 0.0
    return slant if abs(slant) < _MOST_SLANT else 0.0


def lines_of_picture(
    seen: Sequence[Seen], quarters: int, width: float, height: float, scale: float
) -> list[ScanLine]:
    """The pieces in points and in reading order; width, height: of the picture as it is shown."""
    sideways = quarters % 2 == 1
    centre = (height / 2, width / 2) if sideways else (width / 2, height / 2)
    slant = _slant(seen)
    lines = []
    for piece in seen:
        size = piece.width, piece.height
        shown = _as_shown(piece.x, piece.y, quarters, width, height)
        straight = _turned((piece.x, piece.y), centre, -slant)
        lines.append(
            ScanLine(
                text=piece.text,
                score=round(piece.score, 3),
                box=_around(shown, size[::-1] if sideways else size, scale),
                place=_around(straight, size, scale),
            )
        )
    return in_reading_order(lines)


def _turned(point: _Pair, centre: _Pair, angle: float) -> _Pair:
    x, y = point[0] - centre[0], point[1] - centre[1]
    cos, sin = math.cos(angle), math.sin(angle)
    return centre[0] + x * cos - y * sin, centre[1] + x * sin + y * cos


def _as_shown(x: float, y: float, quarters: int, width: float, height: float) -> _Pair:
    """Where a point of a picture turned to the left lies in the picture as it was."""
    return ((x, y), (width - y, x), (width - x, height - y), (y, height - x))[quarters]


def _around(middle: _Pair, size: _Pair, scale: float) -> tuple[float, float, float, float]:
    (x, y), (width, height) = middle, size
    edges = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    left, top, right, bottom = (round(edge / scale, 1) for edge in edges)
    return left, top, right, bottom
