"""A policy that changes while an answer is written from it: the answer is not given."""

import threading
from typing import Any

import httpx
import pytest

from governance.events import Actor
from governance.versions import Act
from web.testing import ScriptedAssistant, Site

OWNER = Actor("local", "owner", "socket")


@pytest.fixture
def assistant(site: Site) -> ScriptedAssistant:
    scripted = site.platform.assistant
    assert isinstance(scripted, ScriptedAssistant)
    scripted.gate.clear()
    return scripted


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
