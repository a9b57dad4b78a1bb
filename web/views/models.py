"""`/models`: the inventory, who approved which model for what, and the switch that stops them."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from governance.approval_rules import (
    LONGEST,
    TRANSITIONS,
    Approval,
    ApprovalState,
    StepKind,
)
from governance.basis import change_words
from governance.data_classes import DataClass
from governance.errors import GovernanceError, InvalidApproval, NotFound
from governance.permissions import Permission
from web.approving import Approving
from web.caller import Caller, caller_of
from web.errors import WebError, WrongField
from web.form import choice_in, read_form
from web.model_words import (
    CLASS_MEANINGS,
    CLASS_NAMES,
    standing_of,
    state_colour,
    state_words,
)
from web.pages import Pages
from web.parts import Platform
from web.problems import problem_of
from web.proposal_form import EVERYWHERE, place_in, wanted_in
from web.risk_words import (
    IMPACTS,
    LEVEL_COLOURS,
    LEVEL_NAMES,
    LIKELIHOODS,
    RISK_NAMES,
    RISK_QUESTIONS,
    risk_words,
    worst_first,
)

HERE = "/models"
BILL_TYPE = "application/vnd.cyclonedx+json"
DONE: Mapping[str, str] = {
    "proposed": "The model is proposed. Another person has to approve it on this page.",
    "approve": "You approved. It counts as soon as enough people have.",
    "withdraw": "The proposal was withdrawn. Nothing changes.",
    "revoke": "The approval was revoked. Answers under way have ended.",
    "blocked": "It is blocked. Answers under way have ended.",
    "lifted": "The block was lifted.",
    "class": "The class was changed. It holds from now on.",
}
# What waits for somebody stands first, what has ended last.
ORDER: Mapping[ApprovalState, int] = {one: n for n, one in enumerate(ApprovalState)}
Act = Callable[[Caller, Mapping[str, str]], str]


class ModelPages:
    """`/models` and what is done there."""

    def __init__(self, platform: Platform, approving: Approving, pages: Pages) -> None:
        self._platform = platform
        self._approving = approving
        self._pages = pages

    def routes(self) -> list[Route]:
        """Where these pages are."""
        return [
            Route("/models", self.page, methods=["GET"]),
            Route("/models/blocks", self.block_all, methods=["POST"]),
            Route("/models/blocks/{block_id}/lift", self.lift, methods=["POST"]),
            Route("/models/departments/{department_id}", self.set_class, methods=["POST"]),
            Route("/models/approvals/{approval_id}/approve", self.approve, methods=["POST"]),
            Route("/models/approvals/{approval_id}/withdraw", self.withdraw, methods=["POST"]),
            Route("/models/approvals/{approval_id}/revoke", self.revoke, methods=["POST"]),
            Route("/models/{digest}", self.model, methods=["GET"]),
            Route("/models/{digest}/bom.json", self.bill, methods=["GET"]),
            Route("/models/{digest}/propose", self.propose, methods=["POST"]),
            Route("/models/{digest}/block", self.block, methods=["POST"]),
        ]

    def page(self, request: Request) -> Response:
        """Every model, what is blocked, and how confidential each department is."""
        return self._list(request, {})

    def model(self, request: Request) -> Response:
        """One model."""
        return self._one(request, request.path_params["digest"], {})

    def bill(self, request: Request) -> Response:
        """What one model is made of, for other programs."""
        model = self._approving.model(caller_of(request), request.path_params["digest"])
        content = self._platform.models.bill(model.digest) if model.installed else None
        if content is None:
            raise NotFound("This model has no bill of materials here.", "Its files are elsewhere.")
        name = f'attachment; filename="{model.digest[:12]}.cdx.json"'
        return Response(content, headers={"Content-Disposition": name}, media_type=BILL_TYPE)

    async def propose(self, request: Request) -> Response:
        """Propose a model."""
        digest = request.path_params["digest"]

        def act(caller: Caller, fields: Mapping[str, str]) -> str:
            model = self._approving.model(caller, digest)
            wanted = wanted_in(fields, self._platform.models.enabled)
            self._approving.propose(caller, model, wanted)
            return "proposed"

        return await self._act_on(request, digest, act)

    async def approve(self, request: Request) -> Response:
        """Approve what somebody else proposed."""
        return await self._step(request, StepKind.APPROVE)

    async def withdraw(self, request: Request) -> Response:
        """Drop a proposal."""
        return await self._step(request, StepKind.WITHDRAW)

    async def revoke(self, request: Request) -> Response:
        """End an approval at once."""
        return await self._step(request, StepKind.REVOKE)

    async def block(self, request: Request) -> Response:
        """Stop a model."""
        digest = request.path_params["digest"]

        def act(caller: Caller, fields: Mapping[str, str]) -> str:
            self._approving.model(caller, digest)
            place = place_in(fields, "block-department")
            self._approving.block(caller, digest, place, _reason(fields, "block-reason"))
            return "blocked"

        return await self._act_on(request, digest, act)

    async def block_all(self, request: Request) -> Response:
        """Stop every model in a department, or everywhere."""

        def act(caller: Caller, fields: Mapping[str, str]) -> str:
            place = place_in(fields, "block-department")
            self._approving.block(caller, None, place, _reason(fields, "block-reason"))
            return "blocked"

        return await self._act_on(request, None, act)

    async def lift(self, request: Request) -> Response:
        """Lift a block."""

        def act(caller: Caller, fields: Mapping[str, str]) -> str:
            block_id = request.path_params["block_id"]
            self._approving.lift(caller, block_id, fields.get("reason", ""))
            return "lifted"

        return await self._act_on(request, None, act)

    async def set_class(self, request: Request) -> Response:
        """Change how confidential the data of a department is."""

        def act(caller: Caller, fields: Mapping[str, str]) -> str:
            place = request.path_params["department_id"]
            chosen = choice_in(fields, "class", DataClass, "a class")
            self._approving.set_class(caller, place, chosen, fields.get("reason", ""))
            return "class"

        return await self._act_on(request, None, act)

    async def _step(self, request: Request, kind: StepKind) -> Response:
        fields = await read_form(request)
        return await run_in_threadpool(self._take_step, request, kind, fields)

    def _take_step(self, request: Request, kind: StepKind, fields: Mapping[str, str]) -> Response:
        caller = caller_of(request)
        found = self._approving.approval(caller, request.path_params["approval_id"])

        def act(caller: Caller, fields: Mapping[str, str]) -> str:
            self._approving.step(caller, found.id, kind, fields.get("reason", ""))
            return kind.value

        return self._do(request, found.proposal.digest, act, fields, found.id)

    async def _act_on(self, request: Request, digest: str | None, act: Act) -> Response:
        fields = await read_form(request)
        return await run_in_threadpool(self._do, request, digest, act, fields)

    def _do(
        self,
        request: Request,
        digest: str | None,
        act: Act,
        fields: Mapping[str, str],
        approval_id: str = "",
    ) -> Response:
        """Do something, then show where it was done; a refusal is shown there as well."""
        try:
            done = act(caller_of(request), fields)
        except (GovernanceError, WrongField) as error:
            return self._again(request, digest, fields, error, approval_id)
        return RedirectResponse(f"{HERE}{f'/{digest}' if digest else ''}?done={done}", 303)

    def _again(
        self,
        request: Request,
        digest: str | None,
        fields: Mapping[str, str],
        error: GovernanceError | WebError,
        approval_id: str,
    ) -> Response:
        if digest is None:
            return self._list(request, fields, error)
        return self._one(request, digest, fields, error, approval_id)

    def _list(
        self,
        request: Request,
        fields: Mapping[str, str],
        error: GovernanceError | WebError | None = None,
    ) -> Response:
        caller, approving = caller_of(request), self._approving
        now, basis = caller.clock(), self._platform.models.basis()
        places = approving.places(caller)
        waiting = [
            (one, self._may_decide_on(caller, one) and not approving.is_proposer(caller, one))
            for one in approving.approvals(caller)
            if one.state(now) is ApprovalState.PROPOSED
        ]
        return self._show(
            "models/page.html",
            request,
            fields,
            error,
            waiting=waiting,
            models=[(one, standing_of(one, now, basis)) for one in approving.models(caller)],
            blocks=[
                (one, self._may_decide(caller, one.department_id))
                for one in approving.blocks(caller)
            ],
            places=[
                (place, held, self._may_decide(caller, place.id), self._may_decide(caller, None))
                for place, held in places
            ],
            block_places=self._deciding_in(caller),
            changing=request.path_params.get("department_id", ""),
        )

    def _one(
        self,
        request: Request,
        digest: str,
        fields: Mapping[str, str],
        error: GovernanceError | WebError | None = None,
        approval_id: str = "",
    ) -> Response:
        caller, approving = caller_of(request), self._approving
        model, now = approving.model(caller, digest), caller.clock()
        basis = self._platform.models.basis()
        return self._show(
            "models/model.html",
            request,
            fields,
            error,
            model=model,
            standing=standing_of(model, now, basis),
            approvals=sorted(
                (self._approval(caller, one, one.id == approval_id) for one in model.approvals),
                key=lambda shown: ORDER[shown["state"]],
            ),
            blocks=[(one, self._may_decide(caller, one.department_id)) for one in model.blocks],
            propose_places=[
                *([(EVERYWHERE, "All departments")] if self._may_propose(caller, None) else []),
                *(
                    (place.id, place.name)
                    for place in caller.known
                    if self._may_propose(caller, place.id)
                ),
            ],
            block_places=self._deciding_in(caller),
            classes=[
                (one, CLASS_NAMES[one], CLASS_MEANINGS[one])
                for one in self._platform.models.enabled
            ],
            suggested=approving.suggested(model),
            latest=(now + LONGEST - timedelta(days=1)).date(),
        )

    def _approval(self, caller: Caller, one: Approval, is_open: bool) -> dict[str, Any]:
        """One approval as the page shows it, what there is most of first."""
        approving, now, basis = self._approving, caller.clock(), self._platform.models.basis()
        state = one.state(now)
        may_decide = self._may_decide_on(caller, one)
        return {
            "one": one,
            "state": state,
            "state_words": state_words(one, now, basis),
            "colour": state_colour(one, now, basis),
            "changed": change_words(approving.changed_since(one)),
            "reports": approving.reports(one),
            "risks": worst_first(one.proposal.dossier.risks),
            "risk_words": risk_words(one.proposal.dossier.risks),
            "is_proposer": approving.is_proposer(caller, one),
            "may_decide": may_decide,
            "ended": not TRANSITIONS[state],
            "open": is_open,
        }

    def _may_decide_on(self, caller: Caller, one: Approval) -> bool:
        places = one.proposal.department_ids
        return self._approving.may(caller, Permission.APPROVALS_DECIDE, places)

    def _show(
        self,
        template: str,
        request: Request,
        fields: Mapping[str, str],
        error: GovernanceError | WebError | None,
        **values: Any,
    ) -> Response:
        caller = caller_of(request)
        problem = problem_of(error) if error else None
        at = error.field if isinstance(error, InvalidApproval | WrongField) else ""
        return self._pages.page(
            template,
            status=problem.status if problem else 200,
            request=request,
            here=HERE,
            done=DONE.get(request.query_params.get("done", "")),
            problem=problem,
            problem_at=at,
            fields=fields,
            people=self._approving.names(),
            department_names={one.id: one.name for one in caller.known},
            class_names=CLASS_NAMES,
            risk_names=RISK_NAMES,
            risk_questions=RISK_QUESTIONS,
            likelihoods=LIKELIHOODS,
            impacts=IMPACTS,
            level_names=LEVEL_NAMES,
            level_colours=LEVEL_COLOURS,
            enabled=self._platform.models.enabled,
            **values,
        )

    def _may_decide(self, caller: Caller, department_id: str | None) -> bool:
        return caller.may(Permission.APPROVALS_DECIDE, department_id)

    def _may_propose(self, caller: Caller, department_id: str | None) -> bool:
        return caller.may(Permission.APPROVALS_PROPOSE, department_id)

    def _deciding_in(self, caller: Caller) -> list[tuple[str, str]]:
        """Where the caller may block, as values and texts."""
        everywhere = [(EVERYWHERE, "Everywhere")] if self._may_decide(caller, None) else []
        places = caller.departments(Permission.APPROVALS_DECIDE)
        return [*everywhere, *((one.id, one.name) for one in places)]


def _reason(fields: Mapping[str, str], name: str) -> str:
    """Why, or which field misses it. Raises WrongField."""
    reason = fields.get(name, "")
    if not reason:
        raise WrongField(name, "Say why.", "Do not name patients.")
    return reason
