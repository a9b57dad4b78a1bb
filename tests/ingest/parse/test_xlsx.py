from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook

from ingest.config import IngestSettings
from ingest.document import Block, BlockKind, FindingKind
from ingest.errors import DamagedFile, FileTooLarge, NoText
from ingest.parse.xlsx import parse
from ingest.parser import parse_file
from ingest.source import XLSX
from ingest.split import split

H, P, T = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.TABLE


def saved(fill: Callable[[Any], object]) -> bytes:
    """A workbook that the function has written into."""
    workbook = Workbook()
    fill(workbook)
    buffer = BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def with_part(content: bytes, name: str, data: bytes) -> bytes:
    """The same package with one part replaced."""
    buffer = BytesIO()
    with ZipFile(BytesIO(content)) as package, ZipFile(buffer, "w", ZIP_DEFLATED) as changed:
        for part in package.namelist():
            changed.writestr(part, data if part == name else package.read(part))
    return buffer.getvalue()


def doses(workbook: Any) -> None:
    sheet = workbook.active
    sheet.title = "Doses"
    for row in (["Insulin doses"], ["Drug", "Units"], ["Rapid", 4], [], ["Ward", "Bed"], ["A", 1]):
        sheet.append(row)


def test_a_sheet_is_a_heading_and_tables(settings: IngestSettings) -> None:
    """Blank rows part tables, and a single cell on top is a line of its own."""
    document = parse(saved(doses), settings)
    assert document.blocks == (
        Block(H, "Doses", 1, 1),
        Block(P, "Insulin doses", 1),
        Block(T, "| Drug | Units |\n| --- | --- |\n| Rapid | 4 |", 1),
        Block(T, "| Ward | Bed |\n| --- | --- |\n| A | 1 |", 1),
    )


def test_every_passage_carries_the_header(settings: IngestSettings) -> None:
    """A long table is cut between rows, and each piece says what its columns are."""

    def fill(workbook: Any) -> None:
        workbook.active.append(["Drug name", "Dose"])
        for number in range(300):
            workbook.active.append([f"Drug {number}", f"{number} mg"])

    passages = split(parse(saved(fill), settings), settings)
    assert len(passages) > 3
    assert all("| Drug name | Dose |" in passage.text for passage in passages)


def test_values_read_as_a_person_sees_them(settings: IngestSettings) -> None:
    """Percentages, dates, times and decimals."""

    def fill(workbook: Any) -> None:
        sheet = workbook.active
        sheet.append(["a", "b", "c", "d", "e", "f"])
        moment = datetime.fromisoformat("2026-03-04T14:30")
        sheet.append([0.125, date(2026, 3, 4), time(7, 5), moment, 2.5, True])
        sheet["A2"].number_format = "0.0%"
        sheet["E2"].number_format = "0.00"

    row = parse(saved(fill), settings).blocks[-1].text.split("\n")[-1]
    assert row == "| 12.5 % | 2026-03-04 | 07:05 | 2026-03-04 14:30 | 2.50 | TRUE |"


def test_what_is_hidden_is_reported_and_not_read(settings: IngestSettings) -> None:
    """Hidden sheets, rows and columns: none of their words, one finding for each kind."""

    def fill(workbook: Any) -> None:
        sheet = workbook.active
        for row in (["Drug", "Secret", "Dose"], ["Insulin", "secret", 4], ["secret", "", ""]):
            sheet.append(row)
        sheet.row_dimensions[3].hidden = True
        sheet.column_dimensions["B"].hidden = True
        other = workbook.create_sheet("Old")
        other.append(["secret"])
        other.sheet_state = "hidden"

    document = parse(saved(fill), settings)
    assert "secret" not in "".join(document.page_texts).lower()
    assert [(f.kind, f.page, f.count) for f in document.findings] == [
        (FindingKind.HIDDEN, 1, 1),
        (FindingKind.HIDDEN, 1, 1),
        (FindingKind.HIDDEN, 2, 1),
    ]
    assert document.page_count == len(document.page_texts) == 2


def test_a_formula_without_a_result_says_so(settings: IngestSettings) -> None:
    """No number is made up for what no program has calculated."""

    def fill(workbook: Any) -> None:
        workbook.active.append(["Dose", "Twice"])
        workbook.active.append([4, "=A2*2"])

    assert "| 4 | (formula without a saved result) |" in parse(saved(fill), settings).page_texts[0]


def test_a_cell_far_out_is_bounded(settings: IngestSettings) -> None:
    """Many blank rows cost nothing; a column beyond the limit is refused by name."""

    def deep(workbook: Any) -> None:
        workbook.active["A1"] = "Wash"
        workbook.active["A1048576"] = "your hands"

    def wide(workbook: Any) -> None:
        workbook.active["XFD1"] = "Wash"

    assert len(parse(saved(deep), settings).blocks) == 3
    with pytest.raises(FileTooLarge, match="columns"):
        parse(saved(wide), settings)
    with pytest.raises(FileTooLarge, match="cells"):
        parse(saved(doses), replace(settings, max_sheet_cells=3))


def test_an_empty_workbook_is_refused(settings: IngestSettings) -> None:
    """The name of a sheet is no text."""
    with pytest.raises(NoText):
        parse(saved(lambda workbook: None), settings)


def test_damaged_and_exploding_files_are_refused(settings: IngestSettings) -> None:
    """A cut file, a part that is no XML, and a billion laughs."""
    whole = saved(doses)
    bomb = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><worksheet>&b;</worksheet>'
    sheet = "xl/worksheets/sheet1.xml"
    for content in (
        whole[:2000], whole[:-300], with_part(whole, sheet, b"<work"), with_part(whole, sheet, bomb)
    ):  # fmt: skip
        with pytest.raises(DamagedFile) as caught:
            parse(content, settings)
        assert "Excel" in caught.value.hint


def test_a_workbook_goes_through_the_child(tmp_path: Path, settings: IngestSettings) -> None:
    """The walls of the child let the library be imported and do its work."""
    path = tmp_path / "book"
    path.write_bytes(saved(doses))
    assert parse_file(path, XLSX, "doses.xlsx", settings).blocks[0] == Block(H, "Doses", 1, 1)
