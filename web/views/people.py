"""The pages of people: who has which role, adding somebody, suspending, links and keys."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from governance.errors import GovernanceError, InvalidName, PersonExists
from governance.people import LOCAL, USERNAME
from governance.permissions import Permission, Role
from web.caller import Caller, caller_of
from web.client_certificate import ISSUER as CERTIFICATE_ISSUER
from web.errors import WebError, WrongField
from web.form import choice_in, date_in, end_of, read_form
from web.pages import Pages
from web.parts import Platform
from web.person_limits import EVERYWHERE, PersonLimits
from web.problems import problem_of
from web.role_words import ROLE_MEANINGS
from web.roster import NewRole, Roster
from web.shelf import Shelf

Refusal = GovernanceError | WebError
HERE = "/people"
# What a certificate is asked for (`web.client_name_kind`), in words.
CERTIFICATE_NAMES: Mapping[str, str] = {
    "email": "the email address",
    "uri": "the URI",
    "dns": "the DNS name",
}
# What stands on a person's page after something was done there.
DONE: Mapping[str, str] = {
    "role": "The role was given.",
    "certified": "The person was added. They come in with their certificate.",
    "limit": "The limit was changed. It holds from now on.",
    "withdrawn": "The role was withdrawn. It ended at once.",
    "suspended": "The account is suspended. Every session has ended and keys do not work.",
    "restored": "The account works again.",
    "revoked": "The key was revoked. It does not work any more.",
}


class SignsIn(StrEnum):
    """How a new person is to show who they are."""

    LINK = "link"
    CERTIFICATE = "certificate"


class PeoplePages:
    """`/people` and what is done there."""

    def __init__(
        self, platform: Platform, roster: Roster, pages: Pages, links: Shelf[tuple[str, str]]
    ) -> None:
        self._settings = platform.settings
        self._limits = PersonLimits(platform.quotas)
        self._roster = roster
        self._pages = pages
        self._links = links

    def routes(self) -> list[Route]:
        """Where these pages are."""
        person = "/people/{person_id}"
        return [
            Route("/people", self.page, methods=["GET"]),
            Route("/people", self.add, methods=["POST"]),
            Route("/people/new", self.new, methods=["GET"]),
            Route(person, self.person, methods=["GET"]),
            Route(f"{person}/roles", self.give, methods=["POST"]),
            Route(f"{person}/roles/{{grant_id}}/withdraw", self.withdraw, methods=["POST"]),
            Route(f"{person}/limits", self.set_limit, methods=["POST"]),
            Route(f"{person}/suspend", self.confirm, methods=["GET"]),
            Route(f"{person}/suspend", self.suspend, methods=["POST"]),
            Route(f"{person}/restore", self.restore, methods=["POST"]),
            Route(f"{person}/link", self.link, methods=["POST"]),
            Route(f"{person}/keys/{{key_id}}/revoke", self.revoke, methods=["POST"]),
        ]

    def page(self, request: Request) -> Response:
        """Everybody whom the caller may see."""
        caller = caller_of(request)
        wanted = request.query_params.get("department", "")
        known = caller.departments(Permission.PEOPLE_READ)
        place = next((one for one in known if one.name == wanted), None)
        return self._pages.page(
            "people/page.html",
            request=request,
            here=HERE,
            people=self._roster.people(caller, place.id if place else None),
            departments=known,
            department=place.name if place else "",
            may_add=caller.may_somewhere(Permission.PEOPLE_MANAGE),
            **_words(caller),
        )

    def new(self, request: Request) -> Response:
        """The form for somebody new."""
        return self._new(request, {})

    async def add(self, request: Request) -> Response:
        """Add somebody, then show their link."""
        caller, fields = caller_of(request), await read_form(request)
        return await run_in_threadpool(self._add, request, caller, fields)

    def person(self, request: Request) -> Response:
        """One person: roles, account, keys."""
        return self._person(request, {})

    async def give(self, request: Request) -> Response:
        """Give a role."""
        fields = await read_form(request)

        def act(caller: Caller, person_id: str) -> None:
            wanted = _new_role(caller, fields)
            if wanted is None:
                raise WrongField("role", "Choose a role.", "")
            self._roster.give(caller, person_id, wanted)

        return await run_in_threadpool(self._act, request, act, "role", fields)

    def withdraw(self, request: Request) -> Response:
        """Take a role away."""
        grant_id = request.path_params["grant_id"]
        return self._act(
            request, lambda caller, one: self._roster.withdraw(caller, one, grant_id), "withdrawn"
        )

    async def set_limit(self, request: Request) -> Response:
        """Set a limit for this person alone, or with no numbers remove it."""
        fields = await read_form(request)

        def act(caller: Caller, person_id: str) -> None:
            # Somebody whom the caller may not see is not there to be limited either.
            shown = self._roster.person(caller, person_id)
            self._limits.set(caller, shown.person.id, fields)

        return await run_in_threadpool(self._act, request, act, "limit", fields)

    def confirm(self, request: Request) -> Response:
        """Ask before somebody is suspended."""
        caller = caller_of(request)
        shown = self._roster.person(caller, request.path_params["person_id"])
        return self._pages.page(
            "people/suspend.html", request=request, here=HERE, person=shown.person
        )

    def suspend(self, request: Request) -> Response:
        """Suspend somebody."""
        return self._act(request, self._roster.suspend, "suspended")

    def restore(self, request: Request) -> Response:
        """Let somebody in again."""
        return self._act(request, self._roster.restore, "restored")

    def link(self, request: Request) -> Response:
        """Make a new one-time link, then show it."""
        caller, person_id = caller_of(request), request.path_params["person_id"]
        try:
            secret = self._roster.link(caller, person_id)
        except (GovernanceError, WebError) as error:
            return self._person(request, {}, error)
        return self._show_link(request, caller, person_id, secret)

    def revoke(self, request: Request) -> Response:
        """End a key."""
        key_id = request.path_params["key_id"]
        return self._act(request, lambda caller, _: self._roster.revoke(caller, key_id), "revoked")

    def _act(
        self,
        request: Request,
        act: Callable[[Caller, str], object],
        done: str,
        fields: Mapping[str, str] | None = None,
    ) -> Response:
        """Do something to a person, then show them; a refusal is shown on their page."""
        person_id = request.path_params["person_id"]
        try:
            act(caller_of(request), person_id)
        except (GovernanceError, WebError) as error:
            return self._person(request, fields or {}, error)
        return RedirectResponse(f"/people/{person_id}?done={done}", status_code=303)

    def _add(self, request: Request, caller: Caller, fields: Mapping[str, str]) -> Response:
        try:
            name, username = _filled(fields, "name"), _filled(fields, "username")
            way = choice_in({"sign-in": SignsIn.LINK, **fields}, "sign-in", SignsIn, "a way")
            first = _new_role(caller, fields)
            if way is SignsIn.CERTIFICATE:
                made = self._roster.add_certified(caller, name, username, first)
                return RedirectResponse(f"/people/{made.id}?done=certified", status_code=303)
            person, secret = self._roster.add(caller, name, username, first)
        except (GovernanceError, WebError) as error:
            return self._new(request, fields, error)
        return self._show_link(request, caller, person.id, secret)

    def _show_link(self, request: Request, caller: Caller, person_id: str, secret: str) -> Response:
        notice = uuid4().hex
        address = str(request.base_url.replace(path=f"/set-password/{secret}"))
        self._links.put(notice, (f"{caller.owner} {person_id}", address))
        return RedirectResponse(f"/people/{person_id}?link={notice}", status_code=303)

    def _new(
        self, request: Request, fields: Mapping[str, str], error: Refusal | None = None
    ) -> Response:
        caller = caller_of(request)
        return self._pages.page(
            "people/new.html",
            status=problem_of(error).status if error else 200,
            request=request,
            here=HERE,
            fields=fields,
            # Without an authority for them nobody could come in with one.
            has_certificates=self._settings.client_ca is not None,
            certificate_name=CERTIFICATE_NAMES.get(self._settings.client_name_kind, "the name"),
            **_fault(error, fields),
            **self._choices(caller),
        )

    def _person(
        self, request: Request, fields: Mapping[str, str], error: Refusal | None = None
    ) -> Response:
        caller, person_id = caller_of(request), request.path_params["person_id"]
        shown = self._roster.person(caller, person_id)
        kept = self._links.get(request.query_params.get("link", ""))
        may_withdraw = {held.id for held in shown.grants if self._roster.may_withdraw(caller, held)}
        is_self = caller.principal.person_id == person_id
        return self._pages.page(
            "people/person.html",
            status=problem_of(error).status if error else 200,
            request=request,
            here=HERE,
            shown=shown,
            person=shown.person,
            is_local=shown.person.issuer == LOCAL,
            is_certified=shown.person.issuer == CERTIFICATE_ISSUER,
            is_self=is_self,
            may_give=caller.may_somewhere(Permission.PEOPLE_MANAGE) and not is_self,
            may_manage=self._roster.may_manage(caller, shown.person).allowed,
            may_withdraw=may_withdraw,
            keys=self._roster.keys(caller, person_id),
            link=kept[1] if kept and kept[0] == f"{caller.owner} {person_id}" else None,
            done=DONE.get(request.query_params.get("done", "")),
            now=caller.clock(),
            fields=fields,
            problem_part="#limits" if "period" in fields else "#roles",
            **self._limits.shown(caller, person_id),
            **_fault(error, fields),
            **self._choices(caller),
        )

    def _choices(self, caller: Caller) -> dict[str, Any]:
        everywhere = self._roster.manages_all(caller)
        return {
            "roles": [(role, ROLE_MEANINGS[role]) for role in self._roster.roles(caller)],
            "places": self._roster.places(caller),
            "everywhere": everywhere,
            **_words(caller),
        }


def _filled(fields: Mapping[str, str], name: str) -> str:
    """A field that must not be empty. Raises WrongField."""
    if not fields.get(name):
        raise WrongField(name, f"Enter a {'user name' if name == 'username' else name}.", "")
    return fields[name]


def _fault(error: Refusal | None, fields: Mapping[str, str]) -> dict[str, Any]:
    """What went wrong, and at which field."""
    if error is None:
        return {"problem": None, "problem_at": ""}
    at = ""
    if isinstance(error, WrongField):
        at = error.field
    elif isinstance(error, InvalidName):
        is_local = fields.get("sign-in") != SignsIn.CERTIFICATE
        is_wrong = USERNAME.fullmatch(fields.get("username", "").lower()) is None
        at = "username" if is_wrong and is_local else "name"
    elif isinstance(error, PersonExists):
        at = "username"
    elif "role" in fields:
        at = "role"
    return {"problem": problem_of(error), "problem_at": at}


def _words(caller: Caller) -> dict[str, Any]:
    return {"department_names": {one.id: one.name for one in caller.known}}


def _new_role(caller: Caller, fields: Mapping[str, str]) -> NewRole | None:
    """The role that a form asks for; None where none is chosen. Raises WrongField."""
    if not fields.get("role"):
        return None
    role = choice_in(fields, "role", Role, "a role")
    until: datetime | None = end_of(date_in(fields, "until"))
    wanted = fields.get("department", "")
    if wanted == EVERYWHERE or role is Role.ADMINISTRATOR:
        return NewRole(role, None, until)
    place = next((one for one in caller.known if one.name == wanted), None)
    if place is None:
        raise WrongField("department", "Choose a department.", "Choose where the role holds.")
    return NewRole(role, place.id, until)
