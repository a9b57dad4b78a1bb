"""The question page: ask, watch the answer come, come back to it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from governance.policies import Department
from rag.errors import QuestionRefused
from rag.retrieve import clean_question
from rag.schema import AnswerStatus
from web.asked import Asked, Stage, follow, new_question
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
from web.shelf import Shelf
from web.sse import EventStream, event_bytes
from web.wording import count_words


class AskPages:
    """`/`, `/ask` and `/ask/{id}`."""

    def __init__(self, platform: Platform, pages: Pages, answers: Shelf[Asked]) -> None:
        self._platform = platform
        self._pages = pages
        self._answers = answers

    def routes(self) -> list[Route]:
        """Where these pages are."""
        return [
            Route("/", self.form, methods=["GET"]),
            Route("/ask", self.ask, methods=["POST"]),
            Route("/ask/{answer_id}", self.answer, methods=["GET"]),
        ]

    async def form(self, request: Request) -> Response:
        """The empty question page; `?q=` fills it in for a link from elsewhere."""
        return await self._page(
            question=request.query_params.get("q", ""),
            wanted=request.query_params.get("department"),
        )

    async def ask(self, request: Request) -> Response:
        """Answer a question: as a stream where htmx asks, else on a page of its own."""
        form = await request.form()
        question, wanted = str(form.get("question", "")), str(form.get("department", ""))
        known = await run_in_threadpool(self._platform.policies.departments)
        try:
            question = clean_question(question, self._platform.rag_settings)
            department = choose(known, wanted)
        except QuestionRefused as error:
            problem = problem_of(error)
            return _whole_page(await self._page(question=question, wanted=wanted, problem=problem))
        asked = new_question(question, department.name, await self._count(department.name))
        address = str(request.base_url)
        if "hx-request" in request.headers:
            return EventStream(
                self._stream(asked, address), headers={"HX-Push-Url": f"/ask/{asked.id}"}
            )
        await while_present(request, self._finish(asked))
        return RedirectResponse(f"/ask/{asked.id}", status_code=303)

    async def answer(self, request: Request) -> Response:
        """A question that was asked before, with its answer."""
        asked = self._answers.get(request.path_params["answer_id"])
        if asked is None:
            raise AnswerGone
        return await self._page(
            question=asked.question,
            wanted=asked.department,
            asked=asked,
            **shown(asked, str(request.base_url), self._platform.settings.sources_unfolded),
        )

    async def _page(
        self,
        question: str,
        wanted: str | None,
        problem: Problem | None = None,
        **values: Any,
    ) -> HTMLResponse:
        known: tuple[Department, ...] = await run_in_threadpool(self._platform.policies.departments)
        department = suggest(known, wanted)
        return self._pages.page(
            "ask/page.html",
            status=problem.status if problem else 200,
            here="/",
            question=question,
            department=department,
            departments=known,
            policies=await self._count(department),
            max_chars=self._platform.rag_settings.question_max_chars,
            problem=problem,
            **values,
        )

    async def _count(self, department: str) -> int:
        return await run_in_threadpool(self._platform.policies.count_in_force, department)

    async def _finish(self, asked: Asked) -> None:
        last = asked
        async with aclosing(follow(self._platform.assistant, asked)) as steps:
            async for step in steps:
                last = step
        self._answers.put(asked.id, last)

    async def _stream(self, asked: Asked, address: str) -> AsyncGenerator[bytes, None]:
        # Kept from the start: who reloads in the middle finds the question again.
        self._answers.put(asked.id, replace(asked, stage=Stage.CUT_SHORT))
        yield self._stage(asked, None, address)
        before = asked
        async with aclosing(follow(self._platform.assistant, asked)) as steps:
            async for step in steps:
                if step.stage is Stage.DONE:
                    self._answers.put(asked.id, step)
                yield self._stage(step, before, address)
                before = step
        yield event_bytes("", event="done")

    def _stage(self, asked: Asked, before: Asked | None, address: str) -> bytes:
        new_stage = before is None or before.stage is not asked.stage
        return event_bytes(
            self._pages.fragment(
                "ask/_stage.html",
                asked=asked,
                whole=asked.stage is not Stage.WRITING or not before or not before.text,
                status=status_words(asked) if new_stage else None,
                **shown(asked, address, self._platform.settings.sources_unfolded),
            )
        )


def status_words(asked: Asked) -> str:
    """The one line that is announced when a stage begins."""
    match asked.stage:
        case Stage.SEARCHING:
            return f"Searching {count_words(asked.policies, 'current policy', 'current policies')}"
        case Stage.READING:
            return f"Found {count_words(len(asked.passages), 'passage')}, reading"
        case Stage.WRITING:
            return "Writing"
        case Stage.CUT_SHORT:
            return "The answer was cut short"
        case Stage.DONE:
            return _ending_words(asked)


def _ending_words(asked: Asked) -> str:
    if asked.problem is not None or asked.answer is None:
        return "The answer was cut short" if asked.text else "There is no answer this time"
    if asked.answer.status is not AnswerStatus.ANSWERED:
        return "We did not find this in the current policies"
    sources = len({citation.marker for citation in asked.answer.citations})
    return f"Answer ready, with {count_words(sources, 'source')}"


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
        "copy_text": copy_text(asked.question, answer, cards, address),
    }


def _whole_page(response: HTMLResponse) -> HTMLResponse:
    # htmx would put a refusal where the answer belongs; it concerns the whole page.
    response.headers["HX-Retarget"] = "#maincontent"
    response.headers["HX-Reselect"] = "#maincontent"
    response.headers["HX-Reswap"] = "outerHTML"
    return response
