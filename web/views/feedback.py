"""Feedback: a thumb below an answer, the list of the department, and what came of one's reports."""

from collections.abc import Mapping

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from governance.errors import GovernanceError
from governance.feedback import SETTLED, FeedbackState, Reason, Verdict
from governance.permissions import Permission
from governance.report_texts import Words
from web.asked import Asked
from web.caller import caller_of
from web.errors import WebError
from web.feedback_words import FEEDBACK_STATES, GAP_STATES, REASON_NAMES
from web.form import choice_in, read_form
from web.pages import Pages
from web.parts import Platform
from web.problems import problem_of
from web.reporting import asking_in, own_answer, policies_shown
from web.shelf import Shelf
from web.views.account import person_of
from web.views.gaps import HERE, glossaries_of, people_names

DONE: Mapping[str, str] = {
    "seen": "It is marked as seen.",
    "fixed": "Your reply was sent. It is marked as fixed.",
    "declined": "Your reply was sent. It is declined.",
}


class FeedbackPages:
    """`/feedback`, the thumb below an answer, and `/account/reports`."""

    def __init__(self, platform: Platform, pages: Pages, answers: Shelf[Asked]) -> None:
        self._platform = platform
        self._pages = pages
        self._answers = answers

    def routes(self) -> list[Route]:
        """Where these pages are."""
        return [
            Route("/ask/{answer_id}/feedback", self.give, methods=["POST"]),
            Route("/feedback", self.page, methods=["GET"]),
            Route("/feedback/{feedback_id}", self.settle, methods=["POST"]),
            Route("/account/reports", self.reports, methods=["GET"]),
        ]

    async def give(self, request: Request) -> Response:
        """Say what one thinks of an answer. Raises AnswerGone, NotFound, InvalidReport."""
        caller = caller_of(request)
        form = await read_form(request)
        asked = own_answer(caller, self._answers, request.path_params["answer_id"])
        verdict = choice_in(form, "verdict", Verdict, "whether the answer helped")
        reason = None
        if verdict is Verdict.DOWN:
            reason = choice_in(form, "reason", Reason, "what is wrong with the answer")
        answer = asked.answer
        await run_in_threadpool(
            self._platform.voices.feedback.give,
            caller.actor,
            asked.id,
            asking_in(caller),
            verdict,
            reason,
            Words(asked.question, answer.answer if answer else "", form.get("comment", "")),
            self._platform.clock(),
            [one.document_id for one in answer.citations] if answer else None,
        )
        return RedirectResponse(f"/ask/{asked.id}#report", status_code=303)

    def page(self, request: Request) -> Response:
        """What was said of answers in the caller's departments."""
        return self._page(request)

    async def settle(self, request: Request) -> Response:
        """Mark as seen, or reply; a refusal is shown in the list."""
        form = await read_form(request)
        return await run_in_threadpool(self._settle, request, form)

    def reports(self, request: Request) -> Response:
        """What the caller reported, and what came of it. Raises Forbidden."""
        caller = caller_of(request)
        person_id, voices = person_of(caller), self._platform.voices
        names = {one.id: one.name for one in caller.departments(Permission.POLICIES_READ)}
        return self._pages.page(
            "feedback/reports.html",
            request=request,
            here="/account",
            gaps=voices.gaps.of_person(person_id),
            given=voices.feedback.of_person(person_id),
            policies={
                place: policies_shown(self._platform.policies, name)
                for place, name in names.items()
            },
            gap_states=GAP_STATES,
            states=FEEDBACK_STATES,
            reasons=REASON_NAMES,
        )

    def _settle(self, request: Request, form: Mapping[str, str]) -> Response:
        caller, feedback_id = caller_of(request), request.path_params["feedback_id"]
        places = [one.id for one in caller.departments(Permission.FEEDBACK_SETTLE)]
        try:
            state = choice_in(form, "state", FeedbackState, "what to do")
            self._platform.voices.feedback.settle(
                caller.actor,
                feedback_id,
                places,
                state,
                form.get("reply", ""),
                self._platform.clock(),
            )
        except (GovernanceError, WebError) as error:
            return self._page(request, error, feedback_id, form)
        return RedirectResponse(f"/feedback?done={state.value}", status_code=303)

    def _page(
        self,
        request: Request,
        error: GovernanceError | WebError | None = None,
        wrong: str = "",
        form: Mapping[str, str] | None = None,
    ) -> Response:
        caller = caller_of(request)
        places = caller.departments(Permission.FEEDBACK_SETTLE)
        found = self._platform.voices.feedback.feedback([one.id for one in places])
        problem = problem_of(error) if error else None
        return self._pages.page(
            "feedback/page.html",
            status=problem.status if problem else 200,
            request=request,
            here=HERE,
            todo=[one for one in found if one.state not in SETTLED],
            settled=[one for one in found if one.state in SETTLED],
            places={one.id: one.name for one in places},
            policies={one.id: policies_shown(self._platform.policies, one.name) for one in places},
            people=people_names(self._platform),
            states={**FEEDBACK_STATES, FeedbackState.NEW: "New"},
            reasons=REASON_NAMES,
            done=DONE.get(request.query_params.get("done", "")),
            problem=problem,
            wrong=wrong,
            form=form or {},
            glossaries=glossaries_of(caller),
            measured={one.id for one in caller.departments(Permission.EVALUATIONS_MANAGE)},
        )
