"""What figures say of a pilot: the table at the top of the file, row by row."""

import pytest

from rag.statistics import NOTHING, Interval, share
from rag.verdict import Criterion, Group, Outcome, Verdict, judge, reasons, verdict

SAFE = Criterion("citation_precision", Group.SAFETY, 0.8, "Citations")
FAST = Criterion("first_text_p50", Group.SPEED, 5.0, "Seconds", True, "s")


@pytest.mark.parametrize(
    ("criterion", "measured", "outcome"),
    [
        (SAFE, share(98, 100), Outcome.MET),
        (SAFE, share(60, 100), Outcome.MISSED),
        (SAFE, share(8, 10), Outcome.OPEN),
        (SAFE, NOTHING, Outcome.UNMEASURED),
        (FAST, Interval(1.0, None, None, 1), Outcome.OPEN),
        (FAST, Interval(3.0, 2.5, 3.5, 50), Outcome.MET),
        (FAST, Interval(7.0, 6.0, 8.0, 50), Outcome.MISSED),
        (FAST, Interval(5.0, 4.0, 6.0, 50), Outcome.OPEN),
    ],
)
def test_a_criterion_is_decided_by_its_whole_interval(
    criterion: Criterion, measured: Interval, outcome: Outcome
) -> None:
    """Where the interval holds the threshold, more questions are needed."""
    assert judge(criterion, measured).outcome is outcome


@pytest.mark.parametrize(
    ("hits", "seconds", "expected"),
    [(99, 3.0, Verdict.GRADUATE), (60, 3.0, Verdict.STOP), (99, 9.0, Verdict.EXTEND),
     (82, 3.0, Verdict.EXTEND)],
)  # fmt: skip
def test_the_verdict(hits: int, seconds: float, expected: Verdict) -> None:
    """Safety stops; everything surely met graduates; all else extends."""
    found = [judge(SAFE, share(hits, 100)), judge(FAST, Interval(seconds, seconds, seconds, 9))]
    assert verdict(found) is expected


def test_nothing_measured_graduates_nobody() -> None:
    """Not even with no criteria at all."""
    assert verdict([]) is Verdict.EXTEND
    assert verdict([judge(SAFE, NOTHING)]) is Verdict.EXTEND


def test_the_reasons_name_what_is_missed_first() -> None:
    """One sentence each; what is met needs none."""
    found = [judge(SAFE, share(8, 10)), judge(SAFE, share(6, 100)), judge(SAFE, share(99, 100))]
    assert reasons(found) == (
        "Citations: missed.",
        "Citations: 10 questions are too few to decide.",
    )
