"""The official SDK's client asks, searches and reads with a key, and only as the key may."""

import asyncio
from typing import Any

import httpx
import httpx2
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from sqlalchemy import select

from governance.events import SYSTEM
from governance.permissions import Permission
from governance.record.use_tables import questions
from web.testing import Site

ROW = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
HEADERS = {"accept": "application/json, text/event-stream"}
READING = (Permission.POLICIES_ASK, Permission.POLICIES_SEARCH, Permission.POLICIES_READ)


def call(site: Site, key: str, tool: str, **arguments: Any) -> tuple[bool, dict[str, Any], str]:
    """Call one tool as the SDK's client does: whether it is an error, what it gave, its text."""

    async def run() -> tuple[bool, dict[str, Any], str]:
        headers = {"Authorization": f"Bearer {key}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=30.0, trust_env=False) as web,
            streamable_http_client(f"{site.url}/mcp", http_client=web) as streams,
            ClientSession(streams[0], streams[1]) as session,
        ):
            await session.initialize()
            result = await session.call_tool(tool, arguments)
            text = "".join(getattr(part, "text", "") for part in result.content)
            return bool(result.is_error), result.structured_content or {}, text

    return asyncio.run(run())


def test_a_question_gets_an_answer_with_citations(site: Site, key: str) -> None:
    """The same answer as the API's, as a value and as text."""
    failed, answer, text = call(site, key, "ask_policies", question="How long are vials kept?")
    assert not failed
    assert answer["status"] == "answered"
    assert answer["citations"][0]["quote"]
    assert answer["citations"][0]["quote"][:20] in text


def test_a_search_gives_passages_that_can_be_read(site: Site, key: str) -> None:
    """What a search names, reading opens: the version in force, page by page."""
    _, found, _ = call(site, key, "search_policies", query="vials", k=1)
    (passage,) = found["passages"]
    failed, read, _ = call(site, key, "read_policy", document_id=passage["document_id"])
    assert not failed
    assert read["state"] == "effective"
    assert read["pages"][0]["page"] == 1
    assert read["pages"][0]["text"]


def test_what_is_wrong_is_said_in_words(site: Site, key: str) -> None:
    """A refusal is a tool's error that a model can read, not a broken connection."""
    for tool, arguments in (
        ("ask_policies", {}),
        ("ask_policies", {"question": "Why?", "shout": True}),
        ("ask_policies", {"question": " "}),
        ("search_policies", {"query": "vials", "department": "Nowhere"}),
        ("read_policy", {"document_id": "none"}),
        ("forget_policies", {}),
    ):
        failed, _, text = call(site, key, tool, **arguments)
        assert failed, tool
        assert len(text) > 10


def test_another_department_is_not_there(site: Site, key: str) -> None:
    """A key of Catering finds, is told and reads nothing of Pharmacy; a key's rights decide."""
    foreign = site.key("outsider", READING)
    for tool, arguments in (
        ("search_policies", {"query": "vials", "department": "Pharmacy"}),
        ("ask_policies", {"question": "How long?", "department": "Pharmacy"}),
        ("read_policy", {"document_id": site.vials}),
    ):
        failed, found, text = call(site, foreign, tool, **arguments)
        assert failed, tool
        assert not found
        assert "puncture" not in text


def test_a_question_is_recorded_with_the_way_it_came(site: Site, key: str) -> None:
    """An auditor sees that a program asked through this protocol."""
    call(site, key, "ask_policies", question="How long are vials kept?")
    with site.platform.record.read() as connection:
        channels = connection.execute(select(questions.c.channel)).scalars().all()
    assert "mcp" in channels


def test_a_revoked_key_opens_nothing(site: Site, stranger: httpx.Client) -> None:
    """From the next request on."""
    key = site.key("editor")
    headers = {**HEADERS, "Authorization": f"Bearer {key}"}
    assert stranger.post("/mcp", json=ROW, headers=headers).status_code == 200
    site.platform.keys.revoke(SYSTEM, key.split("_")[1], site.platform.clock())
    assert stranger.post("/mcp", json=ROW, headers=headers).status_code == 401


def test_a_page_of_another_site_cannot_call_it(
    site: Site, key: str, stranger: httpx.Client
) -> None:
    """Not with a good key either; nor under a name that is not ours."""
    good = {**HEADERS, "Authorization": f"Bearer {key}"}
    for wrong in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        answer = stranger.post("/mcp", json=ROW, headers={**good, **wrong})
        assert answer.status_code in (400, 403, 421), wrong
        assert "access-control-allow-origin" not in answer.headers


def test_without_a_key_there_is_nothing(site: Site, stranger: httpx.Client) -> None:
    """Nor with a word that is no key."""
    assert stranger.post("/mcp", json=ROW, headers=HEADERS).status_code == 401
    wrong = {**HEADERS, "Authorization": "Bearer lak_wrong"}
    assert stranger.post("/mcp", json=ROW, headers=wrong).status_code == 401


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_there_are_no_sessions_to_listen_to_or_end(site: Site, key: str, method: str) -> None:
    """Each request stands alone."""
    with httpx.Client(base_url=site.url, headers={"Authorization": f"Bearer {key}"}) as web:
        assert web.request(method, "/mcp", headers=HEADERS).status_code == 405
