"""My account: who I am here, my sessions, my keys, what is left of my limits, my password."""

from datetime import timedelta
from typing import Any

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from governance.errors import (
    InvalidKey,
    NotFound,
    PasswordRefused,
    SignInRefused,
    UnknownDepartment,
)
from governance.keys import MAX_DAYS, ApiKey
from governance.people import LOCAL
from governance.permissions import Permission
from web.account_words import KEY_PURPOSES, left_words, role_words
from web.caller import Caller, caller_of
from web.departments import choose
from web.errors import BadField, Forbidden
from web.pages import Pages
from web.parts import Platform
from web.problems import Problem, problem_of
from web.views.sign_in import address_of
from web.views.welcome import same_twice

NO_KEY = ("This key is not here.", "Reload the list of keys.")
NO_SESSION = ("This session has ended.", "Reload the page.")


class AccountPages:
    """`/account` and what is done there; everybody sees and changes their own."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Where these pages are."""
        return [
            Route("/account", self.page, methods=["GET"]),
            Route("/account/alive", self.alive, methods=["GET"]),
            Route("/account/stay", self.alive, methods=["GET"]),
            Route("/account/sessions/{session_id}/end", self.end_session, methods=["POST"]),
            Route("/account/password", self.password_form, methods=["GET"]),
            Route("/account/password", self.change_password, methods=["POST"]),
            Route("/account/keys/new", self.key_form, methods=["GET"]),
            Route("/account/keys", self.create_key, methods=["POST"]),
            Route("/account/keys/{key_id}/revoke", self.revoke_key, methods=["POST"]),
        ]

    async def page(self, request: Request) -> Response:
        """Everything about the caller's own account."""
        caller = caller_of(request)
        person_id = person_of(caller)
        values = await run_in_threadpool(self._account, caller, person_id)
        done = request.query_params.get("done", "")
        return self._pages.page(
            "account/page.html", request=request, here="/account", done=done, **values
        )

    async def alive(self, _request: Request) -> Response:
        """Answer a page that asks whether its session goes on, or asks for it to go on."""
        return Response(status_code=204)

    async def end_session(self, request: Request) -> Response:
        """End one of the caller's sessions. Raises NotFound."""
        caller = caller_of(request)
        await run_in_threadpool(
            self._end_session, caller, person_of(caller), request.path_params["session_id"]
        )
        return RedirectResponse("/account?done=session", status_code=303)

    async def password_form(self, request: Request) -> Response:
        """Ask for the old password and a new one."""
        return self._password_page(request)

    async def change_password(self, request: Request) -> Response:
        """Change the password; every other session ends."""
        caller = caller_of(request)
        form = await request.form()
        if caller.session is None or caller.principal.issuer != LOCAL:
            raise Forbidden("Your password is not kept here.", "Change it where you sign in.")
        try:
            await run_in_threadpool(
                self._platform.sign_in.change_password,
                caller.actor,
                caller.session,
                str(form.get("current", "")),
                same_twice(form),
                address_of(request),
                self._platform.clock(),
            )
        except SignInRefused:
            wrong = Problem(422, "wrong_password", "The current password is not right.", "")
            return self._password_page(request, wrong, "current")
        except (PasswordRefused, BadField) as error:
            field = "again" if isinstance(error, BadField) else "password"
            return self._password_page(request, problem_of(error), field)
        return RedirectResponse("/account?done=password", status_code=303)

    async def key_form(self, request: Request) -> Response:
        """Ask what a new key is for. Raises Forbidden."""
        caller_of(request).require(Permission.KEYS_MANAGE, None)
        return self._key_page(request)

    async def create_key(self, request: Request) -> Response:
        """Make a key and show it, this once and in this answer alone. Raises Forbidden."""
        caller = caller_of(request)
        caller.require(Permission.KEYS_MANAGE, None)
        form = await request.form()
        try:
            key, secret = await run_in_threadpool(self._create_key, caller, person_of(caller), form)
        except (InvalidKey, UnknownDepartment, BadField) as error:
            return self._key_page(request, problem_of(error), form)
        return self._pages.page(
            "account/key_made.html", request=request, here="/account", key=key, secret=secret
        )

    async def revoke_key(self, request: Request) -> Response:
        """End one of the caller's keys for good. Raises NotFound."""
        caller = caller_of(request)
        await run_in_threadpool(
            self._revoke_key, caller, person_of(caller), request.path_params["key_id"]
        )
        return RedirectResponse("/account?done=key", status_code=303)

    def _account(self, caller: Caller, person_id: str) -> dict[str, Any]:
        platform, now = self._platform, self._platform.clock()
        person = platform.people.person(person_id)
        names = {one.id: one.name for one in caller.known}
        return {
            "person": person,
            "roles": [
                role_words(held.role, names.get(held.department_id or ""), held.expires_at)
                for held in person.grants
                if held.expires_at is None or held.expires_at > now
            ],
            "has_password": person.issuer == LOCAL,
            "sessions": platform.sessions.sessions_of(person_id, now),
            "this_session": caller.session.id if caller.session else "",
            "may_have_keys": caller.may(Permission.KEYS_MANAGE),
            "keys": [
                key
                for key in platform.keys.keys_of(person_id)
                if key.revoked_at is None and key.expires_at > now
            ],
            "purposes": KEY_PURPOSES,
            "names": names,
            "left": self._left(caller, person_id),
        }

    def _left(self, caller: Caller, person_id: str) -> list[str]:
        """The limits that cover this person, each said once however many departments it covers."""
        now = self._platform.clock()
        places = [None, *(one.id for one in caller.departments(Permission.POLICIES_ASK))]
        found = [
            left for place in places for left in self._platform.quotas.left(person_id, place, now)
        ]
        names = {one.id: one.name for one in caller.known}
        return list(dict.fromkeys(left_words(left, names) for left in found))

    def _end_session(self, caller: Caller, person_id: str, session_id: str) -> None:
        mine = self._platform.sessions.sessions_of(person_id, self._platform.clock())
        if session_id not in {one.id for one in mine}:
            raise NotFound(*NO_SESSION)
        self._platform.sessions.end(caller.actor, session_id, "ended by its person")

    def _create_key(self, caller: Caller, person_id: str, form: FormData) -> tuple[ApiKey, str]:
        now = self._platform.clock()
        wanted = str(form.get("department", ""))
        known = caller.departments(Permission.ACCOUNT_USE)
        department_id = choose(known, wanted).id if wanted else None
        scopes = [one for name in form.getlist("scope") for one in scopes_of(str(name))]
        end = now + timedelta(days=days_of(str(form.get("days", ""))))
        name = str(form.get("name", ""))
        return self._platform.keys.create(
            caller.actor, person_id, name, scopes, department_id, end, now
        )

    def _revoke_key(self, caller: Caller, person_id: str, key_id: str) -> None:
        key = self._platform.keys.key(key_id)
        if key.person_id != person_id:
            raise NotFound(*NO_KEY)
        self._platform.keys.revoke(caller.actor, key_id, self._platform.clock())

    def _password_page(
        self, request: Request, problem: Problem | None = None, field: str = ""
    ) -> Response:
        principal = caller_of(request).principal
        if principal.issuer != LOCAL or principal.person_id is None:
            raise Forbidden("Your password is not kept here.", "Change it where you sign in.")
        return self._pages.page(
            "account/password.html",
            status=problem.status if problem else 200,
            request=request,
            here="/account",
            problem=problem,
            field=field,
            username=principal.subject,
        )

    def _key_page(
        self, request: Request, problem: Problem | None = None, form: FormData | None = None
    ) -> Response:
        caller = caller_of(request)
        person_of(caller)
        return self._pages.page(
            "account/new_key.html",
            status=problem.status if problem else 200,
            request=request,
            here="/account",
            problem=problem,
            purposes=[one for one in KEY_PURPOSES if caller.may_somewhere(one.permissions[0])],
            departments=caller.departments(Permission.ACCOUNT_USE),
            days=self._platform.settings.key_days,
            max_days=MAX_DAYS,
            name=str(form.get("name", "")) if form else "",
            chosen=[str(one) for one in form.getlist("scope")] if form else [],
        )


def person_of(caller: Caller) -> str:
    """The id of the caller's account. Raises Forbidden where there is none."""
    if caller.principal.person_id is None:
        raise Forbidden("The owner of the data directory has no account.", "Sign in as a person.")
    return caller.principal.person_id


def scopes_of(name: str) -> tuple[Permission, ...]:
    """What one box of the form stands for. Raises BadField."""
    for purpose in KEY_PURPOSES:
        if purpose.name == name:
            return purpose.permissions
    raise BadField("This use of a key is not known.", "Choose one of the list.")


def days_of(text: str) -> int:
    """How many days a key is good. Raises BadField."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= MAX_DAYS:
        raise BadField(
            "This is not a number of days.", f"Write a whole number from 1 to {MAX_DAYS}."
        )
    return int(text[:6])
