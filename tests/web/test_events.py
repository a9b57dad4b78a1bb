"""What requests leave in the trail: who, what, where; never a word of a question."""

import json
from collections.abc import Mapping
from datetime import timedelta
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


PICTURE = "/documents/{vials}/versions/1/pages/{page}.png"


def test_aud_8_the_pictures_of_an_opened_page_belong_to_its_reading(
    site: Site, staff: httpx.Client
) -> None:
    """One event for the page with its pictures, also for those that the browser has already."""
    before = count(site)
    staff.get(f"/documents/{site.vials}/versions/1")
    for page in (1, 2, 2):
        address = PICTURE.format(vials=site.vials, page=page)
        assert staff.get(address).headers["Content-Type"] == "image/png"
    assert count(site) == before + 1
    assert newest(site, Action.DOCUMENT_READ)["facts"]["shown"] == "viewer"


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
def test_aud_8_a_picture_by_itself_is_a_reading(
    site: Site, staff: httpx.Client, prefix: str
) -> None:
    """Whoever takes one without the page; the next ones of the same version belong to it."""
    before = count(site)
    for page in (1, 2):
        address = prefix + PICTURE.format(vials=site.vials, page=page)
        assert staff.get(address).status_code == 200
    assert count(site) == before + 1
    event = newest(site, Action.DOCUMENT_READ)
    assert site.people["staff"] in json.dumps(event)
    assert (event["facts"]["version"], event["facts"]["shown"]) == (1, "picture")


def test_aud_8_a_reading_covers_neither_another_session_nor_a_key(
    site: Site, staff: httpx.Client, stranger: httpx.Client
) -> None:
    """The same person in another browser, or by a program, reads anew."""
    address = PICTURE.format(vials=site.vials, page=1)
    staff.get(address)
    with site.client("staff") as other:
        before = count(site)
        assert other.get(address).status_code == 200
    assert count(site) == before + 1
    stranger.headers["Authorization"] = f"Bearer {site.key('staff')}"
    before = count(site)
    assert stranger.get(f"/api/v1{address}").status_code == 200
    assert count(site) == before + 1


def test_aud_8_a_reading_is_over_after_a_while(site: Site, staff: httpx.Client) -> None:
    """The browser's own copy, asked for again, is a new reading."""
    address = PICTURE.format(vials=site.vials, page=1)
    tag = staff.get(address).headers["ETag"]
    before, ahead = count(site), site.clock.ahead
    site.clock.ahead += timedelta(seconds=site.platform.settings.reading_lasts_s + 1)
    try:
        assert staff.get(address, headers={"If-None-Match": tag}).status_code == 304
    finally:
        site.clock.ahead = ahead
    assert count(site) == before + 1
    assert newest(site, Action.DOCUMENT_READ)["facts"]["shown"] == "picture"


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
