"""Emergency access that runs at this moment, for the banner on every page."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from governance.emergency import MAX_MINUTES
from governance.grants import GrantKind, HeldGrant
from governance.people import PeopleStore
from web.caller import Caller


@dataclass(frozen=True, slots=True)
class Running:
    """Emergency access as the banner shows it."""

    grant_id: str
    department: str
    role: str
    minutes_left: int
    until: datetime


def running_emergencies(caller: Caller, people: PeopleStore) -> tuple[HeldGrant, ...]:
    """The caller's own emergency access that has not ended."""
    now = caller.clock()
    latest = now + timedelta(minutes=MAX_MINUTES)
    # Only who has a role that ends so soon costs a look into the record.
    soon = any(one.expires_at and now < one.expires_at <= latest for one in caller.principal.grants)
    if not soon or caller.principal.person_id is None:
        return ()
    held = people.person(caller.principal.person_id).grants
    return tuple(
        one
        for one in held
        if one.kind is GrantKind.EMERGENCY and one.expires_at and one.expires_at > now
    )


def banners(caller: Caller, people: PeopleStore) -> tuple[Running, ...]:
    """What stands above every page while emergency access runs."""
    names = {one.id: one.name for one in caller.known}
    now = caller.clock()
    return tuple(
        Running(
            held.id,
            names.get(held.department_id or "", "a department"),
            held.role.value,
            ceil((held.expires_at - now).total_seconds() / 60),
            held.expires_at,
        )
        for held in running_emergencies(caller, people)
        if held.expires_at is not None
    )
