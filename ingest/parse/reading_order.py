"""The order in which a person reads what OCR saw on a page: row by row, column by column.

Text in columns is read one column after the other. What stands side by side in short pieces, as in
a table or in the head of a letter, is read row by row.
"""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from ingest.document import ScanLine

# Columns: lines on either side of the gutter, words in a line, how much of the longest it fills,
# and the share of lines that begin in mid-sentence.
_COLUMN_LINES, _COLUMN_WORDS, _COLUMN_FILL, _MID_SENTENCE = 5, 3, 0.55, 0.4
_GUTTER_STEP_PT = 3.0
# By so much the edges of boxes waver.
_PLAY_PT = 2.0


def goes_on(before: ScanLine, line: ScanLine) -> bool:
    """Whether a piece stands in the same row as the one before it, to its right."""
    return _on_one_row(before, line) and line.place[0] > before.place[0]


def _on_one_row(one: ScanLine, other: ScanLine) -> bool:
    distance = abs(_middle(one) - _middle(other))
    return distance < min(one.place[3] - one.place[1], other.place[3] - other.place[1]) / 2


def _middle(line: ScanLine) -> float:
    return (line.place[1] + line.place[3]) / 2


def in_reading_order(lines: Sequence[ScanLine]) -> list[ScanLine]:
    """Row by row, each from the left; text in columns one column after the other."""
    rows = _rows(lines)
    found = _gutter(rows)
    if found is None:
        return [line for row in rows for line in row]
    x, first, last = found
    within = [line for row in rows[first:last] for line in row]
    return [
        *in_reading_order([line for row in rows[:first] for line in row]),
        *in_reading_order([line for line in within if _is_left_of(x, line)]),
        *in_reading_order([line for line in within if not _is_left_of(x, line)]),
        *in_reading_order([line for row in rows[last:] for line in row]),
    ]


def _is_left_of(x: float, line: ScanLine) -> bool:
    return line.place[0] + line.place[2] < 2 * x


def _rows(lines: Sequence[ScanLine]) -> list[list[ScanLine]]:
    rows: list[list[ScanLine]] = []
    for line in sorted(lines, key=_middle):
        if rows and _on_one_row(rows[-1][0], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line.place[0]) for row in rows]


def _gutter(rows: Sequence[Sequence[ScanLine]]) -> tuple[float, int, int] | None:
    """Where a gutter parts columns: its x, and the rows from and to which it does; or None."""
    pieces = [line for row in rows for line in row]
    if len(pieces) < 2 * _COLUMN_LINES:
        return None
    left = min(line.place[0] for line in pieces)
    right = max(line.place[2] for line in pieces)
    best: tuple[float, int, int] | None = None
    for step in range(1, int((right - left) / _GUTTER_STEP_PT)):
        x = left + step * _GUTTER_STEP_PT
        for first, last in _clear_runs(rows, x):
            longer = best is None or last - first > best[2] - best[1]
            if longer and _parts_columns(rows[first:last], x):
                best = x, first, last
    return best


def _clear_runs(rows: Sequence[Sequence[ScanLine]], x: float) -> list[tuple[int, int]]:
    """The runs of rows in which no piece lies across an x."""
    crossed = [
        index
        for index, row in enumerate(rows)
        if any(line.place[0] < x - _PLAY_PT and line.place[2] > x + _PLAY_PT for line in row)
    ]
    edges = [-1, *crossed, len(rows)]
    runs = [(before + 1, after) for before, after in pairwise(edges)]
    return [(first, last) for first, last in runs if last - first >= _COLUMN_LINES]


def _parts_columns(rows: Sequence[Sequence[ScanLine]], x: float) -> bool:
    """Whether both sides hold running text; the cells of a table do not, and stay in rows."""
    pieces = [line for row in rows for line in row]
    left = [line for line in pieces if _is_left_of(x, line)]
    right = [line for line in pieces if not _is_left_of(x, line)]
    return _is_running_text(left) and _is_running_text(right)


def _is_running_text(lines: Sequence[ScanLine]) -> bool:
    """Lines of several words, most of them full, many of which begin in mid-sentence."""
    if len(lines) < _COLUMN_LINES:
        return False
    widths = [line.place[2] - line.place[0] for line in lines]
    inside = sum(1 for line in lines if line.text[:1].islower())
    return (
        median(widths) >= _COLUMN_FILL * max(widths)
        and median(len(line.text.split()) for line in lines) >= _COLUMN_WORDS
        and inside >= _MID_SENTENCE * len(lines)
    )
