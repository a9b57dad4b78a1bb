"""The states of a version in words: for lists, and for the reader of one that is not in force."""

from collections.abc import Mapping

from governance.policies import DocumentSummary
from web.wording import date_words

# Short, for lists and facts; and what a reader of such a version must know.
_WORDS: Mapping[str, tuple[str, str]] = {
    "loading": ("Being read", "This version is still being read in. It is not in force."),
    "refused": ("Not read", "This file could not be read. Nothing of it is in force."),
    "failed": ("Not read", "Reading this file failed. Nothing of it is in force."),
    "draft": ("Draft", "This version is a draft. It is not in force: do not follow it."),
    "submitted": (
        "Waiting for approval",
        "This version waits for approval. It is not in force: do not follow it.",
    ),
    "approved": (
        "Approved, not yet in force",
        "This version is approved and not yet in force: do not follow it yet.",
    ),
    "effective": ("In force", ""),
    "superseded": (
        "Replaced",
        "This version was replaced by a newer one and is no longer in force: do not follow it.",
    ),
    "retired": (
        "Retired",
        "This policy was taken out of force and is kept for the record: do not follow it.",
    ),
    "withdrawn": (
        "Withdrawn",
        "This version was withdrawn and is not in force: do not follow it.",
    ),
}


def state_words(state: str) -> str:
    """A state for lists and facts: `In force`."""
    return _WORDS[state][0] if state in _WORDS else state.replace("_", " ").capitalize()


def warning_words(state: str) -> str:
    """What a reader of a version in this state must know; empty for the one in force."""
    if state in _WORDS:
        return _WORDS[state][1]
    return "This version is not in force: do not follow it."


def dates_words(version: DocumentSummary) -> str:
    """When a version was in force, or from when; else when it came in."""
    begins = version.in_force_from or version.effective_from
    if version.in_force_from and version.in_force_until:
        return f"in force from {date_words(begins)} until {date_words(version.in_force_until)}"
    if version.state == "effective" and begins:
        return f"in force since {date_words(version.effective_from or begins)}"
    if begins:
        return f"in force from {date_words(version.effective_from or begins)}"
    return f"handed in on {date_words(version.created_at)}"
