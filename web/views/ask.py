"""The question page: ask, watch the answer come, come back to it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from governance.errors import QuotaExceeded
from governance.people import PeopleStore
from governance.permissions import Permission, Role
from governance.questions import Channel
from rag.errors import QuestionRefused
from rag.retrieve import clean_question
from rag.schema import AnswerStatus, Turn
from web.answer_words import status_words, sure_words
from web.asked import Asked, Stage, conversation, follow, outdated
from web.asking import Admitted, Asking
from web.caller import Caller, caller_of
from web.cards import (
    by_number,
    cards_beside,
    cards_of_answer,
    cards_of_passages,
    oldest_review,
    policies_used,
)
from web.copying import copy_text
from web.departments import choose, suggest
from web.errors import AnswerGone
from web.markdown import answer_html
from web.pages import Pages, today
from web.parts import Platform
from web.presence import while_present
from web.problems import Problem, problem_of
from web.reporting import report_values
from web.shelf import Shelf
from web.sse import EventStream, event_bytes

ADMINISTRATORS_NAMED = 3


class AskPages:
    """`/`, `/ask` and `/ask/{id}`."""

    def __init__(
        self, platform: Platform, pages: Pages, asking: Asking, answers: Shelf[Asked]
    ) -> None:
        self._platform = platform
        self._pages = pages
        self._asking = asking
        self._answers = answers

    def routes(self) -> list[Route]:
        """Where these pages are."""
        return [
            Route("/", self.form, methods=["GET"]),
            Route("/ask", self.ask, methods=["POST"]),
            Route("/ask/{answer_id}", self.answer, methods=["GET"]),
        ]

    async def form(self, request: Request) -> Response:
        """The empty question page; `?q=` fills it in for a link from elsewhere.

        Who asks nothing here is led to what they may do.
        """
        caller = caller_of(request)
        if not caller.may_somewhere(Permission.POLICIES_ASK):
            return await self._elsewhere(request, caller)
        return await self._page(
            request,
            question=request.query_params.get("q", ""),
            wanted=request.query_params.get("department"),
        )

    async def ask(self, request: Request) -> Response:
        """Answer a question: as a stream where htmx asks, else on a page of its own."""
        caller = caller_of(request)
        form = await request.form()
        question, wanted = str(form.get("question", "")), str(form.get("department", ""))
        try:
            question = clean_question(question, self._platform.rag_settings)
            department = choose(caller.departments(Permission.POLICIES_ASK), wanted)
            earlier = self._earlier(caller, department.name, str(form.get("after", "")))
            admitted = await self._asking.admit(
                caller, question, department, Channel.PAGE, None, earlier
            )
        except (QuestionRefused, QuotaExceeded) as error:
            page = await self._page(
                request, question=question, wanted=wanted, problem=problem_of(error)
            )
            if isinstance(error, QuotaExceeded):
                page.headers["Retry-After"] = str(error.retry_after_s)
            return _whole_page(page)
        policies = await self._count(department.name)
        asked = Asked(
            admitted.id, caller.owner, question, department.name, policies, earlier=earlier
        )
        if "hx-request" in request.headers:
            return EventStream(
                self._stream(request, admitted, asked),
                {"HX-Push-Url": f"/ask/{asked.id}", **admitted.headers},
                self._platform.settings,
            )
        await while_present(request, self._finish(admitted, asked))
        return RedirectResponse(f"/ask/{asked.id}", status_code=303)

    async def answer(self, request: Request) -> Response:
        """A question that was asked before, with its answer."""
        caller = caller_of(request)
        asked = self._answers.get(request.path_params["answer_id"])
        if asked is None or asked.owner != caller.owner:
            raise AnswerGone
        if asked.department not in caller.department_names(Permission.POLICIES_ASK):
            raise AnswerGone
        if not await run_in_threadpool(self._is_current, asked):
            asked = outdated(asked)
        return await self._page(
            request,
            question=asked.question,
            wanted=asked.department,
            asked=asked,
            **await run_in_threadpool(report_values, self._platform, caller, asked),
            **shown(asked, str(request.base_url), self._platform.settings.sources_unfolded),
        )

    def _earlier(self, caller: Caller, department: str, after: str) -> tuple[Turn, ...]:
        """The conversation that a question follows on, where it is still held and the caller's."""
        known = self._answers.get(after) if after else None
        if known is None or (known.owner, known.department) != (caller.owner, department):
            return ()
        return conversation(known)

    def _is_current(self, asked: Asked) -> bool:
        """Whether everything that the answer was taken from is still in force."""
        ids = {one.passage_id for one in asked.passages}
        found = self._platform.policies.passages_in_force(sorted(ids), asked.department)
        return len(found) == len(ids)

    async def _elsewhere(self, request: Request, caller: Caller) -> Response:
        if caller.may_somewhere(Permission.POLICIES_SEARCH):
            return RedirectResponse("/search", status_code=303)
        platform = self._platform
        administrators = await run_in_threadpool(
            administrators_of, platform.people, platform.clock()
        )
        return self._pages.page(
            "sign_in/no_role.html",
            request=request,
            person=caller.principal,
            administrators=administrators,
        )

    async def _page(
        self,
        request: Request,
        question: str,
        wanted: str | None,
        problem: Problem | None = None,
        **values: Any,
    ) -> HTMLResponse:
        caller = caller_of(request)
        known = caller.departments(Permission.POLICIES_ASK)
        department = suggest(known, wanted)
        return self._pages.page(
            "ask/page.html",
            status=problem.status if problem else 200,
            request=request,
            here="/",
            may_load=caller.may_somewhere(Permission.DOCUMENTS_LOAD),
            question=question,
            department=department,
            departments=known,
            policies=await self._count(department) if department else 0,
            max_chars=self._platform.rag_settings.question_max_chars,
            problem=problem,
            **values,
        )

    async def _count(self, department: str) -> int:
        return await run_in_threadpool(self._platform.policies.count_in_force, department)

    async def _finish(self, admitted: Admitted, asked: Asked) -> None:
        last = asked
        async with aclosing(follow(self._asking.events(admitted), asked)) as steps:
            async for step in steps:
                last = step
        self._answers.put(asked.id, last)

    async def _stream(
        self, request: Request, admitted: Admitted, asked: Asked
    ) -> AsyncGenerator[bytes, None]:
        address = str(request.base_url)
        # Kept from the start: who reloads in the middle finds the question again.
        self._answers.put(asked.id, replace(asked, stage=Stage.CUT_SHORT))
        yield self._stage(asked, None, address)
        before = asked
        async with aclosing(follow(self._asking.events(admitted), asked)) as steps:
            async for step in steps:
                if step.stage is Stage.DONE:
                    self._answers.put(asked.id, step)
                yield (
                    await self._last(request, step, address)
                    if step.answer
                    else self._stage(step, before, address)
                )
                before = step
        yield event_bytes("", event="done")

    async def _last(self, request: Request, asked: Asked, address: str) -> bytes:
        """The finished answer with what can be said of it; the forms need the session's token."""
        caller = caller_of(request)
        values = await run_in_threadpool(report_values, self._platform, caller, asked)
        return self._stage(asked, None, address, csrf_token=caller.csrf_token, **values)

    def _stage(self, asked: Asked, before: Asked | None, address: str, **values: Any) -> bytes:
        new_stage = before is None or before.stage is not asked.stage
        return event_bytes(
            self._pages.fragment(
                "ask/_stage.html",
                asked=asked,
                whole=asked.stage is not Stage.WRITING or not before or not before.text,
                status=status_words(asked) if new_stage else None,
                **shown(asked, address, self._platform.settings.sources_unfolded),
                **values,
            )
        )


def shown(asked: Asked, address: str, unfolded: int) -> dict[str, Any]:
    """What the answer's template needs beside the question itself.

    unfolded: how many sources show while it is not known which ones the answer cites.
    """
    day = today()
    answer = asked.answer
    if answer is None or answer.status is not AnswerStatus.ANSWERED:
        passages = asked.passages or (answer.passages if answer else ())
        cards = cards_of_passages(passages, day)
        html = answer_html(asked.text, by_number(cards))
        # So many that an answer below them would be out of sight are folded away.
        return {
            "cards": cards[:unfolded],
            "beside": cards[unfolded:],
            "html": html,
            "excerpts": True,
        }
    cards = cards_of_answer(answer, day)
    return {
        "cards": cards,
        "beside": cards_beside(answer, day),
        "html": answer_html(answer.answer, by_number(cards)),
        "policies_used": policies_used(answer),
        "quotes": sum(len(card.quotes) for card in cards),
        "oldest_review": oldest_review(answer),
        "sure": sure_words(asked.checks.confidence if asked.checks else None),
        "copy_text": copy_text(asked.question, answer, cards, address),
    }


def administrators_of(people: PeopleStore, now: datetime) -> tuple[str, ...]:
    """Whom somebody without a role can ask, some of them, by name."""
    names = (
        person.name
        for person in people.people()
        if person.is_usable(now) and any(held.role is Role.ADMINISTRATOR for held in person.grants)
    )
    return tuple(islice(names, ADMINISTRATORS_NAMED))


def _whole_page(response: HTMLResponse) -> HTMLResponse:
    # htmx would put a refusal where the answer belongs; it concerns the whole page.
    response.headers["HX-Retarget"] = "#maincontent"
    response.headers["HX-Reselect"] = "#maincontent"
    response.headers["HX-Reswap"] = "outerHTML"
    return response
