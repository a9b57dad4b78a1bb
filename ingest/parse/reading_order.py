"""The order in which a person reads what OCR saw on a page: row by row, column by column.

What a column is, is decided as for any other page (pdf_columns); here pieces only become rows.
"""

from collections.abc import Sequence

from ingest.document import ScanLine
from ingest.parse.pdf_columns import rows_in_order
from ingest.parse.pdf_lines import Line

# OCR draws its boxes wide, so that of a gutter hardly anything may be left between them.
_NARROWEST_PT = 1.0


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
    ordered = sorted(lines, key=_middle)
    rows: list[list[Line]] = []
    for index, line in enumerate(ordered):
        if rows and _on_one_row(ordered[rows[-1][0].start], line):
            rows[-1].append(_piece(line, index))
        else:
            rows.append([_piece(line, index)])
    upright = [sorted(row, key=lambda piece: piece.left) for row in rows]
    return [ordered[piece.start] for row in rows_in_order(upright, _NARROWEST_PT) for piece in row]


def _piece(line: ScanLine, index: int) -> Line:
    """What a column is told by; start: the place of the piece among the others."""
    left, top, right, bottom = line.place
    return Line(line.text, 1, left, right, _middle(line), bottom - top, start=index)
