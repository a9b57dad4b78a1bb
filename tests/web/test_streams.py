"""OWU-1: a withdrawn right ends a running answer within five seconds, whatever way it came."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from governance.events import SYSTEM
from governance.permissions import Role
from governance.questions import QuestionStatus
from governance.record.use_tables import usage
from governance.sessions import digest_of
from rag.tally import tokens_of
from web.session_cookie import PLAIN_NAME
from web.testing import COUNTED, PROMPT, Site

WITHIN_S = 5.0
ASKED: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "page": ("/ask", {"data": {"question": "slow"}}, {"HX-Request": "true"}),
    "api": ("/api/v1/ask", {"json": {"question": "slow"}}, {"Accept": "text/event-stream"}),
    "openai": (
        "/v1/chat/completions",
        {
            "json": {
                "model": "policies",
                "stream": True,
                "messages": [{"role": "user", "content": "slow"}],
            }
        },
        {},
    ),
}


@pytest.fixture
def reader(site: Site) -> Iterator[httpx.Client]:
    """Somebody of the staff of Pharmacy, for one test alone; the assistant waits."""
    people = site.platform.people
    person = people.create(SYSTEM, "Rita Reader", f"reader-{len(people.people())}")
    pharmacy = site.platform.policies.department("Pharmacy").id
    people.grant(SYSTEM, person.id, Role.STAFF, pharmacy)
    assert isinstance(site.people, dict)
    site.people["reader"] = person.id
    site.assistant.gate.clear()
    with site.client("reader") as client:
        yield client
    site.assistant.gate.set()


def withdraw(site: Site, _client: httpx.Client) -> None:
    """Take the role away."""
    grant = site.platform.people.person(site.people["reader"]).grants[0]
    site.platform.people.withdraw(SYSTEM, grant.id)


def suspend(site: Site, _client: httpx.Client) -> None:
    """Suspend the person."""
    site.platform.people.suspend(SYSTEM, site.people["reader"])


def end_session(site: Site, client: httpx.Client) -> None:
    """End the session from another computer."""
    site.platform.sessions.end(SYSTEM, digest_of(client.cookies[PLAIN_NAME]))


def lock(site: Site, client: httpx.Client) -> None:
    """Lock the ward computer that the answer is coming to."""
    site.platform.sessions.lock(SYSTEM, digest_of(client.cookies[PLAIN_NAME]))


def newest(site: Site) -> QuestionStatus:
    """How the reader's last question ended, in the record."""
    return site.platform.questions.of_person(site.people["reader"])[0].status


def charges(site: Site) -> list[tuple[str, int, int]]:
    """State, requests and tokens of what the reader was charged."""
    columns = (usage.c.state, usage.c.requests, usage.c.tokens)
    query = select(*columns).where(usage.c.person_id == site.people["reader"])
    with site.platform.record.read() as connection:
        return [(str(row.state), row.requests, row.tokens) for row in connection.execute(query)]


@pytest.mark.parametrize("way", ASKED)
@pytest.mark.parametrize("end", [withdraw, suspend, end_session, lock])
def test_owu_1_an_open_answer_ends_within_five_seconds(
    site: Site,
    reader: httpx.Client,
    way: str,
    end: Callable[[Site, httpx.Client], None],
) -> None:
    """With a last event that says so; the model is stopped and the question recorded."""
    path, body, headers = ASKED[way]
    with reader.stream("POST", path, headers=headers, **body) as answer:
        assert answer.status_code == 200
        pieces = answer.iter_text()
        text = next(pieces)
        stopped = len(site.assistant.stopped)
        end(site, reader)
        # The model never goes on by itself here: only what was done can end the answer.
        text += "".join(pieces)
    assert "access ended" in text
    assert "[DONE]" not in text
    assert len(site.assistant.stopped) == stopped + 1
    assert newest(site) is QuestionStatus.ABORTED


def test_owu_1_nothing_is_released_after_the_right_was_withdrawn(
    site: Site, reader: httpx.Client
) -> None:
    """Also not what the model had ready in that very moment."""
    path, body, headers = ASKED["api"]
    with reader.stream("POST", path, headers=headers, **body) as answer:
        pieces = answer.iter_text()
        text = next(pieces)
        withdraw(site, reader)
        site.assistant.gate.set()
        text += "".join(pieces)
    assert "event: token" not in text
    last = text.strip().split("\n\n")[-1]
    name, data = last.split("\n")
    assert name == "event: error"
    assert json.loads(data.removeprefix("data: "))["error"]["type"] == "access_ended"


@pytest.mark.parametrize(
    ("question", "status"),
    [
        ("How long?", QuestionStatus.ANSWERED),
        ("nowhere", QuestionStatus.NOT_FOUND),
        ("broken", QuestionStatus.FAILED),
        ("silent", QuestionStatus.FAILED),
    ],
)
def test_every_question_leaves_one_record(
    site: Site, reader: httpx.Client, question: str, status: QuestionStatus
) -> None:
    """However it ended, with the passages that the model was given."""
    reader.post("/api/v1/ask", json={"question": question})
    asked = site.platform.questions.of_person(site.people["reader"])
    assert len(asked) == 1
    assert asked[0].status is status
    assert len(asked[0].details["passages"]) == 4
    assert "-" in asked[0].details["passages"][0]["version_id"]


def test_the_id_of_an_answer_is_the_id_of_its_record(site: Site, reader: httpx.Client) -> None:
    """So that an auditor finds what somebody holds in their hands."""
    answer = reader.post("/api/v1/ask", json={"question": "How long?"}).json()
    asked = site.platform.questions.of_person(site.people["reader"])
    assert [one.question_id for one in asked] == [answer["id"]]


def test_who_goes_away_leaves_a_record(site: Site, reader: httpx.Client) -> None:
    """Of a question that was broken off, and is charged: the model had read its prompt."""
    path, body, headers = ASKED["page"]
    with reader.stream("POST", path, headers=headers, **body) as answer:
        next(answer.iter_text())
    end = time.monotonic() + WITHIN_S
    while not (asked := site.platform.questions.of_person(site.people["reader"])):
        assert time.monotonic() < end
        time.sleep(0.02)
    prompt = tokens_of(PROMPT)
    assert (asked[0].status, asked[0].details["tokens"]) == (QuestionStatus.ABORTED, prompt)
    assert charges(site) == [("settled", 1, prompt)]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How long?", ("settled", 1, COUNTED.prompt_tokens + COUNTED.answer_tokens)),
        ("nowhere", ("settled", 1, tokens_of("nowhere"))),
        ("silent", ("released", 0, 0)),
    ],
)
def test_qta_1_a_question_costs_what_the_runtime_counted(
    site: Site, reader: httpx.Client, question: str, expected: tuple[str, int, int]
) -> None:
    """Where no model wrote, the search; where the runtime was away, nothing."""
    reader.post("/api/v1/ask", json={"question": question})
    assert charges(site) == [expected]
    asked = site.platform.questions.of_person(site.people["reader"])
    assert asked[0].details["tokens"] == expected[2]


def test_own_1_an_answer_is_kept_for_who_asked_alone(
    site: Site, reader: httpx.Client, editor: httpx.Client
) -> None:
    """Whoever has its address sees nothing; and nor does its reader without the right."""
    address = reader.post("/ask", data={"question": "How long?"}).headers["Location"]
    assert "28 days" in reader.get(address).text
    gone = editor.get(address)
    assert gone.status_code == 404
    assert "28 days" not in gone.text
    withdraw(site, reader)
    assert reader.get(address).status_code == 403


def test_hip_3_an_open_answer_does_not_keep_its_session(site: Site, reader: httpx.Client) -> None:
    """Looking whether the right is still there is no activity of anybody."""
    path, body, headers = ASKED["api"]
    token = digest_of(reader.cookies[PLAIN_NAME])
    with reader.stream("POST", path, headers=headers, **body) as answer:
        next(answer.iter_text())
        seen = {
            one.id: one.seen_at
            for one in site.platform.sessions.sessions_of(site.people["reader"], site.clock())
        }
        time.sleep(2 * site.platform.settings.rights_checked_every_s)
        again = site.platform.sessions.sessions_of(site.people["reader"], site.clock())
        assert {one.id: one.seen_at for one in again}[token] == seen[token]
