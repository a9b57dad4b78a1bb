"""`/rights`: what a person can see and do in a department, and by which rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from governance.errors import NotFound
from governance.people import Person, principal_from
from governance.permissions import Permission, decide
from governance.policies import Department
from rag.errors import RagError
from rag.retrieve import clean_question
from web.caller import Caller, caller_of
from web.errors import WebError
from web.pages import Pages
from web.parts import Platform
from web.problems import Problem, problem_of
from web.role_words import permission_words
from web.roster import NOT_HERE, Roster

HERE = "/people"


@dataclass(frozen=True, slots=True)
class Explained:
    """One permission of a person in a department: whether they have it, and why."""

    permission: str
    allowed: bool
    reason: str


class RightsPages:
    """The page that answers: what can this person see?"""

    def __init__(self, platform: Platform, roster: Roster, pages: Pages) -> None:
        self._platform = platform
        self._roster = roster
        self._pages = pages

    def routes(self) -> list[Route]:
        """Where this page is."""
        return [Route("/rights", self.page, methods=["GET"])]

    async def page(self, request: Request) -> Response:
        """The choice of person, department and question, and what follows from it."""
        caller, asked = caller_of(request), request.query_params
        people = await run_in_threadpool(self._people, caller)
        places = caller.departments(Permission.RIGHTS_EXPLAIN)
        person = _chosen(people, asked.get("person", ""))
        place = next((one for one in places if one.name == asked.get("department")), None)
        if place is None and places:
            place = places[0]
        query = asked.get("q", "").strip()
        values: dict[str, Any] = {"rights": (), "titles": None, "problem": None}
        if person is not None and place is not None:
            values = await self._explain(caller, person, place, query)
        problem: Problem | None = values["problem"]
        return self._pages.page(
            "rights/page.html",
            status=problem.status if problem else 200,
            request=request,
            here=HERE,
            people=people,
            places=places,
            person=person,
            place=place,
            query=query,
            max_chars=self._platform.rag_settings.question_max_chars,
            **values,
        )

    def _people(self, caller: Caller) -> tuple[Person, ...]:
        return tuple(shown.person for shown in self._roster.people(caller))

    async def _explain(
        self, caller: Caller, person: Person, place: Department, query: str
    ) -> dict[str, Any]:
        rights = explain(person, place, caller)
        values: dict[str, Any] = {"rights": rights, "titles": None, "problem": None}
        # A search here shows titles, so whoever looks must be allowed to see them as well.
        may_look = caller.may(Permission.POLICIES_SEARCH, place.id)
        if not query or not may_look:
            return values
        principal = principal_from(person, "password")
        if not decide(principal, Permission.POLICIES_SEARCH, place.id, caller.clock()).allowed:
            return {**values, "titles": ()}
        try:
            return {**values, "titles": await self._titles(caller, query, place)}
        except (RagError, WebError) as error:
            return {**values, "problem": problem_of(error)}

    async def _titles(self, caller: Caller, query: str, place: Department) -> tuple[str, ...]:
        found = await self._platform.assistant.search(
            clean_question(query, self._platform.rag_settings),
            place.name,
            self._platform.settings.search_results,
            asker=caller.asker(place.id),
        )
        return tuple(dict.fromkeys(passage.title for passage in found))


def explain(person: Person, place: Department, caller: Caller) -> tuple[Explained, ...]:
    """Every permission of a person in a department, those that they have first."""
    principal, now = principal_from(person, "password"), caller.clock()
    found = []
    for permission in Permission:
        decision = decide(principal, permission, place.id, now)
        found.append(Explained(permission_words(permission), decision.allowed, decision.reason))
    return tuple(sorted(found, key=lambda one: (not one.allowed, one.permission)))


def _chosen(people: Sequence[Person], person_id: str) -> Person | None:
    """The person of this id. Raises NotFound for one whom the caller may not see."""
    if not person_id:
        return None
    for person in people:
        if person.id == person_id:
            return person
    raise NotFound(*NOT_HERE)
