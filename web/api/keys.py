"""`/api/v1/keys`: keys for programs; the key itself is in the answer this once.

Signed-in people make keys for themselves. The owner of the data directory makes them for anybody;
without a person named, the key gets an account of its own, which can do no more than its role.
"""

import re
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.responses import Response

from governance.errors import OwnRights
from governance.keys import MAX_DAYS, ApiKey
from governance.people import Person
from governance.permissions import ROLES, Permission, Role
from web.api.people import Strict
from web.api.shapes import Json
from web.caller import Caller, caller_of
from web.departments import choose
from web.errors import BadField
from web.parts import Platform
from web.roster import NewRole, Roster

# What a key is good for where nobody says it: what staff do with the policies.
USUAL = frozenset(
    {
        Permission.POLICIES_ASK,
        Permission.POLICIES_SEARCH,
        Permission.POLICIES_READ,
        Permission.MODELS_USE,
    }
)
# An account of a program never gets these, whatever its role.
NOT_FOR_PROGRAMS = frozenset(
    {Permission.KEYS_MANAGE, Permission.EMERGENCIES_USE, Permission.ACCOUNT_USE}
)
PROGRAM_ROLES = (Role.STAFF, Role.EDITOR)


class NewKey(Strict):
    """What `POST /api/v1/keys` takes; person is a user name, for the owner of the machine alone."""

    name: str
    department: str | None = None
    scopes: list[Permission] | None = None
    days: Annotated[int, Field(ge=1, le=MAX_DAYS)] = 90
    person: str | None = None
    role: Role | None = None


class KeysApi:
    """Make, list and revoke keys."""

    def __init__(self, platform: Platform, roster: Roster) -> None:
        self._platform = platform
        self._roster = roster

    def router(self) -> APIRouter:
        """Where these are."""
        router = APIRouter(prefix="/api/v1", tags=["keys"])
        for path, method, view in (
            ("/keys", "GET", self.keys),
            ("/keys", "POST", self.create),
            ("/keys/{key_id}", "DELETE", self.revoke),
        ):
            router.add_api_route(path, view, methods=[method], response_model=None)
        return router

    def keys(self, request: Request, person: str | None = None) -> Json:
        """One's own keys, or those of somebody whom one manages; for the owner, all keys."""
        caller = caller_of(request)
        if person is not None:
            people = [self._roster.by_username(caller, person).person]
        elif caller.principal.person_id is not None:
            people = [self._platform.people.person(caller.principal.person_id)]
        else:
            people = [shown.person for shown in self._roster.people(caller)]
        theirs = ((one, self._roster.keys(caller, one.id)) for one in people)
        return {"keys": [_json(caller, one, key) for one, keys in theirs for key in keys]}

    def create(self, request: Request, body: NewKey) -> Response:
        """Make a key; `key` in the answer is shown this once."""
        caller = caller_of(request)
        place = None
        if body.department is not None:
            place = choose(caller.known, body.department).id
        owner = self._owner(caller, body, place)
        key, secret = self._platform.keys.create(
            caller.actor,
            owner.id,
            body.name,
            self._scopes(owner, body, place),
            place,
            caller.clock() + timedelta(days=body.days),
            caller.clock(),
        )
        return JSONResponse({**_json(caller, owner, key), "key": secret}, status_code=201)

    def revoke(self, request: Request, key_id: str) -> Json:
        """End a key for good."""
        caller = caller_of(request)
        self._roster.revoke(caller, key_id)
        return {"id": key_id, "state": "revoked"}

    def _owner(self, caller: Caller, body: NewKey, place: str | None) -> Person:
        """Whose key it will be. Raises OwnRights, NotFound."""
        if caller.principal.person_id is not None:
            if body.person is not None or body.role is not None:
                raise OwnRights(
                    "Nobody makes a key for somebody else.", "Leave person and role out."
                )
            return self._platform.people.person(caller.principal.person_id)
        if body.person is not None:
            if body.role is not None:
                raise BadField("A person has roles already.", "Leave the role out.")
            return self._roster.by_username(caller, body.person).person
        return self._program(caller, body, place)

    def _program(self, caller: Caller, body: NewKey, place: str | None) -> Person:
        """The account of a program, made at its first key; its role holds in the key's place."""
        role = body.role or Role.STAFF
        if role not in PROGRAM_ROLES:
            raise BadField("A program is staff or editor.", "Choose one of these roles.")
        people = self._platform.people
        username = f"program.{re.sub('[^a-z0-9]+', '-', body.name.lower()).strip('-')[:50]}"
        known = people.by_username(username) or people.create(caller.actor, body.name, username)
        held = {(one.role, one.department_id) for one in known.grants}
        if (role, place) not in held:
            self._roster.give(caller, known.id, NewRole(role, place))
        return people.person(known.id)

    def _scopes(self, owner: Person, body: NewKey, place: str | None) -> frozenset[Permission]:
        """What was asked for, else the usual, as far as the owner has it there."""
        if body.scopes is not None:
            return frozenset(body.scopes)
        if body.person is None and body.role is not None:
            return ROLES[body.role] - NOT_FOR_PROGRAMS
        rights = {
            permission
            for held in owner.grants
            if held.department_id is None or place in (None, held.department_id)
            for permission in ROLES[held.role]
        }
        return USUAL & rights


def _json(caller: Caller, owner: Person, key: ApiKey) -> Json:
    names = {one.id: one.name for one in caller.known}
    return {
        "id": key.id,
        "name": key.name,
        "person": owner.subject,
        "department": names.get(key.department_id or ""),
        "scopes": sorted(one.value for one in key.scopes),
        "created_at": key.created_at.isoformat(),
        "expires_at": key.expires_at.isoformat(),
        "last_used_at": key.last_used_at.isoformat() if key.last_used_at else None,
        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
    }
