"""Gaps: reported below an answer that was not found, settled in the list of the department."""

from collections.abc import Mapping

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from governance.errors import GovernanceError
from governance.gaps import GapState
from governance.permissions import Permission
from web.approving import OWNER, OWNER_NAME
from web.asked import Asked
from web.caller import Caller, caller_of
from web.feedback_words import GAP_STATES
from web.form import read_form
from web.pages import Pages
from web.parts import Platform
from web.problems import problem_of
from web.reporting import asking_in, own_answer, policies_shown
from web.shelf import Shelf

HERE = "/feedback"
DONE: Mapping[str, str] = {
    "answered": "Your answer was sent. Everybody who reported this sees it.",
    "declined": "It is declined. Everybody who reported this sees your reason.",
}


class GapPages:
    """`/gaps`, and the report of one."""

    def __init__(self, platform: Platform, pages: Pages, answers: Shelf[Asked]) -> None:
        self._platform = platform
        self._pages = pages
        self._answers = answers

    def routes(self) -> list[Route]:
        """Where these pages are."""
        return [
            Route("/ask/{answer_id}/gap", self.report, methods=["POST"]),
            Route("/gaps", self.page, methods=["GET"]),
            Route("/gaps/{gap_id}", self.settle, methods=["POST"]),
        ]

    async def report(self, request: Request) -> Response:
        """Report that a question of one's own found no answer. Raises AnswerGone, NotFound."""
        caller = caller_of(request)
        form = await read_form(request)
        asked = own_answer(caller, self._answers, request.path_params["answer_id"])
        await run_in_threadpool(
            self._platform.voices.gaps.report,
            caller.actor,
            asked.id,
            asking_in(caller),
            asked.question,
            form.get("note", ""),
            self._platform.clock(),
        )
        return RedirectResponse(f"/ask/{asked.id}#report", status_code=303)

    def page(self, request: Request) -> Response:
        """The gaps of the caller's departments."""
        return self._page(request)

    async def settle(self, request: Request) -> Response:
        """Answer or decline a gap; a refusal is shown in the list."""
        form = await read_form(request)
        return await run_in_threadpool(self._settle, request, form)

    def _settle(self, request: Request, form: Mapping[str, str]) -> Response:
        caller, gap_id = caller_of(request), request.path_params["gap_id"]
        places = [one.id for one in caller.departments(Permission.FEEDBACK_SETTLE)]
        gaps, now, reply = self._platform.voices.gaps, self._platform.clock(), form.get("reply", "")
        try:
            if form.get("act") == "decline":
                gaps.decline(caller.actor, gap_id, places, reply, now)
                return RedirectResponse("/gaps?done=declined", status_code=303)
            document_id = form.get("policy") or None
            gaps.answer(caller.actor, gap_id, places, document_id, reply, now)
        except GovernanceError as error:
            return self._page(request, error, gap_id, form)
        return RedirectResponse("/gaps?done=answered", status_code=303)

    def _page(
        self,
        request: Request,
        error: GovernanceError | None = None,
        wrong: str = "",
        form: Mapping[str, str] | None = None,
    ) -> Response:
        caller = caller_of(request)
        places = caller.departments(Permission.FEEDBACK_SETTLE)
        found = self._platform.voices.gaps.gaps([one.id for one in places])
        problem = problem_of(error) if error else None
        return self._pages.page(
            "feedback/gaps.html",
            status=problem.status if problem else 200,
            request=request,
            here=HERE,
            todo=[one for one in found if one.state is GapState.OPEN],
            settled=[one for one in found if one.state is not GapState.OPEN],
            places={one.id: one.name for one in places},
            policies={one.id: policies_shown(self._platform.policies, one.name) for one in places},
            people=people_names(self._platform),
            states=GAP_STATES,
            done=DONE.get(request.query_params.get("done", "")),
            problem=problem,
            wrong=wrong,
            form=form or {},
            glossaries=glossaries_of(caller),
        )


def people_names(platform: Platform) -> dict[str, str]:
    """What people are called, by id."""
    return {one.id: one.name for one in platform.people.people()} | {OWNER: OWNER_NAME}


def glossaries_of(caller: Caller) -> list[tuple[str, str]]:
    """The departments whose abbreviations the caller may change: address and name."""
    places = caller.departments(Permission.ABBREVIATIONS_MANAGE)
    return [(f"/departments/{one.id}/abbreviations", one.name) for one in places]
