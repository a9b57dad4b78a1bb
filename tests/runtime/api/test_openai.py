"""OpenAI's own client and plain requests against `/v1`."""

import base64
import json
from typing import Any

import httpx
import numpy as np
import openai
import pytest

CHAT, EMBED = "smollm2:135m", "all-minilm"
QUESTION: list[Any] = [{"role": "user", "content": "What is the capital of France?"}]


def events(http: httpx.Client, **body: Any) -> list[str]:
    request = {"model": CHAT, "messages": QUESTION, "stream": True, "max_tokens": 8} | body
    answer = http.post("/v1/chat/completions", json=request)
    assert answer.headers["content-type"].startswith("text/event-stream")
    parts = answer.text.split("\n\n")
    assert parts.pop() == ""
    assert all(part.startswith("data: ") for part in parts)
    return [part.removeprefix("data: ") for part in parts]


def test_a_completion_in_one_piece(openai_client: openai.OpenAI) -> None:
    """Content, reason and usage as the client reads them."""
    answer = openai_client.chat.completions.create(
        model=CHAT, messages=QUESTION, temperature=0, max_tokens=12
    )
    assert "Paris" in (answer.choices[0].message.content or "")
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.id.startswith("chatcmpl-")
    assert answer.system_fingerprint == "fp_ollama"


def test_o_01_o_04_o_06_a_stream_has_its_order(http: httpx.Client) -> None:
    """The role first and once, then content, then a reason with nothing, then the end."""
    *parts, done = events(http, temperature=0)
    chunks = [json.loads(part) for part in parts]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert done == "[DONE]"
    assert deltas[0]["role"] == "assistant"
    assert not any("role" in delta for delta in deltas[1:])
    assert deltas[-1] == {}
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
    assert reasons == [None] * (len(chunks) - 1) + ["stop"]
    assert len({(chunk["id"], chunk["created"]) for chunk in chunks}) == 1
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert not any("usage" in chunk for chunk in chunks)


def test_o_05_usage_comes_when_asked(http: httpx.Client) -> None:
    """One more chunk, without choices."""
    *_, last, _done = events(http, stream_options={"include_usage": True})
    chunk = json.loads(last)
    assert chunk["choices"] == []
    assert chunk["usage"]["prompt_tokens"] > 0


def test_the_client_reads_the_stream(openai_client: openai.OpenAI) -> None:
    """Pieces join to the same greedy answer."""
    with openai_client.chat.completions.create(
        model=CHAT, messages=QUESTION, temperature=0, max_tokens=12, stream=True
    ) as chunks:
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert "Paris" in text


def test_options_have_openai_s_names(openai_client: openai.OpenAI) -> None:
    """Stop, seed and both names of the limit."""

    def create(**options: Any) -> Any:
        answer = openai_client.chat.completions.create(model=CHAT, messages=QUESTION, **options)
        return answer.choices[0]

    stopped = create(temperature=0, stop="Paris", max_tokens=12)
    assert stopped.message.content == "The capital of France is "
    assert create(max_completion_tokens=3).finish_reason == "length"
    told = [create(seed=7, max_tokens=8).message.content for _ in range(2)]
    assert told[0] == told[1]


def test_a_schema_is_followed(openai_client: openai.OpenAI) -> None:
    """`response_format` shapes the answer."""
    schema = {
        "type": "object",
        "properties": {"capital": {"type": "string", "maxLength": 20}},
        "required": ["capital"],
        "additionalProperties": False,
    }
    answer = openai_client.chat.completions.create(
        model=CHAT,
        messages=QUESTION,
        temperature=0,
        max_tokens=60,
        response_format={"type": "json_schema", "json_schema": {"name": "c", "schema": schema}},
    )
    assert set(json.loads(answer.choices[0].message.content or "")) == {"capital"}


def test_content_may_come_in_parts(http: httpx.Client) -> None:
    """Text parts are read; the developer's role is the system's."""
    messages = [
        {"role": "developer", "content": "Answer briefly."},
        {"role": "user", "content": [{"type": "text", "text": "What is the capital of France?"}]},
    ]
    body = {"model": CHAT, "messages": messages, "temperature": 0, "max_tokens": 12}
    answer = http.post("/v1/chat/completions", json=body).json()
    assert "Paris" in answer["choices"][0]["message"]["content"]


IMAGE = [{"type": "image_url", "image_url": {"url": "https://example.org/x.png"}}]


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"model": "nobody"}, 404, "model 'nobody' not found"),
        ({"model": ""}, 400, "model is required"),
        ({"messages": []}, 400, "[] is too short - 'messages'"),
        (
            {"messages": [{"role": "user", "content": None}]},
            400,
            "invalid message content type: <nil>",
        ),
        (
            {"messages": [{"role": "user", "content": IMAGE}]},
            400,
            "image URLs are not currently supported, please use base64 encoded data instead",
        ),
        ({"model": EMBED}, 400, f'"{EMBED}" does not support chat'),
        (
            {"tools": [{"type": "function", "function": {"name": "f"}}]},
            400,
            "registry.ollama.ai/library/smollm2:135m does not support tools",
        ),
    ],
)
def test_refusals_are_in_openai_s_shape(
    http: httpx.Client, body: dict[str, Any], status: int, text: str
) -> None:
    """R-06: the native status and text inside the object that these clients read."""
    answer = http.post("/v1/chat/completions", json={"model": CHAT, "messages": QUESTION} | body)
    kind = "not_found_error" if status == 404 else "invalid_request_error"
    assert answer.status_code == status
    assert answer.json()["error"] == {"message": text, "type": kind, "param": None, "code": None}


def test_the_client_raises_its_own_errors(openai_client: openai.OpenAI) -> None:
    """An unknown model is its NotFoundError."""
    with pytest.raises(openai.NotFoundError, match="model 'nobody' not found"):
        openai_client.chat.completions.create(model="nobody", messages=QUESTION)


def test_embeddings_in_both_forms(http: httpx.Client, openai_client: openai.OpenAI) -> None:
    """The client asks for base64 by itself; both forms hold the same numbers."""
    answer = openai_client.embeddings.create(model=EMBED, input=["hello", "world"])
    assert [item.index for item in answer.data] == [0, 1]
    assert answer.usage.prompt_tokens == 6
    raw = http.post(
        "/v1/embeddings", json={"model": EMBED, "input": "hello", "encoding_format": "base64"}
    ).json()["data"][0]["embedding"]
    numbers = np.frombuffer(base64.b64decode(raw), "<f4")
    plain = http.post("/v1/embeddings", json={"model": EMBED, "input": "hello"}).json()
    assert np.allclose(numbers, plain["data"][0]["embedding"])
    assert np.allclose(numbers, answer.data[0].embedding, atol=1e-3)


def test_embeddings_of_an_empty_text_and_fewer_dimensions(http: httpx.Client) -> None:
    """An empty string is one text; dimensions shorten."""
    body = {"model": EMBED, "input": "", "dimensions": 64}
    data = http.post("/v1/embeddings", json=body).json()["data"]
    assert [len(item["embedding"]) for item in data] == [64]


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"input": None}, 400, "invalid input"),
        ({"input": []}, 400, "invalid input"),
        ({"input": [[1, 2]]}, 400, "invalid input type"),
        (
            {"input": "x", "encoding_format": "hex"},
            400,
            "Invalid value for 'encoding_format' = hex. Supported values: ['float', 'base64'].",
        ),
        ({"input": "x", "model": "nobody"}, 404, 'model "nobody" not found, try pulling it first'),
    ],
)
def test_embedding_refusals(
    http: httpx.Client, body: dict[str, Any], status: int, text: str
) -> None:
    """In OpenAI's shape, with Ollama's words."""
    answer = http.post("/v1/embeddings", json={"model": EMBED} | body)
    assert (answer.status_code, answer.json()["error"]["message"]) == (status, text)


def test_models_are_listed_and_found(openai_client: openai.OpenAI, http: httpx.Client) -> None:
    """By any spelling of the name, also percent-encoded with a namespace."""
    listed = {model.id: model for model in openai_client.models.list()}
    assert listed[CHAT].owned_by == "library"
    assert openai_client.models.retrieve("all-minilm").id == "all-minilm:latest"
    assert http.get("/v1/models/library%2Fsmollm2:135m").json()["id"] == CHAT
    with pytest.raises(openai.NotFoundError):
        openai_client.models.retrieve("nobody")
