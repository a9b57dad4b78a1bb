"""Texts of answers in runs go with the texts of questions; how each question went stays."""

from dataclasses import replace

import pytest

from governance.evaluation_runs import Asked, FoundPassage, Measured, NewRun, RunStore
from governance.evaluation_texts import RunTexts
from governance.policies import Department
from governance.record.database import Record
from governance.retention import RetentionStore
from governance.retention_rules import RetentionMode
from governance.testing_retention import ANNA, DAY, NOW, actions, keep

HIT = FoundPassage("p1", "d1", 1, is_hit=True)
MEASURED = Measured("answered", "28 days [1]", (HIT,), (HIT,), {"f1": 0.5}, {"total": 3.0})


@pytest.fixture
def run_id(record: Record, demo: Department) -> str:
    """A run with one answer and one question that was not asked."""
    runs = RunStore(record)
    asked = [Asked(f"g{n}", f"q{n}", f"Question {n}?", answerable=True) for n in range(2)]
    run = runs.start(ANNA, NewRun(demo.id, asked, {}, "s" * 64, {}), NOW)
    runs.note(run.id, 1, MEASURED, NOW)
    runs.finish(run.id, {"answers": {"f1": 0.5}}, NOW)
    return run.id


def test_the_text_goes_in_time_and_the_figures_stay(
    record: Record, retention: RetentionStore, demo: Department, run_id: str
) -> None:
    """Once, with an event that holds no word of it."""
    keep(retention, demo, RetentionMode.MASKED, 7)
    texts, later = RunTexts(record, retention), NOW + 14 * DAY
    assert texts.purge(NOW + 6 * DAY) == 0
    assert texts.purge(later) == 1
    assert texts.purge(later) == 0
    first, second = RunStore(record).items(run_id)
    assert first.measured == replace(MEASURED, answer="")
    assert second.measured is None
    assert RunStore(record).run(run_id).figures == {"answers": {"f1": 0.5}}
    assert actions(record, "body.") == ["body.purged"]


def test_a_legal_hold_stops_it(
    record: Record, retention: RetentionStore, demo: Department, run_id: str
) -> None:
    """Until it is lifted."""
    texts, later = RunTexts(record, retention), NOW + 400 * DAY
    retention.hold(ANNA, demo.id, "Case 12", NOW)
    assert texts.purge(later) == 0
    first = RunStore(record).items(run_id)[0].measured
    assert first is not None
    assert first.answer
    retention.lift(ANNA, demo.id, "Case closed", later)
    assert texts.purge(later) == 1
