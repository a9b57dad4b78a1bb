"""Text in columns, put in the order in which a person reads it: one column after the other.

A file may draw a page row by row across its columns, and pdfium then gives half a sentence of each.
Columns are believed in only where a gutter goes down through many lines with running text on both
sides of it. A form's labels and values, or a table's cells, are not running text: they stay in
rows. And a page that already comes column by column, or cell by cell, is left as it is. What OCR
saw is judged by the same rules, once it stands in rows (reading_order).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from statistics import median

from ingest.parse.pdf_lines import Line

Pieces = Sequence[Line]

# On either side of a gutter: lines, words in most of them, how much of the longest most of them
# fill, and the share of them that begin in mid-sentence.
_LINES, _WORDS, _FILL, _MID_SENTENCE = 5, 3, 0.55, 0.35
# A space narrower than so many sizes of the type may be one of a justified line.
_JUSTIFIED = 0.8
# How much of a page of columns comes row by row, if it is to be put in order.
_ROW_BY_ROW = 0.6
_NARROWEST_PT = 6.0
# What stands on one side alone, above or below, belongs to its column if it follows so closely.
_FOLLOWS = 2.0
_MOST_GUTTERS = 8
_MOST_LINES = 1000


@dataclass(frozen=True, slots=True)
class Gutter:
    """A white stripe between columns: where it lies, and from what height down to what, points."""

    x: float
    top: float
    bottom: float


def columns_in_order(lines: Sequence[Line], parts: Callable[[Line], Pieces]) -> list[Line]:
    """The lines of a page in reading order; parts: what a line falls into at its wide spaces."""
    if not _LINES <= len(lines) <= _MOST_LINES:
        return list(lines)
    rows = [parts(line) for line in lines]
    own = dict(zip(map(id, rows), lines, strict=True))
    # What was not cut stays the line it was.
    return [own.get(id(row)) or _whole(row) for row in rows_in_order(rows)]


def rows_in_order(rows: Sequence[Pieces], narrowest_pt: float = _NARROWEST_PT) -> list[Pieces]:
    """Rows of pieces, those in columns cut in two at each gutter and put column by column.

    narrowest_pt: how wide a gutter is at least.
    """
    return _ordered(rows, _MOST_GUTTERS if len(rows) <= _MOST_LINES else 0, narrowest_pt)


def _whole(pieces: Pieces) -> Line:
    """One line out of its pieces."""
    first, last = pieces[0], pieces[-1]
    return replace(
        first,
        text=" ".join(piece.text for piece in pieces),
        right=max(piece.right for piece in pieces),
        bold=all(piece.bold for piece in pieces),
        font=first.font if first.font == last.font else "",
        hyphen=last.hyphen,
        end=last.end,
    )


def _ordered(rows: Sequence[Pieces], depth: int, narrowest_pt: float) -> list[Pieces]:
    gutter = _gutter(rows, narrowest_pt) if depth else None
    if gutter is None:
        return list(rows)
    inside = [_is_inside(row, gutter) for row in rows]
    first = inside.index(True)
    within = [row for row, is_in in zip(rows, inside, strict=True) if is_in]
    left, right = _sides(within, gutter.x)
    after = [row for row, is_in in zip(rows[first:], inside[first:], strict=True) if not is_in]
    parts = [rows[:first], left, right, after]
    return [row for part in parts for row in _ordered(part, depth - 1, narrowest_pt)]


def _is_inside(row: Pieces, gutter: Gutter) -> bool:
    return gutter.top <= row[0].y <= gutter.bottom


def _sides(rows: Sequence[Pieces], x: float) -> tuple[list[Pieces], list[Pieces]]:
    """What of the rows stands on either side of a gutter."""
    left = [[piece for piece in row if piece.right <= x] for row in rows]
    right = [[piece for piece in row if piece.right > x] for row in rows]
    return [row for row in left if row], [row for row in right if row]


def _gutter(rows: Sequence[Pieces], narrowest_pt: float) -> Gutter | None:
    """The gutter that parts columns over most lines; None if there is none."""
    if len(rows) < _LINES:
        return None
    best: tuple[int, Gutter] | None = None
    for x in _candidates(rows):
        for run in _uncrossed(rows, x):
            gutter = _within(run, x)
            if gutter is None or (best is not None and len(run) <= best[0]):
                continue
            inside = [row for row in rows if _is_inside(row, gutter)]
            if _is_row_by_row(inside, x) and _parts_columns(inside, x, narrowest_pt):
                best = len(run), gutter
    return best[1] if best is not None else None


def _candidates(rows: Sequence[Pieces]) -> Iterator[float]:
    """Places where enough pieces begin that have something to their left."""
    starts = sorted(piece.left for row in rows for piece in row)
    leftmost = starts[0] if starts else 0.0
    group: list[float] = []
    for start in [*starts, float("inf")]:
        if group and start - group[0] > _NARROWEST_PT:
            if len(group) >= _LINES and group[0] > leftmost + _NARROWEST_PT:
                yield group[0] - 1
            group = []
        group.append(start)


def _uncrossed(rows: Sequence[Pieces], x: float) -> Iterator[list[Pieces]]:
    """The stretches of the page, from its top, in which nothing lies across an x."""
    ordered = sorted(rows, key=lambda row: row[0].y)
    for crossed, run in groupby(ordered, lambda row: _crosses(row, x)):
        if not crossed:
            yield list(run)


def _crosses(row: Pieces, x: float) -> bool:
    return any(piece.left < x < piece.right for piece in row)


def _within(run: Sequence[Pieces], x: float) -> Gutter | None:
    """The gutter in a stretch: from where to where it has columns beside it."""
    left, right = (sorted(row[0].y for row in side) for side in _sides(run, x))
    if len(left) < _LINES or len(right) < _LINES:
        return None
    top, bottom = max(left[0], right[0]), min(left[-1], right[-1])
    step = _FOLLOWS * median(row[0].size_pt for row in run)
    above = [y for y in reversed((*left, *right)) if y < top]
    below = [y for y in (*left, *right) if y > bottom]
    return Gutter(x, _reach(sorted(above, reverse=True), top, step), _reach(below, bottom, step))


def _reach(heights: Sequence[float], edge: float, step: float) -> float:
    """How far from an edge the heights lead, each a step at most from the one before."""
    for height in heights:
        if abs(height - edge) > step:
            break
        edge = height
    return edge


def _is_row_by_row(rows: Sequence[Pieces], x: float) -> bool:
    """Whether the rows, as they came, go to and fro across the gutter with nearly every line."""
    sides = [side for row in rows for side in _side_of_each(row, x)]
    changes = sum(1 for one, other in pairwise(sides) if one != other)
    shorter = min(sides.count(-1), sides.count(1))
    return shorter >= _LINES and changes >= _ROW_BY_ROW * 2 * shorter


def _side_of_each(row: Pieces, x: float) -> Iterator[int]:
    """The sides that a row is on: -1, 1, or both in turn."""
    if any(piece.right <= x for piece in row):
        yield -1
    if any(piece.right > x for piece in row):
        yield 1


def _parts_columns(rows: Sequence[Pieces], x: float, narrowest_pt: float) -> bool:
    left, right = _sides(rows, x)
    edge = max(row[-1].right for row in left)
    wide = min(row[0].left for row in right) - edge >= narrowest_pt
    return wide and _is_running_text(left) and _is_running_text(right)


def _is_running_text(rows: Sequence[Pieces]) -> bool:
    """Lines of several words, most of them full, many of which begin in mid-sentence."""
    lines = [line for row in rows for line in _joined(row)]
    widths = [line.right - line.left for line in lines]
    inside = sum(1 for line in lines if line.text[:1].islower())
    return (
        median(widths) >= _FILL * max(widths)
        and median(len(line.text.split()) for line in lines) >= _WORDS
        and inside >= _MID_SENTENCE * len(lines)
    )


def _joined(row: Pieces) -> list[Line]:
    """The pieces of a row, those as one that only the spaces of a justified line part."""
    found: list[Line] = []
    for piece in row:
        if found and piece.left - found[-1].right < _JUSTIFIED * piece.size_pt:
            found[-1] = _whole([found[-1], piece])
        else:
            found.append(piece)
    return found
