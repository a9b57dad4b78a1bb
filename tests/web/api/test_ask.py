"""Questions and searches as JSON."""

import json

import httpx
import pytest

CONTRACT_PASSAGE = (
    "passage_id document_id policy_number title version department section page_from page_to "
    "score text url"
)
CONTRACT_ANSWER = "id status answer citations passages model prompt_version timings_ms"


def events(text: str) -> list[tuple[str, dict[str, object]]]:
    """The named events of a stream."""
    found = []
    for block in text.strip().split("\n\n"):
        name, data = block.split("\n", 1)
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def test_an_answer_has_the_shape_of_the_contract(client: httpx.Client) -> None:
    """Field by field."""
    answer = client.post("/api/v1/ask", json={"question": "How long?"}).json()
    assert sorted(answer) == sorted(CONTRACT_ANSWER.split())
    assert answer["status"] == "answered"
    assert sorted(answer["passages"][0]) == sorted(CONTRACT_PASSAGE.split())
    citation = answer["citations"][0]
    assert citation["marker"] == 1
    assert citation["quote"] in answer["passages"][0]["text"]
    assert {"status", "effective_from", "review_due", "overdue"} <= set(citation)


def test_an_answer_as_a_stream_of_events(client: httpx.Client) -> None:
    """Passages, then sentences, then the answer."""
    headers = {"Accept": "text/event-stream"}
    answer = client.post("/api/v1/ask", json={"question": "How long?"}, headers=headers)
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    found = events(answer.text)
    assert [name for name, _ in found] == ["passages", "token", "token", "answer"]
    released = "".join(str(data["text"]) for name, data in found if name == "token")
    assert released.strip() == found[-1][1]["answer"]


def test_a_fault_in_the_middle_is_an_event(client: httpx.Client) -> None:
    """The status line is gone by then."""
    headers = {"Accept": "text/event-stream"}
    answer = client.post("/api/v1/ask", json={"question": "broken"}, headers=headers)
    name, data = events(answer.text)[-1]
    assert name == "error"
    assert data["error"]["type"] == "answer_cut_short"


def test_not_found_is_a_status_without_text(client: httpx.Client) -> None:
    """The nearest passages come with it."""
    answer = client.post("/api/v1/ask", json={"question": "nowhere"}).json()
    assert (answer["status"], answer["citations"]) == ("not_found", [])
    assert answer["passages"]


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"question": "  "}, 422, "question_empty"),
        ({"question": "x" * 2001}, 413, "question_too_long"),
        ({"question": "x", "asof": "2026-01-01"}, 422, "unknown_field"),
        ({"question": "x", "as_of": "2026-01-01"}, 422, "bad_field"),
        ({"question": 7}, 422, "bad_field"),
        ({}, 422, "bad_field"),
        ({"question": "x", "department": "Nobody"}, 404, "unknown_department"),
        ({"question": "silent"}, 503, "runtime_unreachable"),
    ],
)
def test_a_bad_question_is_refused_by_name(
    client: httpx.Client, body: dict[str, object], status: int, kind: str
) -> None:
    """With what to do next."""
    answer = client.post("/api/v1/ask", json=body)
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)
    assert answer.json()["error"]["hint"]


def test_an_unknown_field_is_named(client: httpx.Client) -> None:
    """Not only counted."""
    answer = client.post("/api/v1/ask", json={"question": "x", "asof": "2026-01-01"})
    assert "asof" in answer.json()["error"]["message"]


def test_json_that_is_none_is_refused(client: httpx.Client) -> None:
    """In our shape, too."""
    answer = client.post("/api/v1/ask", content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert set(answer.json()["error"]) == {"type", "message", "hint"}


def test_search_gives_as_many_passages_as_asked(client: httpx.Client) -> None:
    """k counts."""
    found = client.post("/api/v1/search", json={"query": "vial", "k": 2}).json()["passages"]
    assert len(found) == 2
    assert sorted(found[0]) == sorted(CONTRACT_PASSAGE.split())
    assert client.post("/api/v1/search", json={"query": "vial", "k": 0}).status_code == 422


def test_a_header_tells_how_sure_the_answer_is(client: httpx.Client) -> None:
    """The Answer itself has the contract's fields alone."""
    answer = client.post("/api/v1/ask", json={"question": "How long?"})
    assert answer.headers["Lamplight-Confidence"] == "0.830"
    nothing = client.post("/api/v1/ask", json={"question": "nowhere"})
    assert "Lamplight-Confidence" not in nothing.headers
