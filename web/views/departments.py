"""The pages of departments: their people, their limits of use, and what is kept of questions."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from governance.errors import GovernanceError, NotFound
from governance.limits import Limit, Period
from governance.permissions import Permission
from governance.policies import Department
from governance.retention_rules import RetentionMode, RetentionRule
from web.access import DEPARTMENT_RIGHTS
from web.caller import Caller, caller_of
from web.errors import WebError, WrongField
from web.form import choice_in, number_in, read_form
from web.pages import Pages
from web.parts import Platform
from web.problems import problem_of
from web.retention_words import MODE_MEANINGS, MODE_NAMES, cover_words
from web.roster import Roster

HERE = "/departments"
NOT_HERE = ("There is no such department.", "Go back to the list of departments.")
MAX_REASON_CHARS = 500
DONE: Mapping[str, str] = {
    "created": "The department was created.",
    "limit": "The limit was changed. It holds from now on.",
    "kept": "The change holds from now on.",
    "proposed": "The change is proposed. A second person has to agree to it on this page.",
    "agreed": "You agreed. A shorter time takes effect in 7 days, anything else now.",
    "withdrawn": "The proposal was withdrawn. Nothing changes.",
    "hold": "The legal hold is set. No text of this department is destroyed while it lasts.",
    "lifted": "The legal hold was lifted. Text whose time is over will be destroyed.",
}


class DepartmentPages:
    """`/departments` and what is done there."""

    def __init__(self, platform: Platform, roster: Roster, pages: Pages) -> None:
        self._platform = platform
        self._roster = roster
        self._pages = pages

    def routes(self) -> list[Route]:
        """Where these pages are."""
        one = "/departments/{department_id}"
        return [
            Route("/departments", self.page, methods=["GET"]),
            Route("/departments", self.create, methods=["POST"]),
            Route(one, self.department, methods=["GET"]),
            Route(f"{one}/limits", self.set_limit, methods=["POST"]),
            Route(f"{one}/retention", self.propose, methods=["POST"]),
            Route(f"{one}/retention/agree", self.agree, methods=["POST"]),
            Route(f"{one}/retention/withdraw", self.withdraw, methods=["POST"]),
            Route(f"{one}/hold", self.hold, methods=["POST"]),
        ]

    def page(self, request: Request) -> Response:
        """The departments that the caller has to do with."""
        return self._list(request)

    async def create(self, request: Request) -> Response:
        """Create a department."""
        fields = await read_form(request)
        return await run_in_threadpool(self._create, request, fields)

    def department(self, request: Request) -> Response:
        """One department."""
        return self._page(request, {})

    async def set_limit(self, request: Request) -> Response:
        """Set a limit of use, or with no numbers remove it."""
        fields = await read_form(request)

        def act(caller: Caller, place: Department) -> str:
            caller.require(Permission.QUOTAS_MANAGE, place.id)
            limit = Limit(
                place.id,
                None,
                fields.get("who") == "each",
                choice_in(fields, "period", Period, "a day or a month"),
                number_in(fields, "requests", "The number of questions"),
                number_in(fields, "tokens", "The number of tokens"),
            )
            self._platform.quotas.set_limit(caller.actor, limit)
            return "limit"

        return await run_in_threadpool(self._act, request, act, fields)

    async def propose(self, request: Request) -> Response:
        """Change, or propose to change, what is kept of questions."""
        fields = await read_form(request)

        def act(caller: Caller, place: Department) -> str:
            caller.require(Permission.RETENTION_MANAGE, place.id)
            mode, days = _kept(fields)
            now = caller.clock()
            rule = self._platform.retention.propose(caller.actor, place.id, mode, days, now)
            return "kept" if rule.proposal is None else "proposed"

        return await run_in_threadpool(self._act, request, act, fields)

    async def agree(self, request: Request) -> Response:
        """Agree, as a second person, to what is proposed."""
        fields = await read_form(request)

        def act(caller: Caller, place: Department) -> str:
            caller.require(Permission.RETENTION_MANAGE, place.id)
            mode, days = _kept(fields)
            self._platform.retention.agree(caller.actor, place.id, mode, days, caller.clock())
            return "agreed"

        return await run_in_threadpool(self._act, request, act, {})

    def withdraw(self, request: Request) -> Response:
        """Drop what is proposed."""

        def act(caller: Caller, place: Department) -> str:
            caller.require(Permission.RETENTION_MANAGE, place.id)
            self._platform.retention.withdraw(caller.actor, place.id, caller.clock())
            return "withdrawn"

        return self._act(request, act, {})

    async def hold(self, request: Request) -> Response:
        """Set the legal hold, or lift it."""
        fields = await read_form(request)

        def act(caller: Caller, place: Department) -> str:
            caller.require(Permission.RETENTION_MANAGE, place.id)
            reason = fields.get("reason", "")
            if not 0 < len(reason) <= MAX_REASON_CHARS:
                raise WrongField("reason", "Say why.", "Name the case, for example its number.")
            retention, set_it = self._platform.retention, fields.get("hold") == "set"
            change = retention.hold if set_it else retention.lift
            change(caller.actor, place.id, reason, caller.clock())
            return "hold" if set_it else "lifted"

        return await run_in_threadpool(self._act, request, act, fields)

    def _create(self, request: Request, fields: Mapping[str, str]) -> Response:
        caller = caller_of(request)
        caller.require(Permission.DEPARTMENTS_CREATE, None)
        try:
            made = self._platform.policies.create_department(caller.actor, fields.get("name", ""))
        except GovernanceError as error:
            return self._list(request, fields, error)
        return RedirectResponse(f"/departments/{made.id}?done=created", status_code=303)

    def _act(
        self,
        request: Request,
        act: Callable[[Caller, Department], str],
        fields: Mapping[str, str],
    ) -> Response:
        """Change something, then show the department; a refusal is shown there as well."""
        caller = caller_of(request)
        place = _place(caller, request)
        try:
            done = act(caller, place)
        except (GovernanceError, WebError) as error:
            return self._page(request, fields, error)
        return RedirectResponse(f"/departments/{place.id}?done={done}", status_code=303)

    def _list(
        self,
        request: Request,
        fields: Mapping[str, str] | None = None,
        error: GovernanceError | None = None,
    ) -> Response:
        caller = caller_of(request)
        problem = problem_of(error) if error else None
        return self._pages.page(
            "departments/page.html",
            status=problem.status if problem else 200,
            request=request,
            here=HERE,
            departments=[
                {
                    "place": place,
                    "people": len(self._platform.people.people(place.id)),
                    "policies": self._platform.policies.count_in_force(place.name),
                }
                for place in places_of(caller)
            ],
            may_create=caller.may(Permission.DEPARTMENTS_CREATE),
            fields=fields or {},
            problem=problem,
        )

    def _page(
        self,
        request: Request,
        fields: Mapping[str, str],
        error: GovernanceError | WebError | None = None,
    ) -> Response:
        caller = caller_of(request)
        place = _place(caller, request)
        problem = problem_of(error) if error else None
        return self._pages.page(
            "departments/department.html",
            status=problem.status if problem else 200,
            request=request,
            here=HERE,
            place=place,
            may_abbreviate=caller.may(Permission.ABBREVIATIONS_MANAGE, place.id),
            done=DONE.get(request.query_params.get("done", "")),
            problem=problem,
            problem_at=error.field if isinstance(error, WrongField) else "",
            fields=fields,
            **self._people(caller, place),
            **self._limits(caller, place),
            **self._retention(caller, place),
        )

    def _people(self, caller: Caller, place: Department) -> dict[str, Any]:
        if not caller.may(Permission.PEOPLE_READ, place.id):
            return {"people": None}
        people = self._roster.people(caller, place.id)
        return {
            "people": [
                (one.person, [held for held in one.grants if held.department_id == place.id])
                for one in people
            ]
        }

    def _limits(self, caller: Caller, place: Department) -> dict[str, Any]:
        names = {one.id: one.name for one in self._platform.people.people(place.id)}
        limits = self._platform.quotas.limits(place.id)
        return {
            "limits": [(limit, cover_words(limit, names)) for limit in limits],
            "may_limit": caller.may(Permission.QUOTAS_MANAGE, place.id),
        }

    def _retention(self, caller: Caller, place: Department) -> dict[str, Any]:
        rule = self._platform.retention.rule(place.id, caller.clock())
        return {
            "rule": rule,
            "mode_names": MODE_NAMES,
            "mode_meanings": MODE_MEANINGS,
            "may_retain": caller.may(Permission.RETENTION_MANAGE, place.id),
            "proposer": self._proposer(rule),
            "is_proposer": rule.proposal is not None
            and rule.proposal.proposed_by in (caller.principal.person_id, caller.actor.id),
        }

    def _proposer(self, rule: RetentionRule) -> str:
        if rule.proposal is None:
            return ""
        try:
            return self._platform.people.person(rule.proposal.proposed_by).name
        except NotFound:
            return "the owner of the data directory"


def places_of(caller: Caller) -> tuple[Department, ...]:
    """The departments that the caller has to do with here, by name."""
    return tuple(
        place
        for place in caller.known
        if any(caller.may(one, place.id) for one in DEPARTMENT_RIGHTS)
    )


def _place(caller: Caller, request: Request) -> Department:
    """The department of this address. Raises NotFound."""
    wanted = request.path_params["department_id"]
    found = next((place for place in places_of(caller) if place.id == wanted), None)
    if found is None:
        raise NotFound(*NOT_HERE)
    return found


def _kept(fields: Mapping[str, str]) -> tuple[RetentionMode, int]:
    mode = choice_in(fields, "mode", RetentionMode, "what is kept")
    days = number_in(fields, "days", "The number of days")
    if days is None:
        raise WrongField("days", "Enter a number of days.", "For example, 30.")
    return mode, days
