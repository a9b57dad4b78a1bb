"""A run of the pages gives the same report as `lamplight eval`, and knows two figures more."""

from datetime import UTC, datetime

import pytest

from governance.evaluation_runs import Asked, FoundPassage, Measured, Run, RunItem, RunState
from governance.events import SYSTEM
from governance.pilot_use import Use
from rag.report.page import html
from rag.report.run_result import report_of_run, result_of
from rag.verdict import CRITERIA, OF_COST, OF_RUNS, OF_USE, Outcome, Verdict

NOW = datetime(2026, 11, 23, tzinfo=UTC)
RUN = Run(
    "run-1", "d", "anna", SYSTEM, RunState.DONE, 400, 400, {"chat_model": "m"}, "c" * 64, "s" * 64,
    {"m": "e" * 64}, {}, False, "", "", NOW, NOW,
)  # fmt: skip
HIT = FoundPassage("p", "d", 1, is_hit=True)
MISS = FoundPassage("q", "d", 1, is_hit=False)
TIMES = {"search": 80.0, "first_token": 2000.0, "total": 3000.0}


def item(number: int, measured: Measured | None, *, answerable: bool = True) -> RunItem:
    return RunItem(number, Asked("g", f"q{number}", "Why?", answerable), measured, NOW)


def good() -> list[RunItem]:
    """400 questions that went well."""
    told = Measured("answered", "a", (MISS, HIT), (HIT,), {"f1": 0.9, "contains": 1.0}, TIMES)
    silent = Measured("not_found", "", (MISS,), timings_ms=TIMES)
    can = [item(n, told) for n in range(300)]
    return can + [item(n, silent, answerable=False) for n in range(300, 400)]


def test_a_run_is_a_result_question_by_question() -> None:
    """What was not asked is not there; what failed is an error and nothing else."""
    failed = item(2, Measured("failed", error="The model is away."))
    items = result_of(RUN, [good()[0], failed, item(3, None)], "Pharmacy")["items"]
    assert len(items) == 2
    assert (items[0]["first_hit"], items[0]["citation_hits"], items[0]["seen"]) == (2, 1, 3)
    assert (items[1]["status"], items[1]["error"]) == (None, "The model is away.")


def test_a_good_run_graduates_with_its_digests() -> None:
    """Versions and departments are measured, so they are not among what was not."""
    report = report_of_run(RUN, good(), "Pharmacy")
    assert report.verdict is Verdict.GRADUATE
    assert ("digest of m", "e" * 64) in report.configuration
    assert not any("Leaks" in one for one in report.unmeasured)
    assert "Passages of another department" in html(report)


def test_passages_of_others_stop_it() -> None:
    """A leak is a matter of safety."""
    foreign = FoundPassage("x", "d", 1, is_hit=False, is_own=False)
    leaking = [item(n, Measured("answered", "a", (foreign,) * 5)) for n in range(1000, 1100)]
    report = report_of_run(RUN, [*good(), *leaking], "Pharmacy")
    [judged] = [one for one in report.judged if one.criterion.name == "leak"]
    assert judged.outcome is Outcome.MISSED
    assert report.verdict is Verdict.STOP


def test_use_and_cost_are_judged_where_they_are_known() -> None:
    """By the platform's counts and what the department says it pays; else they are named."""
    use = Use(28, questions=400, people=20, answered=300, helped=95, did_not_help=5)
    asked_for = (*CRITERIA, *OF_RUNS, *OF_USE, *OF_COST)
    report = report_of_run(RUN, good(), "Pharmacy", asked_for, use, 900.0)
    found = {one.criterion.name: one for one in report.judged}
    assert found["questions_a_week"].measured.value == 100.0
    assert (found["helped"].measured.value, found["helped"].outcome) == (0.95, Outcome.MET)
    assert found["cost_an_answer"].measured.value == pytest.approx(2.76, abs=0.01)
    assert report.verdict is Verdict.GRADUATE
    assert "20 people asked 400 questions" in html(report)
    assert not any(one.startswith(("Use", "Cost")) for one in report.unmeasured)
    without = report_of_run(RUN, good(), "Pharmacy", asked_for)
    assert {one.criterion.name for one in without.judged}.isdisjoint(
        one.name for one in (*OF_USE, *OF_COST)
    )
    assert sum(one.startswith(("Use", "Cost")) for one in without.unmeasured) == 2
