"""A policy as a Word document: heading styles, real lists and tables, header and footer.

The parts are stored with fixed dates and without compression, so that the bytes stay the same.
"""

from datetime import datetime
from io import BytesIO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.text import WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.table import _Cell
from docx.text.paragraph import Paragraph as WordParagraph
from policy import HOSPITAL, NOTICE, Block, Heading, ItemList, Paragraph, Policy, Span, Table

ACCENT, GREY = RGBColor(0x0B, 0x4F, 0x5C), RGBColor(0x5B, 0x66, 0x6C)
SHADE = "E8EFF1"
FONT = "Arial"
EDGE = Mm(164)
FIXED_DATE = datetime(2026, 1, 1)  # noqa: DTZ001  the format has no time zone
ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def render(policy: Policy) -> bytes:
    """Return the bytes of the .docx file."""
    document = Document()
    _drop_unused(document)
    _set_properties(document, policy)
    _set_styles(document)
    _set_page(document, policy)
    document.add_paragraph(policy.fields["title"], style="Title")
    _add_table(document, policy.header(), header_row=False)
    document.add_paragraph()
    for block in policy.blocks:
        _add(document, block)
    target = BytesIO()
    document.save(target)
    return _with_fixed_dates(target.getvalue())


def _drop_unused(document: WordDocument) -> None:
    """Leave out what the library's template carries along: 0.8 MB of table styles, a picture."""
    part = document.part
    for relations, kind in ((part.rels, "/stylesWithEffects"), (part.package.rels, "/thumbnail")):
        for key in [key for key, relation in relations.items() if relation.reltype.endswith(kind)]:
            del relations[key]
    styles = document.styles.element
    for style in list(styles.iter(qn("w:style"))):
        kept = style.get(qn("w:styleId")) in ("TableNormal", "TableGrid")
        if style.get(qn("w:type")) == "table" and not kept:
            styles.remove(style)


def _set_properties(document: WordDocument, policy: Policy) -> None:
    properties = document.core_properties
    properties.title = policy.name
    properties.author = f"{HOSPITAL}, {policy.fields['owner']}"
    properties.subject = policy.status or "Policy"
    properties.language = "en-GB"
    properties.comments = NOTICE
    properties.last_modified_by = ""
    properties.created = properties.modified = FIXED_DATE
    properties.revision = 1


def _set_styles(document: WordDocument) -> None:
    sizes = {"Normal": 10.5, "Title": 22, "Heading 1": 14, "Heading 2": 11.5}
    for name, size_pt in sizes.items():
        style = document.styles[name]
        style.font.name, style.font.size = FONT, Pt(size_pt)
        fonts = style.element.rPr.rFonts
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        if name != "Normal":
            style.font.color.rgb, style.font.bold = ACCENT, True
    document.styles["Normal"].paragraph_format.space_after = Pt(6)


def _set_page(document: WordDocument, policy: Policy) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(23)
    head = section.header.paragraphs[0]
    foot = section.footer.paragraphs[0]
    version = policy.fields["version"]
    _margin_line(head, f"{HOSPITAL}\t{policy.name}, version {version}")
    _margin_line(foot, f"{NOTICE}\tPage ")
    _add_field(foot, "PAGE")


def _margin_line(paragraph: WordParagraph, text: str) -> None:
    paragraph.paragraph_format.tab_stops.add_tab_stop(EDGE, WD_TAB_ALIGNMENT.RIGHT)
    run = paragraph.add_run(text)
    run.font.size, run.font.color.rgb = Pt(8), GREY
    # The style's own tab stops, in the middle and at the wrong edge, would come first.
    paragraph.style = "Normal"


def _add_field(paragraph: WordParagraph, code: str) -> None:
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), code)
    paragraph._p.append(field)
    run = paragraph.add_run("1")
    run.font.size, run.font.color.rgb = Pt(8), GREY
    field.append(run._r)


def _add(document: WordDocument, block: Block) -> None:
    match block:
        case Heading(level, text):
            document.add_heading(text, level - 1)
        case Paragraph(spans):
            _add_spans(document.add_paragraph(), spans)
        case ItemList(ordered, items):
            _add_list(document, ordered, items)
        case Table(rows):
            _add_table(document, rows, header_row=True)
            document.add_paragraph()


def _add_spans(paragraph: WordParagraph, spans: tuple[Span, ...]) -> None:
    for span in spans:
        paragraph.add_run(span.text).italic = span.italic or None


def _add_list(document: WordDocument, ordered: bool, items: tuple[tuple[Span, ...], ...]) -> None:
    style = "List Number" if ordered else "List Bullet"
    number = _restarted(document) if ordered else None
    for spans in items:
        paragraph = document.add_paragraph(style=style)
        paragraph.paragraph_format.space_after = Pt(3)
        _add_spans(paragraph, spans)
        if number is not None:
            properties = paragraph._p.get_or_add_pPr().get_or_add_numPr()
            properties.get_or_add_ilvl().val = 0
            properties.get_or_add_numId().val = number


def _restarted(document: WordDocument) -> int:
    """A new numbering of the style's own look that begins at 1 again."""
    numbering = document.part.numbering_part.element
    of_style = document.styles["List Number"].element.pPr.numPr.numId.val
    abstract = numbering.num_having_numId(of_style).abstractNumId.val
    fresh = numbering.add_num(abstract)
    fresh.add_lvlOverride(ilvl=0).add_startOverride(1)
    return int(fresh.numId)


def _add_table(
    document: WordDocument, rows: "list[tuple[str, str]] | tuple[tuple[str, ...], ...]", *,
    header_row: bool,
) -> None:  # fmt: skip
    table = document.add_table(len(rows), len(rows[0]), style="Table Grid")
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            _fill(table.cell(r, c), text, strong=r == 0 if header_row else c == 0)
    if header_row:
        repeat = OxmlElement("w:tblHeader")
        table.rows[0]._tr.get_or_add_trPr().append(repeat)
    else:
        for row_cells in table.rows:
            row_cells.cells[0].width, row_cells.cells[1].width = Mm(38), Mm(126)


def _fill(cell: _Cell, text: str, *, strong: bool) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_after = Pt(2)
    run = paragraph.add_run(text)
    run.font.size, run.bold = Pt(9), strong or None
    if strong:
        shade = OxmlElement("w:shd")
        for name, value in (("val", "clear"), ("color", "auto"), ("fill", SHADE)):
            shade.set(qn(f"w:{name}"), value)
        cell._tc.get_or_add_tcPr().append(shade)


def _with_fixed_dates(packed: bytes) -> bytes:
    target = BytesIO()
    with ZipFile(BytesIO(packed)) as before, ZipFile(target, "w", ZIP_STORED) as after:
        for name in before.namelist():
            part = ZipInfo(name, ZIP_DATE)
            part.create_system = 0
            after.writestr(part, before.read(name))
    return target.getvalue()
