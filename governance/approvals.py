"""Keeps approvals of models: proposals as they were made, and each step as a row of its own."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, RowMapping, func, select

from governance.approval_record import proposal_digest
from governance.approval_rules import (
    Approval,
    Proposal,
    Step,
    StepKind,
    check_proposal,
    check_reason,
    check_step,
    person_of,
)
from governance.config import GovernanceSettings
from governance.data_classes import DataClass, enabled_classes
from governance.dossier import read_dossier, write_dossier
from governance.errors import NotFound, UnknownDepartment
from governance.evaluation_reports import check_evidence, found_within
from governance.events import Action, Actor, Event, Fact
from governance.record.database import Record
from governance.record.model_tables import approval_steps, approvals
from governance.record.tables import departments

ACTIONS = {
    StepKind.APPROVE: Action.APPROVAL_GIVEN,
    StepKind.WITHDRAW: Action.APPROVAL_WITHDRAWN,
    StepKind.REVOKE: Action.APPROVAL_REVOKED,
}


class ApprovalStore:
    """The approvals of one record; nothing in it is ever changed or removed."""

    def __init__(self, record: Record, settings: GovernanceSettings) -> None:
        self._record = record
        self._settings = settings

    def propose(self, actor: Actor, wanted: Proposal, now: datetime) -> Approval:
        """Ask for an approval. Raises InvalidApproval, UnknownDepartment, SecondPersonNeeded."""
        check_proposal(wanted, now, enabled_classes(self._settings))
        made = Approval(str(uuid4()), wanted, person_of(actor), now)
        with self._record.write() as connection:
            _check_departments(connection, wanted.department_ids)
            reports = found_within(connection, wanted.report_digests)
            check_evidence(wanted, reports, self._settings, now)
            connection.execute(approvals.insert().values(_columns(made)))
            self._append(connection, Action.APPROVAL_PROPOSED, actor, made, wanted.reason, now)
        return made

    def approve(self, actor: Actor, approval_id: str, reason: str, now: datetime) -> Approval:
        """Approve what another person proposed.

        Raises NotFound, IllegalTransition, SecondPersonNeeded, InvalidApproval.
        """
        return self._step(actor, approval_id, StepKind.APPROVE, reason, now)

    def withdraw(self, actor: Actor, approval_id: str, reason: str, now: datetime) -> Approval:
        """Drop a proposal. Raises NotFound, IllegalTransition, InvalidApproval."""
        return self._step(actor, approval_id, StepKind.WITHDRAW, reason, now)

    def revoke(self, actor: Actor, approval_id: str, reason: str, now: datetime) -> Approval:
        """End an approval at once. Raises NotFound, IllegalTransition, InvalidApproval."""
        return self._step(actor, approval_id, StepKind.REVOKE, reason, now)

    def approval(self, approval_id: str) -> Approval:
        """One approval. Raises NotFound."""
        with self._record.read() as connection:
            return _approval(connection, approval_id)

    def approvals(self, digest: str | None = None) -> tuple[Approval, ...]:
        """All approvals, or those of one digest, newest first."""
        with self._record.read() as connection:
            return self.approvals_within(connection, digest)

    def approvals_within(
        self, connection: Connection, digest: str | None = None
    ) -> tuple[Approval, ...]:
        """The same inside the caller's transaction."""
        query = select(approvals).order_by(approvals.c.created_at.desc(), approvals.c.id)
        if digest is not None:
            query = query.where(approvals.c.digest == digest)
        rows = connection.execute(query).mappings().all()
        return _read(connection, rows)

    def _step(
        self, actor: Actor, approval_id: str, kind: StepKind, reason: str, now: datetime
    ) -> Approval:
        by, reason = person_of(actor), check_reason(reason)
        with self._record.write() as connection:
            # One writer at a time: nobody else takes a step between this look and the row.
            check_step(_approval(connection, approval_id), kind, by, now)
            count = select(func.count()).where(approval_steps.c.approval_id == approval_id)
            connection.execute(
                approval_steps.insert().values(
                    approval_id=approval_id,
                    number=connection.execute(count).scalar_one() + 1,
                    kind=kind,
                    by=by,
                    reason=reason,
                    at=now,
                )
            )
            after = _approval(connection, approval_id)
            self._append(connection, ACTIONS[kind], actor, after, reason, now)
        return after

    def _append(
        self,
        connection: Connection,
        action: Action,
        actor: Actor,
        approval: Approval,
        reason: str,
        now: datetime,
    ) -> None:
        wanted = approval.proposal
        places = wanted.department_ids
        facts: dict[str, Fact] = {
            "model": wanted.model,
            "data_classes": [str(one) for one in wanted.data_classes],
            "departments": None if places is None else list(places),
            "not_before": wanted.not_before.isoformat(),
            "expires_at": wanted.expires_at.isoformat(),
            "reports": list(wanted.report_digests),
            "pia_document": wanted.pia_document,
            "state": str(approval.state(now)),
            "risks": [f"{one.risk} {one.likelihood}x{one.impact}" for one in wanted.dossier.risks],
            "proposal_digest": proposal_digest(wanted),
            "approvers": list(approval.approvers),
            "needed": approval.needed,
        }
        only = places[0] if places is not None and len(places) == 1 else None
        event = Event(
            action,
            actor,
            only,
            "approval",
            approval.id,
            wanted.digest,
            reason=reason,
            facts=facts,
        )
        self._record.trail.append(connection, event)


def _check_departments(connection: Connection, wanted: Sequence[str] | None) -> None:
    known = set(connection.execute(select(departments.c.id)).scalars())
    if not set(wanted or ()) <= known:
        raise UnknownDepartment("There is no such department.", "Reload the list of departments.")


def _approval(connection: Connection, approval_id: str) -> Approval:
    query = select(approvals).where(approvals.c.id == approval_id)
    found = _read(connection, connection.execute(query).mappings().all())
    if not found:
        raise NotFound("There is no such approval.", "Go back to the list of models.")
    return found[0]


def _read(connection: Connection, rows: Sequence[RowMapping]) -> tuple[Approval, ...]:
    query = (
        select(approval_steps)
        .where(approval_steps.c.approval_id.in_([row["id"] for row in rows]))
        .order_by(approval_steps.c.approval_id, approval_steps.c.number)
    )
    taken: dict[str, list[Step]] = {}
    for one in connection.execute(query) if rows else ():
        step = Step(StepKind(one.kind), one.by, one.reason, one.at)
        taken.setdefault(one.approval_id, []).append(step)
    return tuple(_made_of(row, tuple(taken.get(row["id"], ()))) for row in rows)


def _made_of(row: RowMapping, steps: tuple[Step, ...]) -> Approval:
    places = row["department_ids"]
    proposal = Proposal(
        digest=row["digest"],
        model=row["model"],
        data_classes=tuple(DataClass(one) for one in row["data_classes"].split()),
        department_ids=None if places is None else tuple(places.split()),
        purposes=row["purposes"],
        evidence=row["evidence"],
        reason=row["reason"],
        not_before=row["not_before"],
        expires_at=row["expires_at"],
        report_digests=tuple(row["report_digests"].split()),
        pia_document=row["pia_document"],
        dossier=read_dossier(row["dossier"]),
    )
    return Approval(row["id"], proposal, row["proposed_by"], row["created_at"], steps)


def _columns(made: Approval) -> dict[str, object]:
    wanted = made.proposal
    places = wanted.department_ids
    return {
        "id": made.id,
        "digest": wanted.digest,
        "model": wanted.model,
        "data_classes": " ".join(wanted.data_classes),
        "department_ids": None if places is None else " ".join(places),
        "purposes": wanted.purposes.strip(),
        "evidence": wanted.evidence.strip(),
        "report_digests": " ".join(wanted.report_digests),
        "pia_document": wanted.pia_document and wanted.pia_document.strip(),
        "reason": wanted.reason.strip(),
        "proposed_by": made.proposed_by,
        "created_at": made.created_at,
        "not_before": wanted.not_before,
        "expires_at": wanted.expires_at,
        "dossier": write_dossier(wanted.dossier),
    }
