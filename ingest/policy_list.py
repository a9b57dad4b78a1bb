"""A policy list out of a policy system or a spreadsheet: one line for each policy, with its dates.

Every line is read as a whole or refused with its number and the reason; whether lines are taken
where others are refused is for the caller to decide. A date that could be two dates is refused,
unless another date of the list shows the order of its numbers.
"""

import csv
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO, StringIO

from ingest.dates import Order, date_of, is_ambiguous, order_of
from ingest.errors import DamagedFile, EmptyFile, FileTooLarge, UnsupportedType, in_words
from ingest.field_names import DATES, FieldName
from ingest.parse.text import decode
from ingest.policy_columns import HEADER_WITHIN, Columns, find_columns, is_column

MAX_BYTES, MAX_UNPACKED_BYTES = 10_000_000, 50_000_000
MAX_ROWS, MAX_COLUMNS = 20_000, 100
_MAX_CHARS = {
    FieldName.POLICY_NUMBER: 80,
    FieldName.AREA: 120,
    FieldName.OWNER: 120,
    FieldName.SUPERSEDES: 80,
}
_MAX_TEXT_CHARS = 500
_NOTHING = re.compile(r"(?:[-–—/.]*|n/?a|none|tb[acd]|unknown|not set|not yet set)$", re.IGNORECASE)
_TIME = re.compile(r"[T ]\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?\s*(?:Z|[AP]M|[+-]\d\d:?\d\d)?$", re.I)

Cell = str | date | None


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """One line of the list. file: the name of its file, if the list says it."""

    line: int
    file: str | None
    policy_number: str | None
    values: Mapping[FieldName, str | date]

    @property
    def key(self) -> str:
        """By what its document is found: the file's name if there is one, else the number."""
        return (self.file or self.policy_number or "").casefold()


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that is not taken; reason: "line 7: 31/02/2026 is no date"."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class PolicyList:
    """The lines that can be taken and those that cannot; unread: columns that mean nothing here."""

    rows: tuple[PolicyRow, ...]
    refused: tuple[RefusedLine, ...] = ()
    unread: tuple[str, ...] = ()


def read_policy_list(content: bytes, file_name: str) -> PolicyList:
    """Read CSV or XLSX; raises RefusedFile if it is neither, too large or has no known columns."""
    if not content.strip():
        raise EmptyFile(f"{file_name} is empty.", "Export the list again.")
    if len(content) > MAX_BYTES:
        raise _too_large(file_name, f"{in_words(len(content))}; the limit is {in_words(MAX_BYTES)}")
    rows = _sheet(content, file_name) if content.startswith(b"PK") else _csv(content, file_name)
    start, columns = find_columns(rows, file_name)
    return _read([(line, row) for line, row in rows if line > start], columns)


def _csv(content: bytes, file_name: str) -> list[tuple[int, list[Cell]]]:
    if content.startswith(b"\xd0\xcf\x11\xe0") or content.startswith(b"%PDF"):
        raise UnsupportedType(f"{file_name} is not a list.", "Save it as .xlsx or .csv.")
    text = decode(content)
    marked = re.match(r"sep=(.)\r?\n", text, re.IGNORECASE)
    delimiter = marked[1] if marked else _delimiter(text)
    body = text[marked.end() :] if marked else text
    reader = csv.reader(StringIO(body, newline=""), delimiter=delimiter)
    rows: list[tuple[int, list[Cell]]] = []
    first = 2 if marked else 1
    line = first
    try:
        for cells in reader:
            rows.append((line, [cell.strip() or None for cell in cells]))
            _check_size(len(rows), len(cells), file_name)
            line = first + reader.line_num
    except csv.Error as error:
        raise DamagedFile(
            f"{file_name}: line {line} cannot be read: {error}.", "Export the list again."
        ) from error
    return rows


def _delimiter(text: str) -> str:
    """The one that makes most known columns out of one of the first lines."""
    lines = text.split("\n", HEADER_WITHIN)[:HEADER_WITHIN]

    def known(delimiter: str) -> int:
        # Far below the length at which the reader itself gives up.
        rows = [next(csv.reader([line[:10_000]], delimiter=delimiter), []) for line in lines]
        return max(sum(1 for cell in row if is_column(cell)) for row in rows)

    return max(",;\t|", key=known)


def _sheet(content: bytes, file_name: str) -> list[tuple[int, list[Cell]]]:
    # Its import takes a third of a second, and most lists are CSV.
    from openpyxl import load_workbook

    _check_package(content, file_name)
    rows: list[tuple[int, list[Cell]]] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = load_workbook(BytesIO(content), read_only=True, data_only=True, keep_links=False)
            sheet = next(one for one in book.worksheets if one.sheet_state == "visible")
            # The size that a sheet states is often wrong; rows are counted as they come.
            sheet.reset_dimensions()
            for line, cells in enumerate(
                sheet.iter_rows(max_col=MAX_COLUMNS + 1, values_only=True), start=1
            ):
                filled = _trimmed([_cell(cell) for cell in cells])
                if filled:
                    rows.append((line, filled))
                _check_size(line, len(filled), file_name)
            book.close()
    except (FileTooLarge, UnsupportedType):
        raise
    except Exception as error:  # openpyxl raises all sorts for a broken workbook
        raise DamagedFile(
            f"{file_name}: the workbook cannot be read.", "Save it again as .xlsx or as .csv."
        ) from error
    return rows


def _check_package(content: bytes, file_name: str) -> None:
    try:
        with zipfile.ZipFile(BytesIO(content)) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DamagedFile(f"{file_name} is damaged.", "Save it again as .xlsx.") from error
    if not any(part.filename.startswith("xl/") for part in parts):
        raise UnsupportedType(
            f"{file_name} is neither CSV nor an Excel workbook.", "Save it as .xlsx or .csv."
        )
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MAX_UNPACKED_BYTES:
        raise _too_large(file_name, f"{in_words(unpacked)} once unpacked")


def _cell(value: object) -> Cell:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() or None if value is not None else None


def _trimmed(cells: list[Cell]) -> list[Cell]:
    while cells and cells[-1] is None:
        cells.pop()
    return cells


def _check_size(rows: int, columns: int, file_name: str) -> None:
    if rows > MAX_ROWS:
        raise _too_large(file_name, f"more than {MAX_ROWS:,} lines")
    if columns > MAX_COLUMNS:
        raise _too_large(file_name, f"more than {MAX_COLUMNS} columns")


def _too_large(file_name: str, what: str) -> FileTooLarge:
    return FileTooLarge(f"{file_name} has {what}.", "Split the list, or leave out other columns.")


def _read(rows: Sequence[tuple[int, list[Cell]]], columns: Columns) -> PolicyList:
    order = order_of(
        str(_at(row, columns.fields[name])) for _, row in rows for name in _dates(columns)
    )
    read: list[PolicyRow] = []
    refused: list[RefusedLine] = []
    lines: dict[str, int] = {}
    for line, cells in rows:
        if not any(cells):
            continue
        row = _row(line, cells, columns, order)
        if isinstance(row, PolicyRow) and row.key in lines:
            row = f"{row.file or row.policy_number} stands in line {lines[row.key]} already"
        if isinstance(row, PolicyRow):
            lines[row.key] = line
            read.append(row)
        else:
            refused.append(RefusedLine(line, f"line {line}: {row}"))
    return PolicyList(tuple(read), tuple(refused), columns.unread)


def _dates(columns: Columns) -> Iterator[FieldName]:
    return (name for name in columns.fields if name in DATES)


def _row(
    line: int, cells: Sequence[Cell], columns: Columns, order: Order | None
) -> PolicyRow | str:
    """The row, or in words why it is none."""
    values: dict[FieldName, str | date] = {}
    for name, index in columns.fields.items():
        cell = _at(cells, index)
        if cell is None or (isinstance(cell, str) and _NOTHING.match(cell)):
            continue
        value, wrong = _date(cell, order) if name in DATES else _text(name, cell)
        if value is None:
            return wrong
        values[name] = value
    file = _at(cells, columns.file) if columns.file is not None else None
    number = values.get(FieldName.POLICY_NUMBER)
    if not file and not number:
        return "neither a file nor a policy number"
    start, due = values.get(FieldName.EFFECTIVE_FROM), values.get(FieldName.REVIEW_DUE)
    if isinstance(start, date) and isinstance(due, date) and due <= start:
        return f"the next review ({due}) is not after the effective date ({start})"
    return PolicyRow(line, str(file) if file else None, str(number) if number else None, values)


def _at(cells: Sequence[Cell], index: int) -> Cell:
    return cells[index] if index < len(cells) else None


def _date(cell: str | date, order: Order | None) -> tuple[date | None, str]:
    if isinstance(cell, date):
        return cell, ""
    text = _TIME.sub("", cell)
    day = date_of(text, order)
    if day is None and is_ambiguous(text):
        return None, f"{cell} could be two dates; write it as year-month-day"
    return day, f"{cell[:60]} is no date"


def _text(name: FieldName, cell: str | date) -> tuple[str | None, str]:
    text = " ".join(str(cell).split())
    limit = _MAX_CHARS.get(name, _MAX_TEXT_CHARS)
    if len(text) > limit:
        words = name.value.replace("_", " ")
        return None, f"the {words} has {len(text)} characters; the limit is {limit}"
    return text, ""
