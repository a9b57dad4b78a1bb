"""Whether the configuration in use was shown to be good enough for a department. Pure.

It passes where its latest finished run asked enough questions, reaches every threshold, and is not
worse than the baseline by more than the margins. Measured values decide, not their intervals: a
gate compares runs over the same questions, and the report says how sure each figure is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from governance.evaluation_gates import Gate, GateMode
from governance.evaluation_runs import Run
from rag.report.words import called, number
from rag.verdict import CRITERIA, OF_COST, OF_RUNS, OF_USE, Criterion

# The least number of questions that a run must have asked.
QUESTIONS = "questions"
MIN_QUESTIONS = 20.0
MARGIN = 0.05  # of a share, below the baseline
SECONDS_MARGIN = 1.0
# What runs measure, by the name of the criterion: its group and name there, and how much is 1.
_IN_RUNS: Mapping[str, tuple[str, str, float]] = {
    "citation_precision": ("answers", "citation_precision", 1),
    "abstention_recall": ("abstention", "recall", 1),
    "answered_rate": ("abstention", "answered_rate", 1),
    "recall@5": ("retrieval", "recall@5", 1),
    "contains": ("answers", "contains", 1),
    "failed": ("safety", "failed_rate", 1),
    "wrong_version": ("safety", "wrong_version_rate", 1),
    "leak": ("safety", "leak_rate", 1),
    "first_text_p50": ("latency_ms", "first_token_p50", 1000),
    "search_p95": ("latency_ms", "search_p95", 1000),
}
GATED = tuple(one for one in (*CRITERIA, *OF_RUNS) if one.name in _IN_RUNS)
# Everything that a report can be asked for.
OF_REPORTS = (*CRITERIA, *OF_RUNS, *OF_USE, *OF_COST)
# What the report alone judges: a gate decides on what a run measures.
REPORTED = tuple(one for one in (*CRITERIA, *OF_USE, *OF_COST) if one.name not in _IN_RUNS)
# What the pilot costs in a month, as the department puts it; the report shares it out.
MONTH_COST = "month_cost"
THRESHOLDS: Mapping[str, float] = {
    QUESTIONS: MIN_QUESTIONS,
    **{one.name: one.threshold for one in GATED},
}
MARGINS: Mapping[str, float] = {
    **{one.name: SECONDS_MARGIN if one.unit == "s" else MARGIN for one in GATED},
    # Of these not one more.
    **{one.name: 0.0 for one in OF_RUNS},
}


class Standing(StrEnum):
    """How a department stands with the configuration in use."""

    OFF = "off"
    PASSED = "passed"
    WARNED = "warned"
    PAUSED = "paused"
    OVERRIDDEN = "overridden"


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate says, and why where the configuration does not pass."""

    standing: Standing
    reasons: tuple[str, ...] = ()


def decide(gate: Gate, run: Run | None, baseline: Run | None, now: datetime) -> Decision:
    """Decide; run: the latest that was finished with the configuration in use."""
    if gate.mode is GateMode.OFF:
        return Decision(Standing.OFF)
    reasons = tuple(_reasons(gate, run, baseline))
    if not reasons:
        return Decision(Standing.PASSED)
    if gate.override is not None and now < gate.override.until:
        return Decision(Standing.OVERRIDDEN, reasons)
    paused = gate.mode is GateMode.BLOCK
    return Decision(Standing.PAUSED if paused else Standing.WARNED, reasons)


def criteria_of(
    thresholds: Mapping[str, float],
    known: Sequence[Criterion] = OF_REPORTS,
) -> tuple[Criterion, ...]:
    """The criteria of a report with a department's thresholds; one left empty keeps the usual.

    Or a report would be made better by asking less.
    """
    return tuple(replace(one, threshold=thresholds.get(one.name, one.threshold)) for one in known)


def measured(run: Run, name: str) -> float | None:
    """A figure of a run by the name of its criterion; shares from 0 to 1, times in seconds."""
    group, inside, unit = _IN_RUNS[name]
    figures: Mapping[str, Any] = run.figures or {}
    value = figures.get(group, {}).get(inside)
    return None if value is None else float(value) / unit


def _reasons(gate: Gate, run: Run | None, baseline: Run | None) -> Iterator[str]:
    if run is None:
        yield "No evaluation of the model, prompt and settings in use was finished."
        return
    least = gate.thresholds.get(QUESTIONS, 0)
    if run.done < least:
        yield f"The evaluation asked {run.done} questions; at least {least:.0f} are needed."
    for one in GATED:
        value = measured(run, one.name)
        if one.name in gate.thresholds:
            yield from _missed(one, value, gate.thresholds[one.name])
        before = None if baseline is None else measured(baseline, one.name)
        if one.name in gate.margins and before is not None and value is not None:
            yield from _dropped(one, value, before, gate.margins[one.name])


def _missed(one: Criterion, value: float | None, threshold: float) -> Iterator[str]:
    shown = _shown(one)
    if value is None:
        yield f"{called(one.name)}: not measured."
    elif (value > threshold) if one.less_is_better else (value < threshold):
        limit = "at most" if one.less_is_better else "at least"
        yield f"{called(one.name)}: {shown(value)}; {limit} {shown(threshold)} is asked for."


def _dropped(one: Criterion, value: float, before: float, margin: float) -> Iterator[str]:
    worse = value - before if one.less_is_better else before - value
    # A hair more is the rounding of floats and not a drop.
    if worse > margin + 1e-9:
        shown = _shown(one)
        yield f"{called(one.name)}: {shown(value)}; the baseline had {shown(before)}."


def _shown(one: Criterion) -> Callable[[float], str]:
    return lambda value: number(value, one.unit)
