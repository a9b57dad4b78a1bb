"""`/api/v1/people`: people, their roles and their links, as JSON; and `/api/v1/usage`."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict
from starlette.responses import Response

from governance.grants import HeldGrant
from governance.limits import QuotaLeft
from governance.permissions import Permission, Role
from governance.policies import Department
from web.api.shapes import Json
from web.caller import Caller, caller_of
from web.departments import choose
from web.errors import BadField
from web.parts import Platform
from web.roster import NewRole, Roster, Shown


class Strict(BaseModel):
    """A request whose unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid")


class NewGrant(Strict):
    """A role; without a department it is everywhere."""

    role: Role
    department: str | None = None
    until: AwareDatetime | None = None


class NewPerson(Strict):
    """Somebody to add, with a first role or without any."""

    name: str
    username: str
    # The user name is the subject of a client certificate: no password, so no link.
    certificate: bool = False
    role: Role | None = None
    department: str | None = None
    until: AwareDatetime | None = None


class Nothing(Strict):
    """A request that says nothing but what its address says."""


class PeopleApi:
    """The same acts as on the pages of people."""

    def __init__(self, platform: Platform, roster: Roster) -> None:
        self._platform = platform
        self._roster = roster

    def router(self) -> APIRouter:
        """Where these are."""
        router = APIRouter(prefix="/api/v1", tags=["people"])
        person = "/people/{person_id}"
        for path, method, view in (
            ("/people", "GET", self.people),
            ("/people", "POST", self.add),
            (f"{person}/suspend", "POST", self.suspend),
            (f"{person}/restore", "POST", self.restore),
            (f"{person}/ticket", "POST", self.ticket),
            (f"{person}/grants", "POST", self.grant),
            (f"{person}/grants/{{grant_id}}", "DELETE", self.withdraw),
            ("/usage", "GET", self.usage),
        ):
            router.add_api_route(path, view, methods=[method], response_model=None)
        return router

    def people(
        self, request: Request, department: str | None = None, username: str | None = None
    ) -> Json:
        """Everybody whom the caller may see, or those of one department, or one by user name."""
        caller = caller_of(request)
        if username is not None:
            return {"people": [self._json(caller, self._roster.by_username(caller, username))]}
        place = _place(caller, department, Permission.PEOPLE_READ) if department else None
        found = self._roster.people(caller, place.id if place else None)
        return {"people": [self._json(caller, one) for one in found]}

    def add(self, request: Request, body: NewPerson) -> Response:
        """Add somebody; the one-time link for their password comes with the answer."""
        caller = caller_of(request)
        if body.role is None and (body.department or body.until):
            raise BadField("A department or an end needs a role.", "Name the role as well.")
        first = None if body.role is None else _new_role(caller, body.role, body)
        link = None
        if body.certificate:
            person = self._roster.add_certified(caller, body.name, body.username, first)
        else:
            person, secret = self._roster.add(caller, body.name, body.username, first)
            link = link_of(request, self._platform, secret)
        shown = self._roster.person(caller, person.id)
        return JSONResponse({**self._json(caller, shown), "link": link}, status_code=201)

    def suspend(self, request: Request, person_id: str, body: Nothing | None = None) -> Json:
        """Stop a person at once."""
        del body
        self._roster.suspend(caller_of(request), person_id)
        return self._person(request, person_id)

    def restore(self, request: Request, person_id: str, body: Nothing | None = None) -> Json:
        """Let a person in again."""
        del body
        self._roster.restore(caller_of(request), person_id)
        return self._person(request, person_id)

    def ticket(self, request: Request, person_id: str, body: Nothing | None = None) -> Response:
        """Make a one-time link for a new password; an older one stops working."""
        del body
        secret = self._roster.link(caller_of(request), person_id)
        link = link_of(request, self._platform, secret)
        return JSONResponse({"person": person_id, "link": link}, status_code=201)

    def grant(self, request: Request, person_id: str, body: NewGrant) -> Response:
        """Give a role."""
        caller = caller_of(request)
        held = self._roster.give(caller, person_id, _new_role(caller, body.role, body))
        return JSONResponse(_grant_json(caller, held), status_code=201)

    def withdraw(self, request: Request, person_id: str, grant_id: str) -> Json:
        """Take a role away."""
        caller = caller_of(request)
        held = self._roster.withdraw(caller, person_id, grant_id)
        return {**_grant_json(caller, held), "state": "withdrawn"}

    def usage(self, request: Request, department: str | None = None) -> Json:
        """The caller's limits with what is left of them, in each of their departments."""
        caller = caller_of(request)
        places = caller.departments(Permission.POLICIES_ASK)
        chosen = (choose(places, department),) if department else places
        now, person_id = caller.clock(), caller.principal.person_id
        found: dict[str, QuotaLeft] = {}
        places_of_use: list[str | None] = [one.id for one in chosen]
        for place in places_of_use or [None]:
            for left in self._platform.quotas.left(person_id, place, now):
                found[left.limit.id] = left
        return {"limits": [_left_json(caller, left) for left in found.values()]}

    def _person(self, request: Request, person_id: str) -> Json:
        caller = caller_of(request)
        return self._json(caller, self._roster.person(caller, person_id))

    def _json(self, caller: Caller, shown: Shown) -> Json:
        person = shown.person
        return {
            "id": person.id,
            "name": person.name,
            "username": person.subject,
            "issuer": person.issuer,
            "state": person.state.value,
            "created_at": person.created_at.isoformat(),
            "expires_at": _iso(person.expires_at),
            "grants": [_grant_json(caller, held) for held in shown.grants],
        }


def link_of(request: Request, platform: Platform, secret: str) -> str:
    """The address that a person opens to set a password.

    Over the owner's socket nothing says where browsers find us, so the settings do.
    """
    base = request.base_url
    if caller_of(request).principal.auth == "socket":
        settings = platform.settings
        scheme = "https" if settings.tls_certificate else "http"
        base = base.replace(scheme=scheme, netloc=f"{settings.host}:{settings.port}")
    return str(base.replace(path=f"/set-password/{secret}"))


def _new_role(caller: Caller, role: Role, body: NewGrant | NewPerson) -> NewRole:
    name = body.department
    place = _place(caller, name, Permission.PEOPLE_MANAGE) if name is not None else None
    return NewRole(role, place.id if place else None, body.until)


def _place(caller: Caller, name: str, permission: Permission) -> Department:
    return choose(caller.departments(permission), name)


def _grant_json(caller: Caller, held: HeldGrant) -> dict[str, Any]:
    names = {one.id: one.name for one in caller.known}
    return {
        "id": held.id,
        "role": held.role.value,
        "department": names.get(held.department_id or ""),
        "kind": held.kind.value,
        "created_at": held.created_at.isoformat(),
        "expires_at": _iso(held.expires_at),
    }


def _left_json(caller: Caller, left: QuotaLeft) -> dict[str, Any]:
    names = {one.id: one.name for one in caller.known}
    limit = left.limit
    return {
        "department": names.get(limit.department_id or ""),
        "of_one_person": limit.of_one_person,
        "period": limit.period.value,
        "requests": limit.requests,
        "requests_left": left.requests_left,
        "tokens": limit.tokens,
        "tokens_left": left.tokens_left,
        "resets_at": left.resets_at.isoformat(),
        "warning": left.warning,
    }


def _iso(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
