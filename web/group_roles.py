"""Which groups of the identity provider give which role: written down, or no right at all.

Pure. The text is `group=role@department`, separated by commas; without a department the role holds
everywhere. A group's name may hold `=` and `@`, as directory names do, but no comma.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from governance.grants import misplaced
from governance.permissions import Grant, Role
from web.errors import BadGroupRoles

RULE = re.compile(r"(?P<group>.+)=(?P<role>[^=@]*)(?:@(?P<department>[^=]+))?")


@dataclass(frozen=True, slots=True)
class GroupRole:
    """One line of the mapping; department None means everywhere."""

    group: str
    role: Role
    department: str | None


def parse_group_roles(text: str) -> tuple[GroupRole, ...]:
    """Read the mapping. Raises BadGroupRoles, naming what is wrong."""
    return tuple(_rule(part.strip()) for part in text.split(",") if part.strip())


def grants_of(
    groups: Iterable[str], rules: Iterable[GroupRole], department_ids: Mapping[str, str]
) -> tuple[Grant, ...]:
    """The grants of somebody in these groups.

    department_ids: by name. A rule for a department that does not exist (yet) gives nothing.
    """
    members = frozenset(groups)
    found: dict[Grant, None] = {}
    for rule in rules:
        if rule.group not in members:
            continue
        if rule.department is None:
            found[Grant(rule.role, None)] = None
        elif rule.department in department_ids:
            found[Grant(rule.role, department_ids[rule.department])] = None
    return tuple(found)


def _rule(text: str) -> GroupRole:
    match = RULE.fullmatch(text)
    if match is None:
        raise BadGroupRoles(f"{text!r} is no rule.", "Write group=role@department.")
    group, role, department = (
        (part or "").strip() for part in match.group("group", "role", "department")
    )
    if role not in tuple(Role):
        raise BadGroupRoles(f"There is no role {role!r}.", f"Roles: {', '.join(Role)}.")
    everywhere = match["department"] is None
    if not group or (not everywhere and not department):
        raise BadGroupRoles(f"{text!r} is no rule.", "Write group=role@department.")
    if (fault := misplaced(Role(role), department or None)) is not None:
        raise BadGroupRoles(f"{text!r}: {fault}", "Write group=role@department.")
    return GroupRole(group, Role(role), None if everywhere else department)
