"""Runs over the gold questions of a department: what was asked, what came back, how it scored.

A run is `queued` until its first question is asked, `running` until the last, and ends `done`,
`failed` (ours) or `stopped` (by a person). An ended run never changes again; a department has one
open run at most. Every question is a row from the start, so a run goes on where it was cut off.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Row, select

from governance.errors import InvalidEvaluation, NotFound
from governance.events import SYSTEM, Action, Actor, Event, Fact
from governance.record.database import Record
from governance.record.evaluation_tables import evaluation_items, evaluation_runs
from governance.version_life import identity_of

MAX_ITEMS = 2_000
MAX_LISTED = 100


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


OPEN_STATES = frozenset({RunState.QUEUED, RunState.RUNNING})


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """A passage that was found or cited. is_hit: it holds the evidence of a gold place.

    in_force, is_own: whether its version answered this department at that moment.
    """

    passage_id: str
    document_id: str
    version: int
    is_hit: bool
    in_force: bool = True
    is_own: bool = True


@dataclass(frozen=True, slots=True)
class Measured:
    """What came back for one question.

    scores: exact, f1 and contains (0 to 1), not of what is not answerable, and how sure the answer
    was (`confidence`, 0 to 1) where that was weighed. timings_ms: search,
    first_token, total. answer and error: text.
    """

    status: str
    answer: str = field(default="", repr=False)
    found: tuple[FoundPassage, ...] = ()
    cited: tuple[FoundPassage, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as a run asks it; `key` is its id in a question file."""

    gold_id: str
    key: str
    question: str
    answerable: bool


@dataclass(frozen=True, slots=True)
class RunItem:
    """One question of a run, from 1; `measured` is None until it was asked."""

    number: int
    asked: Asked
    measured: Measured | None
    asked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Run:
    """One run. figures: numbers by group and name, None until it is done."""

    id: str
    department_id: str
    started_by: str
    actor: Actor
    state: RunState
    done: int
    total: int
    configuration: Mapping[str, Any]
    configuration_digest: str
    suite_digest: str
    model_digests: Mapping[str, str]
    figures: Mapping[str, Any] | None
    is_baseline: bool
    problem: str
    hint: str
    created_at: datetime
    ended_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it can still change."""
        return self.state in OPEN_STATES


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a run shall ask, and what decides how it is answered."""

    department_id: str
    questions: Sequence[Asked]
    configuration: Mapping[str, Any]
    suite_digest: str
    model_digests: Mapping[str, str]


class RunStore:
    """Starts, notes, ends and reads the runs of one record."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def start(self, actor: Actor, wanted: NewRun, now: datetime) -> Run:
        """Queue a run. Raises InvalidEvaluation."""
        if not 0 < len(wanted.questions) <= MAX_ITEMS:
            raise InvalidEvaluation(
                f"A run asks 1 to {MAX_ITEMS:,} questions; this has {len(wanted.questions):,}.",
                "Add gold questions to the department, or retire some.",
            )
        run_id = str(uuid4())
        with self._record.write() as connection:
            self._expect_none_open(connection, wanted.department_id)
            connection.execute(evaluation_runs.insert().values(_row(run_id, actor, wanted, now)))
            connection.execute(
                evaluation_items.insert(),
                [
                    {"run_id": run_id, "number": number, **asdict(one)}
                    for number, one in enumerate(wanted.questions, 1)
                ],
            )
            self._note(
                connection,
                Action.EVALUATION_STARTED,
                actor,
                wanted.department_id,
                run_id,
                {"questions": len(wanted.questions), "suite": wanted.suite_digest},
            )
        return self.run(run_id)

    def run(self, run_id: str) -> Run:
        """One run. Raises NotFound."""
        with self._record.read() as connection:
            return _read(connection, run_id)

    def runs(self, department_id: str, limit: int = MAX_LISTED) -> tuple[Run, ...]:
        """The latest runs of a department, newest first."""
        table = evaluation_runs.c
        query = (
            select(evaluation_runs)
            .where(table.department_id == department_id)
            .order_by(table.created_at.desc(), table.id)
            .limit(min(limit, MAX_LISTED))
        )
        with self._record.read() as connection:
            return tuple(_run(row) for row in connection.execute(query))

    def latest_done(self, department_id: str, configuration_digest: str) -> Run | None:
        """The run of this configuration that was finished last."""
        wanted = evaluation_runs.c.configuration_digest == configuration_digest
        return self._newest_done(department_id, wanted)

    def baseline(self, department_id: str) -> Run | None:
        """The run that others are compared with."""
        return self._newest_done(department_id, evaluation_runs.c.is_baseline)

    def _newest_done(self, department_id: str, wanted: ColumnElement[bool]) -> Run | None:
        table = evaluation_runs.c
        query = (
            select(evaluation_runs)
            .where(table.department_id == department_id, table.state == RunState.DONE, wanted)
            .order_by(table.ended_at.desc(), table.id)
            .limit(1)
        )
        with self._record.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _run(row)

    def open_runs(self) -> tuple[Run, ...]:
        """The runs that are not ended, oldest first."""
        table = evaluation_runs.c
        query = (
            select(evaluation_runs)
            .where(table.state.in_(OPEN_STATES))
            .order_by(table.created_at, table.id)
        )
        with self._record.read() as connection:
            return tuple(_run(row) for row in connection.execute(query))

    def items(self, run_id: str) -> tuple[RunItem, ...]:
        """Every question of a run, in order."""
        query = (
            select(evaluation_items)
            .where(evaluation_items.c.run_id == run_id)
            .order_by(evaluation_items.c.number)
        )
        with self._record.read() as connection:
            return tuple(_item(row) for row in connection.execute(query))

    def note(self, run_id: str, number: int, measured: Measured, now: datetime) -> None:
        """Note what came back for a question; noted once, and only while the run is open."""
        packed = {
            "status": measured.status,
            "answer": measured.answer,
            "error": measured.error,
            "found": json.dumps([asdict(one) for one in measured.found]),
            "cited": json.dumps([asdict(one) for one in measured.cited]),
            "scores": json.dumps(dict(measured.scores)),
            "timings_ms": json.dumps(dict(measured.timings_ms)),
        }
        table = evaluation_items.c
        with self._record.write() as connection:
            run = _read(connection, run_id)
            if not run.is_open:
                return
            changed = connection.execute(
                evaluation_items.update()
                .where(table.run_id == run_id, table.number == number, table.status.is_(None))
                .values(**packed, asked_at=now)
            )
            connection.execute(
                evaluation_runs.update()
                .where(evaluation_runs.c.id == run_id)
                .values(state=RunState.RUNNING, done=run.done + changed.rowcount)
            )

    def finish(self, run_id: str, figures: Mapping[str, Any], now: datetime) -> None:
        """End a run whose questions were all asked."""
        self._end(SYSTEM, run_id, RunState.DONE, now, figures=json.dumps(figures))

    def fail(self, run_id: str, problem: str, hint: str, now: datetime) -> None:
        """End a run that cannot go on."""
        self._end(SYSTEM, run_id, RunState.FAILED, now, problem=problem, hint=hint)

    def stop(self, actor: Actor, run_id: str, now: datetime) -> None:
        """End a run before its end; one that has ended stays as it is. Raises NotFound."""
        self._end(actor, run_id, RunState.STOPPED, now)

    def make_baseline(self, actor: Actor, run_id: str) -> None:
        """Compare others with this run from now on. Raises NotFound, InvalidEvaluation."""
        table = evaluation_runs
        with self._record.write() as connection:
            run = _read(connection, run_id)
            if run.state is not RunState.DONE:
                raise InvalidEvaluation(
                    "This run is not finished.", "Choose a run that was finished."
                )
            connection.execute(
                table.update()
                .where(table.c.department_id == run.department_id)
                .values(is_baseline=table.c.id == run_id)
            )
            self._note(connection, Action.BASELINE_CHOSEN, actor, run.department_id, run_id, {})

    def _end(
        self, actor: Actor, run_id: str, state: RunState, now: datetime, **values: str
    ) -> None:
        with self._record.write() as connection:
            run = _read(connection, run_id)
            if not run.is_open:
                return
            connection.execute(
                evaluation_runs.update()
                .where(evaluation_runs.c.id == run_id)
                .values(state=state, ended_at=now, **values)
            )
            facts: dict[str, Fact] = {"state": state.value, "done": run.done, "total": run.total}
            self._note(connection, Action.EVALUATION_ENDED, actor, run.department_id, run_id, facts)

    def _expect_none_open(self, connection: Connection, department_id: str) -> None:
        table = evaluation_runs.c
        query = select(table.id).where(
            table.department_id == department_id, table.state.in_(OPEN_STATES)
        )
        if connection.execute(query).first() is not None:
            raise InvalidEvaluation(
                "Another evaluation of this department is under way.",
                "Wait for its end, or stop it.",
            )

    def _note(
        self,
        connection: Connection,
        action: Action,
        actor: Actor,
        department_id: str,
        run_id: str,
        facts: Mapping[str, Fact],
    ) -> None:
        event = Event(action, actor, department_id, "evaluation", run_id, facts=facts)
        self._record.trail.append(connection, event)


def digest_of(content: Any) -> str:
    """SHA-256 of a value as JSON with sorted names, in hex."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _row(run_id: str, actor: Actor, wanted: NewRun, now: datetime) -> dict[str, Any]:
    return {
        "id": run_id,
        "department_id": wanted.department_id,
        "started_by": identity_of(actor),
        "actor": json.dumps(asdict(actor)),
        "state": RunState.QUEUED,
        "done": 0,
        "total": len(wanted.questions),
        "configuration": json.dumps(wanted.configuration, sort_keys=True),
        "configuration_digest": digest_of(wanted.configuration),
        "suite_digest": wanted.suite_digest,
        "model_digests": json.dumps(dict(wanted.model_digests), sort_keys=True),
        "created_at": now,
    }


def _read(connection: Connection, run_id: str) -> Run:
    query = select(evaluation_runs).where(evaluation_runs.c.id == run_id)
    row = connection.execute(query).first()
    if row is None:
        raise NotFound("There is no such evaluation.", "Look under Evaluation for those there are.")
    return _run(row)


def _run(row: Row[Any]) -> Run:
    values = dict(row._mapping)
    values["actor"] = Actor(**json.loads(values["actor"]))
    values["state"] = RunState(values["state"])
    for name in ("configuration", "model_digests", "figures"):
        values[name] = None if values[name] is None else json.loads(values[name])
    return Run(**values)


def _item(row: Row[Any]) -> RunItem:
    measured = None
    if row.status is not None:
        measured = Measured(
            row.status,
            row.answer,
            _passages(row.found),
            _passages(row.cited),
            json.loads(row.scores),
            json.loads(row.timings_ms),
            row.error,
        )
    asked = Asked(row.gold_id, row.key, row.question, row.answerable)
    return RunItem(row.number, asked, measured, row.asked_at)


def _passages(packed: str) -> tuple[FoundPassage, ...]:
    return tuple(FoundPassage(**one) for one in json.loads(packed))
