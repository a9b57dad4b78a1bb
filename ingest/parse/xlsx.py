"""Spreadsheets: a sheet is a page, its rows are tables; what is hidden is counted, not read."""

import mimetypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import groupby
from typing import Any
from xml.etree.ElementTree import iterparse

from ingest.clean import clean_line
from ingest.config import IngestSettings
from ingest.document import Block, BlockKind, Finding, FindingKind, ParsedDocument
from ingest.errors import FileTooLarge
from ingest.parse.cells import cell_text
from ingest.parse.markup import check_text, page_text, pipe_table
from ingest.parse.titles import stated_title
from ingest.parse.unpacking import BROKEN_XML, BROKEN_ZIP, check_entities, check_package, damaged

_NOT_CALCULATED = "(formula without a saved result)"
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_MAX_COLUMN = 16_384


@dataclass(slots=True)
class _Unread:
    """What a sheet hides, and its formulas that no program has calculated."""

    rows: set[int] = field(default_factory=set)
    columns: set[int] = field(default_factory=set)
    formulas: set[str] = field(default_factory=set)


def parse(content: bytes, settings: IngestSettings) -> ParsedDocument:
    """Read a workbook; raises RefusedFile when it is damaged, locked, too large or empty."""
    check_package(content, settings, "Excel")
    check_entities(content, "Excel")
    try:
        workbook = _open(content)
        reader = _Reader(settings)
        for page, sheet in enumerate(workbook.worksheets, start=1):
            reader.read(sheet, page)
        title = stated_title(workbook.properties.title or "")
    except (*BROKEN_ZIP, *BROKEN_XML) as error:
        raise damaged("Excel") from error
    blocks = [block for page in reader.pages for block in page]
    check_text([block for block in blocks if block.kind is not BlockKind.HEADING], settings)
    return ParsedDocument(
        title=title,
        blocks=tuple(blocks),
        page_count=len(reader.pages),
        page_texts=tuple(map(page_text, reader.pages)),
        findings=tuple(reader.findings),
    )


def _open(content: bytes) -> Any:
    # When it is imported, openpyxl reads the machine's list of file types, which lies outside the
    # walls around this process: so there is to be none, and it is imported only then.
    mimetypes.knownfiles.clear()
    from openpyxl import load_workbook

    return load_workbook(BytesIO(content), read_only=True, data_only=True)


class _Reader:
    """Reads sheet after sheet and counts their cells together."""

    def __init__(self, settings: IngestSettings) -> None:
        self.pages: list[list[Block]] = []
        self.findings: list[Finding] = []
        self._settings = settings
        self._cells = 0

    def read(self, sheet: Any, page: int) -> None:
        """Add one sheet as one page; a hidden one stays empty."""
        name = clean_line(sheet.title)
        if sheet.sheet_state != "visible":
            self._report(page, f"The sheet “{name}” is hidden and was not read.", 1)
            self.pages.append([])
            return
        # The file may claim any size for its sheet: take the rows as they come.
        sheet.reset_dimensions()
        unread = _look(sheet)
        hidden_rows, hidden_columns = set[int](), set[int]()
        lines: list[list[str]] = []
        for number, row in enumerate(sheet.iter_rows(), start=1):
            cells = {cell.column: text for cell in row if (text := _text(cell, unread))}
            self._count(cells, name)
            if number in unread.rows:
                hidden_rows |= {number} if cells else set()
                cells = {}
            hidden_columns |= unread.columns & cells.keys()
            seen = {c: text for c, text in cells.items() if c not in unread.columns}
            lines.append([seen.get(c, "") for c in range(1, max(seen, default=0) + 1)])
        if hidden_rows:
            words = f"The sheet “{name}” has hidden rows, which were not read."
            self._report(page, words, len(hidden_rows))
        if hidden_columns:
            words = f"The sheet “{name}” has hidden columns, which were not read."
            self._report(page, words, len(hidden_columns))
        body = [Block(kind, text, page) for kind, text in _pieces(lines)]
        self.pages.append([Block(BlockKind.HEADING, name, page, 1), *body] if body else [])

    def _report(self, page: int, words: str, count: int) -> None:
        self.findings.append(Finding(FindingKind.HIDDEN, page, words, count))

    def _count(self, cells: dict[int, str], name: str) -> None:
        self._cells += len(cells)
        limits = self._settings
        if self._cells > limits.max_sheet_cells or max(cells, default=0) > limits.max_sheet_columns:
            raise FileTooLarge(
                f"The sheet “{name}” is larger than what is read: {limits.max_sheet_cells:,} "
                f"filled cells in a file, {limits.max_sheet_columns:,} columns in a sheet.",
                "Save the sheets that hold the policy as a workbook of their own.",
            )


def _look(sheet: Any) -> _Unread:
    """A first pass over the sheet's XML, for what openpyxl does not tell while it streams."""
    unread = _Unread()
    with sheet._get_source() as source:
        # Entities cannot grow here: check_entities refused every declaration of one.
        for _, element in iterparse(source):  # noqa: S314
            if element.tag == f"{_MAIN}col" and element.get("hidden") in ("1", "true"):
                first = int(element.get("min", "1"))
                last = min(int(element.get("max", "1")), _MAX_COLUMN)
                unread.columns.update(range(first, last + 1))
            elif element.tag == f"{_MAIN}c":
                value = element.find(f"{_MAIN}v")
                if element.find(f"{_MAIN}f") is not None and (value is None or not value.text):
                    unread.formulas.add(element.get("r", ""))
            elif element.tag == f"{_MAIN}row":
                if element.get("hidden") in ("1", "true"):
                    unread.rows.add(int(element.get("r", "0")))
                element.clear()
    return unread


def _text(cell: Any, unread: _Unread) -> str:
    if cell.value is None:
        has_name = unread.formulas and hasattr(cell, "coordinate")
        return _NOT_CALCULATED if has_name and cell.coordinate in unread.formulas else ""
    return cell_text(cell.value, cell.number_format or "General")


def _pieces(lines: Sequence[list[str]]) -> Iterator[tuple[BlockKind, str]]:
    """Runs of filled rows: single cells on top are paragraphs, the rest is a table."""
    for filled, group in groupby(lines, key=any):
        rows = list(group) if filled else []
        while rows and sum(map(bool, rows[0])) == 1:
            yield BlockKind.PARAGRAPH, "".join(rows.pop(0))
        if not rows:
            continue
        width = max(map(len, rows))
        full = [row + [""] * (width - len(row)) for row in rows]
        used = [column for column in range(width) if any(row[column] for row in full)]
        yield BlockKind.TABLE, pipe_table([[row[column] for column in used] for row in full])
