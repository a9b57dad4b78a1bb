"""Word documents: body order, headings by style, outline level or bold lines, lists, tables."""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING

from docx import Document
from docx.opc.exceptions import OpcError
from docx.oxml.ns import qn

from ingest.clean import clean_line
from ingest.config import IngestSettings
from ingest.document import Block, BlockKind, ParsedDocument
from ingest.errors import UnsupportedType
from ingest.parse.docx_headings import UNSURE, is_known, is_sentence, may_head, settled
from ingest.parse.docx_hidden import hidden_findings, is_hidden
from ingest.parse.docx_lists import Numbering
from ingest.parse.docx_styles import Styles
from ingest.parse.lines import list_marker, with_plain_marker
from ingest.parse.markup import one_page_document, pipe_table
from ingest.parse.titles import heading_title, stated_title
from ingest.parse.unpacking import BROKEN_XML, BROKEN_ZIP, check_package, damaged

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from docx.oxml.xmlchemy import BaseOxmlElement

_BROKEN = (OpcError, *BROKEN_XML)
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_TEXT_BOX = qn("w:txbxContent")
# What tracked changes took away, what fields are made of, and second copies of text boxes.
_NOT_TEXT = frozenset((*map(qn, ("w:del", "w:moveFrom", "w:instrText", "w:delText")), _FALLBACK))
# Wrappers around whole paragraphs and tables: content controls, tracked insertions.
_WRAPPERS = frozenset(map(qn, ("w:sdt", "w:sdtContent", "w:ins", "w:moveTo", "w:customXml")))
_BREAKS = {qn("w:tab"): " ", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}


def parse(content: bytes, settings: IngestSettings) -> ParsedDocument:
    """Read a Word document; raises RefusedFile when it is damaged, locked, too large or empty."""
    check_package(content, settings, "Word")
    document = _open(content)
    try:
        found = _Reader(Styles(document), Numbering(document)).read(document.element.body)
        title = clean_line(document.core_properties.title or "")
        findings = hidden_findings(document.element.body)
    except _BROKEN as error:
        raise damaged("Word") from error
    named = stated_title(title) or heading_title([block for block in found if is_known(block)])
    read = one_page_document(named, list(settled(found)), settings)
    return replace(read, findings=findings)


def _open(content: bytes) -> "WordDocument":
    try:
        return Document(BytesIO(content))
    except ValueError as error:
        if "not a Word file" not in str(error):
            raise damaged("Word") from error
        raise UnsupportedType(
            "The file is an Office file, but not a Word document.",
            "Save it as .docx or PDF, and load that.",
        ) from error
    except (*_BROKEN, *BROKEN_ZIP) as error:
        raise damaged("Word") from error


class _Reader:
    """Walks the body in order, into content controls and text boxes too."""

    def __init__(self, styles: Styles, numbering: Numbering) -> None:
        self._styles = styles
        self._numbering = numbering

    def read(self, body: "BaseOxmlElement") -> list[Block]:
        """The blocks of the document's body; lines that may be headings are still to be settled."""
        return list(self._blocks(body))

    def _blocks(self, parent: "BaseOxmlElement") -> Iterator[Block]:
        for child in parent:
            if child.tag == qn("w:p"):
                yield from self._paragraph(child)
            elif child.tag == qn("w:tbl"):
                yield from self._table(child)
            elif child.tag in _WRAPPERS:
                yield from self._blocks(child)

    def _paragraph(self, paragraph: "BaseOxmlElement") -> Iterator[Block]:
        text = clean_line(_text(paragraph))
        if any(char.isalnum() for char in text):
            yield self._block(paragraph, text)
        for box in _text_boxes(paragraph):
            yield from self._blocks(box)
        # A table may stand inside a run, where Word shows it as if it followed the paragraph.
        for table in paragraph.iter(qn("w:tbl")):
            if not any(parent.tag == _TEXT_BOX for parent in table.iterancestors()):
                yield from self._table(table)

    def _block(self, paragraph: "BaseOxmlElement", text: str) -> Block:
        level = self._styles.heading_level(paragraph)
        if is_sentence(text):
            level = 0
        marker, depth = self._numbering.marker(paragraph, self._styles.style_id(paragraph))
        if level:
            number = marker if marker and marker != "- " else ""
            return Block(BlockKind.HEADING, number + text, 1, level)
        if marker != "- " and may_head(marker + text) and self._styles.is_bold(paragraph):
            return Block(BlockKind.HEADING, marker + text, 1, UNSURE)
        if marker:
            return Block(BlockKind.LIST_ITEM, marker + text, 1, depth)
        if list_marker(text):
            return Block(BlockKind.LIST_ITEM, with_plain_marker(text), 1)
        return Block(BlockKind.PARAGRAPH, text, 1)

    def _table(self, table: "BaseOxmlElement") -> Iterator[Block]:
        rows = [list(_cells(row)) for row in table.iter(qn("w:tr")) if _of(row, table)]
        if all(len(row) <= 1 for row in rows):
            # One column is a frame around text, not a table.
            for row in rows:
                for cell in row:
                    yield from self._blocks(cell)
            return
        text = pipe_table([[text for cell in row for text in _cell_texts(cell)] for row in rows])
        if any(char.isalnum() for char in text):
            yield Block(BlockKind.TABLE, text, 1)


def _of(row: "BaseOxmlElement", table: "BaseOxmlElement") -> bool:
    """Whether the row is the table's own, and not one of a table inside it."""
    return next(row.iterancestors(qn("w:tbl"))) is table


def _cells(row: "BaseOxmlElement") -> Iterator["BaseOxmlElement"]:
    for cell in row.iter(qn("w:tc")):
        if next(cell.iterancestors(qn("w:tr"))) is row:
            yield cell


def _cell_texts(cell: "BaseOxmlElement") -> list[str]:
    """The cell's text, then an empty cell for each further column that it spans."""
    span = cell.find(f"{qn('w:tcPr')}/{qn('w:gridSpan')}")
    value = span.get(qn("w:val"), "1") if span is not None else "1"
    columns = min(int(value), 100) if value.isdecimal() and len(value) < 6 else 1
    texts = (clean_line(_text(paragraph)) for paragraph in cell.iter(qn("w:p")))
    return [" ".join(text for text in texts if text), *[""] * (columns - 1)]


def _text(paragraph: "BaseOxmlElement") -> str:
    """The paragraph's text as it is printed: insertions in, deletions and text boxes out."""
    parts: list[str] = []
    stack = [paragraph]
    while stack:
        element = stack.pop()
        if element.tag == qn("w:t"):
            parts.append(element.text or "")
        elif element.tag in _BREAKS:
            parts.append(_BREAKS[element.tag])
        elif element.tag == qn("w:r") and is_hidden(element):
            continue
        elif element.tag not in _NOT_TEXT and element.tag not in (_TEXT_BOX, qn("w:tbl")):
            stack.extend(reversed(element))
    return "".join(parts)


def _text_boxes(paragraph: "BaseOxmlElement") -> Iterator["BaseOxmlElement"]:
    for box in paragraph.iter(_TEXT_BOX):
        # The fallback repeats the box for programs that cannot draw the first form.
        if not any(parent.tag == _FALLBACK for parent in box.iterancestors()):
            yield box
