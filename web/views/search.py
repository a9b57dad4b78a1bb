"""Search without AI: the passages themselves, with the words of the search marked."""

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rag.errors import RagError
from rag.retrieve import clean_question
from web.cards import cards_of_passages
from web.departments import choose, suggest
from web.marks import mark_words
from web.pages import Pages, today
from web.parts import Platform
from web.problems import Problem, problem_of
from web.wording import table_words


class SearchPages:
    """`/search`."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Where this page is."""
        return [Route("/search", self.page, methods=["GET"])]

    async def page(self, request: Request) -> Response:
        """The search box, and what was found."""
        query = request.query_params.get("q", "").strip()
        known = await run_in_threadpool(self._platform.policies.departments)
        department = suggest(known, request.query_params.get("department"))
        problem: Problem | None = None
        results = None
        if query and known:
            try:
                results = await self._results(query, choose(known, department).name)
            except RagError as error:
                problem = problem_of(error)
        return self._pages.page(
            "search/page.html",
            status=problem.status if problem else 200,
            here="/search",
            query=query,
            department=department,
            departments=known,
            results=results,
            problem=problem,
            max_chars=self._platform.rag_settings.question_max_chars,
        )

    async def _results(self, query: str, department: str) -> list[dict[str, object]]:
        found = await self._platform.assistant.search(
            clean_question(query, self._platform.rag_settings),
            department,
            self._platform.settings.search_results,
        )
        cards = cards_of_passages(found, today())
        return [
            {"card": card, "pieces": mark_words(table_words(passage.text), query)}
            for card, passage in zip(cards, found, strict=True)
        ]
