"""Stop, extend or graduate: what measured figures say about a pilot. Pure.

| verdict  | where                                                                        |
|----------|------------------------------------------------------------------------------|
| stop     | a criterion of safety is surely missed                                       |
| graduate | every criterion is surely met                                                |
| extend   | anything else: something is missed that can be mended, or not enough is known |

Surely: the whole 95 % interval lies on that side of the threshold. A criterion whose interval holds
its threshold is not decided, and more questions decide it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag.statistics import Interval


class Group(StrEnum):
    """What a criterion is about."""

    SAFETY = "Safety"
    QUALITY = "Quality"
    SPEED = "Speed"
    CAPACITY = "Capacity"
    USE = "Use"
    COST = "Cost"


class Outcome(StrEnum):
    """What the figures say of one criterion."""

    MET = "met"
    MISSED = "not met"
    OPEN = "not decided"
    UNMEASURED = "not measured"


class Verdict(StrEnum):
    """What they say of the pilot."""

    STOP = "stop"
    EXTEND = "extend"
    GRADUATE = "graduate"


@dataclass(frozen=True, slots=True)
class Criterion:
    """A figure and the least (or, where less is better, the most) that it must be."""

    name: str
    group: Group
    threshold: float
    words: str
    less_is_better: bool = False
    unit: str = ""
    counts: str = "questions"  # what there would have to be more of


@dataclass(frozen=True, slots=True)
class Judged:
    """A criterion with what was measured."""

    criterion: Criterion
    measured: Interval
    outcome: Outcome


# The same for every department so far.
CRITERIA = (
    Criterion("citation_precision", Group.SAFETY, 0.80, "Citations that hold what answers"),
    Criterion("abstention_recall", Group.SAFETY, 0.70, "Unanswerable questions left unanswered"),
    Criterion("answered_rate", Group.QUALITY, 0.70, "Answerable questions that got an answer"),
    Criterion("recall@5", Group.QUALITY, 0.85, "Questions whose passage is among the first five"),
    Criterion("contains", Group.QUALITY, 0.50, "Of the expected words that answers contain"),
    Criterion("failed", Group.SAFETY, 0.02, "Questions that ended in an error", True),
    Criterion(
        "first_text_p50", Group.SPEED, 5.0, "Seconds to the first checked text, median", True, "s"
    ),
    Criterion("search_p95", Group.SPEED, 0.3, "Seconds to the sources, 95 of 100", True, "s"),
    Criterion(
        "users", Group.CAPACITY, 10.0, "People who can work with it at the same time", unit="people"
    ),
)
# What only a run of the platform can see: it knows every version and every department.
OF_RUNS = (
    Criterion(
        "wrong_version",
        Group.SAFETY,
        0.01,
        "Passages of a version not in force",
        True,
        counts="passages",
    ),
    Criterion(
        "leak", Group.SAFETY, 0.01, "Passages of another department", True, counts="passages"
    ),
)
# What the platform alone can count, and what the department alone can tell.
OF_USE = (
    Criterion("questions_a_week", Group.USE, 20.0, "Questions a week", unit="questions"),
    Criterion("helped", Group.USE, 0.70, "Readers who say that it helped", counts="replies"),
)
OF_COST = (Criterion("cost_an_answer", Group.COST, 5.0, "Cost of an answer", True, unit="money"),)


def judge(criterion: Criterion, measured: Interval) -> Judged:
    """Compare a figure with its threshold."""
    if measured.value is None:
        return Judged(criterion, measured, Outcome.UNMEASURED)
    if measured.low is None or measured.high is None:
        return Judged(criterion, measured, Outcome.OPEN)
    better, worse = measured.low, measured.high
    if criterion.less_is_better:
        better, worse = -measured.high, -measured.low
    least = -criterion.threshold if criterion.less_is_better else criterion.threshold
    if better >= least:
        return Judged(criterion, measured, Outcome.MET)
    return Judged(criterion, measured, Outcome.MISSED if worse < least else Outcome.OPEN)


def verdict(judged: Sequence[Judged]) -> Verdict:
    """Return what all criteria together say."""
    if any(one.outcome is Outcome.MISSED and one.criterion.group is Group.SAFETY for one in judged):
        return Verdict.STOP
    if judged and all(one.outcome is Outcome.MET for one in judged):
        return Verdict.GRADUATE
    return Verdict.EXTEND


def reasons(judged: Sequence[Judged]) -> tuple[str, ...]:
    """Return one sentence for each criterion that is not met, the missed ones first."""
    order = (Outcome.MISSED, Outcome.OPEN, Outcome.UNMEASURED)
    told = sorted(
        (one for one in judged if one.outcome in order), key=lambda one: order.index(one.outcome)
    )
    return tuple(_sentence(one) for one in told)


def _sentence(one: Judged) -> str:
    match one.outcome:
        case Outcome.MISSED:
            return f"{one.criterion.words}: missed."
        case Outcome.OPEN:
            few = f"{one.measured.n} {one.criterion.counts} are too few to decide"
            return f"{one.criterion.words}: {few}."
        case _:
            return f"{one.criterion.words}: not measured."
