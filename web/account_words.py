"""Roles, limits and what keys are for, in the words of the account page. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from governance.limits import QuotaLeft
from governance.permissions import Permission, Role
from web.role_words import ROLE_NAMES
from web.wording import list_words, when_words

ROLE_MAY: Mapping[Role, str] = {
    Role.STAFF: "ask questions and read policies",
    Role.EDITOR: "ask questions, and read, load and remove policies",
    Role.APPROVER: "ask questions and read policies",
    Role.AUDITOR: "read policies, the record of what was done, and what was asked",
    Role.DEPARTMENT_ADMINISTRATOR: "manage the policies, people and limits of the department",
    Role.ADMINISTRATOR: "do everything",
}


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a key can be for; the first permission decides whether it is offered."""

    name: str
    text: str
    hint: str
    permissions: tuple[Permission, ...]


KEY_PURPOSES = (
    Purpose(
        "ask",
        "Ask and search",
        "Questions, searches, and reading the policies that are found.",
        (Permission.POLICIES_ASK, Permission.POLICIES_SEARCH, Permission.POLICIES_READ),
    ),
    Purpose(
        "search",
        "Search and read only",
        "No questions.",
        (
            Permission.POLICIES_SEARCH,
            Permission.POLICIES_READ,
        ),
    ),
    Purpose(
        "models", "Use the models themselves", "Without the policies.", (Permission.MODELS_USE,)
    ),
    Purpose(
        "load",
        "Load policies",
        "Hand in files, see how they are loaded, and submit them. Nothing can be removed.",
        (
            Permission.DOCUMENTS_LOAD,
            Permission.DRAFTS_READ,
            Permission.JOBS_READ,
            Permission.POLICIES_READ,
        ),
    ),
    Purpose(
        "remove",
        "Remove policies",
        "",
        (
            Permission.DOCUMENTS_DELETE,
            Permission.POLICIES_READ,
        ),
    ),
)


# Several of them are in one browser's words; the first that is there says most.
BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"))
SYSTEMS = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS", "a Mac"),
    ("Linux", "Linux"),
)


def browser_words(client: str) -> str:
    """`Firefox on Windows`, from what a browser says of itself; else its own words."""
    browsers = (*BROWSERS, ("Safari", "Safari"))
    name = next((word for mark, word in browsers if mark in client), None)
    system = next((word for mark, word in SYSTEMS if mark in client), None)
    if name is None:
        return client
    return f"{name} on {system}" if system else name


def role_words(role: Role, department: str | None, expires_at: datetime | None) -> str:
    """`Editor in Pharmacy, until 3 May 2026: you may …`."""
    where = f" in {department}" if department else " everywhere"
    until = f", until {when_words(expires_at)}" if expires_at else ""
    return f"{ROLE_NAMES[role]}{where}{until}: you may {ROLE_MAY[role]}."


def purpose_words(scopes: frozenset[Permission]) -> str:
    """What a key with these scopes is for."""
    whole = [one for one in KEY_PURPOSES if scopes.issuperset(one.permissions)]
    # `search` is part of `ask` and says nothing beside it.
    names = [one.name for one in whole]
    shown = [one.text for one in whole if one.name != "search" or "ask" not in names]
    return list_words(shown) or ", ".join(sorted(scopes))


def left_words(left: QuotaLeft, department_names: Mapping[str, str]) -> str:
    """`12 of 50 questions left today, for you.`"""
    limit = left.limit
    parts = []
    for what, most, rest in (
        ("questions", limit.requests, left.requests_left),
        ("tokens (pieces of words)", limit.tokens, left.tokens_left),
    ):
        if most is not None and rest is not None:
            parts.append(f"{rest:,} of {most:,} {what}")
    period = "today" if limit.period == "day" else "this month"
    who = "for you" if limit.of_one_person else "for everybody together"
    place = department_names.get(limit.department_id or "", "")
    where = f" in {place}" if place else ""
    nearly = " This is nearly used up." if left.warning else ""
    return f"{list_words(parts)} left {period}, {who}{where}.{nearly}"
