from collections.abc import Sequence
from io import BytesIO

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from ingest.config import IngestSettings
from ingest.document import BlockKind
from ingest.parse import pdf
from ingest.parse.pdf_aligned import aligned_tables
from ingest.parse.pdf_lines import Line
from ingest.split import split

HEIGHT = 800.0
DOSES = (
    ("Drug", "Dose", "Check"),
    ("Insulin", "4 units", "Every hour"),
    ("Heparin", "5,000 units", "Every day"),
    ("Morphine", "2 mg", "Every dose"),
)
LEFTS = (72.0, 220.0, 370.0)


def cell(text: str, left: float, y: float, bold: bool = False) -> Line:
    """A piece of ten points, five for each character."""
    return Line(text, 1, left, left + 5.0 * len(text), y, 10.0, bold)


def laid(rows: Sequence[Sequence[str]], top: float = 100.0, step: float = 16.0) -> list[Line]:
    """Rows at the same places each, the first of them bold; an empty text is no piece."""
    return [
        cell(text, left, top + step * number, bold=number == 0)
        for number, row in enumerate(rows)
        for text, left in zip(row, LEFTS[: len(row)], strict=True)
        if text
    ]


def found(lines: Sequence[Line]) -> list[tuple[tuple[str, ...], ...]]:
    return [table.rows for table in aligned_tables(lines, lambda line: [line], HEIGHT)]


def test_rows_under_bold_headings_are_a_table() -> None:
    """Cells that stand under each other are told apart, and the first row heads them."""
    assert found(laid(DOSES)) == [DOSES]


def test_plain_headings_over_figures_are_enough_for_three_columns() -> None:
    """Where nothing is bold, a column of figures under a word says what the word is."""
    plain = [cell(line.text, line.left, line.y) for line in laid(DOSES)]
    assert found(plain) == [DOSES]
    assert found([line for line in plain if line.left < LEFTS[2]]) == []


def test_a_cell_goes_on_in_the_next_line() -> None:
    """A line that leaves the first column empty belongs to the row above it."""
    rows = (*DOSES[:3], ("", "", "and each night"), DOSES[3])
    lines = [
        cell(one.text, one.left, one.y - (4 if one.text == "and each night" else 0), one.bold)
        for one in laid(rows)
    ]
    ((_, _, heparin, _),) = found(lines)
    assert heparin == ("Heparin", "5,000 units", "Every day and each night")


def test_headings_may_begin_a_line_higher() -> None:
    """What stands bold right above a heading belongs to it; a caption does not."""
    lines = [cell("Usual", 220, 88, bold=True), *laid(DOSES)]
    assert found(lines)[0][0] == ("Drug", "Usual Dose", "Check")
    lines = [cell("Table 3", 72, 88, bold=True), *laid(DOSES)]
    assert found(lines)[0][0] == DOSES[0]


def test_figures_set_from_the_right_are_a_column() -> None:
    """A column may be aligned at its end."""
    rows = [("Ward", "Beds"), ("Three", "8"), ("Four", "1,112"), ("Five", "24")]
    lines = laid(rows)
    moved = [
        Line(one.text, 1, 300 - (one.right - one.left), 300, one.y, 10.0, one.bold)
        if one.left == LEFTS[1]
        else one
        for one in lines
    ]
    assert found(moved) == [tuple(rows)]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(DOSES[:2], id="too few rows"),
        pytest.param([("To:", "All staff"), ("From:", "Matron"), ("Date:", "1 May")], id="letter"),
        pytest.param(
            [("Duties", "Scope")] + [(f"{n}.", f"Wash hands {n}") for n in range(1, 5)], id="list"
        ),
        pytest.param(
            [("Contents", "Page")] + [(f"Part {n} ..........", f"{n}") for n in range(4)],
            id="contents",
        ),
        pytest.param([("YES", "NO")] + [("\u2b1c", "\u2b1c Pacemaker")] * 4, id="boxes to tick"),
        pytest.param([*DOSES, ("Warfarin", "", ""), ("Aspirin", "", "")], id="gaps"),
        pytest.param([*DOSES[:3], ("", "In a line below", ""), DOSES[3]], id="first cell empty"),
    ],
)
def test_what_may_be_something_else_stays_text(rows: Sequence[Sequence[str]]) -> None:
    """A wrong table is worse than none."""
    assert found(laid(rows, step=20.0)) == []


def test_text_in_columns_is_no_table() -> None:
    """Lines that begin in mid-sentence are no cells, whatever stands above them."""
    text = ("wash their hands before", "each contact, and after", "it as well as when they")
    assert found(laid([("Staff", "Visitors"), *((one, one) for one in text * 3)])) == []


def test_a_bold_row_in_between_makes_it_a_sheet_and_no_table() -> None:
    """Two sheets of settings side by side have headings of their own."""
    lines = laid([*DOSES, ("Routine", "Geometry", "Filter"), *DOSES[1:]])
    bold = [cell(one.text, one.left, one.y, one.text == "Routine" or one.bold) for one in lines]
    assert len(found(bold)) == 1
    bold = [cell(one.text, one.left, one.y, one.y == 164 or one.bold) for one in lines]
    assert found(bold) == []


def drawn(rows: Sequence[Sequence[str]]) -> bytes:
    """A PDF with text alone: a sentence, and below it the rows."""
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    canvas.drawString(72, 780, "These doses are checked by two nurses.")
    for number, row in enumerate(rows):
        canvas.setFont("Helvetica-Bold" if number == 0 else "Helvetica", 11)
        for left, text in zip(LEFTS, row, strict=True):
            canvas.drawString(left, 740 - 16 * number, text)
    canvas.save()
    return buffer.getvalue()


def test_the_table_of_a_page_has_its_headings_in_every_passage(settings: IngestSettings) -> None:
    """It is split as any other table is."""
    rows = (DOSES[0], *((f"Drug {n}", f"{n} mg", "Every hour of the day") for n in range(1, 41)))
    document = pdf.parse(drawn(rows), settings)
    assert [block.kind for block in document.blocks] == [BlockKind.PARAGRAPH, BlockKind.TABLE]
    passages = [one.text for one in split(document, settings)]
    assert len(passages) > 1
    assert all("| Drug | Dose | Check |" in text for text in passages)
