"""Texts of answers in runs go when texts of questions go: by the time of their department.

A run's figures, and how each question went, stay; they hold no words. A legal hold stops this as it
stops the purge of questions.
"""

from datetime import datetime, timedelta

from sqlalchemy import or_, select, update

from governance.events import SYSTEM, Action, Event
from governance.record.database import Record
from governance.record.evaluation_tables import evaluation_items, evaluation_runs
from governance.record.tables import departments
from governance.retention import RetentionStore


class RunTexts:
    """Removes the texts of answers in the runs of one record in time."""

    def __init__(self, record: Record, retention: RetentionStore) -> None:
        self._record = record
        self._retention = retention

    def purge(self, now: datetime) -> int:
        """Remove every text whose time is over; gives how many."""
        with self._record.read() as connection:
            places = connection.execute(select(departments.c.id)).scalars().all()
        return sum(self._purge(place, now) for place in places)

    def _purge(self, department_id: str, now: datetime) -> int:
        items, runs = evaluation_items.c, evaluation_runs.c
        with self._record.write() as connection:
            rule = self._retention.rule_within(connection, department_id, now)
            if rule.legal_hold:
                return 0
            due = (
                items.run_id.in_(select(runs.id).where(runs.department_id == department_id)),
                items.asked_at <= now - timedelta(days=rule.days),
                or_(items.answer != "", items.error != ""),
            )
            found = connection.execute(select(items.run_id).where(*due).distinct()).scalars().all()
            if not found:
                return 0
            changed = connection.execute(
                update(evaluation_items).where(*due).values(answer="", error="")
            )
            event = Event(
                Action.BODY_PURGED,
                SYSTEM,
                department_id,
                "department",
                department_id,
                facts={"bodies": changed.rowcount, "evaluations": sorted(found)},
            )
            self._record.trail.append(connection, event)
            return int(changed.rowcount)
