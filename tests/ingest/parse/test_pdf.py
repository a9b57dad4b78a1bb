from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from ingest.config import IngestSettings
from ingest.document import Block, BlockKind, ScanLine
from ingest.errors import DamagedFile, EncryptedFile, FileTooLarge, NoText, TooManyPages
from ingest.parse.pdf import parse

H, P, L, T = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.TABLE
MakePdf = Callable[..., bytes]
SENTENCE = "Staff clean their hands before and after each contact with a patient. "


def drawn(*pages: Callable[[Canvas], object]) -> bytes:
    """A PDF with one page for each function that draws."""
    buffer = BytesIO()
    canvas = Canvas(buffer)
    for draw in pages:
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def test_headings_lists_and_paragraphs_are_told_by_their_look(
    settings: IngestSettings, make_pdf: MakePdf
) -> None:
    """Sizes of type make levels; the page number is not text."""
    content = make_pdf(
        ("Title", "Hand hygiene"),
        ("Heading1", "When"),
        ("Normal", SENTENCE * 6),
        ("Heading2", "Exceptions"),
        ("Normal", "• soiled hands"),
        ("Normal", "2) broken skin"),
    )
    document = parse(content, settings)
    assert [(b.kind, b.text, b.level) for b in document.blocks] == [
        (H, "Hand hygiene", 1),
        (H, "When", 1),
        (P, (SENTENCE * 6).strip(), 0),
        (H, "Exceptions", 2),
        (L, "- soiled hands", 0),
        (L, "2) broken skin", 0),
    ]
    assert document.title == "Hand hygiene policy"


def test_running_heads_and_page_numbers_are_left_out(
    settings: IngestSettings, make_pdf: MakePdf
) -> None:
    """What repeats at the edge of each page is neither in the blocks nor in the pages' texts."""
    document = parse(make_pdf(*[("Normal", SENTENCE * 20)] * 8, head="Northfield"), settings)
    assert document.page_count > 1
    assert "Northfield" not in " ".join(document.page_texts)
    assert "Page 1" not in " ".join(document.page_texts)
    assert len(document.page_texts) == document.page_count


def test_a_paragraph_over_a_pages_end_is_one(settings: IngestSettings, make_pdf: MakePdf) -> None:
    """It is whole, and knows both pages."""
    document = parse(make_pdf(("Normal", SENTENCE.rstrip(". ") + " and " * 2000)), settings)
    assert document.page_count > 1
    (block,) = document.blocks
    assert (block.page, block.last_page) == (1, document.page_count)


def test_a_ruled_table_is_kept_as_a_table(settings: IngestSettings, make_pdf: MakePdf) -> None:
    """Cells stay in their columns, and the text around stays in its place."""
    rows = [["Bin", "Use"], ["Yellow", "Sharps"], ["Black", "Paper"]]
    content = make_pdf(("Normal", "Before."), rows, ("Normal", "After."))
    blocks = parse(content, settings).blocks
    assert blocks == (
        Block(P, "Before.", 1),
        Block(T, "| Bin | Use |\n| --- | --- |\n| Yellow | Sharps |\n| Black | Paper |", 1),
        Block(P, "After.", 1),
    )


def test_a_table_that_goes_on_gets_its_header_again(
    settings: IngestSettings, make_pdf: MakePdf
) -> None:
    """Each page's part of a long table is a table with the header row in front."""
    rows = [["Bin", "Use"], *([f"Bin {n}", "Sharps"] for n in range(80))]
    blocks = parse(make_pdf(rows), settings).blocks
    tables = [block for block in blocks if block.kind is T]
    assert [table.page for table in tables] == [1, 2, 3]
    assert all(table.text.startswith("| Bin | Use |\n") for table in tables)
    assert sum(table.text.count("Sharps") for table in tables) == 80


def test_the_outline_decides_over_the_look(settings: IngestSettings) -> None:
    """A bookmark makes a heading out of a plain line, with the bookmark's level."""

    def page(canvas: Canvas) -> None:
        for y, text in (
            (700, "Duties"),
            (680, "All staff report."),
            (660, "Nurses"),
            (640, "Act."),
        ):
            canvas.drawString(72, y, text)
        for key, level in (("Duties", 0), ("Nurses", 1)):
            canvas.bookmarkPage(key)
            canvas.addOutlineEntry(key, key, level)

    blocks = parse(drawn(page), settings).blocks
    assert [(b.kind, b.text, b.level) for b in blocks] == [
        (H, "Duties", 1),
        (P, "All staff report.", 0),
        (H, "Nurses", 2),
        (P, "Act.", 0),
    ]


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-256"])
def test_a_pdf_with_a_password_is_refused(
    settings: IngestSettings, make_pdf: MakePdf, algorithm: str
) -> None:
    """Whoever must type a password to open it is told to save it without one."""
    content = _encrypted(make_pdf(("Normal", SENTENCE)), "secret", algorithm)
    with pytest.raises(EncryptedFile, match="password") as caught:
        parse(content, settings)
    assert "without one" in caught.value.hint


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-256"])
def test_a_pdf_that_anyone_may_open_is_read(
    settings: IngestSettings, make_pdf: MakePdf, algorithm: str
) -> None:
    """An owner's password guards changes, not reading."""
    content = _encrypted(make_pdf(("Normal", SENTENCE)), "", algorithm)
    assert parse(content, settings).blocks[-1].text == SENTENCE.strip()


def _encrypted(content: bytes, user_password: str, algorithm: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(BytesIO(content)))
    writer.encrypt(user_password, "owner", algorithm=algorithm)
    buffer = BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def test_pages_of_pictures_are_named(settings: IngestSettings, picture_pdf: bytes) -> None:
    """They are for OCR to read; the document is not refused before that was tried."""
    document = parse(picture_pdf, settings)
    assert (document.pages_without_text, document.blocks) == ((1, 2), ())


def test_pages_of_pictures_without_words_are_refused(
    settings: IngestSettings, picture_pdf: bytes
) -> None:
    """Where OCR saw nothing either, the refusal says so."""
    with pytest.raises(NoText, match="OCR could read no text"):
        parse(picture_pdf, settings, {1: (), 2: ()})


def test_what_ocr_read_is_text_like_any_other(settings: IngestSettings) -> None:
    """A scanned page among others has its heading and its list, in its place."""
    words = ("Sharps", 20.0), ("Bins are yellow and are closed when they are full.", 12.0)
    scan = [
        ScanLine(text, 0.99, place, place)
        for y, (text, height) in zip((100.0, 150.0), words, strict=True)
        for place in [(72.0, y, 400.0, y + height)]
    ]
    document = parse(_text_and_picture(), settings, {2: scan})
    assert [(b.kind, b.text, b.page) for b in document.blocks] == [
        (P, SENTENCE.strip(), 1),
        (H, "Sharps", 2),
        (P, "Bins are yellow and are closed when they are full.", 2),
    ]
    assert document.pages_without_text == ()


def test_a_stamp_does_not_make_a_picture_a_page_of_text(settings: IngestSettings) -> None:
    """A few characters over a picture of the whole page leave it to be read by OCR."""

    def page(canvas: Canvas) -> None:
        canvas.drawImage(_grey(), 0, 0, 590, 840)
        canvas.drawString(72, 700, "COPY")

    assert parse(drawn(page), settings).pages_without_text == (1,)


def test_letters_drawn_as_curves_are_for_ocr(settings: IngestSettings) -> None:
    """A page of outlines, as drawing programs make, is not silently empty."""

    def page(canvas: Canvas) -> None:
        for n in range(60):
            canvas.circle(50 + 8 * n, 400, 3)

    assert parse(drawn(page), settings).pages_without_text == (1,)


def test_an_empty_page_is_refused(settings: IngestSettings) -> None:
    """No text and no picture either."""
    with pytest.raises(NoText, match="no text"):
        parse(drawn(lambda canvas: canvas.line(0, 0, 9, 9)), settings)


def test_pages_without_text_among_others_are_named(settings: IngestSettings) -> None:
    """A scanned page inside a readable file is not silently missing."""
    assert parse(_text_and_picture(), settings).pages_without_text == (2,)


def _text_and_picture() -> bytes:
    return drawn(
        lambda canvas: canvas.drawString(72, 500, SENTENCE),
        lambda canvas: canvas.drawImage(_grey(), 0, 0, 500, 700),
    )


def _grey() -> ImageReader:
    return ImageReader(Image.new("RGB", (60, 80), "grey"))


@pytest.mark.parametrize("content", [b"%PDF-1.7", b"%PDF-1.7\n" + bytes(range(256)) * 40])
def test_broken_bytes_are_refused(settings: IngestSettings, content: bytes) -> None:
    """What only begins like a PDF is damaged."""
    with pytest.raises(DamagedFile):
        parse(content, settings)


def test_half_a_pdf_is_refused(settings: IngestSettings, make_pdf: MakePdf) -> None:
    """A download that broke off is not loaded as if it were the whole."""
    content = make_pdf(*[("Normal", SENTENCE * 20)] * 8)
    with pytest.raises((DamagedFile, NoText)):
        parse(content[: len(content) // 3], settings)


def test_too_many_pages_are_refused(settings: IngestSettings) -> None:
    """The limit on pages is that of the settings."""
    content = drawn(*[lambda canvas: canvas.drawString(72, 500, "Wash")] * 4)
    with pytest.raises(TooManyPages, match="4 pages; the limit is 3"):
        parse(content, replace(settings, max_pages=3))


def test_a_lie_about_the_page_count_is_survived(
    settings: IngestSettings, make_pdf: MakePdf
) -> None:
    """A file that claims a billion pages has the pages that it has."""
    content = make_pdf(("Normal", SENTENCE)).replace(b"/Count 1", b"/Count 999999999")
    assert parse(content, settings).page_count == 1


def test_too_much_text_is_refused(settings: IngestSettings, make_pdf: MakePdf) -> None:
    """Reading ends when the limit on text is passed."""
    with pytest.raises(FileTooLarge, match="100 characters"):
        parse(make_pdf(("Normal", SENTENCE * 3)), replace(settings, max_text_chars=100))


def test_text_in_form_objects_is_read(settings: IngestSettings) -> None:
    """What stands in a form object, as flow charts do, is not lost."""

    def page(canvas: Canvas) -> None:
        canvas.beginForm("chart")
        canvas.drawString(100, 300, "Call the safety officer")
        canvas.endForm()
        canvas.doForm("chart")
        canvas.drawString(72, 700, "If a patient falls:")

    text = parse(drawn(page), settings).page_texts[0]
    assert "Call the safety officer" in text
    assert "If a patient falls:" in text
