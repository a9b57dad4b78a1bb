"""A policy that changes while an answer is written from it: the answer is not given."""

import threading
import time
from typing import Any

import httpx
import pytest

from governance.events import Actor
from governance.versions import Act
from ingest.testing import load_in_force
from web.testing import ScriptedAssistant, Site, passage_of

OWNER = Actor("local", "owner", "socket")


@pytest.fixture
def assistant(site: Site) -> ScriptedAssistant:
    scripted = site.platform.assistant
    assert isinstance(scripted, ScriptedAssistant)
    scripted.gate.clear()
    return scripted


def test_a_kept_answer_is_not_shown_once_its_policy_has_changed(
    site: Site, staff: httpx.Client
) -> None:
    """The back button leads to the question and the advice to ask again; no old quote is left."""
    text = b"# Lamps\n\nThe lamp above the bed is checked every 90 days.\n"
    place = site.platform.policies.department("Pharmacy")
    submitted = load_in_force(site.platform.loader, "lamps.md", text, place)
    while site.platform.jobs.open_jobs():
        time.sleep(0.02)
    hits = site.platform.index.search("Pharmacy", "lamp bed", None, 9, site.clock().timestamp())
    found = site.platform.policies.passages_in_force([one.passage_id for one in hits], "Pharmacy")
    before, site.assistant.passages = (
        site.assistant.passages,
        [passage_of(one) for one in found.values() if one.document_id == submitted.document_id],
    )
    asked = staff.post("/ask", data={"question": "How often?", "department": "Pharmacy"})
    assert "90 days" in staff.get(asked.headers["Location"]).text
    site.platform.publisher.delete(OWNER, submitted.document_id)
    page = staff.get(asked.headers["Location"]).text
    assert "90 days" not in page
    assert "has changed" in page
    site.assistant.passages = before


def test_an_answer_from_a_policy_that_was_retired_meanwhile_is_stopped(
    site: Site, staff: httpx.Client, assistant: ScriptedAssistant
) -> None:
    """Between the first word and the last the policy goes: the reader is told to ask again."""
    answers: list[Any] = []

    def ask() -> None:
        body = {"question": "slow: how long are vials kept?"}
        answers.append(staff.post("/api/v1/ask", json=body, timeout=30.0))

    asking = threading.Thread(target=ask)
    asking.start()
    while not assistant.askers:
        assert asking.is_alive()
        asking.join(0.02)
    version = site.platform.policies.version(site.vials, 1)
    site.platform.publisher.do(Act.RETIRE, OWNER, version.version_id, "Withdrawn by the maker")
    assistant.gate.set()
    asking.join()
    (answer,) = answers
    assert (answer.status_code, answer.json()["error"]["type"]) == (409, "policy_changed")
    assert "Ask again" in answer.json()["error"]["hint"]
