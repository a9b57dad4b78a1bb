"""What people do about models, for the pages and the API: look, propose, decide, block.

A right counts where the thing counts: an approval or a block for all departments is for whoever has
the right everywhere, one for some departments for whoever has it in each of them. What is only
about departments of others is not shown.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from governance.approval_rules import (
    Approval,
    Proposal,
    StepKind,
    person_of,
)
from governance.basis import Trigger, changed
from governance.data_classes import USUAL, DataClass
from governance.dossier import Dossier, Origin
from governance.errors import NotFound, SecondPersonNeeded
from governance.evaluation_reports import EvaluationReport
from governance.inventory import DepartmentUse, InventoryModel
from governance.model_rules import ModelBlock
from governance.permissions import Permission
from governance.policies import Department
from governance.risks import RiskScore
from web.caller import Caller
from web.parts import Platform

OWNER = "local|owner"
OWNER_NAME = "The owner of the data directory"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A proposal as somebody writes it down. department_ids: None is all."""

    data_classes: tuple[DataClass, ...]
    department_ids: tuple[str, ...] | None
    purposes: str
    evidence: str
    reason: str
    expires_at: datetime
    not_before: datetime | None = None
    report_digests: tuple[str, ...] = ()
    pia_document: str | None = None
    risks: tuple[RiskScore, ...] = ()
    conditions: str = ""
    publisher: str = ""
    licence: str = ""
    bom_digest: str = ""


class Approving:
    """The acts of people about models."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._models = platform.models

    def models(self, caller: Caller) -> tuple[InventoryModel, ...]:
        """Every model, with what of it is the caller's to see."""
        return tuple(self._shown(caller, one) for one in self._models.inventory.models())

    def model(self, caller: Caller, digest: str) -> InventoryModel:
        """One model. Raises NotFound."""
        return self._shown(caller, self._models.inventory.model(digest))

    def approvals(self, caller: Caller) -> tuple[Approval, ...]:
        """Every approval that the caller may see, newest first."""
        return tuple(
            one
            for one in self._models.approvals.approvals()
            if self._sees(caller, one.proposal.department_ids)
        )

    def approval(self, caller: Caller, approval_id: str) -> Approval:
        """One approval. Raises NotFound."""
        found = self._models.approvals.approval(approval_id)
        if not self._sees(caller, found.proposal.department_ids):
            raise NotFound("There is no such approval.", "Go back to the list of models.")
        return found

    def propose(self, caller: Caller, model: InventoryModel, wanted: Wanted) -> Approval:
        """Ask for an approval. Raises Forbidden, InvalidApproval, UnknownDepartment."""
        self._require(caller, Permission.APPROVALS_PROPOSE, wanted.department_ids)
        now = caller.clock()
        proposal = Proposal(
            digest=model.digest,
            model=model.name,
            data_classes=wanted.data_classes,
            department_ids=wanted.department_ids,
            purposes=wanted.purposes,
            evidence=wanted.evidence,
            reason=wanted.reason,
            not_before=wanted.not_before or now,
            expires_at=wanted.expires_at,
            report_digests=wanted.report_digests,
            pia_document=wanted.pia_document or None,
            dossier=self._dossier(model, wanted),
        )
        return self._models.approvals.propose(caller.actor, proposal, now)

    def record_report(self, caller: Caller, content: bytes) -> EvaluationReport:
        """Keep a result that a proposal may cite. Raises Forbidden, InvalidApproval."""
        if not caller.may_somewhere(Permission.APPROVALS_PROPOSE):
            caller.require(Permission.APPROVALS_PROPOSE, None)
        return self._models.reports.record(caller.actor, content, caller.clock())

    def reports(self, approval: Approval) -> Mapping[str, EvaluationReport]:
        """The recorded ones that it cites, by their digests."""
        found = self._models.reports.found(approval.proposal.report_digests)
        return {one.digest: one for one in found}

    def changed_since(self, approval: Approval) -> tuple[Trigger, ...]:
        """What it was decided on that is different now."""
        return changed(approval.proposal.dossier.basis, self._models.basis())

    def suggested(self, model: InventoryModel) -> Origin:
        """What files and catalogue tell of a model, for the proposer to confirm."""
        return self._models.known.origin(model.digest)

    def _dossier(self, model: InventoryModel, wanted: Wanted) -> Dossier:
        told = self.suggested(model)
        origin = replace(
            told,
            publisher=wanted.publisher or told.publisher,
            licence=wanted.licence or told.licence,
            bom_digest=wanted.bom_digest,
        )
        return Dossier(wanted.risks, wanted.conditions, origin, self._models.basis())

    def step(self, caller: Caller, approval_id: str, kind: StepKind, reason: str) -> Approval:
        """Approve, withdraw or revoke.

        Raises NotFound, Forbidden, IllegalTransition, SecondPersonNeeded, InvalidApproval.
        """
        found = self.approval(caller, approval_id)
        if not (kind is StepKind.WITHDRAW and self.is_proposer(caller, found)):
            self._require(caller, Permission.APPROVALS_DECIDE, found.proposal.department_ids)
        store = self._models.approvals
        acts: Mapping[StepKind, Callable[..., Approval]] = {
            StepKind.APPROVE: store.approve,
            StepKind.WITHDRAW: store.withdraw,
            StepKind.REVOKE: store.revoke,
        }
        return acts[kind](caller.actor, approval_id, reason, caller.clock())

    def block(
        self, caller: Caller, digest: str | None, department_id: str | None, reason: str
    ) -> ModelBlock:
        """Stop a model, a department or everything. Raises Forbidden, InvalidApproval."""
        place = None if department_id is None else (department_id,)
        self._require(caller, Permission.APPROVALS_DECIDE, place)
        store, now = self._models.blocks, caller.clock()
        return store.block(caller.actor, digest, department_id, reason, now)

    def lift(self, caller: Caller, block_id: str, reason: str) -> ModelBlock:
        """Let it work again. Raises NotFound, Forbidden, InvalidApproval."""
        found = self._models.blocks.find(block_id)
        place = None if found.department_id is None else (found.department_id,)
        if not self._sees(caller, place):
            raise NotFound("There is no such block.", "Go back to the list of models.")
        self._require(caller, Permission.APPROVALS_DECIDE, place)
        return self._models.blocks.lift(caller.actor, block_id, reason, caller.clock())

    def blocks(self, caller: Caller) -> tuple[ModelBlock, ...]:
        """What is blocked, as far as the caller may see it."""
        return tuple(one for one in self._models.blocks.blocks() if self._sees_block(caller, one))

    def places(self, caller: Caller) -> tuple[tuple[Department, DataClass], ...]:
        """The departments that the caller has to do with here, each with its class."""
        classes = self._models.classes.classes()
        seen = caller.departments(Permission.APPROVALS_READ)
        return tuple((one, classes.get(one.id, USUAL)) for one in seen)

    def set_class(
        self, caller: Caller, department_id: str, data_class: DataClass, reason: str
    ) -> None:
        """Give a department another class; a lower one is for who decides everywhere.

        Raises NotFound, Forbidden, InvalidApproval.
        """
        found = {place.id: one for place, one in self.places(caller)}
        if department_id not in found:
            raise NotFound("There is no such department.", "Go back to the list of models.")
        opens = data_class.level < found[department_id].level
        self._require(caller, Permission.APPROVALS_DECIDE, None if opens else (department_id,))
        self._models.classes.set_class(caller.actor, department_id, data_class, reason)

    def may(
        self, caller: Caller, permission: Permission, department_ids: Sequence[str] | None
    ) -> bool:
        """Whether the caller has this right wherever the thing counts."""
        places: Sequence[str | None] = (None,) if department_ids is None else department_ids
        return all(caller.may(permission, one) for one in places)

    def is_proposer(self, caller: Caller, approval: Approval) -> bool:
        """Whether the caller proposed it."""
        try:
            return person_of(caller.actor) == approval.proposed_by
        except SecondPersonNeeded:
            return False

    def names(self) -> Mapping[str, str]:
        """What to call those who propose, approve and block."""
        people = {one.id: one.name for one in self._platform.people.people()}
        return people | {OWNER: OWNER_NAME}

    def _require(
        self, caller: Caller, permission: Permission, department_ids: Sequence[str] | None
    ) -> None:
        places: Sequence[str | None] = (None,) if department_ids is None else department_ids
        for one in places:
            caller.require(permission, one)

    def _sees(self, caller: Caller, department_ids: Sequence[str] | None) -> bool:
        if department_ids is None:
            return caller.may_somewhere(Permission.APPROVALS_READ)
        return any(caller.may(Permission.APPROVALS_READ, one) for one in department_ids)

    def _sees_block(self, caller: Caller, block: ModelBlock) -> bool:
        place = None if block.department_id is None else (block.department_id,)
        return self._sees(caller, place)

    def _sees_use(self, caller: Caller, use: DepartmentUse) -> bool:
        return caller.may(Permission.APPROVALS_READ, use.department_id or None)

    def _shown(self, caller: Caller, model: InventoryModel) -> InventoryModel:
        return replace(
            model,
            approvals=tuple(
                one for one in model.approvals if self._sees(caller, one.proposal.department_ids)
            ),
            blocks=tuple(one for one in model.blocks if self._sees_block(caller, one)),
            used_by=tuple(one for one in model.used_by if self._sees_use(caller, one)),
        )
