"""Which department is meant when a person or a client names one, or does not."""

from collections.abc import Sequence

from governance.errors import UnknownDepartment
from governance.policies import Department
from web.errors import DepartmentNeeded, NoDepartment


def choose(known: Sequence[Department], wanted: str | None) -> Department:
    """The department of that name, or the only one.

    Raises UnknownDepartment, NoDepartment, DepartmentNeeded.
    """
    names = tuple(department.name for department in known)
    if not known and not wanted:
        raise NoDepartment
    if not wanted and len(known) > 1:
        raise DepartmentNeeded(names)
    for department in known:
        if not wanted or department.name == wanted:
            return department
    raise UnknownDepartment(
        f"There is no department {wanted!r}.", f"Known: {', '.join(names) or 'none yet'}."
    )


def suggest(known: Sequence[Department], wanted: str | None) -> str:
    """The department that a page starts with: the named one, else the first; empty if none."""
    names = [department.name for department in known]
    if wanted in names:
        return str(wanted)
    return names[0] if names else ""
