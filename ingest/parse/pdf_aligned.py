"""Tables without rules, told by their columns alone: only where nothing else can be meant.

Such a table has a row of short headings, and below it rows whose cells begin, end or lie centred at
the same places, with a white stripe between every two columns. Its headings are set bold, or stand
over figures without being any. All else stays lines of text: lists, forms with their labels, letter
heads, tables of contents, and text in columns, whose lines begin in mid-sentence.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingest.clean import join_lines
from ingest.parse.lines import is_contents_entry, list_marker
from ingest.parse.pdf_columns import Pieces
from ingest.parse.pdf_lines import Line
from ingest.parse.pdf_tables import Table

_MOST_LINES = 1000
# Rows that fill every column, the headings among them; words of a heading; columns of a table.
_ROWS, _HEADING_WORDS, _COLUMNS = 3, 6, 10
# Without bold headings two columns may be anything.
_PLAIN_COLUMNS = 3
_CAPTION = re.compile(r"(?:table|figure|box|exhibit|appendix)\b", re.IGNORECASE)
_STRIPE_PT, _ALIGNED_PT = 7.0, 3.0
# By sizes of the type: how unlike the heights in one row are, how far a cell's next line and the
# next row may be.
_SAME_ROW, _NEXT_LINE, _NEXT_ROW = 0.3, 1.45, 3.5
_MOST_ALIGNED, _MOST_FIGURES, _MID_SENTENCE = 0.8, 0.6, 0.2


@dataclass(frozen=True, slots=True)
class _Row:
    """The pieces of a row by the columns that they stand in, and the lines that continue them."""

    cells: dict[int, list[Line]]
    y: float

    @property
    def first(self) -> dict[int, Line]:
        """The first line of each cell."""
        return {column: lines[0] for column, lines in self.cells.items()}


def aligned_tables(
    lines: Sequence[Line], parts: Callable[[Line], Pieces], height: float
) -> list[Table]:
    """The tables that lines of a page make; parts: what a line falls into at its wide spaces."""
    if not _ROWS <= len(lines) <= _MOST_LINES:
        return []
    rows = _rows([line for line in lines if not line.turn and line.size_pt], parts)
    tables: list[Table] = []
    index = 0
    while index < len(rows):
        found = _grown(rows, index) if _may_be_headings(rows[index]) else []
        if found and _is_clear(table := _in_columns(found)):
            above = _above(rows, index)
            tables.append(_table([_headed(above, table[0]), *table[1:]], height))
        index += max(len(found), 1)
    return tables


def _rows(lines: Sequence[Line], parts: Callable[[Line], Pieces]) -> list[list[Line]]:
    """What stands side by side, from the left; from the top of the page."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: line.y):
        if rows and line.y - rows[-1][0].y <= _SAME_ROW * line.size_pt:
            rows[-1].extend(parts(line))
        else:
            rows.append(list(parts(line)))
    return [sorted(row, key=lambda piece: piece.left) for row in rows]


def _may_be_headings(row: Pieces) -> bool:
    """Whether each is a few words and no label of a form, and there are columns enough of them."""
    least = 2 if all(piece.bold for piece in row) else _PLAIN_COLUMNS
    return least <= len(row) <= _COLUMNS and all(
        len(piece.text.split()) <= _HEADING_WORDS
        and any(char.isalpha() for char in piece.text)
        and ":" not in piece.text
        for piece in row
    )


def _grown(rows: Sequence[Pieces], start: int) -> list[Pieces]:
    """The rows from the headings down that leave the stripes between their columns white."""
    spans = [(piece.left, piece.right) for piece in rows[start]]
    found = [rows[start]]
    for before, row in pairwise(rows[start:]):
        wider = _widened(spans, row)
        if wider is None or row[0].y - before[0].y > _NEXT_ROW * row[0].size_pt:
            break
        spans = wider
        found.append(row)
    return found


def _widened(spans: Sequence[tuple[float, float]], row: Pieces) -> list[tuple[float, float]] | None:
    """The columns' edges with a row's cells in them; None if one stands in none, or in two."""
    wider = list(spans)
    for piece in row:
        index = _nearest(wider, piece)
        wider[index] = (min(wider[index][0], piece.left), max(wider[index][1], piece.right))
    white = all(after[0] - before[1] >= _STRIPE_PT for before, after in pairwise(wider))
    return wider if white else None


def _nearest(spans: Sequence[tuple[float, float]], piece: Line) -> int:
    """The column that a piece overlaps most, or stands closest to."""
    shared = [min(right, piece.right) - max(left, piece.left) for left, right in spans]
    return shared.index(max(shared))


def _in_columns(rows: Sequence[Pieces]) -> list[_Row]:
    """The rows as cells; a line that leaves the first column empty continues the row above."""
    spans = [(piece.left, piece.right) for piece in rows[0]]
    found: list[_Row] = []
    below = rows[0][0].y
    for row in rows:
        cells: dict[int, list[Line]] = {}
        for piece in row:
            cells.setdefault(_nearest(spans, piece), []).append(piece)
        spans = _widened(spans, row) or spans
        close = row[0].y - below <= _NEXT_LINE * row[0].size_pt
        below = row[0].y
        if found and close and 0 not in cells:
            for column, pieces in cells.items():
                found[-1].cells.setdefault(column, []).extend(pieces)
        else:
            found.append(_Row(cells, row[0].y))
    return found


def _above(rows: Sequence[Pieces], index: int) -> list[Line]:
    """The lines above the headings with which these begin: bold as they, and each in one column."""
    spans = [(piece.left, piece.right) for piece in rows[index]]
    found: list[Line] = []
    below = rows[index]
    for row in reversed(rows[:index]):
        close = below[0].y - row[0].y <= _NEXT_LINE * row[0].size_pt
        bold = all(piece.bold for piece in (*row, *below))
        if not (close and bold) or _widened(spans, row) is None or _CAPTION.match(row[0].text):
            break
        found[:0] = row
        below = row
    return found


def _headed(above: Sequence[Line], row: _Row) -> _Row:
    """The row of headings with the lines above it in their cells."""
    spans = [(lines[0].left, lines[0].right) for _, lines in sorted(row.cells.items())]
    cells: dict[int, list[Line]] = {column: [] for column in row.cells}
    for piece in above:
        cells[_nearest(spans, piece)].append(piece)
    return _Row({column: cells[column] + lines for column, lines in row.cells.items()}, row.y)


def _is_clear(rows: Sequence[_Row]) -> bool:
    """Whether it can be nothing but a table."""
    headings, body = rows[0].first, [row.first for row in rows[1:]]
    full = [row for row in rows if len(row.cells) == len(headings)]
    cells = [cell for row in body for cell in row.values()]
    if len(full) < _ROWS or len(full) < _MOST_ALIGNED * len(rows):
        return False
    if any(0 not in row or _is_list_or_form(row) or _is_bold(row) for row in body):
        return False
    if not _is_headed(headings, body):
        return False
    inside = sum(1 for cell in cells if cell.text[:1].islower())
    columns = [[row[column] for row in [headings, *body] if column in row] for column in headings]
    says = all(any(char.isalnum() for cell in cells[1:] for char in cell.text) for cells in columns)
    return says and inside <= _MID_SENTENCE * len(cells) and all(map(_is_aligned, columns))


def _is_list_or_form(row: dict[int, Line]) -> bool:
    """Whether a row is an item with its mark, an entry of contents, or a label with its value."""
    mark = f"{row[0].text} "
    return list_marker(f"{mark}x") == mark or any(
        is_contents_entry(cell.text) or cell.text.endswith(":") for cell in row.values()
    )


def _is_bold(row: dict[int, Line]) -> bool:
    """Whether a row is a heading itself: what it heads are several tables, or none."""
    return all(cell.bold for cell in row.values())


def _is_headed(headings: dict[int, Line], body: Sequence[dict[int, Line]]) -> bool:
    """Whether the first row is set bold over one that is not, or names columns of figures."""
    plain = [cell for row in body for cell in row.values() if not cell.bold]
    if _is_bold(headings) and len(plain) >= len(body):
        return True
    return len(headings) >= _PLAIN_COLUMNS and any(
        not _has_figure(heading)
        and sum(_has_figure(row[column]) for row in body if column in row)
        >= _MOST_FIGURES * len(body)
        for column, heading in headings.items()
    )


def _has_figure(cell: Line) -> bool:
    return any(char.isdigit() for char in cell.text)


def _is_aligned(cells: Sequence[Line]) -> bool:
    """Whether most cells of a column begin, end or have their middle at one place."""
    return any(
        sum(1 for place in places if abs(place - sorted(places)[len(places) // 2]) <= _ALIGNED_PT)
        >= _MOST_ALIGNED * len(places)
        for places in (
            [cell.left for cell in cells],
            [cell.right for cell in cells],
            [(cell.left + cell.right) / 2 for cell in cells],
        )
    )


def _table(rows: Sequence[_Row], height: float) -> Table:
    pieces = list(_pieces(rows))
    size_pt = max(piece.size_pt for piece in pieces)
    columns = range(len(rows[0].cells))
    first, last = min(piece.y for piece in pieces), max(piece.y for piece in pieces)
    return Table(
        area=(
            min(piece.left for piece in pieces),
            height - last - size_pt / 4,
            max(piece.right for piece in pieces),
            height - first + size_pt / 2,
        ),
        columns=tuple(min(row.first[n].left for row in rows if n in row.cells) for n in columns),
        rows=tuple(tuple(_text(row.cells.get(n, ())) for n in columns) for row in rows),
    )


def _pieces(rows: Sequence[_Row]) -> Iterator[Line]:
    for row in rows:
        for cell in row.cells.values():
            yield from cell


def _text(lines: Sequence[Line]) -> str:
    return join_lines([line.raw_text for line in lines], frozenset())
