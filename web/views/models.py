"""`/models`: the inventory, who approved which model for what, and the switch that stops them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from governance.approval_rules import LONGEST, StepKind
from governance.data_classes import DataClass, up_to
from governance.errors import GovernanceError, InvalidApproval
from governance.permissions import Permission
from web.approving import Approving, Wanted
from web.caller import Caller, caller_of
from web.errors import WebError, WrongField
from web.form import choice_in, date_in, end_of, read_form, start_of
from web.model_words import (
    CLASS_MEANINGS,
    CLASS_NAMES,
    STATE_COLOURS,
    standing_of,
    state_words,
)
from web.pages import Pages
from web.parts import Platform
from web.problems import problem_of

HERE = "/models"
EVERYWHERE = "everywhere"
DONE: Mapping[str, str] = {
    "proposed": "The model is proposed. Another person has to approve it on this page.",
    "approve": "You approved. It counts as soon as enough people have.",
    "withdraw": "The proposal was withdrawn. Nothing changes.",
    "revoke": "The approval was revoked. Answers under way have ended.",
    "blocked": "It is blocked. Answers under way have ended.",
    "lifted": "The block was lifted.",
    "class": "The class was changed. It holds from now on.",
}
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
            Route("/models/{digest}/propose", self.propose, methods=["POST"]),
            Route("/models/{digest}/block", self.block, methods=["POST"]),
        ]

    def page(self, request: Request) -> Response:
        """Every model, what is blocked, and how confidential each department is."""
        return self._list(request, {})

    def model(self, request: Request) -> Response:
        """One model."""
        return self._one(request, request.path_params["digest"], {})

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
        now = caller.clock()
        places = approving.places(caller)
        return self._show(
            "models/page.html",
            request,
            fields,
            error,
            models=[(one, standing_of(one, now)) for one in approving.models(caller)],
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
        return self._show(
            "models/model.html",
            request,
            fields,
            error,
            model=model,
            standing=standing_of(model, now),
            approvals=[
                {
                    "one": one,
                    "state": one.state(now),
                    "state_words": state_words(one, now),
                    "colour": STATE_COLOURS[one.state(now)],
                    "is_proposer": approving.is_proposer(caller, one),
                    "may_decide": approving.may(
                        caller, Permission.APPROVALS_DECIDE, one.proposal.department_ids
                    ),
                    "open": one.id == approval_id,
                }
                for one in model.approvals
            ],
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
            latest=(now + LONGEST - timedelta(days=1)).date(),
        )

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


def wanted_in(fields: Mapping[str, str], enabled: Sequence[DataClass]) -> Wanted:
    """What the form of a proposal says. Raises WrongField."""
    chosen = choice_in(fields, "data_class", DataClass, "a class of data")
    place = place_in(fields, "department")
    last_day = date_in(fields, "expires")
    end = end_of(last_day)
    if end is None:
        raise WrongField("expires", "Say until when.", "At most a year. For example, 31 12 2026.")
    return Wanted(
        data_classes=tuple(one for one in up_to(chosen) if one in enabled or one is chosen),
        department_ids=None if place is None else (place,),
        purposes=fields.get("purposes", ""),
        evidence=fields.get("evidence", ""),
        reason=fields.get("why", ""),
        expires_at=end,
        not_before=start_of(date_in(fields, "starts")),
        report_digests=tuple(fields.get("reports", "").lower().replace(",", " ").split()),
        pia_document=fields.get("pia") or None,
    )


def place_in(fields: Mapping[str, str], name: str) -> str | None:
    """The department that a form names; None is all of them. Raises WrongField."""
    chosen = fields.get(name, "")
    if not chosen:
        raise WrongField(name, "Choose where it counts.", "Choose one of those that are shown.")
    return None if chosen == EVERYWHERE else chosen


def _reason(fields: Mapping[str, str], name: str) -> str:
    """Why, or which field misses it. Raises WrongField."""
    reason = fields.get(name, "")
    if not reason:
        raise WrongField(name, "Say why.", "Do not name patients.")
    return reason
