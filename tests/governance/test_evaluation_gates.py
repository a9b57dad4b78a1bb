"""The gate of a department: chosen, overridden by a person, always in the trail."""

from datetime import timedelta

import pytest

from governance.errors import InvalidEvaluation
from governance.evaluation_gates import GateMode, GateStore
from governance.events import SYSTEM
from governance.policies import Department
from governance.record.database import Record
from governance.testing_retention import ANNA, NOW, actions

DAY = timedelta(days=1)


@pytest.fixture
def gates(record: Record) -> GateStore:
    return GateStore(record, {"f1": 0.5}, {"f1": 0.05})


def test_a_gate_is_off_until_somebody_chooses(
    gates: GateStore, demo: Department, record: Record
) -> None:
    """With what holds where nothing was chosen; each change is an event."""
    assert (gates.gate(demo.id).mode, gates.gate(demo.id).thresholds) == (
        GateMode.OFF,
        {"f1": 0.5},
    )
    gates.change(ANNA, demo.id, GateMode.BLOCK, {"f1": 0.7, "leak": 0}, {}, NOW)
    found = gates.gate(demo.id)
    assert (found.mode, found.thresholds) == (GateMode.BLOCK, {"f1": 0.7, "leak": 0})
    assert found.margins == {}
    assert actions(record, "gate.") == ["gate.changed"]


def test_a_person_lets_questions_through_for_a_time(
    gates: GateStore, demo: Department, record: Record
) -> None:
    """With a reason; a change of the gate leaves the exception, and it can be ended."""
    gates.let_through(ANNA, demo.id, " The trial ends soon ", NOW + DAY, NOW)
    gates.change(ANNA, demo.id, GateMode.WARN, {}, {}, NOW)
    found = gates.gate(demo.id).override
    assert found is not None
    assert (found.reason, found.until) == ("The trial ends soon", NOW + DAY)
    gates.end_override(ANNA, demo.id, NOW)
    gates.end_override(ANNA, demo.id, NOW)
    assert gates.gate(demo.id).override is None
    assert actions(record, "gate.") == ["gate.overridden", "gate.changed", "gate.changed"]


@pytest.mark.parametrize(
    ("reason", "days"), [("", 1), (" ", 1), ("x" * 501, 1), ("Why", 0), ("Why", 91)]
)
def test_an_exception_needs_a_reason_and_an_end(
    gates: GateStore, demo: Department, record: Record, reason: str, days: int
) -> None:
    """Nothing is kept of one that is refused."""
    with pytest.raises(InvalidEvaluation):
        gates.let_through(ANNA, demo.id, reason, NOW + days * DAY, NOW)
    assert gates.gate(demo.id).override is None
    assert actions(record, "gate.") == []


def test_only_a_person_answers_for_an_exception(gates: GateStore, demo: Department) -> None:
    """A program has nobody's name."""
    with pytest.raises(InvalidEvaluation, match="Only a person"):
        gates.let_through(SYSTEM, demo.id, "Why", NOW + DAY, NOW)


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf"), 1e9])
def test_figures_are_bounded(gates: GateStore, demo: Department, value: float) -> None:
    """In thresholds and in margins."""
    for least, margins in (({"f1": value}, {}), ({}, {"f1": value})):
        with pytest.raises(InvalidEvaluation):
            gates.change(ANNA, demo.id, GateMode.WARN, least, margins, NOW)
