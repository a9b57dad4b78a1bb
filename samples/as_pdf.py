"""A policy as a PDF: running head and foot, numbered headings with an outline, ruled tables.

The page streams are not compressed, so that the bytes do not depend on the machine's zlib.
"""

from collections.abc import Iterator
from html import escape
from io import BytesIO

from policy import HOSPITAL, NOTICE, Block, Heading, ItemList, Paragraph, Policy, Span, Table
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    HRFlowable,
    ListFlowable,
    ListItem,
    PageTemplate,
    Spacer,
    TableStyle,
)
from reportlab.platypus import Paragraph as Text
from reportlab.platypus import Table as Grid

INK, ACCENT, GREY = HexColor("#1b2327"), HexColor("#0b4f5c"), HexColor("#5b666c")
RULE, SHADE = HexColor("#b9c4c8"), HexColor("#e8eff1")
LEFT, RIGHT, TOP, BOTTOM = 23 * mm, 23 * mm, 27 * mm, 24 * mm
WIDTH = A4[0] - LEFT - RIGHT

BODY = ParagraphStyle(
    "body", fontName="Helvetica", fontSize=10, leading=14.2, textColor=INK, spaceAfter=6,
    alignment=TA_LEFT, allowWidows=0, allowOrphans=0,
)  # fmt: skip
CELL = ParagraphStyle("cell", BODY, fontSize=9, leading=11.6, spaceAfter=0)
CELL_HEAD = ParagraphStyle("cell head", CELL, fontName="Helvetica-Bold", textColor=ACCENT)
TITLE = ParagraphStyle(
    "title", BODY, fontName="Helvetica-Bold", fontSize=21, leading=25, textColor=ACCENT
)
HEADINGS = {
    2: ParagraphStyle(
        "h2", BODY, fontName="Helvetica-Bold", fontSize=13.5, leading=17, textColor=ACCENT,
        spaceBefore=11, spaceAfter=4, keepWithNext=1,
    ),
    3: ParagraphStyle(
        "h3", BODY, fontName="Helvetica-Bold", fontSize=11, leading=14, spaceBefore=9,
        spaceAfter=3, keepWithNext=1,
    ),
}  # fmt: skip


class _Template(BaseDocTemplate):  # type: ignore[misc]  # reportlab has no types
    """Adds an outline entry for each heading as it is placed."""

    _headings = 0

    def afterFlowable(self, flowable: Flowable) -> None:  # noqa: N802  reportlab's name
        level = {"h2": 0, "h3": 1}.get(getattr(getattr(flowable, "style", None), "name", ""))
        if level is not None:
            self._headings += 1
            key = f"heading-{self._headings}"
            self.canv.bookmarkPage(key)
            self.canv.addOutlineEntry(flowable.getPlainText(), key, level)


class _NumberedCanvas(Canvas):  # type: ignore[misc]  # reportlab has no types
    """Holds the pages back until their number is known, for `Page 2 of 4`."""

    policy: Policy

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._held: list[dict[str, object]] = []

    def showPage(self) -> None:  # noqa: N802  reportlab's name
        self._held.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for page in self._held:
            self.__dict__.update(page)
            self._draw_margins(len(self._held))
            super().showPage()
        super().save()

    def _draw_margins(self, pages: int) -> None:
        policy = self.policy
        self.setFont("Helvetica", 8)
        self.setFillColor(GREY)
        self.setStrokeColor(RULE)
        self.setLineWidth(0.5)
        head, foot, edge = A4[1] - 15 * mm, 14 * mm, A4[0] - RIGHT
        self.drawString(LEFT, head, HOSPITAL)
        self.drawRightString(edge, head, f"{policy.name}, version {policy.fields['version']}")
        self.line(LEFT, head - 5, edge, head - 5)
        self.line(LEFT, foot + 11, edge, foot + 11)
        self.drawString(LEFT, foot, NOTICE)
        self.drawRightString(edge, foot, f"Page {self._pageNumber} of {pages}")


def render(policy: Policy) -> bytes:
    """Return the PDF's bytes."""
    target = BytesIO()
    frame = Frame(LEFT, BOTTOM, WIDTH, A4[1] - TOP - BOTTOM, 0, 0, 0, 0)
    template = _Template(
        target, pagesize=A4, pageTemplates=[PageTemplate(frames=[frame])], title=policy.name,
        author=f"{HOSPITAL}, {policy.fields['owner']}", subject=policy.status or "Policy",
        lang="en-GB", invariant=1, pageCompression=0,
    )  # fmt: skip
    canvas = type("Canvas", (_NumberedCanvas,), {"policy": policy})
    template.build(list(_story(policy)), canvasmaker=canvas)
    return target.getvalue()


def _story(policy: Policy) -> Iterator[Flowable]:
    yield Text(escape(policy.fields["title"]), TITLE)
    yield HRFlowable(width="100%", thickness=1.2, color=ACCENT, spaceBefore=2, spaceAfter=8)
    yield _header(policy.header())
    yield Spacer(1, 4 * mm)
    for block in policy.blocks:
        yield from _flowables(block)


def _flowables(block: Block) -> Iterator[Flowable]:
    match block:
        case Heading(level, text):
            if level == min(HEADINGS):
                yield CondPageBreak(48 * mm)  # room for a second heading and a few lines below it
            yield Text(escape(text), HEADINGS[level])
        case Paragraph(spans):
            yield Text(_markup(spans), BODY)
        case ItemList(ordered, items):
            yield _item_list(ordered, items)
            yield Spacer(1, 3)
        case Table(rows):
            yield _grid(rows)
            yield Spacer(1, 3.5 * mm)


def _markup(spans: tuple[Span, ...]) -> str:
    return "".join(
        f"<i>{escape(span.text)}</i>" if span.italic else escape(span.text) for span in spans
    )


def _item_list(ordered: bool, items: tuple[tuple[Span, ...], ...]) -> Flowable:
    style = ParagraphStyle("item", BODY, spaceAfter=3)
    rows = [ListItem(Text(_markup(spans), style)) for spans in items]
    kind = {"bulletType": "1", "bulletFormat": "%s."} if ordered else {"bulletType": "bullet"}
    start = {} if ordered else {"start": "•"}
    return ListFlowable(
        rows, leftIndent=16, bulletFontName="Helvetica", bulletFontSize=10, bulletColor=INK,
        bulletOffsetY=0, **kind, **start,
    )  # fmt: skip


def _header(lines: list[tuple[str, str]]) -> Flowable:
    rows = [[Text(escape(name), CELL_HEAD), Text(escape(value), CELL)] for name, value in lines]
    grid = Grid(rows, colWidths=[34 * mm, WIDTH - 34 * mm])
    grid.setStyle(_style([("BACKGROUND", (0, 0), (0, -1), SHADE)]))
    return grid


def _grid(rows: tuple[tuple[str, ...], ...]) -> Flowable:
    head, *rest = rows
    cells = [[Text(escape(cell), CELL_HEAD) for cell in head]]
    cells += [[Text(escape(cell), CELL) for cell in row] for row in rest]
    grid = Grid(cells, colWidths=_widths(rows), repeatRows=1, spaceBefore=2)
    grid.setStyle(_style([("BACKGROUND", (0, 0), (-1, 0), SHADE)]))
    return grid


def _widths(rows: tuple[tuple[str, ...], ...]) -> list[float]:
    """Share the width by the longest cell of each column; a long one may wrap sooner."""
    shares = [max(map(len, column)) ** 0.5 for column in zip(*rows, strict=True)]
    return [WIDTH * share / sum(shares) for share in shares]


def _style(more: list[tuple[object, ...]]) -> TableStyle:
    return TableStyle(
        [
            ("GRID", (0, 0), (-1, -1), 0.5, RULE),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), 3.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 4.5),
            *more,
        ]
    )
