"""The gate of a department: whether answers wait until their configuration was evaluated.

| mode  | where the configuration in use has no run that passes          |
|-------|----------------------------------------------------------------|
| off   | nothing happens                                                |
| warn  | those who manage evaluations are warned                        |
| block | questions are refused, and search goes on                      |

A person can let questions through all the same, with a reason and until a day. What passes is
decided in `rag/gate.py`; here it is kept what was chosen, and every change is in the trail.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from math import isfinite
from typing import Any

from sqlalchemy import Connection, select

from governance.errors import InvalidEvaluation
from governance.events import Action, Actor, Event, Fact
from governance.record.database import Record
from governance.record.evaluation_tables import evaluation_gates
from governance.version_life import identity_of

MAX_OVERRIDE_DAYS = 90
MAX_REASON_CHARS = 500
MAX_FIGURES = 50
MAX_FIGURE = 1_000_000.0


class GateMode(StrEnum):
    """What happens where the configuration in use was not shown to be good enough."""

    OFF = "off"
    WARN = "warn"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody answers for it that questions are let through; by: as the trail names them."""

    by: str
    reason: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Gate:
    """What a department asks of a configuration.

    thresholds: the least (or most) that a figure may be, by its name. margins: how far it may be
    worse than the baseline's. A name that is missing is not looked at.
    """

    department_id: str
    mode: GateMode = GateMode.OFF
    thresholds: Mapping[str, float] = field(default_factory=dict)
    margins: Mapping[str, float] = field(default_factory=dict)
    override: Override | None = None


class GateStore:
    """The gates of one record. thresholds, margins: what holds where nothing was chosen."""

    def __init__(
        self, record: Record, thresholds: Mapping[str, float], margins: Mapping[str, float]
    ) -> None:
        self._record = record
        self._thresholds = thresholds
        self._margins = margins

    def gate(self, department_id: str) -> Gate:
        """The gate of a department."""
        with self._record.read() as connection:
            return self._read(connection, department_id)

    def change(
        self,
        actor: Actor,
        department_id: str,
        mode: GateMode,
        thresholds: Mapping[str, float],
        margins: Mapping[str, float],
        now: datetime,
    ) -> None:
        """Choose what is asked from now on. Raises InvalidEvaluation."""
        _check(thresholds)
        _check(margins)
        values = {
            "mode": mode,
            "thresholds": json.dumps(dict(thresholds), sort_keys=True),
            "margins": json.dumps(dict(margins), sort_keys=True),
        }
        with self._record.write() as connection:
            before = self._read(connection, department_id)
            facts: dict[str, Fact] = {
                "mode": mode.value,
                "mode_before": before.mode.value,
                "thresholds": values["thresholds"],
                "margins": values["margins"],
            }
            self._put(connection, actor, department_id, values, now)
            self._note(connection, Action.GATE_CHANGED, actor, department_id, facts)

    def let_through(
        self, actor: Actor, department_id: str, reason: str, until: datetime, now: datetime
    ) -> None:
        """Answer for it that questions are let through. Raises InvalidEvaluation."""
        reason = reason.replace("\x00", "").strip()
        if actor.person_id is None:
            raise InvalidEvaluation("Only a person can answer for this.", "Sign in to the pages.")
        if not 0 < len(reason) <= MAX_REASON_CHARS:
            raise InvalidEvaluation(
                "Say why questions are let through.", f"Use {MAX_REASON_CHARS} characters at most."
            )
        if not now < until <= now + timedelta(days=MAX_OVERRIDE_DAYS):
            raise InvalidEvaluation(
                "The last day must lie ahead, within 90 days.", "Choose an earlier or later day."
            )
        values = {
            "override_by": identity_of(actor),
            "override_reason": reason,
            "override_until": until,
        }
        facts: dict[str, Fact] = {"until": until.isoformat()}
        with self._record.write() as connection:
            self._put(connection, actor, department_id, values, now)
            self._note(connection, Action.GATE_OVERRIDDEN, actor, department_id, facts, reason)

    def end_override(self, actor: Actor, department_id: str, now: datetime) -> None:
        """Let nothing through any more that does not pass."""
        nothing = {"override_by": None, "override_reason": None, "override_until": None}
        with self._record.write() as connection:
            if self._read(connection, department_id).override is None:
                return
            self._put(connection, actor, department_id, nothing, now)
            facts: dict[str, Fact] = {"override": "ended"}
            self._note(connection, Action.GATE_CHANGED, actor, department_id, facts)

    def _read(self, connection: Connection, department_id: str) -> Gate:
        table = evaluation_gates
        row = connection.execute(
            select(table).where(table.c.department_id == department_id)
        ).one_or_none()
        if row is None:
            return Gate(
                department_id, thresholds=dict(self._thresholds), margins=dict(self._margins)
            )
        override = None
        if row.override_until is not None:
            override = Override(row.override_by, row.override_reason, row.override_until)
        return Gate(
            department_id,
            GateMode(row.mode),
            json.loads(row.thresholds),
            json.loads(row.margins),
            override,
        )

    def _put(
        self,
        connection: Connection,
        actor: Actor,
        department_id: str,
        values: Mapping[str, Any],
        now: datetime,
    ) -> None:
        table = evaluation_gates
        who = {"changed_by": identity_of(actor), "changed_at": now}
        changed = connection.execute(
            table.update().where(table.c.department_id == department_id).values(**values, **who)
        )
        if changed.rowcount == 0:
            first = {
                "department_id": department_id,
                "mode": GateMode.OFF,
                "thresholds": json.dumps(dict(self._thresholds)),
                "margins": json.dumps(dict(self._margins)),
            }
            connection.execute(table.insert().values({**first, **who, **values}))

    def _note(
        self,
        connection: Connection,
        action: Action,
        actor: Actor,
        department_id: str,
        facts: Mapping[str, Fact],
        reason: str | None = None,
    ) -> None:
        event = Event(
            action, actor, department_id, "department", department_id, reason=reason, facts=facts
        )
        self._record.trail.append(connection, event)


def _check(figures: Mapping[str, float]) -> None:
    fits = all(isfinite(one) and 0 <= one <= MAX_FIGURE for one in figures.values())
    if not fits or len(figures) > MAX_FIGURES:
        raise InvalidEvaluation(
            "A figure of the gate is out of range.", "Use per cent from 0 to 100, or seconds."
        )
