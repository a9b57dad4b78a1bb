"""PDF: text, headings, lists and ruled tables, each with its page.

pdfium reads the text. It drops what stands in some form objects (flow charts), so on pages that
have any, pypdf's text is taken where it is clearly longer. Pages that are pictures are named and
read by OCR elsewhere; what came of that is read here like any other line.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby

import pypdfium2 as pdfium  # type: ignore[import-untyped]
import pypdfium2.raw as raw  # type: ignore[import-untyped]

from ingest.clean import clean_line
from ingest.config import IngestSettings
from ingest.document import Block, BlockKind, Finding, FindingKind, ParsedDocument, ScanLine
from ingest.errors import DamagedFile, EncryptedFile, FileTooLarge, NoText, TooManyPages
from ingest.parse.markup import check_text, page_text
from ingest.parse.pdf_aligned import aligned_tables
from ingest.parse.pdf_blocks import Placed, blocks_of, joined_over_pages
from ingest.parse.pdf_columns import Pieces, columns_in_order
from ingest.parse.pdf_headings import OutlineEntry, body_size_pt
from ingest.parse.pdf_hidden import Why, findings_of, hidden_codes, hide_unseen
from ingest.parse.pdf_lines import Line, codes_of, decoded, frame_of, pieces_of, read_lines
from ingest.parse.pdf_margins import without_margins
from ingest.parse.pdf_second_opinion import SecondOpinion
from ingest.parse.pdf_tables import Table, read_tables
from ingest.parse.pdf_title import title_of
from ingest.parse.scanned import lines_of, needs_scan, picture_share

_PYPDF_LONGER = 1.08
_MAX_OUTLINE_DEPTH = 12
_ON_ITS_SIDE = "The page stands on its side. Its text was turned to be read: look at its order."
_UPSIDE_DOWN = "The page stands upside down. Its text was turned to be read: look at its order."
_TURNED = {90: _ON_ITS_SIDE, 180: _UPSIDE_DOWN, 270: _ON_ITS_SIDE}


@dataclass(frozen=True, slots=True)
class _Page:
    lines: list[Line]
    tables: list[Table]
    height: float
    picture_share: float
    findings: list[Finding]


def parse(
    content: bytes,
    settings: IngestSettings,
    scans: Mapping[int, Sequence[ScanLine]] | None = None,
) -> ParsedDocument:
    """Read a PDF; raises RefusedFile if it is locked, damaged, too long or has no text.

    scans: what OCR saw on the pages that an earlier reading, without it, named as without text.
    """
    document = _open(content)
    try:
        count = len(document)
        _check_page_count(count, settings)
        pages = _read_pages(document, content, settings)
        if scans is not None:
            pages = _with_scans(pages, scans)
        _check_has_text(pages, scans is None)
        outline = _outline(document)
        stated = document.get_metadata_value("Title")
    except pdfium.PdfiumError as error:
        raise _damaged() from error
    finally:
        document.close()
    read = _document(pages, outline, stated)
    # A document of pictures has its text still to come.
    if scans is not None or not read.pages_without_text:
        check_text(read.blocks, settings)
    return read


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
    pypdf = SecondOpinion(content)
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


def _read_page(page: pdfium.PdfPage, number: int, pypdf: SecondOpinion) -> _Page:
    hidden = hide_unseen(page)
    text_page = page.get_textpage()
    codes = codes_of(text_page)
    if count := hidden_codes(decoded(codes)):
        hidden[Why.CODES] = count
    frame = frame_of(page, text_page, codes)
    lines = read_lines(text_page, codes, number, frame)
    tables = read_tables(page, text_page, frame) if lines else []

    @cache  # asked for tables and for columns
    def parts(line: Line) -> Pieces:
        return pieces_of(text_page, codes, line, frame)

    free = [line for line in lines if _holding(tables, frame.height, line) is None]
    tables += aligned_tables(free, parts, frame.height)
    lines = _in_reading_order(lines, tables, frame.height, parts)
    objects = list(page.get_objects(max_depth=1))
    kinds = {item.type for item in objects}
    # pypdf does not know what is seen: where something is not, its opinion is not asked.
    if raw.FPDF_PAGEOBJ_FORM in kinds and not hidden:
        other = pypdf.lines(number)
        if _inked(other) > _PYPDF_LONGER * _inked(lines):
            lines, tables = other, []
    share = picture_share(objects, *page.get_size())
    text_page.close()
    page.close()
    found = findings_of(number, hidden)
    if lines and frame.shown_turn:
        detail = _TURNED[frame.shown_turn]
        found.append(Finding(FindingKind.ROTATED, number, detail, len(lines)))
    return _Page(lines, tables, frame.height, share, found)


def _in_reading_order(
    lines: Sequence[Line], tables: Sequence[Table], height: float, parts: Callable[[Line], Pieces]
) -> list[Line]:
    """The lines with text in columns read column by column; parts: what a line falls into."""
    ordered: list[Line] = []
    for held, run in groupby(lines, lambda line: _holding(tables, height, line) is not None):
        stretch = list(run)
        ordered.extend(stretch if held else columns_in_order(stretch, parts))
    return ordered


def _inked(lines: Sequence[Line]) -> int:
    return sum(1 for line in lines for char in line.text if char.isalnum())


def _is_unread(page: _Page) -> bool:
    return needs_scan(_inked(page.lines), page.picture_share)


def _with_scans(pages: Sequence[_Page], scans: Mapping[int, Sequence[ScanLine]]) -> list[_Page]:
    """The pages, with what OCR read in place of the lines that it read more than."""
    text = [line for page in pages if not _is_unread(page) for line in page.lines]
    lines = lines_of(scans, body_size_pt(text))
    return [_with_scan(page, lines.get(number, ())) for number, page in enumerate(pages, start=1)]


def _with_scan(page: _Page, lines: Sequence[Line]) -> _Page:
    if _inked(lines) > _inked(page.lines):
        page = replace(page, lines=list(lines), tables=[])
    # Short as it may be, what stands on it is all that there is.
    return replace(page, picture_share=0.0) if _inked(page.lines) else page


def _check_has_text(pages: Sequence[_Page], may_scan: bool) -> None:
    """Refuse a document without text, unless its pages may still be read by OCR; raises NoText."""
    if any(page.lines for page in pages) or (may_scan and any(map(_is_unread, pages))):
        return
    if any(page.picture_share for page in pages):
        raise NoText(
            "The PDF holds pictures of pages, and OCR could read no text in them.",
            "Scan it again, straight and with more contrast, "
            "or load the document it was printed from.",
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
    pages: Sequence[_Page], outline: Sequence[OutlineEntry], stated: str
) -> ParsedDocument:
    kept = without_margins([page.lines for page in pages], [page.height for page in pages])
    lines, ready = _tables_in_place(pages, kept)
    blocks = blocks_of(lines, outline, ready)
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
            number for number, page in enumerate(pages, start=1) if _is_unread(page)
        ),
        findings=tuple(finding for page in pages for finding in page.findings),
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
            index = _holding(page.tables, page.height, line)
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


def _holding(tables: Sequence[Table], height: float, line: Line) -> int | None:
    """Which of a page's tables a line stands in; height: that of the page, points."""
    if line.turn:
        return None
    y = height - line.y + line.size_pt / 4
    for index, table in enumerate(tables):
        left, bottom, right, top = table.area
        if bottom <= y <= top and left - 2 <= line.left and line.right <= right + 2:
            return index
    return None
