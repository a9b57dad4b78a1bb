"""Models that another server answers for: llama-cpp-python's own server, which is not ours."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import ollama
import openai
import pytest

from runtime.api.app import create_app
from runtime.api.testing import OpenGate
from runtime.config import RuntimeSettings
from runtime.names import parse_name
from runtime.store import Store
from runtime.testing_upstream import LlamaCppServer, served
from runtime.upstream_config import read_upstreams
from runtime.upstream_store import UpstreamStore

NAME = "ward:7b"
THERE = "smollm2-production"
KEY = "a-key-of-production"
ASK = [{"role": "user", "content": "Say hello."}]
SHORT = {"num_predict": 8, "temperature": 0, "seed": 1}
SCHEMA = {
    "type": "object",
    "properties": {"bed": {"type": "integer", "maximum": 9}},
    "required": ["bed"],
}
TOOL = {
    "type": "function",
    "function": {
        "name": "find_bed",
        "description": "Finds a free bed",
        "parameters": {"type": "object", "properties": {"ward": {"type": "string"}}},
    },
}


@pytest.fixture(scope="module")
def production(models_dir: Path) -> Iterator[LlamaCppServer]:
    """A server that is not ours, with the small chat model under another name."""
    path = Store(models_dir).read(parse_name("smollm2:135m")).path
    with LlamaCppServer(path, THERE, KEY) as server:
        yield server


@pytest.fixture(scope="module")
def gate() -> OpenGate:
    """Remembers what was recorded."""
    return OpenGate()


@pytest.fixture(scope="module")
def front(
    production: LlamaCppServer, gate: OpenGate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Our front before that server."""
    folder = tmp_path_factory.mktemp("front")
    key = folder / "key"
    key.write_text(f"{KEY}\n")
    line = (
        f"{NAME} {production.url} model={THERE} key_file={key} context_tokens=1024"
        " capabilities=completion,tools schema_form=json_object check_s=0.2"
    )
    settings = RuntimeSettings(models_dir=folder, upstreams=read_upstreams(line))
    with served(create_app(settings, UpstreamStore(folder, (), settings.upstreams), gate)) as url:
        yield url


@pytest.fixture
def client(front: str) -> Iterator[httpx.Client]:
    """A plain client of our front."""
    with httpx.Client(base_url=front, timeout=60) as found:
        yield found


@pytest.fixture
def native(front: str) -> Iterator[ollama.Client]:
    """Ollama's own client."""
    found = ollama.Client(host=front, timeout=60)
    yield found
    found._client.close()


@pytest.fixture
def open_ai(front: str) -> Iterator[openai.OpenAI]:
    """OpenAI's own client."""
    with openai.OpenAI(base_url=f"{front}/v1", api_key="none", max_retries=0) as found:
        yield found


def test_chat_streams_what_it_says_at_once(native: ollama.Client) -> None:
    """`/api/chat`: the parts of a stream are the whole, and its end has figures."""
    whole = native.chat(NAME, ASK, options=SHORT)
    parts = list(native.chat(NAME, ASK, stream=True, options=SHORT))
    assert "".join(part.message.content or "" for part in parts) == whole.message.content != ""
    assert parts[-1].done
    assert parts[-1].eval_count == 8
    assert parts[-1].done_reason == "length"


def test_generate_answers_a_prompt_and_a_raw_text(native: ollama.Client) -> None:
    """`/api/generate`: through the other server's template, and without one."""
    chat = native.generate(NAME, "Say hello.", options=SHORT)
    raw = native.generate(NAME, "one, two, three, four,", raw=True, options=SHORT)
    assert chat.response
    assert "five" in str(raw.response)


def test_openai_chat_gives_log_probabilities(open_ai: openai.OpenAI) -> None:
    """`/v1/chat/completions`: each token comes with the likeliest ones."""
    answer = open_ai.chat.completions.create(
        model=NAME,
        messages=[{"role": "user", "content": "Say hello."}],
        max_tokens=4,
        logprobs=True,
        top_logprobs=2,
        temperature=0,
    )
    found = answer.choices[0].logprobs
    assert found is not None
    chances = found.content or []
    assert "".join(one.token for one in chances) == answer.choices[0].message.content
    assert all(one.logprob <= 0 and len(one.top_logprobs) >= 2 for one in chances)


def test_openai_completions_and_responses_answer(open_ai: openai.OpenAI) -> None:
    """`/v1/completions` and `/v1/responses`: the same model under other forms."""
    text = open_ai.completions.create(model=NAME, prompt="Say hello.", max_tokens=8, temperature=0)
    told = open_ai.responses.create(
        model=NAME, input="Say hello.", max_output_tokens=8, temperature=0
    )
    assert text.choices[0].text == told.output_text != ""
    assert text.usage is not None
    assert text.usage.completion_tokens == 8


def test_anthropic_messages_stream(client: httpx.Client) -> None:
    """`/v1/messages`: a stream from its start to its stop."""
    body = {"model": NAME, "max_tokens": 6, "messages": ASK, "stream": True, "temperature": 0}
    answer = client.post("/v1/messages", json=body)
    names = [x.removeprefix("event: ") for x in answer.text.splitlines() if x.startswith("event")]
    assert names[0] == "message_start"
    assert names[-1] == "message_stop"
    assert "content_block_delta" in names


def test_structured_output_follows_its_schema(native: ollama.Client) -> None:
    """`format`: the other server holds the model to the schema."""
    answer = native.chat(NAME, ASK, format=SCHEMA, options={"num_predict": 60, "temperature": 0})
    assert isinstance(json.loads(answer.message.content or "")["bed"], int)


def test_it_is_listed_as_what_it_is(native: ollama.Client, client: httpx.Client) -> None:
    """`/api/tags`, `/api/show` and `/api/ps` say who answers."""
    [tag] = client.get("/api/tags").json()["models"]
    assert tag["name"] == NAME
    assert tag["remote_model"] == THERE
    assert tag["remote_host"].startswith("http://127.0.0.1:")
    assert tag["size"] == 0
    shown = client.post("/api/show", json={"model": NAME}).json()
    assert shown["remote_model"] == THERE
    assert shown["capabilities"] == ["completion", "tools"]
    native.chat(NAME, ASK, options=SHORT)
    assert [one.model for one in native.ps().models] == [NAME]
    assert [one["id"] for one in client.get("/v1/models").json()["data"]] == [NAME]


def test_what_was_used_is_recorded(native: ollama.Client, gate: OpenGate) -> None:
    """The record has the name and digest of ours, and the tokens of the answer."""
    native.chat(NAME, ASK, options=SHORT)
    digest = native.list().models[0].digest
    last = gate.uses[-1]
    assert (last.model, last.digest, last.answer_tokens) == (NAME, digest, 8)
    assert last.prompt_tokens > 0
    assert last.outcome == "done"


def test_what_it_cannot_do_is_refused(client: httpx.Client) -> None:
    """Embeddings, thinking, filling in, tokens, and changes: each says what to do instead."""
    asked: list[tuple[str, dict[str, object]]] = [
        ("/api/embed", {"model": NAME, "input": "x"}),
        ("/api/chat", {"model": NAME, "messages": ASK, "think": True}),
        ("/api/generate", {"model": NAME, "prompt": "a", "suffix": "b"}),
        ("/api/generate", {"model": NAME, "prompt": "a", "context": [1]}),
        ("/api/generate", {"model": NAME, "prompt": "a", "template": "{{ messages }}"}),
        ("/api/tokenize", {"model": NAME, "content": "x"}),
        ("/api/copy", {"source": NAME, "destination": "other"}),
    ]
    assert [client.post(path, json=body).status_code for path, body in asked] == [400] * len(asked)
    assert client.request("DELETE", "/api/delete", json={"model": NAME}).status_code == 400
    assert client.get("/api/tags").json()["models"][0]["name"] == NAME


def test_a_prompt_that_is_too_long_is_no_empty_answer(client: httpx.Client) -> None:
    """This server answers 200 and nothing: that is a failure, not an answer without words."""
    long = [{"role": "user", "content": "bed " * 3000}]
    answer = client.post("/api/chat", json={"model": NAME, "messages": long, "stream": False})
    assert answer.status_code == 502
    assert NAME in answer.json()["error"]


def test_nothing_of_the_other_servers_error_is_handed_on(client: httpx.Client) -> None:
    """What it says of its inside stays there; ours says what happened."""
    body = {"model": NAME, "messages": ASK, "tools": [TOOL], "options": {"seed": 2**31 - 1}}
    answer = client.post("/api/chat", json=body | {"stream": False})
    assert "site-packages" not in answer.text
    assert "validation" not in answer.text


def test_a_server_that_dies_in_the_middle_and_comes_back(
    client: httpx.Client, production: LlamaCppServer, gate: OpenGate
) -> None:
    """The stream says so, others get 503 with a time, and once it is back all is well."""
    many = {"model": NAME, "messages": ASK, "options": {"num_predict": 600, "temperature": 1.3}}
    with client.stream("POST", "/api/chat", json=many) as answer:
        lines = answer.iter_lines()
        next(lines)
        production.kill()
        last = [json.loads(line) for line in lines][-1]
    assert "ended in the middle" in last["error"]
    assert "hint" in last
    assert (gate.uses[-1].outcome, gate.uses[-1].reason) == ("failed", "UpstreamFailed")
    refused = client.post("/api/chat", json={"model": NAME, "messages": ASK, "stream": False})
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) >= 1
    production.start()
    while not client.get("/api/upstreams").json()["upstreams"][0]["ready"]:
        pass  # a look follows every 0.2 s
    answered = client.post("/api/generate", json=many | {"prompt": "a", "options": SHORT})
    assert answered.status_code == 200
