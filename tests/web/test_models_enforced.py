"""APR-2 at the platform: it asks before it calls a model, and again while the model answers.

The runtime's own gate is asked in tests/lamplight/test_model_admission.py; here no runtime refuses
anything, so that only the platform's own look can.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from governance.data_classes import DataClass
from governance.events import SYSTEM, Actor
from governance.record.trail_tables import audit_leaves
from governance.testing_approvals import approved, proposal
from web.testing import ScriptedAssistant, ScriptedModels, Site

OWNER = Actor("local", "owner", "socket")
PHARMACY = "Pharmacy"
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "ask": ("/api/v1/ask", {"question": "How long?", "department": PHARMACY}),
    "policies": (
        "/v1/chat/completions",
        {"model": "policies:Pharmacy", "messages": [{"role": "user", "content": "How long?"}]},
    ),
    "chat": ("/v1/chat/completions", {"model": "chat", "messages": []}),
    "embeddings": ("/v1/embeddings", {"model": "embed", "input": "x"}),
}


@pytest.fixture(autouse=True)
def tidy(site: Site) -> Iterator[None]:
    """No test leaves a block or a class behind."""
    yield
    parts, place = site.platform.models, site.platform.policies.department(PHARMACY).id
    for one in parts.blocks.blocks():
        parts.blocks.lift(OWNER, one.id, "The test is over", site.clock())
    parts.classes.set_class(SYSTEM, place, DataClass.INTERNAL, "The test is over")


def refusals(site: Site) -> list[dict[str, Any]]:
    """The events of models that were refused."""
    query = select(audit_leaves.c.body).where(audit_leaves.c.action == "model.refused")
    with site.platform.record.read() as connection:
        return [json.loads(body) for body in connection.scalars(query)]


def key_client(site: Site) -> httpx.Client:
    headers = {"Authorization": f"Bearer {site.key('staff')}"}
    return httpx.Client(base_url=site.url, headers=headers, timeout=30.0)


@pytest.mark.parametrize("way", ASKED)
def test_apr_2_the_platform_calls_no_model_that_is_not_approved_for_a_department(
    site: Site, way: str
) -> None:
    """What the catalogue allows for internal data ends when the department's is confidential."""
    path, body = ASKED[way]
    assistant = site.platform.assistant
    assert isinstance(assistant, ScriptedAssistant)
    place = site.platform.policies.department(PHARMACY).id
    with key_client(site) as client:
        assert client.post(path, json=body).status_code == 200
        site.platform.models.classes.set_class(SYSTEM, place, DataClass.CONFIDENTIAL, "Plans")
        called, told = len(assistant.askers), len(refusals(site))
        answer = client.post(path, json=body)
    assert answer.status_code == 403
    assert "may not be used here" in answer.text
    assert "lamplight model propose" in answer.text
    assert len(assistant.askers) == called
    [event] = refusals(site)[told:]
    assert (event["tenant"], event["facts"]["data_class"]) == (place, "confidential")
    assert event["actor"]["sub"] == "staff"


@pytest.mark.parametrize("way", ASKED)
def test_apr_2_nothing_but_the_platforms_own_check_refuses_here(
    site: Site, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """A mutant without it calls the model all the same, so the test above would fail."""
    path, body = ASKED[way]
    place = site.platform.policies.department(PHARMACY).id
    site.platform.models.classes.set_class(SYSTEM, place, DataClass.CONFIDENTIAL, "Plans")
    monkeypatch.setattr(site.platform.models.guard, "require", lambda *_: None)
    with key_client(site) as client:
        assert client.post(path, json=body).status_code == 200


def test_apr_5_the_platform_asks_what_an_approval_was_decided_on(site: Site) -> None:
    """A model that is approved is refused once the search is set otherwise; the page says why."""
    body, models = {"model": "brought", "messages": []}, site.platform.models
    known = models.known
    assert isinstance(known, ScriptedModels)
    given = approved(
        models.approvals,
        now=site.clock(),
        dossier=replace(proposal().dossier, basis=models.basis()),
    )
    before = known.holds["retrieval"]
    with key_client(site) as client, site.client("administrator") as admin:
        assert client.post("/v1/chat/completions", json=body).status_code == 200
        known.holds["retrieval"] = "another"
        try:
            answer = client.post("/v1/chat/completions", json=body)
            text = admin.get(f"/models/{given.proposal.digest}").text
            told = admin.get(f"/api/v1/approvals/{given.id}").json()
        finally:
            known.holds["retrieval"] = before
            models.approvals.revoke(OWNER, given.id, "The test is over", site.clock())
    assert answer.status_code == 403
    assert "the settings of the search changed" in answer.text
    assert "because the settings of the search changed since" in text
    assert (told["counts_now"], told["changed_since"]) == (False, ["retrieval"])


def test_apr_2_a_model_that_somebody_brought_is_passed_on_once_it_is_approved(site: Site) -> None:
    """And refused again from the second on at which its approval ends."""
    body = {"model": "brought", "messages": []}
    with key_client(site) as client:
        assert client.post("/v1/chat/completions", json=body).status_code == 403
        approved(site.platform.models.approvals, now=site.clock())
        assert client.post("/v1/chat/completions", json=body).status_code == 200
        site.clock.ahead = timedelta(days=10, seconds=1)
        try:
            with key_client(site) as later:
                assert later.post("/v1/chat/completions", json=body).status_code == 403
        finally:
            site.clock.ahead = timedelta(0)


def test_gov_3_a_block_ends_a_running_answer(site: Site) -> None:
    """With a last event that says why; the model is stopped."""
    assistant = site.platform.assistant
    assert isinstance(assistant, ScriptedAssistant)
    assistant.gate.clear()
    asked = {"question": "How slow?", "department": PHARMACY}
    with (
        key_client(site) as client,
        client.stream(
            "POST", "/api/v1/ask", json=asked, headers={"Accept": "text/event-stream"}
        ) as answer,
    ):
        pieces = answer.iter_text()
        text, stopped = next(pieces), len(assistant.stopped)
        site.platform.models.blocks.block(OWNER, None, None, "An incident", site.clock())
        # The model never goes on by itself here: only the block can end the answer.
        text += "".join(pieces)
    assert "It is blocked here." in text
    assert "event: answer" not in text
    assert len(assistant.stopped) == stopped + 1


def test_a_refused_question_on_the_page_says_what_to_do(site: Site) -> None:
    """In words, and with the right status."""
    site.platform.models.blocks.block(OWNER, None, None, "An incident", site.clock())
    with site.client("staff") as client:
        answer = client.post("/ask", data={"question": "How long?", "department": PHARMACY})
    assert answer.status_code == 403
    assert "may not be used here" in answer.text
    assert "lift the block" in answer.text
