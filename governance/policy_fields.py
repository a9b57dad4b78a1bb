"""What a department states about a version of a policy, beside its text."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from governance.errors import InvalidName

# As many characters as the record's columns hold.
MAX_CHARS = {"policy_number": 80, "area": 120, "owner": 120, "supersedes": 200}
MAX_TEXT_CHARS = 1000


@dataclass(frozen=True, slots=True)
class PolicyFields:
    """The fields of a version; None is not stated."""

    title: str | None = None
    policy_number: str | None = None
    effective_from: date | None = None
    review_due: date | None = None
    area: str | None = None
    applies_to: str | None = None
    owner: str | None = None
    originated: date | None = None
    last_approved: date | None = None
    last_revised: date | None = None
    supersedes: str | None = None


NAMES = tuple(field.name for field in fields(PolicyFields))
DATES = ("effective_from", "review_due", "originated", "last_approved", "last_revised")


def stored(given: PolicyFields) -> dict[str, Any]:
    """The columns of a version. Raises InvalidName for text that is too long."""
    values: dict[str, Any] = {name: getattr(given, name) for name in NAMES}
    for name, value in values.items():
        longest = MAX_CHARS.get(name, MAX_TEXT_CHARS)
        if isinstance(value, str) and len(value) > longest:
            raise InvalidName(
                f"{name.replace('_', ' ').capitalize()} has {len(value)} characters; "
                f"the limit is {longest}.",
                "Shorten it.",
            )
    return {**values, "policy_key": policy_key(given.policy_number)}


def policy_key(number: str | None) -> str | None:
    """A policy's number as it is compared: "IC-001", "ic 001" and "IC001" are one."""
    return "".join(char for char in (number or "").casefold() if char.isalnum()) or None
