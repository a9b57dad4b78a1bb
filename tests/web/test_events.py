"""What requests leave in the trail: who, what, where; never a word of a question."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from governance.events import Action
from governance.record.trail_tables import audit_leaves
from web.testing import Site

# Other tests give people more departments.
PLACE = {"department": "Pharmacy"}


def newest(site: Site, action: Action) -> Mapping[str, Any]:
    """The last event of this kind."""
    query = select(audit_leaves.c.body).where(audit_leaves.c.action == action)
    newest_first = query.order_by(audit_leaves.c.seq.desc()).limit(1)
    with site.platform.record.read() as connection:
        found: Mapping[str, Any] = json.loads(connection.execute(newest_first).scalar_one())
    return found


def count(site: Site) -> int:
    """How many events there are."""
    with site.platform.record.read() as connection:
        return site.platform.record.trail.size(connection)


@pytest.mark.parametrize(
    ("method", "path", "body", "action"),
    [
        ("POST", "/api/v1/ask", {"question": "Pflaumenkuchen?", **PLACE}, Action.QUESTION_ASKED),
        (
            "POST",
            "/api/v1/search",
            {"query": "Pflaumenkuchen", **PLACE},
            Action.POLICIES_SEARCHED,
        ),
        ("GET", "/search?q=Pflaumenkuchen&department=Pharmacy", None, Action.POLICIES_SEARCHED),
        ("GET", "/documents/{vials}/versions/1", None, Action.DOCUMENT_READ),
        ("GET", "/api/v1/documents/{vials}/versions/1/file", None, Action.DOCUMENT_READ),
        ("POST", "/v1/chat/completions", {"model": "chat", "messages": []}, Action.MODEL_USED),
        ("POST", "/v1/embeddings", {"model": "embed", "input": "x"}, Action.MODEL_USED),
        ("POST", "/api/v1/departments", {"name": "Pflaumenkuchen"}, Action.ACCESS_DENIED),
        ("POST", "/lock", None, Action.SESSION_LOCKED),
        ("POST", "/sign-out", None, Action.SESSION_ENDED),
    ],
)
def test_aud_5_each_act_leaves_one_event_with_its_actor(
    site: Site, staff: httpx.Client, method: str, path: str, body: object, action: Action
) -> None:
    """Reading and refusals, too."""
    before = count(site)
    staff.request(method, path.format(vials=site.vials), json=body)
    assert count(site) == before + 1
    event = newest(site, action)
    text = json.dumps(event, ensure_ascii=False)
    assert site.people["staff"] in text
    assert "local|staff" in text or '"staff"' in text
    assert "Pflaumenkuchen" not in text


def test_a_key_is_named_beside_its_owner(site: Site, stranger: httpx.Client, key: str) -> None:
    """Without its secret."""
    stranger.headers["Authorization"] = f"Bearer {key}"
    stranger.post("/api/v1/ask", json={"question": "How long?"})
    text = json.dumps(newest(site, Action.QUESTION_ASKED))
    assert key.split("_")[1] in text
    assert key.split("_")[2] not in text


def test_the_owner_of_the_data_directory_is_an_actor(site: Site, owner: httpx.Client) -> None:
    """By the socket."""
    body = {"question": "How long?", "department": "Pharmacy"}
    assert owner.post("/api/v1/ask", json=body).status_code == 200
    text = json.dumps(newest(site, Action.QUESTION_ASKED))
    assert "owner" in text
    assert "socket" in text
