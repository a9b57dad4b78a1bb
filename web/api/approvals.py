"""`/api/v1/approvals`, `/inventory`, `/blocks`: models and who approved them for what, as JSON."""

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict
from starlette.responses import Response

from governance.approval_rules import StepKind
from governance.data_classes import DataClass
from governance.permissions import Permission
from governance.risks import Risk, RiskScore
from web.api.approval_shapes import approval_json, block_json, model_json, report_json
from web.api.shapes import Json
from web.approving import Approving, Wanted
from web.caller import Caller, caller_of
from web.departments import choose
from web.parts import Platform


class Strict(BaseModel):
    """A request whose unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid")


class NewRisk(Strict):
    """One risk, scored. likelihood, impact: from 1 to 3."""

    risk: Risk
    likelihood: int
    impact: int
    mitigation: str


class NewApproval(Strict):
    """A proposal. model: a name or a digest; departments: by name, without them all."""

    model: str
    data_classes: list[DataClass]
    departments: list[str] | None = None
    purposes: str
    evidence: str
    reports: list[str] = []
    pia: str | None = None
    risks: list[NewRisk] = []
    conditions: str = ""
    publisher: str = ""
    licence: str = ""
    bom: str = ""
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
        self._basis = platform.models.basis

    def router(self) -> APIRouter:
        """Where these are."""
        router = APIRouter(prefix="/api/v1", tags=["models"])
        one = "/approvals/{approval_id}"
        for path, method, view in (
            ("/inventory", "GET", self.inventory),
            ("/approvals", "GET", self.approvals),
            ("/approvals", "POST", self.propose),
            ("/evaluation-reports", "POST", self.record_report),
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
        models, basis = self._approving.models(caller), self._basis()
        return {"models": [model_json(caller, one, names, basis) for one in models]}

    def approvals(self, request: Request, model: str | None = None) -> Json:
        """Every approval, or those of one model, by its name or digest."""
        caller, names = caller_of(request), self._approving.names()
        found = self._approving.approvals(caller)
        if model is not None:
            digest = self._platform.models.inventory.named(model).digest
            found = tuple(one for one in found if one.proposal.digest == digest)
        basis = self._basis()
        return {"approvals": [approval_json(caller, one, names, basis) for one in found]}

    def approval(self, request: Request, approval_id: str) -> Json:
        """One approval with its steps."""
        caller = caller_of(request)
        found = self._approving.approval(caller, approval_id)
        return approval_json(caller, found, self._approving.names(), self._basis())

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
            risks=tuple(RiskScore(**dict(one)) for one in body.risks),
            conditions=body.conditions,
            publisher=body.publisher,
            licence=body.licence,
            bom_digest=body.bom,
        )
        made = self._approving.propose(caller, model, wanted)
        shown = approval_json(caller, made, self._approving.names(), self._basis())
        return JSONResponse(shown, status_code=201)

    async def record_report(self, request: Request) -> Response:
        """Keep a result of `lamplight eval`, sent as it was written, for proposals to cite."""
        content = await request.body()  # bounded before it comes here
        caller = caller_of(request)
        made = await run_in_threadpool(self._approving.record_report, caller, content)
        return JSONResponse(report_json(made, self._approving.names()), status_code=201)

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
        return {"blocks": [block_json(caller, one, names) for one in found]}

    def block(self, request: Request, body: NewBlock) -> Response:
        """Stop a model, a department or everything."""
        caller = caller_of(request)
        digest = None
        if body.model is not None:
            digest = self._platform.models.inventory.named(body.model).digest
        places = _places(caller, None if body.department is None else [body.department])
        made = self._approving.block(caller, digest, places[0] if places else None, body.reason)
        return JSONResponse(block_json(caller, made, self._approving.names()), status_code=201)

    def lift(self, request: Request, block_id: str, body: Because) -> Json:
        """Let it work again."""
        caller = caller_of(request)
        lifted = self._approving.lift(caller, block_id, body.reason)
        return {**block_json(caller, lifted, self._approving.names()), "state": "lifted"}

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
        return approval_json(caller, after, self._approving.names(), self._basis())


def _places(caller: Caller, names: list[str] | None) -> tuple[str, ...] | None:
    """The ids of these departments; None is all. Raises UnknownDepartment."""
    if names is None:
        return None
    known = caller.departments(Permission.APPROVALS_READ)
    return tuple(choose(known, name).id for name in dict.fromkeys(names))
