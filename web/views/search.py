"""Search without AI: the passages themselves, with the words of the search marked."""

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from governance.permissions import Permission
from governance.policies import Department
from rag.errors import RagError
from rag.retrieve import clean_question
from web.caller import Caller, caller_of
from web.cards import cards_of_passages
from web.departments import choose, suggest
from web.marks import mark_words
from web.pages import Pages, today
from web.parts import Platform
from web.problems import Problem, problem_of
from web.reading import note_search
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
        caller = caller_of(request)
        known = caller.departments(Permission.POLICIES_SEARCH)
        department = suggest(known, request.query_params.get("department"))
        problem: Problem | None = None
        results = None
        if query and known:
            try:
                results = await self._results(caller, query, choose(known, department))
            except RagError as error:
                problem = problem_of(error)
        return self._pages.page(
            "search/page.html",
            status=problem.status if problem else 200,
            request=request,
            may_load=caller.may_somewhere(Permission.DOCUMENTS_LOAD),
            here="/search",
            query=query,
            department=department,
            departments=known,
            results=results,
            problem=problem,
            max_chars=self._platform.rag_settings.question_max_chars,
        )

    async def _results(
        self, caller: Caller, query: str, department: Department
    ) -> list[dict[str, object]]:
        found = await self._platform.assistant.search(
            clean_question(query, self._platform.rag_settings),
            department.name,
            self._platform.settings.search_results,
            caller.asker(department.id),
        )
        await run_in_threadpool(note_search, caller, department, found)
        cards = cards_of_passages(found, today())
        return [
            {"card": card, "pieces": mark_words(table_words(passage.text), query)}
            for card, passage in zip(cards, found, strict=True)
        ]
