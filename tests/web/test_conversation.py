"""Follow-up questions: what the assistant is told of the conversation, from every way in."""

import httpx
import pytest

from rag.schema import Turn
from web.conversation import MAX_CHARS, MAX_TURNS, turns_of, turns_within
from web.errors import BadField
from web.testing import Site

QUESTION = "How long are vials kept?"


def test_the_page_hands_a_conversation_on(site: Site, client: httpx.Client) -> None:
    """A question that follows on an answer brings that question and answer along."""
    first = client.post("/ask", data={"question": QUESTION})
    follow = client.post(
        "/ask", data={"question": "And eye drops?", "after": first.headers["location"][5:]}
    )
    assert follow.status_code == 303
    (turn,) = site.assistant.conversations[-1]
    assert turn.question == QUESTION
    assert "28 days" in turn.answer


def test_what_nobody_holds_any_more_is_no_conversation(site: Site, client: httpx.Client) -> None:
    """The question is then asked alone."""
    client.post("/ask", data={"question": QUESTION, "after": "0" * 32})
    assert site.assistant.conversations[-1] == ()


def test_the_api_takes_a_conversation(site: Site, client: httpx.Client) -> None:
    """In order, the last turns of it."""
    turns = [{"question": f"Question {n}?", "answer": f"Answer {n}."} for n in range(8)]
    client.post("/api/v1/ask", json={"question": QUESTION, "conversation": turns})
    found = site.assistant.conversations[-1]
    assert [one.question for one in found] == [f"Question {n}?" for n in range(2, 8)]


def test_openai_clients_send_it_as_messages(site: Site, client: httpx.Client) -> None:
    """Each question with the answer after it; what the system says is not ours to follow."""
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "First?"},
        {"role": "assistant", "content": "Yes. [1]"},
        {"role": "user", "content": QUESTION},
    ]
    client.post("/v1/chat/completions", json={"model": "policies", "messages": messages})
    assert site.assistant.conversations[-1] == (Turn("First?", "Yes. [1]"),)


def test_messages_without_text_are_passed_over() -> None:
    """Clients send more kinds of messages than we read."""
    messages = [{"role": "user", "content": None}, "odd", {"role": "assistant"}, {"role": "user"}]
    assert turns_within(messages) == ()


@pytest.mark.parametrize("pair", [("", "a"), ("q", "a" * (MAX_CHARS + 1))])
def test_a_turn_that_is_none_is_refused(pair: tuple[str, str]) -> None:
    """Whole and early, with what to do."""
    with pytest.raises(BadField):
        turns_of([pair])


def test_only_the_last_turns_are_read() -> None:
    """What was said long ago decides little and costs much."""
    assert len(turns_of([("q", "a")] * 20)) == MAX_TURNS
