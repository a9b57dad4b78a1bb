"""The first page of evaluation: what there is of a department, and a run that is started."""

from collections.abc import Mapping

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from governance.errors import GovernanceError
from governance.evaluation_runs import RunState
from governance.permissions import Permission
from governance.policies import Department
from web.caller import caller_of
from web.evaluation_places import HERE, place_called, place_in
from web.evaluation_words import RUN_STATES, STANDINGS
from web.form import read_form
from web.pages import Pages
from web.parts import Platform
from web.problems import problem_of


class EvaluationPages:
    """`/evaluation`."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Where this page is."""
        return [
            Route("/evaluation", self.page, methods=["GET"]),
            Route("/evaluation/runs", self.start, methods=["POST"]),
        ]

    def page(self, request: Request) -> Response:
        """Gold questions, runs and the gate of a department."""
        return self._page(request, place_in(request))

    async def start(self, request: Request) -> Response:
        """Start a run."""
        form = await read_form(request)
        return await run_in_threadpool(self._start, request, form)

    def _start(self, request: Request, form: Mapping[str, str]) -> Response:
        caller = caller_of(request)
        place = place_called(caller, form.get("in", ""))
        try:
            run = self._platform.evaluations.start(caller, place, form.get("model") or None)
        except GovernanceError as error:
            return self._page(request, place, error)
        return RedirectResponse(f"/evaluation/runs/{run.id}", status_code=303)

    def _page(
        self, request: Request, place: Department, error: GovernanceError | None = None
    ) -> Response:
        caller, parts = caller_of(request), self._platform.evaluations
        gold = parts.gold.listed(place.id, caller.clock())
        runs = parts.runs.runs(place.id)
        problem = problem_of(error) if error else None
        return self._pages.page(
            "evaluation/page.html",
            status=problem.status if problem else 200,
            request=request,
            here=HERE,
            place=place,
            places=caller.departments(Permission.EVALUATIONS_MANAGE),
            count=len(gold),
            checks=sum(one.check_again for one in gold),
            runs=runs,
            open_run=next((one for one in runs if one.is_open), None),
            finished=[one for one in runs if one.state is RunState.DONE],
            states=RUN_STATES,
            in_use=parts.settings.chat_model,
            models=parts.other_models(),
            decision=parts.decision(place.id, caller.clock()),
            standings=STANDINGS,
            problem=problem,
        )
