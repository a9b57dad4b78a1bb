from collections.abc import Callable
from io import BytesIO

import pytest
from reportlab.pdfgen.canvas import Canvas

from ingest.config import IngestSettings
from ingest.document import BlockKind, FindingKind
from ingest.parse.pdf import parse
from ingest.parse.pdf_lines import Line
from ingest.parse.pdf_turned import Frame, downwards, main_turn, quarter

SIZE = (400, 600)
LINES = ("Sharps go into the yellow bin", "and are never recapped by hand,", "not even once.")


def turned(draw: Callable[[Canvas], object], drawn: int, shown: int = 0) -> bytes:
    """A page on which all is drawn turned against the clock, and shown turned with it."""
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=SIZE)
    canvas.setPageRotation(shown)
    width, height = SIZE[:: -1 if shown % 180 else 1]
    corner = {0: (0, 0), 90: (width, 0), 180: (width, height), 270: (0, height)}[drawn]
    canvas.translate(*corner)
    canvas.rotate(drawn)
    draw(canvas)
    canvas.save()
    return buffer.getvalue()


def policy(canvas: Canvas) -> None:
    """A heading, a paragraph of three lines and a table with rules."""
    canvas.setFont("Helvetica-Bold", 16)
    canvas.drawString(50, 350, "Sharps")
    canvas.setFont("Helvetica", 10)
    for row, text in enumerate(LINES):
        canvas.drawString(50, 320 - 12 * row, text)
    for at in (180, 200, 220):
        canvas.line(50, at, 190, at)
    for at in (50, 120, 190):
        canvas.line(at, 180, at, 220)
    for x, y, text in (
        (55, 205, "Bin"),
        (125, 205, "Use"),
        (55, 185, "Black"),
        (125, 185, "Paper"),
    ):
        canvas.drawString(x, y, text)


@pytest.mark.parametrize("drawn", [0, 90, 180, 270])
@pytest.mark.parametrize("shown", [0, 90, 180, 270])
def test_a_turned_page_reads_upright(settings: IngestSettings, drawn: int, shown: int) -> None:
    """Heading, paragraph and table are what they are, however the page is turned."""
    blocks = parse(turned(policy, drawn, shown), settings).blocks
    assert [(block.kind, block.text) for block in blocks] == [
        (BlockKind.HEADING, "Sharps"),
        (BlockKind.PARAGRAPH, " ".join(LINES)),
        (BlockKind.TABLE, "| Bin | Use |\n| --- | --- |\n| Black | Paper |"),
    ]


@pytest.mark.parametrize(
    ("drawn", "shown", "told"), [(90, 90, False), (0, 0, False), (90, 0, True), (0, 180, True)]
)
def test_a_page_that_shows_on_its_side_is_told(
    settings: IngestSettings, drawn: int, shown: int, told: bool
) -> None:
    """A page whose turning is undone when it is shown is like any other."""
    findings = parse(turned(policy, drawn, shown), settings).findings
    assert [finding.kind for finding in findings] == [FindingKind.ROTATED] * told


def test_words_on_their_side_among_upright_ones_stay_words(settings: IngestSettings) -> None:
    """A label along the margin is one block, and does not part the text beside it."""

    def page(canvas: Canvas) -> None:
        policy(canvas)
        canvas.rotate(90)
        canvas.drawString(240, -390, "Printed copies")
        canvas.drawString(240, -380, "are uncontrolled")

    texts = [block.text for block in parse(turned(page, 0), settings).blocks]
    assert " ".join(LINES) in texts
    assert any("Printed copies" in text for text in texts)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_places_are_found_again(turn: int) -> None:
    """A box of the upright page is the same box of the file and back."""
    frame = Frame((10, 20, 410, 620), turn)
    box = (30.0, 40.0, 100.0, 60.0)
    assert frame.box(*frame.file_box(*box)) == pytest.approx(box)
    assert frame.height == (600 if turn % 180 == 0 else 400)


def test_the_way_of_most_characters_counts() -> None:
    """Angles are taken to the nearest quarter; pdfium gives them with the clock."""
    assert [quarter(angle) for angle in (0, 89.6, 181, 270, 359)] == [0, 270, 180, 90, 0]
    assert main_turn([0, 90, 90]) == 90
    assert main_turn([]) == 0


def test_lines_on_their_side_are_put_in_order() -> None:
    """What came bottom first is turned over; upright lines are left as they came."""
    rows = [Line(str(y), 1, y=y, turn=90) for y in (30.0, 20.0, 10.0)]
    upright = [Line(str(y), 1, y=y) for y in (300.0, 200.0)]
    assert [line.y for line in downwards([*upright, *rows], Frame((0, 0, 400, 600)))] == [
        300,
        200,
        10,
        20,
        30,
    ]
