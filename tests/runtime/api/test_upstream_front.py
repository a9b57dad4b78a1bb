"""A runtime of ours as the server behind another one: exact counts, tools, vectors, formats."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from runtime.api.app import create_app
from runtime.api.testing import OpenGate
from runtime.config import RuntimeSettings
from runtime.testing_upstream import served
from runtime.upstream_config import read_upstreams
from runtime.upstream_store import UpstreamStore

ASK = [{"role": "user", "content": "Say hello."}]
SHORT = {"num_predict": 8, "temperature": 0, "seed": 1}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


@pytest.fixture(scope="module")
def front(
    base_url: str, tool_model: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A front without models of its own, before the runtime of the tests."""
    folder: Path = tmp_path_factory.mktemp("second")
    url = f"{base_url}/v1"
    lines = (
        f"smollm2:135m {url} context_tokens=1024;"
        f"all-minilm {url} model=all-minilm:latest capabilities=embedding;"
        f"caller {url} model={tool_model} capabilities=completion,tools"
    )
    settings = RuntimeSettings(models_dir=folder, upstreams=read_upstreams(lines))
    store = UpstreamStore(folder, (), settings.upstreams)
    app = create_app(settings, store, OpenGate())
    with served(app) as address, httpx.Client(base_url=address, timeout=120) as client:
        yield client


def test_clients_see_no_difference(front: httpx.Client, http: httpx.Client) -> None:
    """The same request to both gives the same answer with the same counts."""
    body = {"model": "smollm2:135m", "messages": ASK, "options": SHORT, "stream": False}
    ours, theirs = (one.post("/api/chat", json=body).json() for one in (front, http))
    for name in ("message", "done_reason", "prompt_eval_count", "eval_count", "model"):
        assert ours[name] == theirs[name]


def test_vectors_are_the_same(front: httpx.Client, http: httpx.Client) -> None:
    """`/api/embed` and `/v1/embeddings`: the same numbers, in the order of the texts."""
    body = {"model": "all-minilm", "input": ["a ward", "a bed in a ward", "rain"]}
    ours, theirs = (one.post("/api/embed", json=body).json() for one in (front, http))
    assert np.allclose(ours["embeddings"], theirs["embeddings"], atol=1e-6)
    assert ours["prompt_eval_count"] == theirs["prompt_eval_count"]
    told = front.post("/v1/embeddings", json=body).json()
    assert np.allclose(told["data"][2]["embedding"], theirs["embeddings"][2], atol=1e-6)


def test_a_call_comes_through_every_dialect(front: httpx.Client) -> None:
    """What the other server has told apart as a call is one in each form, also in a stream."""
    ask = [{"role": "user", "content": "What is the weather in Paris? Use the tool."}]
    body = {"model": "caller", "messages": ask, "tools": [WEATHER], "options": SHORT}
    body["options"] = SHORT | {"num_predict": 80}
    text = front.post("/api/chat", json=body).text
    calls = [c for x in text.splitlines() for c in json.loads(x)["message"].get("tool_calls", ())]
    assert [call["function"]["name"] for call in calls] == ["get_weather"]
    assert "Paris" in calls[0]["function"]["arguments"]["city"]
    rest = {"model": "caller", "messages": ask, "tools": [WEATHER], "temperature": 0}
    choice = front.post("/v1/chat/completions", json=rest).json()["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    tool = {"name": "get_weather", "input_schema": WEATHER["function"]["parameters"]}  # type: ignore[index]
    asked = rest | {"tools": [tool], "max_tokens": 80}
    assert front.post("/v1/messages", json=asked).json()["stop_reason"] == "tool_use"


def test_the_result_of_a_call_finds_it(
    front: httpx.Client, http: httpx.Client, tool_model: str
) -> None:
    """Ollama's form names a tool, OpenAI's an id: both read the same conversation."""
    function = {"name": "get_weather", "arguments": {"city": "Paris"}}
    said = [
        {"role": "user", "content": "What is the weather in Paris?"},
        {"role": "assistant", "content": "", "tool_calls": [{"function": function}]},
        {"role": "tool", "tool_name": "get_weather", "content": "11 degrees and rain"},
    ]
    body = {"messages": said, "tools": [WEATHER], "stream": False, "options": SHORT}
    ours = front.post("/api/chat", json=body | {"model": "caller"}).json()
    theirs = http.post("/api/chat", json=body | {"model": tool_model}).json()
    assert ours["prompt_eval_count"] == theirs["prompt_eval_count"]
    assert ours["message"]["content"] == theirs["message"]["content"]


def test_a_schema_is_asked_for_in_openais_way(front: httpx.Client) -> None:
    """`format` becomes a `json_schema`, and the answer follows it."""
    schema = {"type": "object", "properties": {"n": {"type": "boolean"}}, "required": ["n"]}
    body = {"model": "smollm2:135m", "messages": ASK, "format": schema, "stream": False}
    answer = front.post("/api/chat", json=body | {"options": SHORT | {"num_predict": 40}}).json()
    assert isinstance(json.loads(answer["message"]["content"])["n"], bool)
