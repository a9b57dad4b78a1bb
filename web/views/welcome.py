"""What one-time links lead to: becoming the first administrator, and setting a password."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from governance.errors import InvalidName, PasswordRefused, PersonExists, TicketRefused
from governance.events import Actor
from governance.people import Person
from governance.sign_in import AUTH
from governance.tickets import Purpose
from web.errors import BadField
from web.pages import Pages
from web.parts import Platform
from web.problems import Problem, problem_of
from web.security import nonce_of
from web.session_cookie import session_token, set_session_cookie

# Which field of the form a refusal is about.
FIELDS: dict[type[Exception], str] = {
    PersonExists: "username",
    InvalidName: "username",
    PasswordRefused: "password",
    BadField: "again",
}


class WelcomePages:
    """`/welcome/{ticket}` and `/set-password/{ticket}`."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Where these pages are."""
        return [
            Route("/welcome/{ticket}", self.welcome, methods=["GET"]),
            Route("/welcome/{ticket}", self.begin, methods=["POST"]),
            Route("/set-password/{ticket}", self.choose, methods=["GET"]),
            Route("/set-password/{ticket}", self.set_password, methods=["POST"]),
        ]

    async def welcome(self, request: Request) -> Response:
        """Ask for name, username and password. Raises TicketRefused."""
        await run_in_threadpool(self._look, request, Purpose.ADMINISTRATOR)
        return self._page(request, "sign_in/welcome.html", {})

    async def begin(self, request: Request) -> Response:
        """Make the first administrator and let them in. Raises TicketRefused."""
        form = await request.form()
        await run_in_threadpool(self._look, request, Purpose.ADMINISTRATOR)
        values = {name: str(form.get(name, "")) for name in ("name", "username")}

        def redeem(ticket: str, password: str) -> Person:
            return self._platform.tickets.redeem_administrator(
                ticket, values["username"], values["name"], password
            )

        return await self._redeem(request, form, redeem, "sign_in/welcome.html", values)

    async def choose(self, request: Request) -> Response:
        """Ask for a password. Raises TicketRefused."""
        values = await run_in_threadpool(self._person_of, request)
        return self._page(request, "sign_in/set_password.html", values)

    async def set_password(self, request: Request) -> Response:
        """Set the password and let its person in. Raises TicketRefused."""
        form = await request.form()
        values = await run_in_threadpool(self._person_of, request)
        redeem = self._platform.tickets.redeem_password
        return await self._redeem(request, form, redeem, "sign_in/set_password.html", values)

    def _look(self, request: Request, purpose: Purpose) -> str | None:
        ticket = self._platform.tickets.look(request.path_params["ticket"])
        if ticket.purpose is not purpose:
            raise TicketRefused("This link is for something else.", "Ask for a new one.")
        return ticket.person_id

    def _person_of(self, request: Request) -> dict[str, str]:
        person_id = self._look(request, Purpose.PASSWORD)
        if person_id is None:
            raise TicketRefused("This link is for nobody.", "Ask for a new one.")
        person = self._platform.people.person(person_id)
        return {"name": person.name, "username": person.subject}

    async def _redeem(
        self,
        request: Request,
        form: FormData,
        redeem: Callable[[str, str], Person],
        template: str,
        values: dict[str, str],
    ) -> Response:
        try:
            password = same_twice(form)
            person = await run_in_threadpool(redeem, request.path_params["ticket"], password)
        except tuple(FIELDS) as error:
            return self._page(request, template, values, problem_of(error), field_of(error))
        response = RedirectResponse("/", status_code=303)
        set_session_cookie(response, request, await run_in_threadpool(self._start, request, person))
        return response

    def _start(self, request: Request, person: Person) -> str:
        # Whoever just chose the password need not type it a third time.
        return self._platform.sessions.start(
            Actor(person.issuer, person.subject, AUTH, person.id),
            person.id,
            AUTH,
            request.headers.get("user-agent", ""),
            self._platform.clock(),
            session_token(request),
        )

    def _page(
        self,
        request: Request,
        template: str,
        values: Mapping[str, Any],
        problem: Problem | None = None,
        field: str = "",
    ) -> Response:
        status = problem.status if problem else 200
        # Not for whoever is signed in at this computer, so the frame does not name them.
        nonce = nonce_of(request.scope)
        return self._pages.page(
            template, status=status, problem=problem, field=field, nonce=nonce, **values
        )


def same_twice(form: FormData) -> str:
    """The new password, typed the same twice. Raises BadField."""
    password = str(form.get("password", ""))
    if password != str(form.get("again", "")):
        raise BadField("The two passwords are not the same.", "Type the new password twice.")
    return password


def field_of(error: Exception) -> str:
    """The field of the form that a refusal is about."""
    if isinstance(error, InvalidName) and "person" in error.message:
        return "name"
    return next((name for kind, name in FIELDS.items() if isinstance(error, kind)), "")
