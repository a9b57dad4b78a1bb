"""The page of a department's gate: what is asked of evaluations before people get answers."""

from collections.abc import Callable, Mapping

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from governance.errors import GovernanceError
from governance.evaluation_gates import MAX_OVERRIDE_DAYS, MAX_REASON_CHARS, GateMode
from governance.permissions import Permission
from governance.policies import Department
from rag.gate import QUESTIONS
from web.caller import Caller, caller_of
from web.errors import WebError, WrongField
from web.evaluation_places import HERE, place_called, place_in
from web.evaluation_words import GATE_MODES, STANDINGS
from web.form import choice_in, date_in, end_of, read_form
from web.gate_form import margins_in, month_cost_of, reported_of, rows_of, thresholds_in
from web.pages import Pages
from web.parts import Platform
from web.problems import problem_of
from web.views.gaps import people_names

DONE: Mapping[str, str] = {
    "changed": "The gate was changed. It holds from now on, and the change is in the audit trail.",
    "let": "Questions are let through. Your name, the reason and the day are in the audit trail.",
    "ended": "The exception has ended.",
}
Act = Callable[[Caller, Department], str]


class GatePages:
    """`/evaluation/gate` and what is done there."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages
        self._parts = platform.evaluations

    def routes(self) -> list[Route]:
        """Where this page is."""
        return [
            Route("/evaluation/gate", self.page, methods=["GET"]),
            Route("/evaluation/gate", self.change, methods=["POST"]),
            Route("/evaluation/gate/override", self.let_through, methods=["POST"]),
            Route("/evaluation/gate/override/end", self.end, methods=["POST"]),
        ]

    def page(self, request: Request) -> Response:
        """The gate."""
        return self._page(request, place_in(request))

    async def change(self, request: Request) -> Response:
        """Choose the mode, the least figures and the margins."""
        form = await read_form(request)

        def act(caller: Caller, place: Department) -> str:
            mode = choice_in(form, "mode", GateMode, "what the gate does")
            least, margins = thresholds_in(form), margins_in(form)
            self._parts.gates.change(caller.actor, place.id, mode, least, margins, caller.clock())
            return "changed"

        return await run_in_threadpool(self._act, request, act, form, "mode-off")

    async def let_through(self, request: Request) -> Response:
        """Answer for it that questions are let through."""
        form = await read_form(request)

        def act(caller: Caller, place: Department) -> str:
            until = end_of(date_in(form, "until"))
            if until is None:
                raise WrongField("until", "Say until when.", "Write day, month and year.")
            reason, now = form.get("reason", ""), caller.clock()
            self._parts.gates.let_through(caller.actor, place.id, reason, until, now)
            return "let"

        return await run_in_threadpool(self._act, request, act, form, "reason")

    async def end(self, request: Request) -> Response:
        """End the exception."""
        form = await read_form(request)

        def act(caller: Caller, place: Department) -> str:
            self._parts.gates.end_override(caller.actor, place.id, caller.clock())
            return "ended"

        return await run_in_threadpool(self._act, request, act, form, "reason")

    def _act(self, request: Request, act: Act, form: Mapping[str, str], field: str) -> Response:
        caller = caller_of(request)
        place = place_called(caller, form.get("in", ""))
        try:
            said = act(caller, place)
        except WrongField as error:
            at = "until-day" if error.field == "until" else error.field
            at = "mode-off" if at == "mode" else at
            return self._page(request, place, error, form, at)
        except GovernanceError as error:
            return self._page(request, place, error, form, field)
        return RedirectResponse(f"/evaluation/gate?in={place.id}&done={said}", status_code=303)

    def _page(
        self,
        request: Request,
        place: Department,
        error: GovernanceError | WebError | None = None,
        form: Mapping[str, str] | None = None,
        field: str = "",
    ) -> Response:
        caller, gate = caller_of(request), self._parts.gates.gate(place.id)
        problem = problem_of(error) if error else None
        typed = form if form and "mode" in form else None
        least = f"{gate.thresholds[QUESTIONS]:.0f}" if QUESTIONS in gate.thresholds else ""
        return self._pages.page(
            "evaluation/gate.html",
            status=problem.status if problem else 200,
            request=request,
            here=HERE,
            place=place,
            places=caller.departments(Permission.EVALUATIONS_MANAGE),
            gate=gate,
            decision=self._parts.decision(place.id, caller.clock()),
            standings=STANDINGS,
            modes=GATE_MODES,
            mode=typed.get("mode", "") if typed else gate.mode.value,
            rows=rows_of(gate, typed),
            reported=reported_of(gate, typed),
            month_cost=month_cost_of(gate, typed),
            questions=typed.get(QUESTIONS, "") if typed else least,
            people=people_names(self._platform),
            overridden=gate.override is not None and caller.clock() < gate.override.until,
            most_days=MAX_OVERRIDE_DAYS,
            most_chars=MAX_REASON_CHARS,
            done=DONE.get(request.query_params.get("done", "")),
            form=form or {},
            problem=problem,
            field=field,
        )
