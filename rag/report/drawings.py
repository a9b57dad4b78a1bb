"""The report's drawings, for screen and for paper in black and white."""

from collections.abc import Sequence

from reportlab.graphics import renderSVG
from reportlab.graphics.shapes import Circle, Drawing, Line, PolyLine, String
from reportlab.lib import colors

from rag import risk
from rag.report.content import WAIT_LIMIT_S, Point
from rag.report.words import number
from rag.verdict import Judged

WIDTH, ROW, LEFT, RIGHT = 480, 24, 210, 60
CURVE_HEIGHT, MARGIN = 200, 40
SIZE = 9


def intervals(judged: Sequence[Judged]) -> Drawing:
    """Each share with its interval (line), its value (dot) and its threshold (upright stroke)."""
    shown = [one for one in judged if one.measured.value is not None and not one.criterion.unit]
    shown = [one for one in shown if (one.measured.value or 0) <= 1]
    drawing = Drawing(WIDTH, ROW * len(shown) + ROW)
    scale = WIDTH - LEFT - RIGHT
    for place, one in enumerate(reversed(shown)):
        y = ROW * place + ROW
        low, value, high = (
            x or 0.0 for x in (one.measured.low, one.measured.value, one.measured.high)
        )
        threshold = LEFT + scale * one.criterion.threshold
        drawing.add(String(0, y - 3, one.criterion.words[:44], fontSize=SIZE - 1))
        if one.measured.low is not None:
            drawing.add(Line(LEFT + scale * low, y, LEFT + scale * high, y, strokeWidth=2))
        drawing.add(Circle(LEFT + scale * value, y, 3.5))
        drawing.add(
            Line(threshold, y - 8, threshold, y + 8, strokeWidth=1.5, strokeDashArray=[2, 2])
        )
        drawing.add(String(WIDTH - RIGHT + 8, y - 3, number(one.measured.value), fontSize=SIZE))
    for part in (0, 0.25, 0.5, 0.75, 1):
        drawing.add(String(LEFT + scale * part - 8, 4, f"{part:.0%}", fontSize=SIZE - 2))
    return drawing


def waiting(points: Sequence[Point]) -> Drawing:
    """How long 95 of 100 wait, over how many people ask."""
    drawing = Drawing(WIDTH, CURVE_HEIGHT)
    known = [(one.users, one.wait_s) for one in points if one.wait_s is not None]
    if not known:
        return drawing
    top = max(WAIT_LIMIT_S * 1.2, max(wait for _, wait in known))
    most = max(users for users, _ in known)
    across, up = WIDTH - 2 * MARGIN, CURVE_HEIGHT - 2 * MARGIN

    def at(users: float, wait: float) -> tuple[float, float]:
        return MARGIN + across * users / most, MARGIN + up * wait / top

    limit = at(0, WAIT_LIMIT_S)[1]
    drawing.add(Line(MARGIN, MARGIN, WIDTH - MARGIN, MARGIN))
    drawing.add(Line(MARGIN, MARGIN, MARGIN, CURVE_HEIGHT - MARGIN))
    drawing.add(Line(MARGIN, limit, WIDTH - MARGIN, limit, strokeDashArray=[3, 3]))
    drawing.add(String(MARGIN + 4, limit + 4, f"limit {WAIT_LIMIT_S:.0f} s", fontSize=SIZE - 1))
    drawing.add(PolyLine([x for one in known for x in at(*one)], strokeWidth=2))
    for users, wait in known:
        x, y = at(users, wait)
        drawing.add(Circle(x, y, 2.5))
        drawing.add(String(x - 5, MARGIN - 14, str(users), fontSize=SIZE - 2))
    drawing.add(String(WIDTH / 2 - 30, 8, "people at work", fontSize=SIZE))
    drawing.add(String(4, CURVE_HEIGHT - 20, "seconds of waiting, 95 of 100", fontSize=SIZE))
    return drawing


def risks(points: Sequence[risk.Point]) -> Drawing:
    """How many answers are wrong, with intervals, over how many questions are answered."""
    drawing = Drawing(WIDTH, CURVE_HEIGHT)
    across, up = WIDTH - 2 * MARGIN, CURVE_HEIGHT - 2 * MARGIN

    def at(coverage: float | None, wrong: float | None) -> tuple[float, float]:
        return MARGIN + across * (coverage or 0), MARGIN + up * (wrong or 0)

    drawing.add(Line(MARGIN, MARGIN, WIDTH - MARGIN, MARGIN))
    drawing.add(Line(MARGIN, MARGIN, MARGIN, CURVE_HEIGHT - MARGIN))
    for part in (0, 0.25, 0.5, 0.75, 1):
        drawing.add(String(at(part, 0)[0] - 8, MARGIN - 14, f"{part:.0%}", fontSize=SIZE - 2))
        drawing.add(String(MARGIN - 28, at(0, part)[1] - 3, f"{part:.0%}", fontSize=SIZE - 2))
    for one in points:
        low, high = (at(one.coverage.value, bound) for bound in (one.risk.low, one.risk.high))
        drawing.add(Line(*low, *high, strokeColor=colors.grey))
        drawing.add(Circle(*at(one.coverage.value, one.risk.value), 3))
    line = [x for one in points for x in at(one.coverage.value, one.risk.value)]
    if len(points) > 1:
        drawing.add(PolyLine(line, strokeWidth=2))
    drawing.add(String(WIDTH / 2 - 60, 8, "questions that get an answer", fontSize=SIZE))
    drawing.add(String(4, CURVE_HEIGHT - 20, "answers that are wrong", fontSize=SIZE))
    return drawing


def svg(drawing: Drawing) -> str:
    """The drawing as a file for a page."""
    return str(renderSVG.drawToString(drawing))
