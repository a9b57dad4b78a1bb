"""`/api/v1/approvals`, `/inventory`, `/blocks`: models and who approved them for what, as JSON."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict
from starlette.responses import Response

from governance.approval_rules import Approval, StepKind
from governance.data_classes import DataClass
from governance.inventory import InventoryModel
from governance.model_rules import ModelBlock
from governance.permissions import Permission
from web.api.shapes import Json
from web.approving import Approving, Wanted
from web.caller import Caller, caller_of
from web.departments import choose
from web.model_words import standing_of
from web.parts import Platform


class Strict(BaseModel):
    """A request whose unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid")


class NewApproval(Strict):
    """A proposal. model: a name or a digest; departments: by name, without them all."""

    model: str
    data_classes: list[DataClass]
    departments: list[str] | None = None
    purposes: str
    evidence: str
    reports: list[str] = []
    pia: str | None = None
    reason: str
    not_before: AwareDatetime | None = None
    expires_at: AwareDatetime


class Because(Strict):
    """Why."""

    reason: str


class NewBlock(Strict):
    """What to stop: a model, a department, both together, or, without either, everything."""

    model: str | None = None
    department: str | None = None
    reason: str


class NewClass(Strict):
    """How confidential the data of a department is."""

    department: str
    data_class: DataClass
    reason: str


class ApprovalsApi:
    """The same acts as on the pages of models."""

    def __init__(self, platform: Platform, approving: Approving) -> None:
        self._platform = platform
        self._approving = approving

    def router(self) -> APIRouter:
        """Where these are."""
        router = APIRouter(prefix="/api/v1", tags=["models"])
        one = "/approvals/{approval_id}"
        for path, method, view in (
            ("/inventory", "GET", self.inventory),
            ("/approvals", "GET", self.approvals),
            ("/approvals", "POST", self.propose),
            (one, "GET", self.approval),
            (f"{one}/approve", "POST", self.approve),
            (f"{one}/withdraw", "POST", self.withdraw),
            (f"{one}/revoke", "POST", self.revoke),
            ("/blocks", "GET", self.blocks),
            ("/blocks", "POST", self.block),
            ("/blocks/{block_id}/lift", "POST", self.lift),
            ("/data-classes", "GET", self.classes),
            ("/data-classes", "POST", self.set_class),
        ):
            router.add_api_route(path, view, methods=[method], response_model=None)
        return router

    def inventory(self, request: Request) -> Json:
        """Every digest that is installed, ever answered or was ever proposed."""
        caller, names = caller_of(request), self._approving.names()
        models = self._approving.models(caller)
        return {"models": [_model_json(caller, one, names) for one in models]}

    def approvals(self, request: Request, model: str | None = None) -> Json:
        """Every approval, or those of one model, by its name or digest."""
        caller, names = caller_of(request), self._approving.names()
        found = self._approving.approvals(caller)
        if model is not None:
            digest = self._platform.models.inventory.named(model).digest
            found = tuple(one for one in found if one.proposal.digest == digest)
        return {"approvals": [_approval_json(caller, one, names) for one in found]}

    def approval(self, request: Request, approval_id: str) -> Json:
        """One approval with its steps."""
        caller = caller_of(request)
        found = self._approving.approval(caller, approval_id)
        return _approval_json(caller, found, self._approving.names())

    def propose(self, request: Request, body: NewApproval) -> Response:
        """Propose a model."""
        caller = caller_of(request)
        model = self._platform.models.inventory.named(body.model)
        wanted = Wanted(
            data_classes=tuple(one for one in DataClass if one in body.data_classes),
            department_ids=_places(caller, body.departments),
            purposes=body.purposes,
            evidence=body.evidence,
            reason=body.reason,
            expires_at=body.expires_at,
            not_before=body.not_before,
            report_digests=tuple(body.reports),
            pia_document=body.pia,
        )
        made = self._approving.propose(caller, model, wanted)
        shown = _approval_json(caller, made, self._approving.names())
        return JSONResponse(shown, status_code=201)

    def approve(self, request: Request, approval_id: str, body: Because) -> Json:
        """Approve what somebody else proposed."""
        return self._step(request, approval_id, StepKind.APPROVE, body)

    def withdraw(self, request: Request, approval_id: str, body: Because) -> Json:
        """Drop a proposal."""
        return self._step(request, approval_id, StepKind.WITHDRAW, body)

    def revoke(self, request: Request, approval_id: str, body: Because) -> Json:
        """End an approval at once; answers under way end with it."""
        return self._step(request, approval_id, StepKind.REVOKE, body)

    def blocks(self, request: Request) -> Json:
        """What is blocked now."""
        caller, names = caller_of(request), self._approving.names()
        found = self._approving.blocks(caller)
        return {"blocks": [_block_json(caller, one, names) for one in found]}

    def block(self, request: Request, body: NewBlock) -> Response:
        """Stop a model, a department or everything."""
        caller = caller_of(request)
        digest = None
        if body.model is not None:
            digest = self._platform.models.inventory.named(body.model).digest
        places = _places(caller, None if body.department is None else [body.department])
        made = self._approving.block(caller, digest, places[0] if places else None, body.reason)
        return JSONResponse(_block_json(caller, made, self._approving.names()), status_code=201)

    def lift(self, request: Request, block_id: str, body: Because) -> Json:
        """Let it work again."""
        caller = caller_of(request)
        lifted = self._approving.lift(caller, block_id, body.reason)
        return {**_block_json(caller, lifted, self._approving.names()), "state": "lifted"}

    def classes(self, request: Request) -> Json:
        """How confidential the data of each department is."""
        places = self._approving.places(caller_of(request))
        return {
            "departments": [
                {"department": place.name, "data_class": data_class.value}
                for place, data_class in places
            ],
            "enabled": [one.value for one in self._platform.models.enabled],
        }

    def set_class(self, request: Request, body: NewClass) -> Json:
        """Change how confidential the data of a department is."""
        caller = caller_of(request)
        place = choose(caller.departments(Permission.APPROVALS_READ), body.department)
        self._approving.set_class(caller, place.id, body.data_class, body.reason)
        return {"department": place.name, "data_class": body.data_class.value}

    def _step(self, request: Request, approval_id: str, kind: StepKind, body: Because) -> Json:
        caller = caller_of(request)
        after = self._approving.step(caller, approval_id, kind, body.reason)
        return _approval_json(caller, after, self._approving.names())


def _places(caller: Caller, names: list[str] | None) -> tuple[str, ...] | None:
    """The ids of these departments; None is all. Raises UnknownDepartment."""
    if names is None:
        return None
    known = caller.departments(Permission.APPROVALS_READ)
    return tuple(choose(known, name).id for name in dict.fromkeys(names))


def _model_json(caller: Caller, model: InventoryModel, names: Any) -> Json:
    now = caller.clock()
    installed, places = model.installed, {one.id: one.name for one in caller.known}
    return {
        "digest": model.digest,
        "names": list(model.names),
        "state": standing_of(model, now).type,
        "installed": installed is not None,
        "pinned": model.pinned,
        "licence": installed.licence if installed else "",
        "size": installed.size_bytes if installed else 0,
        "owner": _person(model.owner, names),
        "uses": model.uses,
        "last_used_at": _iso(model.last_used_at),
        "used_by": [
            {
                "department": places.get(use.department_id),
                "uses": use.uses,
                "first_at": _iso(use.first_at),
                "last_at": _iso(use.last_at),
            }
            for use in model.used_by
        ],
        "approvals": [_approval_json(caller, one, names) for one in model.approvals],
        "blocks": [_block_json(caller, one, names) for one in model.blocks],
    }


def _approval_json(caller: Caller, approval: Approval, names: Any) -> Json:
    wanted, now = approval.proposal, caller.clock()
    ids = wanted.department_ids
    return {
        "id": approval.id,
        "state": approval.state(now).value,
        "counts_now": approval.counts(now),
        "model": wanted.model,
        "digest": wanted.digest,
        "data_classes": [one.value for one in wanted.data_classes],
        "departments": None if ids is None else _named_places(caller, ids),
        "purposes": wanted.purposes,
        "evidence": wanted.evidence,
        "reports": list(wanted.report_digests),
        "pia": wanted.pia_document,
        "reason": wanted.reason,
        "proposed_by": _person(approval.proposed_by, names),
        "approved_by": [_person(one, names) for one in approval.approvers],
        "approvers_needed": approval.needed,
        "created_at": _iso(approval.created_at),
        "not_before": _iso(wanted.not_before),
        "expires_at": _iso(wanted.expires_at),
        "steps": [
            {
                "step": step.kind.value,
                "by": _person(step.by, names),
                "reason": step.reason,
                "at": _iso(step.at),
            }
            for step in approval.steps
        ],
    }


def _block_json(caller: Caller, block: ModelBlock, names: Any) -> Json:
    place = block.department_id
    return {
        "id": block.id,
        "digest": block.digest,
        "department": None if place is None else _named_places(caller, (place,))[0],
        "reason": block.reason,
        "set_by": _person(block.set_by, names),
        "set_at": _iso(block.set_at),
    }


def _named_places(caller: Caller, ids: tuple[str, ...]) -> list[str]:
    """Their names; those of departments that the caller has nothing to do with are left out."""
    seen = {one.id: one.name for one in caller.departments(Permission.APPROVALS_READ)}
    return [seen.get(one, "another department") for one in ids]


def _person(person: str | None, names: Any) -> str | None:
    return None if person is None else str(names.get(person, "somebody"))


def _iso(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
