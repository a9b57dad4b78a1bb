import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook

from ingest import policy_list
from ingest.errors import DamagedFile, EmptyFile, FileTooLarge, RefusedFile, UnsupportedType
from ingest.field_names import FieldName
from ingest.policy_list import PolicyList, read_policy_list

SAMPLES = Path(__file__).parents[2] / "samples"
HEADER = "Policy No.,Title,Effective Date,Next Review\n"


def csv(text: str, encoding: str = "utf-8") -> PolicyList:
    return read_policy_list(text.encode(encoding), "list.csv")


def workbook(*rows: Sequence[object]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_the_list_of_the_samples_is_read() -> None:
    """Each line with its file, its number and its dates as dates."""
    read = read_policy_list((SAMPLES / "policies.csv").read_bytes(), "policies.csv")
    assert (len(read.rows), read.refused, read.unread) == (8, (), ())
    first = read.rows[0]
    assert (first.line, first.file) == (2, "cl-002-patient-identification.html")
    assert first.values[FieldName.EFFECTIVE_FROM] == date(2026, 1, 12)
    assert first.values[FieldName.REVIEW_DUE] == date(2029, 1, 12)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_any_usual_delimiter_and_encoding(delimiter: str, encoding: str) -> None:
    """As Excel writes them in England, Germany and Windows of all ages."""
    lines = [["Document number", "Name", "Owner"], ["IC-001", "Hände, Pflege", "Müller"]]
    quoted = (delimiter.join(f'"{cell}"' for cell in line) for line in lines)
    (row,) = csv("\r\n".join(quoted), encoding).rows
    assert (row.policy_number, row.values[FieldName.TITLE]) == ("IC-001", "Hände, Pflege")
    assert row.values[FieldName.OWNER] == "Müller"


def test_columns_are_known_by_their_usual_names() -> None:
    """Whatever case and punctuation; what means nothing here is named."""
    read = csv(
        "Ref;Policy name;Department;Applies To;Document Owner;Origination Date;Last Approved;"
        "EFFECTIVE FROM;Date last revised;Review Date;Replaces;Approved by;Colour\n"
        "7.04;Falls;Nursing;All staff;Matron;1 May 2010;2 May 2020;3 May 2020;4 May 2021;"
        "5 May 2030;7.03;Board;red\n"
    )
    assert set(read.rows[0].values) == set(FieldName)
    assert read.rows[0].values[FieldName.REVIEW_DUE] == date(2030, 5, 5)
    assert read.unread == ("Approved by", "Colour")


def test_a_date_that_does_not_exist_is_refused_by_its_line() -> None:
    """The other lines are read; whether they are taken is for the caller to decide."""
    read = csv(HEADER + "A-1,Falls,1 May 2026,\nA-2,Hands,31/02/2026,\nA-3,Bins,5 May 2026,\n")
    assert [row.policy_number for row in read.rows] == ["A-1", "A-3"]
    assert [one.reason for one in read.refused] == ["line 3: 31/02/2026 is no date"]


def test_a_date_that_could_be_two_is_refused_until_the_list_shows_its_order() -> None:
    """One date with a day above 12 settles them all."""
    (refused,) = csv(HEADER + "A-1,Falls,03/04/2026,\n").refused
    assert refused.reason == "line 2: 03/04/2026 could be two dates; write it as year-month-day"
    rows = csv(HEADER + "A-1,Falls,03/04/2026,\nA-2,Hands,25/04/2026,\n").rows
    assert rows[0].values[FieldName.EFFECTIVE_FROM] == date(2026, 4, 3)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",Falls,1 May 2026,", "line 2: neither a file nor a policy number"),
        ("A-1,Falls,1 May 2026,1 May 2025", "line 2: the next review (2025-05-01) is not after"),
        ("A-1,Falls,soon,", "line 2: soon is no date"),
        ("A-1,Falls,May 2026,", "line 2: May 2026 is no date"),
        (f"{'A' * 81},Falls,,", "line 2: the policy number has 81 characters; the limit is 80"),
    ],
)
def test_a_line_is_refused_whole_and_in_words(line: str, reason: str) -> None:
    """Never half a line."""
    read = csv(HEADER + line)
    assert read.rows == ()
    assert [one.reason[: len(reason)] for one in read.refused] == [reason]


def test_a_policy_stands_in_one_line() -> None:
    """The second line of a number or a file is refused, and names the first."""
    read = csv(HEADER + "a-1,Falls,,\nA-1,Hands,,\n")
    assert [one.reason for one in read.refused] == ["line 3: A-1 stands in line 2 already"]


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    """Blank lines, titles above the header and cells of several lines are counted too."""
    read = csv("Policies of the ward\n\n" + HEADER + '"A-1","Falls\nand more",,\n\nA-2,Hands,x,\n')
    assert read.rows[0].line == 4
    assert read.rows[0].values[FieldName.TITLE] == "Falls and more"
    assert [one.reason for one in read.refused] == ["line 7: x is no date"]


def test_cells_that_say_nothing_are_empty() -> None:
    """n/a, a dash and "not set" are no values, and no refusals."""
    (row,) = csv(HEADER + "A-1,-,n/a,Not set\n").rows
    assert set(row.values) == {FieldName.POLICY_NUMBER}


def test_a_workbook_is_read_with_its_dates() -> None:
    """Real dates, dates with a time, dates as text and numbers as numbers."""
    content = workbook(
        ("Policy list, exported today",),
        (),
        ("Number", "Title", "Effective", "Next review"),
        ("A-1", "Falls", date(2026, 5, 1), datetime(2028, 5, 1, 12)),  # noqa: DTZ001  # Excel's
        (704, "Hands", "2026-05-02 00:00:00", None),
        ("A-3", "Bins", "31/02/2026", None),
    )
    read = read_policy_list(content, "list.xlsx")
    assert [(row.line, row.policy_number) for row in read.rows] == [(4, "A-1"), (5, "704")]
    assert read.rows[0].values[FieldName.REVIEW_DUE] == date(2028, 5, 1)
    assert read.rows[1].values[FieldName.EFFECTIVE_FROM] == date(2026, 5, 2)
    assert [one.reason for one in read.refused] == ["line 6: 31/02/2026 is no date"]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b" \n", EmptyFile),
        (b"Colour,Shape\nred,round\n", UnsupportedType),
        (b"%PDF-1.7", UnsupportedType),
        (b"PK\x03\x04 broken", DamagedFile),
        (b"Policy number,Title,Policy name\nA-1,x,y\n", UnsupportedType),
        (b"Number,Title\nA-1,\"" + b"x" * 200_000, DamagedFile),
        (b"Number,Title" + b"," * 200 + b"\n", FileTooLarge),
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused_with_what_to_do(
    content: bytes, error: type[RefusedFile]
) -> None:
    """Nothing in it, no known columns, another kind of file, two columns of one meaning."""
    with pytest.raises(error) as raised:
        read_policy_list(content, "list.csv")
    assert "list.csv" in raised.value.message
    assert raised.value.hint


def test_bytes_lines_and_unpacked_bytes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of a hospital has thousands of lines, not millions."""
    content = workbook(("Number", "Title"), *(("A", n) for n in range(20)))
    for name, limit in (("MAX_ROWS", 10), ("MAX_UNPACKED_BYTES", 100), ("MAX_BYTES", 100)):
        with monkeypatch.context() as patch:
            patch.setattr(policy_list, name, limit)
            with pytest.raises(FileTooLarge):
                read_policy_list(content, "list.xlsx")


def test_a_workbook_of_entities_in_entities_is_refused() -> None:
    """Ten letters that would unfold to gigabytes are not unfolded."""
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "lol">{levels}]>'
    source = BytesIO(workbook(("Number", "Title"), ("A-1", "Falls")))
    target = BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for part in old.namelist():
            text = old.read(part).decode()
            if part == "xl/worksheets/sheet1.xml":
                text = bomb + text.replace("Falls", "&e9;").split("?>", 1)[-1]
            new.writestr(part, text)
    with pytest.raises(RefusedFile):
        read_policy_list(target.getvalue(), "list.xlsx")
