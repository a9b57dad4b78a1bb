"""A run of the platform's pages as a result that the report is built from. Pure.

`lamplight eval` notes questions by itself; a run notes them in the record. Both become one report.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from governance.evaluation_runs import FoundPassage, Measured, Run, RunItem
from governance.pilot_use import Use
from rag.report.content import Report, report_of
from rag.verdict import CRITERIA, OF_RUNS, Criterion, Group


def report_of_run(
    run: Run,
    items: Sequence[RunItem],
    department: str,
    criteria: Sequence[Criterion] = (*CRITERIA, *OF_RUNS),
    use: Use | None = None,
    month_cost: float | None = None,
) -> Report:
    """Build the report on a run; its day is the one on which the run ended."""
    day: date = (run.ended_at or run.created_at).date()
    asked_for = [
        one
        for one in criteria
        if (use or one.group is not Group.USE)
        and (month_cost is not None or one.group is not Group.COST)
    ]
    return report_of(result_of(run, items, department), day, asked_for, use, month_cost)


def result_of(run: Run, items: Sequence[RunItem], department: str) -> dict[str, Any]:
    """The questions that were asked, and everything that decided how they were answered."""
    digests = {f"digest of {name}": digest for name, digest in run.model_digests.items()}
    known = {
        "department": department,
        "run": run.id,
        "configuration_digest": run.configuration_digest,
        "suite_digest": run.suite_digest,
    }
    return {
        "items": [_record(one, one.measured) for one in items if one.measured],
        "config": {**run.configuration, **digests, **known},
    }


def _record(item: RunItem, measured: Measured) -> dict[str, Any]:
    seen: tuple[FoundPassage, ...] = (*measured.found, *measured.cited)
    can, failed = item.asked.answerable, measured.status == "failed"
    return {
        "id": item.asked.key,
        "answerable": can,
        "first_hit": next((n for n, one in enumerate(measured.found, 1) if one.is_hit), None),
        "status": None if failed else measured.status,
        "answer": measured.answer,
        "f1": measured.scores.get("f1", 0.0) if can else None,
        "contains": measured.scores.get("contains", 0.0) if can else None,
        "citations": len(measured.cited),
        "citation_hits": sum(one.is_hit for one in measured.cited),
        "confidence": measured.scores.get("confidence"),
        "timings_ms": dict(measured.timings_ms),
        "error": (measured.error or "It was not answered.") if failed else None,
        "seen": len(seen),
        "wrong_versions": sum(not one.in_force for one in seen),
        "leaks": sum(not one.is_own for one in seen),
    }
