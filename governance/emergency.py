"""Gives access in an emergency: at once, for at most an hour, and looked at afterwards (HIP-2).

Whoever may use emergencies takes the role of staff or editor in a department for themselves, with a
reason. The role ends by itself. When it has ended, it is a review item until somebody else has
looked at it. The reason can name a patient, so the trail gets only its digest.
"""

import hashlib
from collections.abc import Collection
from datetime import timedelta

from governance.clock import Clock, utc_now
from governance.errors import IllegalTransition, InvalidGrant, NotFound, OwnRights
from governance.events import Action, Actor, Event, Fact
from governance.grants import GrantKind, HeldGrant
from governance.people_rows import (
    GrantOrigin,
    add_grant,
    check_department,
    held_grant,
    held_grants,
    is_usable,
    lock_person,
)
from governance.permissions import Grant, Role
from governance.record.database import Record
from governance.record.people_tables import grants

MAX_MINUTES = 60
MIN_REASON_CHARS, MAX_REASON_CHARS = 10, 500
EMERGENCY_ROLES = (Role.STAFF, Role.EDITOR)


class EmergencyStore:
    """Starts emergency access and keeps its reviews."""

    def __init__(self, record: Record, clock: Clock = utc_now) -> None:
        self._record = record
        self._clock = clock

    def start(
        self,
        actor: Actor,
        person_id: str,
        department_id: str,
        role: Role,
        reason: str,
        minutes: int = MAX_MINUTES,
    ) -> HeldGrant:
        """Take a role in an emergency, for oneself.

        Raises InvalidGrant, IllegalTransition, NotFound, UnknownDepartment.
        """
        reason = _checked(role, reason, minutes)
        if actor.person_id != person_id:
            raise InvalidGrant("Emergency access is for oneself.", "Let the person start it.")
        now = self._clock()
        wanted = Grant(role, department_id, now + timedelta(minutes=minutes))
        with self._record.write() as connection:
            if not is_usable(lock_person(connection, person_id), now):
                raise InvalidGrant("This account cannot be used.", "Ask an administrator.")
            check_department(connection, department_id)
            emergency = (grants.c.kind == GrantKind.EMERGENCY) & (grants.c.expires_at > now)
            mine = (grants.c.person_id == person_id) & (grants.c.department_id == department_id)
            if held_grants(connection, emergency, mine):
                raise IllegalTransition(
                    "Your emergency access here has not ended.", "Start it again when it has."
                )
            origin = GrantOrigin(GrantKind.EMERGENCY, person_id, reason)
            grant_id = add_grant(connection, person_id, wanted, origin, now)
            held = held_grant(connection, grant_id)
            event = _event(
                Action.EMERGENCY_STARTED, actor, held, {"role": role.value, "minutes": minutes}
            )
            self._record.trail.append(connection, event)
        return held

    def open_reviews(self, department_ids: Collection[str] | None) -> tuple[HeldGrant, ...]:
        """What nobody has looked at yet, oldest first, running ones too; None: every department."""
        waiting = (grants.c.kind == GrantKind.EMERGENCY) & grants.c.reviewed_at.is_(None)
        if department_ids is not None:
            waiting &= grants.c.department_id.in_(department_ids)
        with self._record.read() as connection:
            return tuple(held_grants(connection, waiting))

    def review(self, actor: Actor, grant_id: str) -> None:
        """Record that somebody else looked at it. Raises NotFound, OwnRights, IllegalTransition."""
        now = self._clock()
        with self._record.write() as connection:
            held = held_grant(connection, grant_id, lock=True)
            if held.kind is not GrantKind.EMERGENCY:
                raise NotFound("This is no emergency access.", "Reload the list.")
            if actor.person_id == held.person_id:
                raise OwnRights("Nobody reviews their own emergency.", "Ask somebody else.")
            if held.reviewed_at is not None:
                raise IllegalTransition("This is reviewed already.", "Reload the list.")
            if held.expires_at is not None and held.expires_at > now:
                raise IllegalTransition(
                    "This emergency access has not ended.", "Review it when it has, or withdraw it."
                )
            mine = grants.update().where(grants.c.id == grant_id)
            connection.execute(mine.values(reviewed_by=_reviewer(actor), reviewed_at=now))
            event = _event(Action.EMERGENCY_REVIEWED, actor, held, {})
            self._record.trail.append(connection, event)


def _checked(role: Role, reason: str, minutes: int) -> str:
    reason = " ".join(reason.split())
    if role not in EMERGENCY_ROLES:
        raise InvalidGrant("An emergency gives staff or editor.", "Choose one of these.")
    if not MIN_REASON_CHARS <= len(reason) <= MAX_REASON_CHARS or not reason.isprintable():
        raise InvalidGrant(
            "An emergency needs a reason.",
            f"Say why in {MIN_REASON_CHARS} to {MAX_REASON_CHARS} characters.",
        )
    if not 1 <= minutes <= MAX_MINUTES:
        raise InvalidGrant(
            f"Emergency access lasts 1 to {MAX_MINUTES} minutes.", "Choose fewer minutes."
        )
    return reason


def _reviewer(actor: Actor) -> str:
    """The reviewer's id; the owner of the data directory is no row among the people."""
    return actor.person_id or actor.id[:36]


def _event(action: Action, actor: Actor, held: HeldGrant, facts: dict[str, Fact]) -> Event:
    return Event(
        action,
        actor,
        held.department_id,
        "person",
        held.person_id,
        digest=hashlib.sha256((held.reason or "").encode()).hexdigest(),
        facts={"grant": held.id, **facts},
    )
