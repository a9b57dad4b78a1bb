"""The page of a department's abbreviations and synonyms: list, add, import, remove."""

from collections.abc import Callable, Mapping

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from governance.abbreviations import MAX_CSV_BYTES, MAX_PER_DEPARTMENT
from governance.errors import GovernanceError, InvalidAbbreviation, NotFound
from governance.permissions import Permission
from governance.policies import Department
from web.caller import Caller, caller_of
from web.form import read_form
from web.pages import Pages
from web.parts import Platform
from web.problems import problem_of
from web.views.gaps import people_names

NOT_HERE = ("There is no such department.", "Go back and choose one from the list.")
DONE: Mapping[str, str] = {
    "added": "The abbreviation was added. Searches use it from now on.",
    "removed": "The abbreviation was removed. Searches no longer use it.",
}


class AbbreviationPages:
    """`/departments/{id}/abbreviations` and what is done there."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Where these pages are."""
        one = "/departments/{department_id}/abbreviations"
        return [
            Route(one, self.page, methods=["GET"]),
            Route(one, self.add, methods=["POST"]),
            Route(f"{one}/import", self.take_in, methods=["POST"]),
            Route(f"{one}/{{abbreviation_id}}/remove", self.remove, methods=["POST"]),
        ]

    def page(self, request: Request) -> Response:
        """The list."""
        caller = caller_of(request)
        return self._page(request, place_for(caller, request))

    async def add(self, request: Request) -> Response:
        """Add one pair."""
        form = await read_form(request)

        def act(caller: Caller, place: Department) -> str:
            self._platform.voices.abbreviations.add(
                caller.actor,
                place.id,
                form.get("short", ""),
                form.get("long", ""),
                self._platform.clock(),
            )
            return "done=added"

        return await run_in_threadpool(self._act, request, act, form, "short")

    async def take_in(self, request: Request) -> Response:
        """Add the pairs of a file."""
        async with request.form(max_files=1, max_fields=5) as form:
            sent = form.get("file")
            content = await sent.read(MAX_CSV_BYTES + 1) if isinstance(sent, UploadFile) else b""

        def act(caller: Caller, place: Department) -> str:
            if not content:
                raise InvalidAbbreviation("No file was chosen.", "Choose a CSV file.")
            count = self._platform.voices.abbreviations.import_csv(
                caller.actor, place.id, content, self._platform.clock()
            )
            return f"imported={count}"

        return await run_in_threadpool(self._act, request, act, {}, "file")

    async def remove(self, request: Request) -> Response:
        """Remove one pair."""

        def act(caller: Caller, place: Department) -> str:
            abbreviation_id = request.path_params["abbreviation_id"]
            self._platform.voices.abbreviations.remove(caller.actor, place.id, abbreviation_id)
            return "done=removed"

        return await run_in_threadpool(self._act, request, act, {}, "short")

    def _act(
        self,
        request: Request,
        act: Callable[[Caller, Department], str],
        form: Mapping[str, str],
        field: str,
    ) -> Response:
        caller = caller_of(request)
        place = place_for(caller, request)
        try:
            said = act(caller, place)
        except GovernanceError as error:
            return self._page(request, place, error, form, field)
        return RedirectResponse(f"/departments/{place.id}/abbreviations?{said}", status_code=303)

    def _page(
        self,
        request: Request,
        place: Department,
        error: GovernanceError | None = None,
        form: Mapping[str, str] | None = None,
        field: str = "",
    ) -> Response:
        problem = problem_of(error) if error else None
        query = request.query_params
        imported = query.get("imported", "")
        return self._pages.page(
            "departments/abbreviations.html",
            status=problem.status if problem else 200,
            request=request,
            here="/feedback",
            place=place,
            pairs=self._platform.voices.abbreviations.listed(place.id),
            people=people_names(self._platform),
            most=MAX_PER_DEPARTMENT,
            done=DONE.get(query.get("done", "")),
            imported=int(imported) if imported.isdecimal() and len(imported) < 5 else None,
            problem=problem,
            field=field,
            form=form or {},
        )


def place_for(caller: Caller, request: Request) -> Department:
    """The department of the address, whose abbreviations the caller may change.

    Raises NotFound, Forbidden.
    """
    wanted = request.path_params["department_id"]
    place = next((one for one in caller.known if one.id == wanted), None)
    if place is None:
        raise NotFound(*NOT_HERE)
    caller.require_in(Permission.ABBREVIATIONS_MANAGE, place.name, NotFound(*NOT_HERE))
    return place
