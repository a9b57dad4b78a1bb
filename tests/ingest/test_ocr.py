"""Scans as people make them, read by the real engine: straight, askew, turned, empty, scribbled."""

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from ingest import errors
from ingest.config import IngestSettings
from ingest.document import BlockKind, FindingKind, ParsedDocument, ScanLine
from ingest.ocr import Scan, findings_of, lines_from, plain, scan_document, scan_pages
from ingest.page_image import render_page
from ingest.parser import parse_file
from ingest.source import PDF
from ingest.split import split

A5 = 420.0, 595.0
SHEET_PX = 1240, 1754
HEADING = "Sharps injuries"
TEXT = (
    "Wash the wound at once with soap and water and let it",
    "bleed. Do not suck it. Tell the nurse in charge, who",
    "calls the occupational health service within 2 hours.",
    "",
    "1. Write down the name of the patient and the ward.",
    "2. Go to the emergency department after 18:30 or on",
    "Sundays, and take form IC-014 with you.",
)
WORDS = re.compile(r"\w+")
TURNS = Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270
PAGES = ("straight", "askew", "left", "over", "right", "blank", "scribble", "typed")


def sheet() -> Image.Image:
    """A sheet of paper with a heading and some text, 300 dots an inch."""
    image = Image.new("RGB", SHEET_PX, "white")
    draw = ImageDraw.Draw(image)
    draw.text((140, 200), HEADING, "black", ImageFont.load_default(84))
    for row, line in enumerate(TEXT):
        draw.text((140, 400 + 62 * row), line, "black", ImageFont.load_default(40))
    return image


def scribble() -> Image.Image:
    """Strokes as of a pen that tries itself out."""
    image, pen = Image.new("RGB", SHEET_PX, "white"), random.Random(20_261_123)
    draw = ImageDraw.Draw(image)
    for row in range(6):
        x = 150.0
        points = []
        while x < 1100:
            x += pen.uniform(4, 30)
            points.append((x, 300 + 200 * row + pen.uniform(-60, 60)))
        draw.line(points, "navy", 5, "curve")
    return image


def columns() -> Image.Image:
    """Text in two columns with a narrow gutter."""
    image = Image.new("RGB", SHEET_PX, "white")
    draw = ImageDraw.Draw(image)
    for left, name in ((120, "left"), (645, "right")):
        for row in range(12):
            line = f"{name} {row + 10} staff close a bin"
            draw.text((left, 300 + 56 * row), line, "black", ImageFont.load_default(44))
    return image


def pdf(*pages: Image.Image | str, size: tuple[float, float] = A5) -> bytes:
    """A PDF with a picture or a line of typed text on each page."""
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=size)
    for page in pages:
        if isinstance(page, str):
            canvas.drawString(40, 500, page)
        else:
            fits = size if page.width < page.height else size[::-1]
            canvas.setPageSize(fits)
            canvas.drawImage(ImageReader(page), 0, 0, *fits)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A document with one page of each kind, in the order of PAGES."""
    paper, tilted = sheet(), sheet().rotate(1.5, fillcolor="white")
    turned = [paper.transpose(turn) for turn in TURNS]
    path = tmp_path_factory.mktemp("scans") / "mixed"
    blank = Image.new("RGB", SHEET_PX, "white")
    path.write_bytes(pdf(paper, tilted, *turned, blank, scribble(), "Typed on a machine."))
    return path


@pytest.fixture(scope="module")
def read(mixed: Path) -> tuple[ParsedDocument, list[tuple[int, int]]]:
    """That document once read, and the progress that was told meanwhile."""
    told: list[tuple[int, int]] = []
    settings = IngestSettings()
    document = parse_file(
        mixed, PDF, "mixed.pdf", settings, lambda done, total: told.append((done, total))
    )
    return document, told


def share_found(text: str) -> float:
    """Which part of the sheet's words was found."""
    wanted = Counter(WORDS.findall(" ".join((HEADING, *TEXT)).casefold()))
    missing = wanted - Counter(WORDS.findall(text.casefold()))
    return 1 - missing.total() / wanted.total()


@pytest.mark.parametrize("name", PAGES[:5])
def test_a_scan_is_read_however_it_lay(
    read: tuple[ParsedDocument, list[tuple[int, int]]], name: str
) -> None:
    """Straight, a little askew, on either side or on its head: at least 95 % of the words."""
    assert share_found(read[0].page_texts[PAGES.index(name)]) >= 0.95


@pytest.mark.parametrize("name", PAGES[:5])
def test_a_scan_has_its_heading_and_its_list(
    read: tuple[ParsedDocument, list[tuple[int, int]]], name: str
) -> None:
    """What OCR read goes the way of all text: headings by size, paragraphs whole, list items."""
    blocks = [block for block in read[0].blocks if block.page == PAGES.index(name) + 1]
    assert [block.kind for block in blocks] == [
        BlockKind.HEADING,
        BlockKind.PARAGRAPH,
        BlockKind.LIST_ITEM,
        BlockKind.LIST_ITEM,
    ]
    assert blocks[0].text == HEADING


def test_typed_pages_are_as_they_were(
    read: tuple[ParsedDocument, list[tuple[int, int]]],
) -> None:
    """OCR looks only at what has no text of its own."""
    assert read[0].page_texts[-1] == "Typed on a machine."


def test_a_person_is_told_of_every_page_that_is_a_picture(
    read: tuple[ParsedDocument, list[tuple[int, int]]],
) -> None:
    """Those that were read with their words, those that hold none as unread, in their order."""
    found = read[0].findings
    assert [finding.page for finding in found] == list(range(1, 8))
    assert [finding.kind for finding in found[:6]] == [FindingKind.SCANNED] * 5 + [
        FindingKind.NO_TEXT
    ]
    assert "OCR read" in found[0].detail
    assert found[0].count > 50
    assert "6" in found[5].detail
    assert 6 in read[0].pages_without_text


def test_a_scribble_is_not_taken_for_text(
    read: tuple[ParsedDocument, list[tuple[int, int]]],
) -> None:
    """It is unread, or to be checked by eye."""
    finding = read[0].findings[6]
    assert finding.kind is FindingKind.NO_TEXT or "by eye" in finding.detail


def test_progress_is_told_page_by_page(
    read: tuple[ParsedDocument, list[tuple[int, int]]],
) -> None:
    """After every page, of those that OCR is to read."""
    assert read[1] == [(done, 7) for done in range(1, 8)]


def test_a_citation_opens_the_scanned_page(
    mixed: Path, read: tuple[ParsedDocument, list[tuple[int, int]]], settings: IngestSettings
) -> None:
    """A passage of a scan knows its page, and the page is drawn without marks, not refused."""
    passages = split(read[0], settings)
    (first, *_) = [passage for passage in passages if "occupational" in passage.text]
    assert first.section.endswith(HEADING)
    drawn = render_page(mixed, first.page_from, [first.text], 1.0, settings)
    assert (first.page_from, drawn.boxes) == (1, ())


def test_boxes_lie_on_the_page_as_it_is_shown(tmp_path: Path, settings: IngestSettings) -> None:
    """Also of a page that was turned to be read: the heading is at the foot, upside down."""
    path = tmp_path / "over"
    path.write_bytes(pdf(sheet().transpose(Image.Transpose.ROTATE_180)))
    (heading, *_), *_ = scan_pages(path, [1], settings).values()
    left, top, right, bottom = heading.box
    assert (heading.text, heading.place[1] < 100) == (HEADING, True)
    assert A5[0] / 3 < left < right < A5[0] - 40
    assert A5[1] - 110 < top < bottom < A5[1] - 60


def test_columns_are_read_one_after_the_other(tmp_path: Path, settings: IngestSettings) -> None:
    """Also where the engine reads over the gutter between them."""
    path = tmp_path / "columns"
    path.write_bytes(pdf(columns()))
    text = parse_file(path, PDF, "columns.pdf", settings).page_texts[0]
    rows = [int(number) for number in re.findall(r"(?:left|right) (\d\d)", text)]
    assert rows == [*range(10, 22), *range(10, 22)]


def test_a_document_without_a_word_is_refused(tmp_path: Path, settings: IngestSettings) -> None:
    """Blank sheets through a scanner: the refusal says that OCR was tried."""
    path = tmp_path / "blank"
    path.write_bytes(pdf(Image.new("RGB", SHEET_PX, "white")))
    with pytest.raises(errors.NoText, match=r"blank\.pdf.*OCR could read no text"):
        parse_file(path, PDF, "blank.pdf", settings)


def test_whoever_waits_can_break_it_off(mixed: Path, settings: IngestSettings) -> None:
    """What the listener raises ends the reading after the page that was being read."""

    class StopNow(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise StopNow

    with pytest.raises(StopNow):
        scan_document(mixed, [6], settings, stop)


def test_pages_that_break_off_are_named_and_do_not_spread(
    mixed: Path, settings: IngestSettings
) -> None:
    """Without time or room no page is read; each is tried alone once, and few are tried at all."""
    hurried = replace(settings, ocr_timeout_s=0.2, ocr_pages_per_child=2)
    scan = scan_document(mixed, range(1, 8), hurried)
    assert (scan.lines, scan.broken) == ({}, set(range(1, 8)))
    cramped = replace(settings, ocr_memory_bytes=300 * 1024 * 1024)
    scan = scan_document(mixed, [1], cramped)
    assert scan.broken == {1}
    assert [finding.kind for finding in findings_of(scan)] == [FindingKind.NO_TEXT]


def test_pages_beyond_the_most_are_named(mixed: Path, settings: IngestSettings) -> None:
    """A limit on OCR leaves no page out in silence."""
    scan = scan_document(mixed, [6, 7], replace(settings, ocr_max_pages=1))
    assert scan.left_out == (7,)
    assert "at most 1 pages" in list(findings_of(scan))[-1].detail


def line(text: str, score: float) -> ScanLine:
    return ScanLine(text, score, (1.0, 2.0, 3.0, 4.0), (1.0, 2.0, 3.0, 4.0))


@pytest.mark.parametrize(
    ("lines", "kind", "said"),
    [
        ([line("Wash hands", 0.99)], FindingKind.SCANNED, "OCR read 2 words in it."),
        ([line("Wash hands", 0.7)], FindingKind.SCANNED, "Check the text against the picture"),
        (
            [line("Wash", 0.99), line("hds", 0.3)],
            FindingKind.SCANNED,
            "OCR read 1 word in it. 1 line could not be read. Check",
        ),
        ([line("hds", 0.3)], FindingKind.NO_TEXT, "OCR found no text in it"),
        ([], FindingKind.NO_TEXT, "OCR found no text in it"),
    ],
)
def test_findings_say_how_sure_ocr_was(
    lines: Sequence[ScanLine], kind: FindingKind, said: str
) -> None:
    """A page that was hard to read is to be checked by eye."""
    (finding,) = findings_of(Scan(10, {3: tuple(lines)}))
    assert (finding.kind, finding.page) == (kind, 3)
    assert said in finding.detail


def test_lines_cross_as_they_are() -> None:
    """Out of one child and into the other."""
    scans: Mapping[int, tuple[ScanLine, ...]] = {2: (line("Wash", 0.99),), 3: ()}
    assert lines_from(plain(scans)) == scans


@pytest.mark.parametrize("bad", [{"x": []}, {"1": [["a", "b", [], []]]}, {"1": [["a", 1]]}])
def test_what_is_no_line_is_refused(bad: dict[str, list[list[object]]]) -> None:
    """A child that was taken over hands on nothing else."""
    with pytest.raises((ValueError, TypeError)):
        lines_from(bad)
