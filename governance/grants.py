"""Who may give which role to whom: kinds of grants, and the rule that decides.

Pure. An administrator gives every role everywhere. A department administrator makes staff and
editors in their own department. Approvers, auditors and other department administrators are the
second person where two are asked for, so whoever they watch cannot make them. Nobody gives
themselves a role; giving one up is `may_grant_role`, which also decides about taking one away from
somebody else. Suspending a person or issuing a link for their password is `may_manage`: it needs
the right over every role that the person has, else a link would be a way to a higher one's rights.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from governance.permissions import Decision, Grant, Permission, Principal, Role, decide

GIVEN_BY_ADMINISTRATORS = frozenset(
    {Role.APPROVER, Role.AUDITOR, Role.DEPARTMENT_ADMINISTRATOR, Role.ADMINISTRATOR}
)


class GrantKind(StrEnum):
    """Where a role comes from."""

    STANDING = "standing"
    GROUP = "group"
    EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """A role as the record holds it, with its id and its story."""

    id: str
    person_id: str
    role: Role
    department_id: str | None
    kind: GrantKind
    reason: str | None
    granted_by: str | None
    created_at: datetime
    expires_at: datetime | None
    reviewed_by: str | None
    reviewed_at: datetime | None

    @property
    def grant(self) -> Grant:
        """What decides about rights."""
        return Grant(self.role, self.department_id, self.expires_at)


def may_grant(
    principal: Principal, person_id: str, role: Role, department_id: str | None, now: datetime
) -> Decision:
    """Decide whether the principal may give this person a role there."""
    if principal.person_id is not None and principal.person_id == person_id:
        return Decision(False, "Nobody gives themselves a role.")
    return may_grant_role(principal, role, department_id, now)


def may_grant_role(
    principal: Principal, role: Role, department_id: str | None, now: datetime
) -> Decision:
    """Decide whether the principal may give others this role there, or take it away."""
    if (fault := misplaced(role, department_id)) is not None:
        return Decision(False, fault)
    decision = decide(principal, Permission.PEOPLE_MANAGE, department_id, now)
    if decision.allowed and role in GIVEN_BY_ADMINISTRATORS and not _administrates(principal, now):
        return Decision(False, "Only an administrator gives this role.")
    return decision


def may_manage(principal: Principal, held: Collection[HeldGrant], now: datetime) -> Decision:
    """Decide whether the principal may suspend or restore this person, or link to a new password.

    held: all the roles of the person; of one without any, only an administrator decides.
    """
    for one in held:
        decision = may_grant_role(principal, one.role, one.department_id, now)
        if not decision.allowed:
            return Decision(False, "This person has a role that is not yours to manage.")
    return decision if held else decide(principal, Permission.PEOPLE_MANAGE, None, now)


def lasting(grants: Sequence[HeldGrant], now: datetime) -> tuple[HeldGrant, ...]:
    """The roles without emergencies that have ended: these stay for their review alone."""
    return tuple(
        held
        for held in grants
        if held.kind is not GrantKind.EMERGENCY or held.expires_at is None or held.expires_at > now
    )


def misplaced(role: Role, department_id: str | None) -> str | None:
    """What is wrong with this role in this place, or None."""
    if role is Role.ADMINISTRATOR and department_id is not None:
        return "An administrator is one everywhere, not in one department."
    if role is Role.DEPARTMENT_ADMINISTRATOR and department_id is None:
        return "A department administrator needs a department."
    return None


def _administrates(principal: Principal, now: datetime) -> bool:
    return any(
        grant.role is Role.ADMINISTRATOR
        and grant.department_id is None
        and (grant.expires_at is None or grant.expires_at > now)
        for grant in principal.grants
    )
