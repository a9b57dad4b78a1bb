"""Tables with drawn rules: found by their lines, read cell by cell.

A table without rules is read as lines of text: its columns cannot be told for certain, and a
wrong column is worse than none.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pypdfium2 as pdfium  # type: ignore[import-untyped]
import pypdfium2.raw as raw  # type: ignore[import-untyped]

from ingest.clean import clean_line
from ingest.parse.markup import pipe_table
from ingest.parse.pdf_lines import char_box, codes_of, decoded
from ingest.parse.pdf_turned import Frame

_THIN_PT = 3.0
_SHORTEST_PT = 6.0
_TOUCH_PT = 3.0
_MAX_PATHS = 4000
_MAX_RULES = 1200
_MAX_CELLS = 4000
_MIN_FILLED = 0.35
_MIN_KEPT = 0.9
_MAX_CUT = 0.03
_BLANK = 32


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line along one axis of the upright page, in points: where, from where to where."""

    at: float
    start: float
    end: float
    upright: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table and the area of the upright page that it takes (left, bottom, right, top)."""

    area: tuple[float, float, float, float]
    columns: tuple[float, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def text(self) -> str:
        """The table in Markdown."""
        return pipe_table(self.rows)


class _Text:
    """The text of a page, asked for by places on the page once upright."""

    def __init__(self, text_page: pdfium.PdfTextPage, frame: Frame) -> None:
        self._text_page = text_page
        self._frame = frame
        # pdfium loses the line ends of text on its side when it is asked for a part of it.
        self._places = _places(text_page, frame) if frame.turn else []

    def within(self, left: float, bottom: float, right: float, top: float) -> str:
        """What stands in a box, lines and all."""
        if not self._frame.turn:
            box = self._frame.file_box(left, bottom, right, top)
            return str(self._text_page.get_text_bounded(*box))
        inside = [
            code if left <= x <= right and bottom <= y <= top else _BLANK
            for code, x, y in self._places
        ]
        return decoded(inside)


def _places(text_page: pdfium.PdfTextPage, frame: Frame) -> list[tuple[int, float, float]]:
    """Each character of a page and its middle on the page once upright."""
    found = []
    for index, code in enumerate(codes_of(text_page)):
        left, bottom, right, top = frame.box(*char_box(text_page, index))
        found.append((code, (left + right) / 2, (bottom + top) / 2))
    return found


def read_tables(page: pdfium.PdfPage, text_page: pdfium.PdfTextPage, frame: Frame) -> list[Table]:
    """The ruled tables of a page, turned upright."""
    text = _Text(text_page, frame)
    tables = (_table(group, text) for group in _touching(_rules(page, frame)))
    return [table for table in tables if table is not None]


def _rules(page: pdfium.PdfPage, frame: Frame) -> list[Rule]:
    rules: list[Rule] = []
    paths = page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=1)
    for count, path in enumerate(paths):
        if count > _MAX_PATHS or len(rules) > _MAX_RULES:
            return []
        rules.extend(rules_of(*frame.box(*path.get_bounds())))
    return rules


def rules_of(left: float, bottom: float, right: float, top: float) -> Iterator[Rule]:
    """The rules that a drawn box makes: one if it is thin, its four sides otherwise."""
    width, height = right - left, top - bottom
    if width <= _THIN_PT and height >= _SHORTEST_PT:
        yield Rule((left + right) / 2, bottom, top, upright=True)
    elif height <= _THIN_PT and width >= _SHORTEST_PT:
        yield Rule((bottom + top) / 2, left, right, upright=False)
    elif width >= _SHORTEST_PT and height >= _SHORTEST_PT:
        yield Rule(left, bottom, top, upright=True)
        yield Rule(right, bottom, top, upright=True)
        yield Rule(bottom, left, right, upright=False)
        yield Rule(top, left, right, upright=False)


def _touching(rules: Sequence[Rule]) -> list[list[Rule]]:
    """Groups of rules that meet: each may be a table's grid."""
    groups: list[list[Rule]] = []
    left = list(rules)
    while left:
        group = [left.pop()]
        for rule in group:
            met = [other for other in left if _meet(rule, other)]
            group.extend(met)
            taken = set(map(id, met))
            left = [other for other in left if id(other) not in taken]
        groups.append(group)
    return groups


def _meet(one: Rule, other: Rule) -> bool:
    if one.upright == other.upright:
        return (
            abs(one.at - other.at) <= _TOUCH_PT
            and one.start - _TOUCH_PT <= other.end
            and other.start - _TOUCH_PT <= one.end
        )
    return (
        one.start - _TOUCH_PT <= other.at <= one.end + _TOUCH_PT
        and other.start - _TOUCH_PT <= one.at <= other.end + _TOUCH_PT
    )


def _table(rules: Sequence[Rule], text: _Text) -> Table | None:
    """The table that a grid of rules holds; None if it is a frame, a chart or a drawing."""
    upright = [rule for rule in rules if rule.upright]
    columns = clusters([rule.at for rule in upright])
    lines = clusters([rule.at for rule in rules if not rule.upright])
    if len(columns) < 3 or len(lines) < 3 or len(columns) * len(lines) > _MAX_CELLS:
        return None
    area = (columns[0], lines[0], columns[-1], lines[-1])
    bands = list(pairwise(lines))[::-1]
    rows = tuple(_row(band, columns, upright, text) for band in bands)
    rows = tuple(row for row in rows if any(row))
    return Table(area, columns, rows) if _is_sound(rows, area, text) else None


def clusters(values: Sequence[float]) -> tuple[float, ...]:
    """Places that lie within a few points of each other, taken as one; in ascending order."""
    found: list[float] = []
    for value in sorted(values):
        if not found or value - found[-1] > _TOUCH_PT:
            found.append(value)
    return tuple(found)


def _row(
    band: tuple[float, float],
    columns: Sequence[float],
    upright: Sequence[Rule],
    text: _Text,
) -> tuple[str, ...]:
    """The cells between two rules; a cell that spans columns is followed by empty ones."""
    low, high = band
    edges = [
        column
        for place, column in enumerate(columns)
        if place in (0, len(columns) - 1) or _is_drawn(column, low, high, upright)
    ]
    texts = dict.fromkeys(columns[:-1], "")
    for left, right in pairwise(edges):
        texts[left] = _joined(text.within(left, low, right, high))
    return tuple(texts.values())


def _joined(text: str) -> str:
    return clean_line(text.replace("\x02\r\n", "").replace("\ufffe\r\n", "").replace("\x02", "-"))


def _is_drawn(column: float, low: float, high: float, upright: Sequence[Rule]) -> bool:
    """Whether a rule stands at this column for most of the band's height."""
    covered = sum(
        max(0.0, min(rule.end, high) - max(rule.start, low))
        for rule in upright
        if abs(rule.at - column) <= _TOUCH_PT
    )
    return covered >= 0.5 * (high - low)


def _is_sound(
    rows: Sequence[Sequence[str]],
    area: tuple[float, float, float, float],
    page_text: _Text,
) -> bool:
    """Whether the cells hold what the area holds, two rows and columns of it at least."""
    cells = [cell for row in rows for cell in row]
    filled = [cell for cell in cells if cell]
    if len(rows) < 2 or len(filled) < max(3, _MIN_FILLED * len(cells)):
        return False
    if sum(1 for row in rows if sum(map(bool, row)) > 1) < 2:
        return False
    text = page_text.within(*area)
    if not _MIN_KEPT * _inked(text) <= sum(map(_inked, cells)) <= _inked(text) / _MIN_KEPT:
        return False
    # A rule that cuts through words belongs to a drawing or a form, and not to a table.
    words = Counter(word for cell in cells for word in cell.split())
    cut = words - Counter(_joined(text).split())
    return cut.total() <= max(1, _MAX_CUT * words.total())


def _inked(text: str) -> int:
    return sum(1 for char in text if char.isalnum())
