"""AUD-8: every change, and every reading of a document, a question or the trail, leaves its event.

Each row is done once by somebody who may, and the events that it appended are looked at. A new
route that changes something fails here until it stands in one of the tables.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count

import httpx
import pytest
from sqlalchemy import select

from governance.events import SYSTEM, Action
from governance.record.trail_tables import audit_leaves
from web.access import TABLE
from web.testing import Site
from web.testing_hands import PATIENCE_S, Hands
from web.testing_walk_acts import PAPER, VERSION, Act, Row
from web.testing_walk_pages import BY_PAGES
from web.testing_walk_programs import BY_PROGRAMS

CHANGES = {**BY_PAGES, **BY_PROGRAMS}
# What only looks at the trail itself, or is shown where the real thing runs and not this script.
ELSEWHERE: dict[Row, str] = {
    ("POST", "/audit/verify"): "it reads hashes and shows no event",
    ("POST", "/api/v1/audit/verify"): "it reads hashes and shows no event",
    ("POST", "/welcome/{ticket}"): "tests/governance/test_tickets.py",
    ("POST", "/sign-in/oidc/logout"): "tests/web: the identity provider",
    ("POST", "/api/v1/index/rebuild"): "tests/lamplight",
    ("POST", "/api/v1/backups"): "tests/lamplight",
    ("POST", "/api/v1/audit/rotate-key"): "tests/lamplight",
    ("POST", "/api/v1/administrator-link"): "tests/governance/test_tickets.py",
}
# Reading what is confidential: a policy, a question, the trail.
READINGS: dict[Row, tuple[Act, Action]] = {
    ("GET", "/search"): (
        lambda h: h.client("staff").get("/search?q=vials&department=Pharmacy"),
        Action.POLICIES_SEARCHED,
    ),
    ("GET", "/documents/{document_id}/versions/{number:int}"): (
        lambda h: h.client("staff").get(PAPER.format(h.site.hands)),
        Action.DOCUMENT_READ,
    ),
    ("GET", "/documents/{document_id}/versions/{number:int}/print"): (
        lambda h: h.client("staff").get(PAPER.format(h.site.hands) + "/print"),
        Action.DOCUMENT_READ,
    ),
    ("GET", f"{VERSION}/difference"): (
        lambda h: h.client("editor").get(PAPER.format(h.second_draft())[:-1] + "2/difference"),
        Action.DOCUMENT_READ,
    ),
    ("GET", f"/api/v1{VERSION}/difference"): (
        lambda h: h.api(
            "editor", "GET", f"/api/v1{PAPER.format(h.second_draft())[:-1]}2/difference"
        ),
        Action.DOCUMENT_READ,
    ),
    ("GET", "/documents/{document_id}/versions/{number:int}/file"): (
        lambda h: h.client("staff").get(PAPER.format(h.site.hands) + "/file"),
        Action.DOCUMENT_READ,
    ),
    ("GET", "/documents/{document_id}/versions/{number:int}/pages/{page:int}.png"): (
        lambda h: h.client("staff").get(PAPER.format(h.site.vials) + "/pages/1.png"),
        Action.DOCUMENT_READ,
    ),
    ("GET", "/api/v1/documents/{document_id}/versions/{number:int}/file"): (
        lambda h: h.api("staff", "GET", f"/api/v1{PAPER.format(h.site.hands)}/file"),
        Action.DOCUMENT_READ,
    ),
    ("GET", "/api/v1/documents/{document_id}/versions/{number:int}/pages/{page:int}.png"): (
        lambda h: h.api("staff", "GET", f"/api/v1{PAPER.format(h.site.vials)}/pages/1.png"),
        Action.DOCUMENT_READ,
    ),
    ("GET", "/audit"): (
        lambda h: h.client("auditor").get("/audit"),
        Action.AUDIT_SEARCHED,
    ),
    ("GET", "/audit/{seq:int}"): (
        lambda h: h.client("administrator").get("/audit/0"),
        Action.AUDIT_SEARCHED,
    ),
    ("GET", "/audit/{seq:int}/leaf"): (
        lambda h: h.client("administrator").get("/audit/0/leaf"),
        Action.AUDIT_SEARCHED,
    ),
    ("GET", "/audit/{seq:int}/proof"): (
        lambda h: h.client("administrator").get("/audit/0/proof"),
        Action.AUDIT_SEARCHED,
    ),
    ("GET", "/api/v1/audit/{seq}/proof"): (
        lambda h: h.api("administrator", "GET", "/api/v1/audit/0/proof"),
        Action.AUDIT_SEARCHED,
    ),
    ("GET", "/audit/questions/{question_id}"): (
        lambda h: h.client("auditor").get(f"/audit/questions/{h.question()}"),
        Action.QUESTION_READ,
    ),
    ("GET", "/api/v1/audit"): (
        lambda h: h.api("auditor", "GET", "/api/v1/audit"),
        Action.AUDIT_SEARCHED,
    ),
}
EVERYTHING = {**CHANGES, **READINGS}


@pytest.fixture(scope="module")
def hands(site: Site) -> Iterator[Hands]:
    """One for all rows."""
    with ExitStack() as stack:
        yield Hands(site, stack, count())


def told_since(site: Site, before: int, wanted: Action) -> list[str]:
    """The acts that were recorded since then, once the wanted one is there; an answer's comes
    when its stream has ended."""
    end = time.monotonic() + PATIENCE_S
    while True:
        with site.platform.record.read() as connection:
            query = select(audit_leaves.c.action).where(
                audit_leaves.c.seq >= before, audit_leaves.c.actor_id != SYSTEM.id
            )
            told = list(connection.execute(query).scalars())
        if wanted in told or time.monotonic() > end:
            return told
        time.sleep(0.05)


def test_aud_8_every_change_has_its_row() -> None:
    """A new route that changes something comes with its event."""
    unsafe = {row for row in TABLE if row[0] not in ("GET", "HEAD")}
    assert unsafe == set(CHANGES) | set(ELSEWHERE)
    assert not set(CHANGES) & set(ELSEWHERE)


@pytest.mark.parametrize("row", EVERYTHING, ids=" ".join)
def test_aud_8_every_change_and_every_reading_leaves_its_event(hands: Hands, row: Row) -> None:
    """In the trail, with somebody's name on it."""
    act, wanted = EVERYTHING[row]
    site = hands.site
    with site.platform.record.read() as connection:
        before = site.platform.record.trail.size(connection)
    answer = act(hands)
    shown = answer.text[-800:] if isinstance(answer, httpx.Response) else answer
    assert wanted in told_since(site, before, wanted), shown
