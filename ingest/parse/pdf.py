"""PDF: text, headings, lists and ruled tables, each with its page.

pdfium reads the text. It drops what stands in some form objects (flow charts), so on pages that
have any, pypdf's text is taken where it is clearly longer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO

import pypdfium2 as pdfium  # type: ignore[import-untyped]
import pypdfium2.raw as raw  # type: ignore[import-untyped]

from ingest.clean import clean, clean_line
from ingest.config import IngestSettings
from ingest.document import Block, BlockKind, ParsedDocument
from ingest.errors import DamagedFile, EncryptedFile, FileTooLarge, NoText, TooManyPages
from ingest.parse.markup import check_text, page_text
from ingest.parse.pdf_blocks import Placed, blocks_of, joined_over_pages
from ingest.parse.pdf_headings import OutlineEntry
from ingest.parse.pdf_lines import Line, read_lines
from ingest.parse.pdf_margins import without_margins
from ingest.parse.pdf_tables import Table, read_tables
from ingest.parse.pdf_title import title_of

_PYPDF_LONGER = 1.08
# A page of pictures may carry a stamp or a scanner's name and still be a picture.
_SCAN_CHARS_PER_PAGE = 25
_MAX_OUTLINE_DEPTH = 12


@dataclass(frozen=True, slots=True)
class _Page:
    lines: list[Line]
    tables: list[Table]
    top: float
    height: float
    has_picture: bool


def parse(content: bytes, settings: IngestSettings) -> ParsedDocument:
    """Read a PDF; raises RefusedFile if it is locked, damaged, too long or has no text."""
    document = _open(content)
    try:
        count = len(document)
        _check_page_count(count, settings)
        pages = _read_pages(document, content, settings)
        _check_has_text(pages)
        outline = _outline(document)
        stated = document.get_metadata_value("Title")
    except pdfium.PdfiumError as error:
        raise _damaged() from error
    finally:
        document.close()
    return _document(pages, outline, stated, settings)


def _open(content: bytes) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD:
            raise EncryptedFile(
                "The PDF is protected with a password.",
                "Open it with the password, save a copy without one and load that.",
            ) from error
        raise _damaged() from error


def _damaged(page: int = 0) -> DamagedFile:
    where = f"its page {page} cannot be read" if page else "it cannot be opened"
    return DamagedFile(
        f"The PDF is damaged: {where}.",
        "Get a fresh copy, or open it in another program and print it to a new PDF.",
    )


def _check_page_count(count: int, settings: IngestSettings) -> None:
    if count < 1:
        raise DamagedFile("The PDF is damaged: it has no pages.", "Get a fresh copy.")
    if count > settings.max_pages:
        raise TooManyPages(
            f"The PDF has {count:,} pages; the limit is {settings.max_pages:,}.",
            "Split it into several documents.",
        )


def _read_pages(
    document: pdfium.PdfDocument, content: bytes, settings: IngestSettings
) -> list[_Page]:
    pages: list[_Page] = []
    room = settings.max_text_chars
    pypdf = _Pypdf(content)
    for number in range(1, len(document) + 1):
        try:
            page = _read_page(document[number - 1], number, pypdf)
        except pdfium.PdfiumError as error:
            raise _damaged(number) from error
        room -= sum(len(line.text) for line in page.lines)
        if room < 0:
            raise FileTooLarge(
                f"The PDF holds more than {settings.max_text_chars:,} characters of text.",
                "Split it into several documents.",
            )
        pages.append(page)
    return pages


def _read_page(page: pdfium.PdfPage, number: int, pypdf: "_Pypdf") -> _Page:
    text_page = page.get_textpage()
    _, bottom, _, top = page.get_bbox()
    lines = read_lines(text_page, number, top)
    tables = read_tables(page, text_page) if lines else []
    kinds = {item.type for item in page.get_objects(max_depth=1)}
    if raw.FPDF_PAGEOBJ_FORM in kinds:
        other = pypdf.lines(number)
        if _inked(other) > _PYPDF_LONGER * _inked(lines):
            lines, tables = other, []
    pictures = bool(kinds & {raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_FORM})
    text_page.close()
    page.close()
    return _Page(lines, tables, top, top - bottom, pictures)


def _inked(lines: Sequence[Line]) -> int:
    return sum(1 for line in lines for char in line.text if char.isalnum())


class _Pypdf:
    """The second opinion, opened only if a page asks for it: its import alone takes 0.6 s."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._reader: object = None

    def lines(self, number: int) -> list[Line]:
        """The page's lines as pypdf reads them, without place or size; none if it cannot."""
        import logging

        import pypdf

        logging.getLogger("pypdf").setLevel(logging.CRITICAL)
        try:
            if self._reader is None:
                self._reader = pypdf.PdfReader(BytesIO(self._content))
            assert isinstance(self._reader, pypdf.PdfReader)
            text = self._reader.pages[number - 1].extract_text()
        except Exception:  # noqa: BLE001  # pypdf raises all sorts; pdfium's text still stands
            return []
        return [Line(clean_line(line), number) for line in clean(text).split("\n") if line]


def _check_has_text(pages: Sequence[_Page]) -> None:
    """Refuse a document of page pictures; raises NoText."""
    inked = sum(_inked(page.lines) for page in pages)
    pictures = sum(1 for page in pages if page.has_picture)
    scanned = pictures == len(pages) and inked < _SCAN_CHARS_PER_PAGE * len(pages)
    if inked and not (scanned and len(pages) > 1):
        return
    if pictures:
        raise NoText(
            "The PDF holds pictures of pages and no text: it needs OCR, "
            "which this version does not have.",
            "Load the document it was printed from, or run OCR on it and load the result.",
        )
    raise NoText("The PDF holds no text.", "Check that it is the right file and is complete.")


def _outline(document: pdfium.PdfDocument) -> list[OutlineEntry]:
    entries: list[OutlineEntry] = []
    try:
        for item in document.get_toc(max_depth=_MAX_OUTLINE_DEPTH):
            target = item.get_dest()
            index = target.get_index() if target is not None else None
            if index is not None:
                title = clean_line(item.get_title())
                entries.append(OutlineEntry(item.level + 1, title, index + 1))
    except pdfium.PdfiumError:
        return []
    return entries


def _document(
    pages: Sequence[_Page], outline: Sequence[OutlineEntry], stated: str, settings: IngestSettings
) -> ParsedDocument:
    kept = without_margins([page.lines for page in pages], [page.height for page in pages])
    lines, ready = _tables_in_place(pages, kept)
    blocks = blocks_of(lines, outline, ready)
    check_text(blocks, settings)
    by_page: dict[int, list[Block]] = {}
    for block in blocks:
        by_page.setdefault(block.page, []).append(block)
    texts = [
        page_text(by_page.get(number, ())) or _plain(page)
        for number, page in enumerate(pages, start=1)
    ]
    return ParsedDocument(
        title=title_of(stated, lines),
        blocks=tuple(joined_over_pages(blocks)),
        page_count=len(pages),
        page_texts=tuple(texts),
        pages_without_text=tuple(
            number
            for number, page in enumerate(pages, start=1)
            if page.has_picture and not _inked(page.lines)
        ),
    )


def _plain(page: _Page) -> str:
    """A page without blocks of its own, such as a table of contents, as its lines stand."""
    return "\n".join(line.text for line in page.lines)


def _tables_in_place(
    pages: Sequence[_Page], kept: Sequence[Sequence[Line]]
) -> tuple[list[Line], list[Placed]]:
    """All lines that no table holds, and each table before the line that follows it."""
    lines: list[Line] = []
    ready: list[Placed] = []
    before: Table | None = None
    for number, (page, page_lines) in enumerate(zip(pages, kept, strict=True), start=1):
        tables = list(_with_headers(page.tables, before))
        before = tables[-1] if tables else None
        placed: set[int] = set()
        for line in page_lines:
            index = _holding(page, line)
            if index is None:
                lines.append(line)
            elif index not in placed:
                placed.add(index)
                block = Block(BlockKind.TABLE, tables[index].text, number)
                ready.append(Placed(len(lines), block))
    return lines, ready


def _with_headers(tables: Sequence[Table], before: Table | None) -> Iterator[Table]:
    """A table that goes on from the page before gets that table's header row."""
    for index, table in enumerate(tables):
        if index == 0 and before is not None and _same_columns(before, table):
            header = before.rows[0]
            if table.rows[0] != header:
                table = replace(table, rows=(header, *table.rows))
        yield table


def _same_columns(one: Table, other: Table) -> bool:
    return len(one.columns) == len(other.columns) and all(
        abs(a - b) <= 2 for a, b in zip(one.columns, other.columns, strict=True)
    )


def _holding(page: _Page, line: Line) -> int | None:
    """Which of the page's tables a line stands in."""
    y = page.top - line.y + line.size_pt / 4
    for index, table in enumerate(page.tables):
        left, bottom, right, top = table.area
        if bottom <= y <= top and left - 2 <= line.left and line.right <= right + 2:
            return index
    return None
