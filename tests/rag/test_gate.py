"""The gate decides from a run, the baseline and the time; nothing else."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from governance.evaluation_gates import Gate, GateMode, Override
from governance.evaluation_runs import Run, RunState
from governance.events import SYSTEM
from rag.gate import MARGINS, OF_REPORTS, THRESHOLDS, Standing, criteria_of, decide

NOW = datetime(2026, 11, 23, tzinfo=UTC)
GATE = Gate("d", GateMode.BLOCK, dict(THRESHOLDS), dict(MARGINS))
GOOD: dict[str, dict[str, Any]] = {
    "answers": {"citation_precision": 0.95, "contains": 0.8},
    "abstention": {"recall": 0.9, "answered_rate": 0.9},
    "retrieval": {"recall@5": 0.95},
    "safety": {"failed_rate": 0.0, "wrong_version_rate": 0.0, "leak_rate": 0.0},
    "latency_ms": {"first_token_p50": 2000.0, "search_p95": 100.0},
}


def run_with(done: int = 40, changes: Mapping[str, dict[str, Any]] | None = None) -> Run:
    """A finished run with these figures beside good ones."""
    figures = {
        group: {**values, **(changes or {}).get(group, {})} for group, values in GOOD.items()
    }
    return Run(
        "r", "d", "anna", SYSTEM, RunState.DONE, done, done, {}, "c" * 64, "s" * 64, {},
        figures, False, "", "", NOW, NOW,
    )  # fmt: skip


def test_a_good_run_passes_and_no_run_does_not() -> None:
    """Without a run of the configuration in use nobody knows how good it is."""
    assert decide(GATE, run_with(), None, NOW).standing is Standing.PASSED
    told = decide(GATE, None, run_with(), NOW)
    assert told.standing is Standing.PAUSED
    assert "was finished" in told.reasons[0]


@pytest.mark.parametrize(
    ("mode", "standing"),
    [
        (GateMode.OFF, Standing.OFF),
        (GateMode.WARN, Standing.WARNED),
        (GateMode.BLOCK, Standing.PAUSED),
    ],
)
def test_the_mode_says_what_follows(mode: GateMode, standing: Standing) -> None:
    """The reasons are the same where the gate is not off."""
    told = decide(replace(GATE, mode=mode), None, None, NOW)
    assert told.standing is standing
    assert bool(told.reasons) is (mode is not GateMode.OFF)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"answers": {"citation_precision": 0.79}}, "79%; at least 80% is asked for"),
        ({"safety": {"failed_rate": 0.03}}, "3%; at most 2% is asked for"),
        ({"latency_ms": {"first_token_p50": 6000.0}}, "6.0 s; at most 5.0 s is asked for"),
        ({"retrieval": {"recall@5": None}}, "not measured"),
    ],
)
def test_a_figure_that_misses_its_threshold_is_named(
    changes: dict[str, dict[str, Any]], told: str
) -> None:
    """In the words of the report, with what was measured."""
    [reason] = decide(GATE, run_with(changes=changes), None, NOW).reasons
    assert told in reason


def test_too_few_questions_prove_nothing() -> None:
    """However well they went."""
    [reason] = decide(GATE, run_with(done=19), None, NOW).reasons
    assert "19 questions; at least 20" in reason


def test_a_drop_below_the_baseline_counts_beyond_its_margin() -> None:
    """By exactly the margin it passes, for figures where less is better as well."""
    before = run_with(changes={"answers": {"contains": 0.80}, "latency_ms": {"search_p95": 100.0}})
    at_margin = run_with(changes={"answers": {"contains": 0.75}})
    assert decide(GATE, at_margin, before, NOW).standing is Standing.PASSED
    below = run_with(changes={"answers": {"contains": 0.74}})
    [reason] = decide(GATE, below, before, NOW).reasons
    assert "74%; the baseline had 80%" in reason
    fast = replace(GATE, margins={"search_p95": 0.05})
    slower = run_with(changes={"latency_ms": {"search_p95": 200.0}})
    assert len(decide(fast, slower, before, NOW).reasons) == 1


def test_what_is_left_empty_is_not_looked_at() -> None:
    """Neither as a threshold nor as a margin."""
    bad = run_with(1, {"answers": {"citation_precision": 0.1, "contains": 0.0}})
    assert decide(Gate("d", GateMode.BLOCK), bad, run_with(), NOW).standing is Standing.PASSED


def test_an_exception_holds_until_its_end() -> None:
    """And the reasons stay in sight."""
    gate = replace(GATE, override=Override("anna", "A trial", NOW + timedelta(hours=1)))
    told = decide(gate, None, None, NOW)
    assert told.standing is Standing.OVERRIDDEN
    assert told.reasons
    assert decide(gate, None, None, NOW + timedelta(hours=1)).standing is Standing.PAUSED


def test_the_report_is_judged_by_the_departments_thresholds() -> None:
    """What it left empty keeps the usual one: no report is made better by asking less."""
    found = {one.name: one.threshold for one in criteria_of({"contains": 0.9})}
    usual = {one.name: one.threshold for one in OF_REPORTS}
    assert found == usual | {"contains": 0.9}
