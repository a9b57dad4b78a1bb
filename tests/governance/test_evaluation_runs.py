"""Runs: one at a time, noted question by question, ended once."""

import pytest

from governance.errors import InvalidEvaluation, NotFound
from governance.evaluation_runs import (
    Asked,
    FoundPassage,
    Measured,
    NewRun,
    Run,
    RunState,
    RunStore,
)
from governance.policies import Department
from governance.record.database import Record
from governance.testing_retention import ANNA, NOW, actions

MEASURED = Measured(
    "answered",
    "28 days [1]",
    (FoundPassage("p1", "d1", 2, is_hit=True),),
    (FoundPassage("p1", "d1", 2, is_hit=True),),
    {"f1": 0.5},
    {"search": 3.0},
)


@pytest.fixture
def runs(record: Record) -> RunStore:
    return RunStore(record)


def started(runs: RunStore, demo: Department, count: int = 2) -> Run:
    asked = [Asked(f"g{n}", f"q{n}", f"Question {n}?", answerable=True) for n in range(count)]
    return runs.start(ANNA, NewRun(demo.id, asked, {"chat_model": "m"}, "s" * 64, {"m": "d"}), NOW)


def test_a_run_is_noted_question_by_question_and_ends_once(
    runs: RunStore, demo: Department, record: Record
) -> None:
    """A second note of a question, and anything after the end, changes nothing."""
    run = started(runs, demo)
    assert (run.state, run.done, run.total, run.actor) == (RunState.QUEUED, 0, 2, ANNA)
    for number in (1, 1):
        runs.note(run.id, number, MEASURED, NOW)
    assert (runs.run(run.id).state, runs.run(run.id).done) == (RunState.RUNNING, 1)
    assert [item.measured for item in runs.items(run.id)] == [MEASURED, None]
    runs.note(run.id, 2, MEASURED, NOW)
    runs.finish(run.id, {"answers": {"f1": 0.5}}, NOW)
    runs.stop(ANNA, run.id, NOW)
    runs.fail(run.id, "Late.", "", NOW)
    ended = runs.run(run.id)
    assert (ended.state, ended.figures) == (RunState.DONE, {"answers": {"f1": 0.5}})
    assert runs.open_runs() == ()
    assert actions(record, "evaluation.") == ["evaluation.started", "evaluation.ended"]


def test_a_department_has_one_open_run(runs: RunStore, demo: Department) -> None:
    """The next may start when it was stopped; what is noted after that is dropped."""
    run = started(runs, demo)
    with pytest.raises(InvalidEvaluation):
        started(runs, demo)
    runs.stop(ANNA, run.id, NOW)
    runs.note(run.id, 1, MEASURED, NOW)
    assert (runs.run(run.id).state, runs.run(run.id).done) == (RunState.STOPPED, 0)
    assert started(runs, demo).is_open


def test_only_a_finished_run_is_a_baseline_and_only_one(runs: RunStore, demo: Department) -> None:
    """The newer choice takes the place of the older."""
    first = started(runs, demo)
    with pytest.raises(InvalidEvaluation):
        runs.make_baseline(ANNA, first.id)
    runs.finish(first.id, {}, NOW)
    second = started(runs, demo)
    runs.finish(second.id, {}, NOW)
    for run in (first, second):
        runs.make_baseline(ANNA, run.id)
    assert [one.id for one in runs.runs(demo.id) if one.is_baseline] == [second.id]


def test_nothing_to_ask_is_refused(runs: RunStore, demo: Department) -> None:
    """And a run that does not exist cannot be read or stopped."""
    with pytest.raises(InvalidEvaluation):
        started(runs, demo, 0)
    with pytest.raises(NotFound):
        runs.run("none")
    with pytest.raises(NotFound):
        runs.stop(ANNA, "none", NOW)
