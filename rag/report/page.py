"""The report as one HTML file that leads nowhere else: its drawings and its style are inside."""

import base64

from jinja2 import Environment, PackageLoader, StrictUndefined

from rag.report import drawings
from rag.report.content import QUESTIONS_AN_HOUR, WAIT_LIMIT_S, Report, groups
from rag.report.words import STRICTER, between, called, explained, number, use_words


def html(report: Report) -> str:
    """Write the page."""
    pages = Environment(
        loader=PackageLoader("rag.report", "templates"), autoescape=True, undefined=StrictUndefined
    )
    return pages.get_template("report.html").render(
        report=report,
        groups=groups(report.judged),
        knows_prompt="prompt_version" in dict(report.configuration),
        stricter=STRICTER,
        use_words=use_words(report.use, report.month_cost),
        number=number,
        between=between,
        called=called,
        explained=explained,
        questions_an_hour=QUESTIONS_AN_HOUR,
        wait_limit_s=WAIT_LIMIT_S,
        intervals=_inside(drawings.svg(drawings.intervals(report.judged))),
        risks=_inside(drawings.svg(drawings.risks(report.risks))),
        waiting=_inside(drawings.svg(drawings.waiting(report.waits))),
    )


def _inside(svg: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
