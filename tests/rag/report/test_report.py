"""The report: what it says, that it says it twice alike, and that it leads nowhere."""

import re
from datetime import date
from typing import Any

import pypdfium2  # type: ignore[import-untyped]
from reportlab.graphics.shapes import Line

from rag.report.content import Report, report_of
from rag.report.drawings import intervals
from rag.report.page import html
from rag.report.sheets import pdf
from rag.report.words import number
from rag.verdict import Outcome, Verdict

DAY = date(2026, 11, 23)


def item(number: int, **fields: Any) -> dict[str, Any]:
    """One question as `lamplight eval` notes it: answered rightly unless told otherwise."""
    return {
        "id": f"q{number}", "answerable": True, "first_hit": 1, "status": "answered",
        "answer": "28 days <b>[1]</b>", "f1": 0.9, "contains": 1.0, "citations": 1,
        "citation_hits": 1, "timings_ms": {"search": 80, "first_token": 2000, "total": 3000},
        "confidence": 0.7 + number % 30 / 100, "error": None,
    } | fields  # fmt: skip


def result(*more: dict[str, Any]) -> dict[str, Any]:
    """A good run of 400 questions, and these."""
    cannot = {"answerable": False, "first_hit": None, "status": "not_found", "citations": 0,
              "citation_hits": 0, "f1": None, "contains": None}  # fmt: skip
    items = [item(n) for n in range(300)] + [item(n, **cannot) for n in range(300, 400)]
    config = {"department": "Pharmacy", "suite_digest": "a" * 64}
    return {"items": [*items, *more], "config": config}


def paper(report: Report) -> str:
    """All words of the sheets."""
    document = pypdfium2.PdfDocument(pdf(report))
    return " ".join(page.get_textpage().get_text_range() for page in document)


def test_a_good_run_graduates() -> None:
    """With every criterion surely met."""
    report = report_of(result(), DAY)
    assert report.verdict is Verdict.GRADUATE
    assert report.reasons == ()
    assert report.users > 10


def test_wrong_citations_stop_it_and_are_shown() -> None:
    """They are the first that a board should see."""
    wrong = [item(1000 + n, citation_hits=0, f1=0.0) for n in range(300)]
    report = report_of(result(*wrong), DAY)
    assert report.verdict is Verdict.STOP
    assert report.reasons[0] == "Citations that hold what answers: missed."
    assert report.examples[0].what == "answered from another place than expected"


def test_a_search_alone_decides_nothing_of_answers() -> None:
    """What was not measured is said, not guessed."""
    items = [item(n, status=None, answer=None, citations=0, citation_hits=0,
                  timings_ms={"search": 80}) for n in range(50)]  # fmt: skip
    report = report_of({"items": items, "config": {}}, DAY)
    assert report.verdict is Verdict.EXTEND
    assert report.service is None
    assert "this run only searched" in report.unmeasured[0]
    assert "not measured" in html(report)


def test_few_questions_and_failures_are_no_fault_of_the_report() -> None:
    """One question, and that one failed."""
    failed = item(1, status=None, answer=None, error="The model is away.", citations=0,
                  citation_hits=0, timings_ms={})  # fmt: skip
    report = report_of({"items": [failed], "config": {}}, DAY)
    assert report.examples[0].answer == "The model is away."
    assert pdf(report).startswith(b"%PDF")


def test_one_good_question_proves_nothing() -> None:
    """Neither speed nor the number of people is met by it."""
    report = report_of({"items": [item(1)], "config": {}}, DAY)
    assert not [one.criterion.name for one in report.judged if one.outcome is Outcome.MET]


def test_people_are_counted_not_shared() -> None:
    """A machine for one person or none says so, inside its drawing."""
    timings = {"search": 80, "first_token": 2000, "total": 120_000}
    report = report_of(
        {"items": [item(n, timings_ms=timings) for n in range(20)]} | {"config": {}}, DAY
    )
    users = next(one for one in report.judged if one.criterion.name == "users")
    assert number(users.measured.value, users.criterion.unit) == "0"
    assert users.outcome is Outcome.MISSED
    drawn = intervals(report.judged)
    assert all(one.x2 <= drawn.width for one in drawn.contents if isinstance(one, Line))


def test_a_report_on_errors_alone_has_its_headings() -> None:
    """What went worst is told under its own name, without answers too."""
    failed = item(1, status=None, answer=None, error="The model is away.", citations=0,
                  citation_hits=0, timings_ms={})  # fmt: skip
    report = report_of({"items": [failed], "config": {}}, DAY)
    text = paper(report)
    assert text.index("What went worst") < text.index("The model is away.")
    assert "every question ended in an error" in report.unmeasured[0]


def test_what_safety_was_not_measured_is_named() -> None:
    """Also where every criterion is met."""
    told = " ".join(report_of(result(), DAY).unmeasured)
    assert all(words in told for words in ("Wrong versions", "Leaks", "Hostile text"))


def test_the_same_result_gives_the_same_bytes() -> None:
    """Reproducible to the digest."""
    assert html(report_of(result(), DAY)) == html(report_of(result(), DAY))
    assert pdf(report_of(result(), DAY)) == pdf(report_of(result(), DAY))


def test_the_page_is_one_file_that_leads_nowhere() -> None:
    """Its drawings are inside; what a model wrote is text there."""
    wrong = item(1, citation_hits=0, answer="<script>alert(1)</script> see https://evil.example")
    page = html(report_of(result(wrong), DAY))
    assert "<script" not in page
    assert not re.search(r"(?:src|href)=\"(?!data:image/svg)", page)


def test_the_sheets_say_what_the_page_says() -> None:
    """Verdict, criteria and configuration on paper."""
    text = paper(report_of(result(), DAY))
    for words in ("GRADUATE", "Citations that hold what answers", "a" * 20, "95 % interval"):
        assert words in text


def test_the_curve_of_stricter_thresholds_is_drawn_and_listed() -> None:
    """The threshold in use first; nothing of it where no answer told how sure it was."""
    made = report_of(result(), DAY)
    assert (made.risks[0].threshold, made.risks[0].coverage.value) == (0.7, 0.75)
    assert "Stricter or not" in html(made)
    assert "Stricter or not" in paper(made)
    told = report_of({"items": [item(1, confidence=None)], "config": {}}, DAY)
    assert told.risks == ()
    assert "Stricter or not" not in html(told)
