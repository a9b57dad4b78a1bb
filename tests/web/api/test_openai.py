"""The policies as a model of OpenAI's API, with OpenAI's own client."""

import json
from collections.abc import Iterator

import httpx
import openai
import pytest

from web.testing import Site


@pytest.fixture
def chat(site: Site, key: str) -> Iterator[openai.OpenAI]:
    """OpenAI's client on the platform."""
    with openai.OpenAI(base_url=f"{site.url}/v1", api_key=key, max_retries=0) as chat:
        yield chat


ASKED = [{"role": "system", "content": "ignored"}, {"role": "user", "content": "How long?"}]


def test_the_models_are_the_policies_and_the_runtimes(chat: openai.OpenAI) -> None:
    """One per department beside the general one."""
    names = [model.id for model in chat.models.list()]
    assert names[:2] == ["policies", "policies:Pharmacy"]
    assert "chat" in names


@pytest.mark.parametrize("model", ["policies", "policies:Pharmacy"])
def test_a_completion_carries_its_citations(chat: openai.OpenAI, model: str) -> None:
    """As annotations, and as our own list."""
    answer = chat.chat.completions.create(model=model, messages=ASKED)
    message = answer.choices[0].message
    assert answer.choices[0].finish_reason == "stop"
    assert message.annotations is not None
    note = message.annotations[0].url_citation
    assert message.content is not None
    assert message.content[note.start_index : note.end_index] == "[1]"
    assert "/documents/" in note.url
    citations = message.model_extra["citations"]
    assert citations[0]["marker"] == 1


def test_a_stream_ends_with_the_citations(chat: openai.OpenAI) -> None:
    """In the last chunk before the end, and not earlier."""
    stream = chat.chat.completions.create(model="policies", messages=ASKED, stream=True)
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert "[1]" in text
    last = chunks[-1].choices[0]
    assert last.finish_reason == "stop"
    assert last.delta.model_extra["citations"][0]["marker"] == 1
    assert not any("citations" in (c.choices[0].delta.model_extra or {}) for c in chunks[:-1])


def test_not_found_is_said_and_flagged(chat: openai.OpenAI) -> None:
    """A program needs no reading to know it."""
    asked = [{"role": "user", "content": [{"type": "text", "text": "nowhere"}]}]
    answer = chat.chat.completions.create(model="policies", messages=asked)
    message = answer.choices[0].message
    assert message.content == "We did not find this in the current policies."
    assert message.model_extra == {"citations": [], "abstained": True}


def test_another_model_is_the_runtimes(client: httpx.Client) -> None:
    """The request is passed on as it came, with a bound of its answer."""
    body = {"model": "chat", "messages": [], "logit_bias": {}, "max_tokens": 9}
    assert client.post("/v1/chat/completions", json=body).json()["echo"] == body
    vectors = client.post("/v1/embeddings", json={"model": "embed", "input": "x"}).json()
    assert len(vectors["data"]) == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"model": "policies", "messages": []}, "no_question"),
        ({"model": "policies", "messages": [{"role": "assistant", "content": "x"}]}, "no_question"),
        ({"model": "policies", "messages": [{"role": "user", "content": " "}]}, "question_empty"),
        ({"model": "policies:Nobody", "messages": ASKED}, "unknown_department"),
    ],
)
def test_a_bad_request_is_refused_in_openais_shape(
    chat: openai.OpenAI, body: dict[str, object], code: str
) -> None:
    """The client raises its own error with our code."""
    with pytest.raises(openai.APIStatusError) as refused:
        chat.post("/chat/completions", body=body, cast_to=object)
    assert refused.value.code == code


def test_a_fault_in_a_stream_reaches_the_client(chat: openai.OpenAI) -> None:
    """As an error and not as a short answer."""
    asked = [{"role": "user", "content": "broken"}]
    stream = chat.chat.completions.create(model="policies", messages=asked, stream=True)
    with pytest.raises(openai.APIError):
        list(stream)


def ask(client: httpx.Client, **more: object) -> httpx.Response:
    """One question to the policies, in OpenAI's shape."""
    messages = [{"role": "user", "content": "How long are vials kept?"}]
    return client.post(
        "/v1/chat/completions", json={"model": "policies", "messages": messages, **more}
    )


def test_json_object_gives_the_answer_as_the_api_does(client: httpx.Client) -> None:
    """With its citations inside the content, for programs that read nothing else."""
    told = ask(client, response_format={"type": "json_object"}).json()
    answer = json.loads(told["choices"][0]["message"]["content"])
    assert answer["status"] == "answered"
    assert answer["citations"][0]["quote"]


@pytest.mark.parametrize(
    "more",
    [
        {"n": 2},
        {"logprobs": True},
        {"tool_choice": "required"},
        {"response_format": {"type": "json_schema", "json_schema": {}}},
        {"response_format": "json"},
    ],
)
def test_what_no_answer_of_ours_can_be_is_refused(
    client: httpx.Client, more: dict[str, object]
) -> None:
    """In words, before anything is asked."""
    refused = ask(client, **more)
    assert refused.status_code == 422
    assert refused.json()["error"]["hint"]


def test_tools_that_may_be_used_are_passed_over(client: httpx.Client) -> None:
    """Clients send their tools with every question."""
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    assert ask(client, tools=[tool], tool_choice="auto").status_code == 200


def test_an_answer_says_what_it_took(client: httpx.Client) -> None:
    """In one piece always, in a stream where it is asked for, after everything else."""
    assert set(ask(client).json()["usage"]) == {
        "prompt_tokens", "completion_tokens", "total_tokens",
    }  # fmt: skip
    stream = ask(client, stream=True, stream_options={"include_usage": True}).text
    lines = [line[6:] for line in stream.splitlines() if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    assert "usage" in json.loads(lines[-2])
    assert json.loads(lines[-3])["choices"][0]["finish_reason"] == "stop"
