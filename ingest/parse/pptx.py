"""Slide shows: a slide is a page; its title, then its shapes in reading order, then its notes."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

from pptx import Presentation
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.exc import PythonPptxError

from ingest.clean import clean_line
from ingest.config import IngestSettings
from ingest.document import Block, BlockKind, Finding, FindingKind, ParsedDocument
from ingest.errors import TooManyPages
from ingest.parse.lines import list_marker, with_plain_marker
from ingest.parse.markup import check_text, page_text, pipe_table
from ingest.parse.pptx_drawings import chart_blocks, diagram_blocks, diagram_part
from ingest.parse.titles import stated_title
from ingest.parse.unpacking import BROKEN_XML, BROKEN_ZIP, check_entities, check_package, damaged

_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
# Tops closer than this are one row of shapes, read from left to right: a fifth of an inch.
_ROW = 914_400 // 5
_LISTS = (PP_PLACEHOLDER.BODY, PP_PLACEHOLDER.OBJECT)
_MARGINS = (PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER)


def parse(content: bytes, settings: IngestSettings) -> ParsedDocument:
    """Read a slide show; raises RefusedFile when it is damaged, locked, too large or empty."""
    check_package(content, settings, "PowerPoint")
    check_entities(content, "PowerPoint")
    try:
        show = Presentation(BytesIO(content))
        if len(show.slides) > settings.max_pages:
            raise TooManyPages(
                f"The file has {len(show.slides):,} slides; the limit is {settings.max_pages:,}.",
                "Split it into several documents.",
            )
        findings: list[Finding] = []
        pages = [_page(s, number, findings) for number, s in enumerate(show.slides, start=1)]
        title = stated_title(show.core_properties.title or "")
    except (*BROKEN_ZIP, *BROKEN_XML, PythonPptxError) as error:
        raise damaged("PowerPoint") from error
    blocks = [block for page in pages for block in page]
    check_text(blocks, settings)
    return ParsedDocument(
        title=title or stated_title(blocks[0].text),
        blocks=tuple(blocks),
        page_count=len(pages),
        page_texts=tuple(map(page_text, pages)),
        findings=tuple(findings),
    )


def _page(slide: Any, number: int, findings: list[Finding]) -> list[Block]:
    """The blocks of a slide, under its title; none of a hidden or empty one."""
    if slide.element.get("show") in ("0", "false"):
        words = f"Slide {number} is hidden and was not read."
        findings.append(Finding(FindingKind.HIDDEN, number, words, 1))
        return []
    title_shape = slide.shapes.title
    title = clean_line(title_shape.text_frame.text) if title_shape is not None else ""
    shapes = [shape for shape in slide.shapes if not _is_title(shape, title_shape)]
    seen = [shape for shape in shapes if not _is_hidden(shape)]
    if len(seen) < len(shapes):
        words = f"Slide {number} has hidden shapes, which were not read."
        findings.append(Finding(FindingKind.HIDDEN, number, words, len(shapes) - len(seen)))
    body = [*_blocks(seen, number), *_notes(slide, number)]
    if not body and not title:
        return []
    return [Block(BlockKind.HEADING, title or f"Slide {number}", number, 1), *body]


def _is_title(shape: Any, title: Any) -> bool:
    return title is not None and shape.shape_id == title.shape_id


def _is_hidden(shape: Any) -> bool:
    return any(
        element.tag.endswith("}cNvPr") and element.get("hidden") in ("1", "true")
        for properties in shape.element[:1]
        for element in properties
    )


def _blocks(shapes: Iterable[Any], page: int) -> Iterator[Block]:
    """Shapes from top to bottom, and from left to right where they stand side by side."""
    placed = sorted(shapes, key=lambda shape: ((shape.top or 0) // _ROW, shape.left or 0))
    for shape in placed:
        if shape.is_placeholder and shape.placeholder_format.type in _MARGINS:
            continue
        if hasattr(shape, "shapes"):
            yield from _blocks([inner for inner in shape.shapes if not _is_hidden(inner)], page)
        elif getattr(shape, "has_table", False):
            rows = [[_cell(cell) for cell in row.cells] for row in shape.table.rows]
            if any(map(any, rows)):
                yield Block(BlockKind.TABLE, pipe_table(rows), page)
        elif getattr(shape, "has_chart", False):
            yield from chart_blocks(shape.chart.element, page)
        elif (diagram := diagram_part(shape)) is not None:
            yield from diagram_blocks(diagram, page)
        elif shape.has_text_frame:
            listed = shape.is_placeholder and shape.placeholder_format.type in _LISTS
            yield from _paragraphs(shape.text_frame.paragraphs, page, listed=listed)


def _cell(cell: Any) -> str:
    return "" if cell.is_spanned else clean_line(cell.text)


def _paragraphs(paragraphs: Iterable[Any], page: int, *, listed: bool) -> Iterator[Block]:
    """listed: whether the placeholder draws bullets unless a paragraph says otherwise."""
    counts: dict[int, int] = {}
    filled = [(p, text) for p in paragraphs if any(map(str.isalnum, text := clean_line(p.text)))]
    for paragraph, text in filled:
        level = paragraph.level
        counts = {depth: count for depth, count in counts.items() if depth <= level}
        bullet = _bullet(paragraph)
        if bullet == "buAutoNum":
            counts[level] = counts.get(level, 0) + 1
            yield Block(BlockKind.LIST_ITEM, f"{counts[level]}. {text}", page, level)
        elif bullet in ("buChar", "buBlip") or (not bullet and listed and len(filled) > 1):
            yield Block(BlockKind.LIST_ITEM, f"- {text}", page, level)
        elif list_marker(text):
            yield Block(BlockKind.LIST_ITEM, with_plain_marker(text), page, level)
        else:
            yield Block(BlockKind.PARAGRAPH, text, page)


def _bullet(paragraph: Any) -> str:
    """The element by which the paragraph itself says what its bullet is; empty for none."""
    properties = paragraph._p.find(f"{_DRAWING}pPr")
    tags = [str(child.tag) for child in properties] if properties is not None else []
    kinds = ("buNone", "buChar", "buAutoNum", "buBlip")
    return next((kind for kind in kinds if _DRAWING + kind in tags), "")


def _notes(slide: Any, page: int) -> Iterator[Block]:
    frame = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
    blocks = list(_paragraphs(frame.paragraphs, page, listed=False)) if frame is not None else []
    if blocks:
        yield Block(BlockKind.HEADING, "Notes", page, 2)
        yield from blocks
