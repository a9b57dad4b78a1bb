"""`/emergency`: access at once, with a reason, and looked at afterwards (HIP-2)."""

from collections.abc import Mapping

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from governance.emergency import EMERGENCY_ROLES, MIN_REASON_CHARS
from governance.errors import GovernanceError
from governance.permissions import Permission, Role
from web.caller import Caller, caller_of
from web.errors import Forbidden, WebError, WrongField
from web.form import choice_in, number_in, read_form
from web.pages import Pages
from web.parts import Platform
from web.problems import problem_of
from web.role_words import ROLE_MEANINGS
from web.running import running_emergencies

HERE = "/emergency"
MINUTES = (15, 30, 60)


class EmergencyPages:
    """Start and end emergency access for oneself."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Where these pages are."""
        return [
            Route("/emergency", self.page, methods=["GET"]),
            Route("/emergency", self.start, methods=["POST"]),
            Route("/emergency/{grant_id}/end", self.end, methods=["POST"]),
        ]

    def page(self, request: Request) -> Response:
        """The form, and what runs already."""
        return self._page(request, {})

    async def start(self, request: Request) -> Response:
        """Take a role now."""
        fields = await read_form(request)
        return await run_in_threadpool(self._start, request, fields)

    def end(self, request: Request) -> Response:
        """End one's own emergency access before its time."""
        caller, grant_id = caller_of(request), request.path_params["grant_id"]
        mine = running_emergencies(caller, self._platform.people)
        if grant_id in {held.id for held in mine}:
            self._platform.people.withdraw(caller.actor, grant_id)
        return RedirectResponse("/emergency?done=ended", status_code=303)

    def _start(self, request: Request, fields: Mapping[str, str]) -> Response:
        caller = caller_of(request)
        try:
            self._take(caller, fields)
        except (GovernanceError, WrongField) as error:
            return self._page(request, fields, error)
        return RedirectResponse("/emergency?done=started", status_code=303)

    def _take(self, caller: Caller, fields: Mapping[str, str]) -> None:
        """Start it. Raises Forbidden, WrongField, GovernanceError."""
        caller.require(Permission.EMERGENCIES_USE, None)
        person_id = caller.principal.person_id
        if person_id is None or caller.principal.key_id is not None:
            raise Forbidden("Emergency access is for a person.", "Sign in with your own account.")
        wanted = fields.get("department", "")
        place = next((one for one in caller.known if one.name == wanted), None)
        if place is None:
            raise WrongField("department", "Choose a department.", "")
        role = choice_in(fields, "role", Role, "what you need")
        reason = " ".join(fields.get("reason", "").split())
        if len(reason) < MIN_REASON_CHARS:
            raise WrongField("reason", f"Say why, in at least {MIN_REASON_CHARS} characters.", "")
        minutes = number_in(fields, "minutes", "The time")
        if minutes not in MINUTES:
            raise WrongField("minutes", "Choose for how long.", "")
        self._platform.emergencies.start(caller.actor, person_id, place.id, role, reason, minutes)

    def _page(
        self,
        request: Request,
        fields: Mapping[str, str],
        error: GovernanceError | WebError | None = None,
    ) -> Response:
        caller = caller_of(request)
        problem = problem_of(error) if error else None
        return self._pages.page(
            "emergency/page.html",
            status=problem.status if problem else 200,
            request=request,
            here=HERE,
            places=caller.known,
            roles=[(role, ROLE_MEANINGS[role]) for role in EMERGENCY_ROLES],
            all_minutes=MINUTES,
            department_names={one.id: one.name for one in caller.known},
            fields=fields,
            done=request.query_params.get("done", ""),
            problem=problem,
            problem_at=error.field if isinstance(error, WrongField) else "department",
        )
