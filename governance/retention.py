"""Changes how long a department's questions are kept, and purges what is due (retention_rules)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, false, select, update

from governance.config import GovernanceSettings
from governance.errors import NotFound, SecondPersonNeeded, UnknownDepartment
from governance.events import SYSTEM, Action, Actor, Event, Fact
from governance.record.database import Record
from governance.record.tables import departments
from governance.record.use_tables import question_bodies, questions, retention_rules
from governance.retention_rules import (
    Proposal,
    RetentionMode,
    RetentionRule,
    check_days,
    effective_from,
    longest_days,
    needs_second_person,
    no_proposal,
    person_behind,
)
from governance.vault import Vault, forget_deleted

PURGE_BATCH = 100


@dataclass(frozen=True, slots=True)
class Purge:
    """What a purge did; unreachable is False while a reader kept SQLite's old pages in use."""

    bodies: int
    batches: int
    unreachable: bool


class RetentionStore:
    """The retention of each department: read, propose, agree, hold, purge."""

    def __init__(self, record: Record, vault: Vault, settings: GovernanceSettings) -> None:
        self._record = record
        self._vault = vault
        self._settings = settings

    def rule(self, department_id: str, now: datetime) -> RetentionRule:
        """What holds in a department at this moment. Raises UnknownDepartment."""
        with self._record.read() as connection:
            return self.rule_within(connection, department_id, now)

    def rule_within(
        self, connection: Connection, department_id: str, now: datetime
    ) -> RetentionRule:
        """The same inside the caller's transaction. Raises UnknownDepartment."""
        return self._stored(connection, department_id).as_of(now)

    def propose(
        self, actor: Actor, department_id: str, mode: RetentionMode, days: int, now: datetime
    ) -> RetentionRule:
        """Make a change that one person may make; let any other wait for a second person.

        Raises InvalidRetention, UnknownDepartment, SecondPersonNeeded.
        """
        check_days(self._settings, mode, days)
        with self._record.write() as connection:
            rule = self._settled(connection, department_id, now)
            if not needs_second_person(rule, mode, days):
                return self._change(connection, actor, rule, mode, days)
            proposal = Proposal(mode, days, person_behind(actor))
            return self._keep_proposal(connection, actor, rule, proposal, Action.RETENTION_PROPOSED)

    def agree(
        self, actor: Actor, department_id: str, mode: RetentionMode, days: int, now: datetime
    ) -> RetentionRule:
        """Agree, as a second person, to exactly the change that was read.

        Raises SecondPersonNeeded, IllegalTransition, UnknownDepartment.
        """
        with self._record.write() as connection:
            rule = self._settled(connection, department_id, now)
            proposal = rule.open_proposal(mode, days)
            if person_behind(actor) == proposal.proposed_by:
                raise SecondPersonNeeded(
                    "Nobody can agree to their own proposal.",
                    "Ask another person who may manage retention.",
                )
            at = effective_from(rule, days, now)
            agreed = replace(proposal, agreed_by=person_behind(actor), takes_effect_at=at)
            self._keep_proposal(connection, actor, rule, agreed, Action.RETENTION_AGREED)
            return self._settled(connection, department_id, now)

    def withdraw(self, actor: Actor, department_id: str, now: datetime) -> RetentionRule:
        """Drop a proposal, agreed to or not, that has not taken effect.

        Raises IllegalTransition, UnknownDepartment.
        """
        with self._record.write() as connection:
            rule = self._settled(connection, department_id, now)
            if rule.proposal is None:
                raise no_proposal()
            facts = _facts(rule.proposal.mode, rule.proposal.days)
            self._append(
                connection,
                actor,
                Action.RETENTION_PROPOSED,
                department_id,
                facts,
                outcome="refused",
                reason="withdrawn",
            )
            return self._store(connection, replace(rule, proposal=None))

    def hold(self, actor: Actor, department_id: str, reason: str, now: datetime) -> RetentionRule:
        """Stop every purge in a department until `lift`. Raises UnknownDepartment."""
        return self._set_hold(actor, department_id, reason, now, held=True)

    def lift(self, actor: Actor, department_id: str, reason: str, now: datetime) -> RetentionRule:
        """Let purges go on; the next one takes what is overdue. Raises UnknownDepartment."""
        return self._set_hold(actor, department_id, reason, now, held=False)

    def hold_question(self, actor: Actor, question_id: str, reason: str, *, held: bool) -> None:
        """Stop, or allow again, the purge of one question's text. Raises NotFound."""
        with self._record.write() as connection:
            row = connection.execute(
                select(question_bodies.c.department_id, question_bodies.c.held).where(
                    question_bodies.c.question_id == question_id
                )
            ).one_or_none()
            if row is None:
                raise NotFound(
                    "No text of this question is kept.", "There is nothing left to hold."
                )
            if row.held == held:
                return
            connection.execute(
                update(question_bodies)
                .where(question_bodies.c.question_id == question_id)
                .values(held=held)
            )
            self._record.trail.append(
                connection,
                Event(
                    Action.HOLD_SET if held else Action.HOLD_LIFTED,
                    actor,
                    row.department_id,
                    "question",
                    question_id,
                    reason=reason,
                ),
            )

    def purge(self, now: datetime) -> Purge:
        """Destroy every body that is due and not held; doing it again changes nothing."""
        bodies = batches = 0
        for department_id in self._department_ids():
            while count := self._purge_batch(department_id, now):
                bodies, batches = bodies + count, batches + 1
        return Purge(bodies, batches, forget_deleted(self._record.engine))

    def _purge_batch(self, department_id: str, now: datetime) -> int:
        with self._record.write() as connection:
            rule = self._settled(connection, department_id, now)
            if rule.legal_hold:
                return 0
            question_ids = connection.execute(_due(department_id, now)).scalars().all()
            if not question_ids:
                return 0
            count = self._vault.destroy(connection, question_ids)
            facts: dict[str, Fact] = {"bodies": count, "questions": list(question_ids)}
            self._append(connection, SYSTEM, Action.BODY_PURGED, department_id, facts)
            return count

    def _settled(self, connection: Connection, department_id: str, now: datetime) -> RetentionRule:
        """The stored rule, after a change that is due was made."""
        rule = self._stored(connection, department_id)
        if rule.proposal is None or not rule.proposal.due(now):
            return rule
        return self._change(connection, SYSTEM, rule, rule.proposal.mode, rule.proposal.days)

    def _change(
        self,
        connection: Connection,
        actor: Actor,
        rule: RetentionRule,
        mode: RetentionMode,
        days: int,
    ) -> RetentionRule:
        changed = replace(rule, mode=mode, days=days, proposal=None)
        if changed == rule:
            return rule
        facts = _facts(mode, days) | {"mode_before": rule.mode, "days_before": rule.days}
        self._append(connection, actor, Action.RETENTION_CHANGED, rule.department_id, facts)
        if days != rule.days:
            self._reschedule(connection, changed)
        return self._store(connection, changed)

    def _reschedule(self, connection: Connection, rule: RetentionRule) -> None:
        """Give every body that is still kept the new time, within what its kind allows."""
        rows = connection.execute(
            select(question_bodies.c.question_id, question_bodies.c.masked, questions.c.asked_at)
            .join_from(question_bodies, questions)
            .where(question_bodies.c.department_id == rule.department_id)
        ).all()
        for row in rows:
            days = min(rule.days, longest_days(self._settings, masked=row.masked))
            connection.execute(
                update(question_bodies)
                .where(question_bodies.c.question_id == row.question_id)
                .values(purge_at=row.asked_at + timedelta(days=days))
            )

    def _keep_proposal(
        self,
        connection: Connection,
        actor: Actor,
        rule: RetentionRule,
        proposal: Proposal,
        action: Action,
    ) -> RetentionRule:
        facts = _facts(proposal.mode, proposal.days)
        if proposal.takes_effect_at is not None:
            facts["takes_effect_at"] = proposal.takes_effect_at.isoformat()
        self._append(connection, actor, action, rule.department_id, facts)
        return self._store(connection, replace(rule, proposal=proposal))

    def _set_hold(
        self, actor: Actor, department_id: str, reason: str, now: datetime, *, held: bool
    ) -> RetentionRule:
        with self._record.write() as connection:
            rule = self._settled(connection, department_id, now)
            if rule.legal_hold == held:
                return rule
            action = Action.HOLD_SET if held else Action.HOLD_LIFTED
            self._append(connection, actor, action, department_id, {}, reason=reason)
            return self._store(connection, replace(rule, legal_hold=held))

    def _stored(self, connection: Connection, department_id: str) -> RetentionRule:
        row = connection.execute(
            select(departments.c.id, retention_rules)
            .join_from(departments, retention_rules, isouter=True)
            .where(departments.c.id == department_id)
        ).one_or_none()
        if row is None:
            raise UnknownDepartment("There is no such department.", "Check its id.")
        if row.mode is None:
            default = RetentionMode.METADATA
            return RetentionRule(department_id, default, self._settings.retention_days)
        return _rule(row, department_id)

    def _store(self, connection: Connection, rule: RetentionRule) -> RetentionRule:
        values = _columns(rule)
        known = retention_rules.c.department_id == rule.department_id
        if connection.execute(update(retention_rules).where(known).values(values)).rowcount == 0:
            connection.execute(
                retention_rules.insert().values(department_id=rule.department_id, **values)
            )
        return rule

    def _department_ids(self) -> Sequence[str]:
        with self._record.read() as connection:
            return connection.execute(select(departments.c.id)).scalars().all()

    def _append(
        self,
        connection: Connection,
        actor: Actor,
        action: Action,
        department_id: str,
        facts: dict[str, Fact],
        *,
        outcome: str = "done",
        reason: str | None = None,
    ) -> None:
        event = Event(
            action,
            actor,
            department_id,
            "department",
            department_id,
            outcome=outcome,
            reason=reason,
            facts=facts,
        )
        self._record.trail.append(connection, event)


def _due(department_id: str, now: datetime) -> Select[str]:
    return (
        select(question_bodies.c.question_id)
        .where(
            question_bodies.c.department_id == department_id,
            question_bodies.c.purge_at <= now,
            question_bodies.c.held == false(),
        )
        .order_by(question_bodies.c.purge_at, question_bodies.c.question_id)
        .limit(PURGE_BATCH)
    )


def _rule(row: Row[Any], department_id: str) -> RetentionRule:
    proposal = None
    if row.proposed_by is not None:
        proposal = Proposal(
            RetentionMode(row.proposed_mode),
            row.proposed_days,
            row.proposed_by,
            row.agreed_by,
            row.takes_effect_at,
        )
    mode = RetentionMode(row.mode)
    return RetentionRule(department_id, mode, row.days, row.legal_hold, proposal)


def _columns(rule: RetentionRule) -> dict[str, Any]:
    proposal = rule.proposal
    return {
        "mode": rule.mode,
        "days": rule.days,
        "legal_hold": rule.legal_hold,
        "proposed_mode": proposal and proposal.mode,
        "proposed_days": proposal and proposal.days,
        "proposed_by": proposal and proposal.proposed_by,
        "agreed_by": proposal and proposal.agreed_by,
        "takes_effect_at": proposal and proposal.takes_effect_at,
    }


def _facts(mode: RetentionMode, days: int) -> dict[str, Fact]:
    return {"mode": str(mode), "days": days}
