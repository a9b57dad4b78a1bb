"""Roles, limits, keys and browsers in words."""

from datetime import UTC, datetime

import pytest

from governance.limits import Limit, Period, QuotaLeft
from governance.permissions import Permission, Role
from web.account_words import (
    KEY_PURPOSES,
    ROLE_MAY,
    browser_words,
    left_words,
    purpose_words,
    role_words,
)

END = datetime(2026, 5, 3, 12, 30, tzinfo=UTC)


def test_every_role_says_what_it_may() -> None:
    """With its place and its end."""
    assert set(ROLE_MAY) == set(Role)
    words = role_words(Role.EDITOR, "Pharmacy", END)
    assert words.startswith("Editor in Pharmacy, until 3 May 2026, 12:30 UTC: you may ask")
    assert role_words(Role.ADMINISTRATOR, None, None).startswith("Administrator everywhere: ")


@pytest.mark.parametrize("purpose", KEY_PURPOSES)
def test_a_key_says_what_it_was_made_for(purpose: object) -> None:
    """In the words of the form."""
    scopes = frozenset(purpose.permissions)  # type: ignore[attr-defined]
    assert purpose_words(scopes) == purpose.text  # type: ignore[attr-defined]


def test_a_key_with_other_scopes_names_them() -> None:
    """As made by the command line."""
    assert purpose_words(frozenset({Permission.AUDIT_READ})) == "audit.read"


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (Limit(None, None, True, Period.DAY, 50, None), "12 of 50 questions left today, for you."),
        (
            Limit("d", None, False, Period.MONTH, 50, 9000),
            "12 of 50 questions and 7,000 of 9,000 tokens (pieces of words) left this month, for "
            "everybody together in Pharmacy. This is nearly used up.",
        ),
    ],
)
def test_what_is_left_of_a_limit(limit: Limit, words: str) -> None:
    """For whom, where, and until when."""
    tokens = 7000 if limit.tokens else None
    left = QuotaLeft(limit, 12, tokens, END, 60, warning=limit.tokens is not None)
    assert left_words(left, {"d": "Pharmacy"}) == words


@pytest.mark.parametrize(
    ("client", "words"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/140.0.0.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) Safari/604.1", "Safari on an iPad"),
        ("curl/8.5", "curl/8.5"),
    ],
)
def test_a_browser_is_named_as_people_call_it(client: str, words: str) -> None:
    """Not by all that it says of itself."""
    assert browser_words(client) == words
