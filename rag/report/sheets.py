"""The report on paper, as PDF: the same content as the page; the same report, the same bytes."""

import io
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from rag.report import drawings
from rag.report.content import QUESTIONS_AN_HOUR, WAIT_LIMIT_S, Report, groups
from rag.report.words import STRICTER, between, called, number, use_words

STYLES = getSampleStyleSheet()
BODY, HEADING, TITLE = STYLES["BodyText"], STYLES["Heading2"], STYLES["Title"]
EXAMPLE_CHARS = 300
WIDE = (72 * mm, 24 * mm, 34 * mm, 26 * mm, 20 * mm)
LINES = TableStyle(
    [("LINEBELOW", (0, 0), (-1, -1), 0.3, colors.grey), ("VALIGN", (0, 0), (-1, -1), "TOP")]
)


def pdf(report: Report) -> bytes:
    """Write the sheets."""
    file = io.BytesIO()
    title = f"Report on the pilot of {report.department}"
    SimpleDocTemplate(
        file, pagesize=A4, title=title, leftMargin=17 * mm, rightMargin=17 * mm, invariant=1
    ).build(list(_story(report, title)))
    return file.getvalue()


def _story(report: Report, title: str) -> Iterator[Flowable]:
    yield _words(title, TITLE)
    yield _words(f"{report.day:%d %B %Y}. {report.questions} questions were asked.")
    told = [_words(report.verdict.value.upper(), HEADING), _words(report.decision)]
    box = Table([[[*told, *(_words(f"- {one}") for one in report.reasons)]]], colWidths=[176 * mm])
    box.setStyle(TableStyle([("BOX", (0, 0), (-1, -1), 2, colors.black)]))
    yield Spacer(1, 3 * mm)
    yield box
    yield _words("Criteria", HEADING)
    for group, judged in groups(report.judged):
        rows = [
            (
                one.criterion.words,
                number(one.measured.value, one.criterion.unit),
                between(one.measured, one.criterion.unit),
                f"{'at most' if one.criterion.less_is_better else 'at least'} "
                f"{number(one.criterion.threshold, one.criterion.unit)}",
                one.outcome.value,
            )
            for one in judged
        ]
        yield _table((group.value, "measured", "95 % interval", "threshold", "result"), rows, WIDE)
    yield drawings.intervals(report.judged)
    yield _words("All figures", HEADING)
    figures = [
        (called(name), number(one.value, _unit(part)), between(one, _unit(part)), str(one.n))
        for name, one, part in report.figures
    ]
    yield _table(("figure", "value", "95 % interval", "questions"), figures, WIDE[:4])
    yield from _risks(report)
    yield from _capacity(report)
    if report.use:
        yield _words("Use and cost" if report.month_cost is not None else "Use", HEADING)
        yield _words(use_words(report.use, report.month_cost))
    if report.examples:
        yield _words("What went worst", HEADING)
    for one in report.examples:
        yield _words(f"{one.id}: {one.what}. {one.answer[:EXAMPLE_CHARS]}")
    yield _words("What was not measured", HEADING)
    for line in report.unmeasured:
        yield _words(f"- {line}")
    yield _words("Configuration", HEADING)
    yield _table(("setting", "value"), list(report.configuration), (50 * mm, 126 * mm))


def _risks(report: Report) -> Iterator[Flowable]:
    if not report.risks:
        return
    yield _words("Stricter or not", HEADING)
    yield _words(STRICTER)
    yield drawings.risks(report.risks)
    rows = [
        (
            number(one.threshold),
            number(one.coverage.value),
            number(one.risk.value),
            between(one.risk),
        )
        for one in report.risks
    ]
    head = ("least confidence", "questions answered", "answers that are wrong", "95 % interval")
    yield _table(head, rows, [44 * mm] * 4)


def _capacity(report: Report) -> Iterator[Flowable]:
    yield _words("Capacity", HEADING)
    if report.service is None:
        yield _words("Not measured: no answers were written.")
        return
    yield _words(
        f"An answer took {report.service.mean_s:.1f} s on average. With {QUESTIONS_AN_HOUR:.0f} "
        f"questions an hour from each person, up to {report.users} people can work with it at the "
        f"same time and 95 of 100 wait no longer than {WAIT_LIMIT_S:.0f} s for their turn."
    )
    yield drawings.waiting(report.waits)


def _unit(is_share: bool) -> str:
    return "" if is_share else "s"


def _words(text: str, style: object = BODY) -> Flowable:
    return Paragraph(escape(text), style)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float]) -> Flowable:
    cells = [[_words(cell) for cell in row] for row in (head, *rows)]
    table = Table(cells, colWidths=list(widths), repeatRows=1)
    table.setStyle(LINES)
    return Table([[table], [Spacer(1, 2 * mm)]])
