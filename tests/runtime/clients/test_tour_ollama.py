"""Ollama's own Python client sees a server like its own."""

import hashlib
import json
from pathlib import Path
from typing import Any

import ollama
import pytest
from pydantic import BaseModel

CHAT, EMBED = "smollm2:135m", "all-minilm"
GREEDY = {"temperature": 0, "num_predict": 8}
HI: Any = [{"role": "user", "content": "What is the capital of France?"}]
PIXEL = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc"
    b"\xf8\xcf\xc0\xf0\x1f\0\5\0\1\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82"
)


class Ward(BaseModel):
    """What an answer is to look like."""

    name: str
    beds: int


def get_weather(city: str) -> str:
    """Get the current weather in a city.

    Args:
        city: The city
    """
    return f"17 degrees in {city}"


def refused(status: int, text: str) -> Any:
    """The client's own error, with our words and status."""

    def fits(error: BaseException) -> bool:
        return isinstance(error, ollama.ResponseError) and error.status_code == status

    return pytest.raises(ollama.ResponseError, match=text, check=fits)


def test_it_finds_the_models(ollama_client: ollama.Client) -> None:
    """list, show and ps with all that the client's types ask for."""
    found = {model.model: model for model in ollama_client.list().models}
    assert found[CHAT].size
    details = found[CHAT].details
    assert details
    assert details.format == "gguf"
    shown = ollama_client.show(CHAT)
    assert shown.modelinfo
    assert shown.modelinfo["general.architecture"] == "llama"
    assert shown.capabilities == ["completion"]
    assert shown.template
    assert shown.modelfile
    ollama_client.generate(CHAT)
    assert CHAT in [model.model for model in ollama_client.ps().models]
    with refused(404, "not found"):
        ollama_client.show("nobody")


def test_it_chats(ollama_client: ollama.Client) -> None:
    """Whole and streamed say the same, with figures at the end."""
    whole = ollama_client.chat(CHAT, HI, options=GREEDY)
    assert whole.message.role == "assistant"
    *pieces, last = ollama_client.chat(CHAT, HI, options=GREEDY, stream=True)
    assert "".join(piece.message.content or "" for piece in pieces) == whole.message.content
    assert (last.done, last.eval_count == whole.eval_count) == (True, True)
    assert last.prompt_eval_count
    assert last.total_duration
    with refused(400, "does not support thinking"):
        ollama_client.chat(CHAT, HI, think=True)
    with refused(400, "does not support vision"):
        ollama_client.chat(CHAT, [{"role": "user", "content": "See", "images": [PIXEL]}])
    with refused(404, "not found"):
        ollama_client.chat("nobody", HI)


def test_it_takes_python_functions_as_tools(ollama_client: ollama.Client, tool_model: str) -> None:
    """The idiom of its manual: call what the model asks for, and answer with the result."""
    asked: Any = [{"role": "user", "content": "What is the weather in Paris? Use the tool."}]
    how: Any = {"options": {"temperature": 0, "num_predict": 80}}
    first = ollama_client.chat(tool_model, asked, tools=[get_weather], **how).message
    assert first.tool_calls
    function = first.tool_calls[0].function
    said = get_weather(**function.arguments)
    result = {"role": "tool", "tool_name": function.name, "content": said}
    after = ollama_client.chat(tool_model, [*asked, first, result], **how)
    assert "17" in (after.message.content or "")


def test_it_reads_structured_output(ollama_client: ollama.Client) -> None:
    """A pydantic model gives the schema and reads the answer."""
    asked: Any = [{"role": "user", "content": "Describe ward North with 12 beds as JSON."}]
    schema = Ward.model_json_schema()
    how = {"temperature": 0, "num_predict": 60}
    said = ollama_client.chat(CHAT, asked, format=schema, options=how).message.content
    assert Ward.model_validate_json(said or "")
    said = ollama_client.generate(CHAT, "A ward as JSON.", format="json", options=how).response
    assert (said or "").lstrip().startswith("{")


def test_it_generates(ollama_client: ollama.Client) -> None:
    """raw, context, suffix, log probabilities."""
    first = ollama_client.generate(CHAT, "My name is Ada. Say hello.", options=GREEDY)
    assert first.context
    again = ollama_client.generate(CHAT, "My name?", context=first.context, options=GREEDY)
    assert (again.prompt_eval_count or 0) > len(first.context)
    raw = ollama_client.generate(CHAT, "The capital of France is", raw=True, options=GREEDY)
    assert "Paris" in (raw.response or "")
    assert raw.context is None
    with refused(400, "does not support insert"):
        ollama_client.generate(CHAT, "a", suffix="b")
    found = ollama_client.generate(CHAT, "Hi", logprobs=True, top_logprobs=2, options=GREEDY)
    assert found.logprobs
    assert found.logprobs[0].top_logprobs
    parts = list(ollama_client.generate(CHAT, "Hi", options=GREEDY, stream=True))
    assert parts[-1].done


def test_it_makes_vectors(ollama_client: ollama.Client) -> None:
    """Both endpoints; the older one gives a vector of its own length."""
    vectors = ollama_client.embed(EMBED, ["wash your hands", "hand hygiene"]).embeddings
    assert [len(vector) for vector in vectors] == [384, 384]
    assert len(ollama_client.embed(EMBED, "x", dimensions=10).embeddings[0]) == 10
    assert len(ollama_client.embeddings(EMBED, "wash your hands").embedding) == 384
    with refused(400, "does not support embeddings"):
        ollama_client.embed(CHAT, "x")


def test_it_makes_copies_and_deletes_models(ollama_client: ollama.Client) -> None:
    """create from a model with texts of its own, streamed and not."""
    words = "You answer in one word."
    *_, last = ollama_client.create(
        "tour-made", from_=CHAT, system=words, parameters={"temperature": 0}, stream=True
    )
    assert last.status == "success"
    assert words in (ollama_client.show("tour-made").modelfile or "")
    assert ollama_client.copy("tour-made", "tour-copy").status == "success"
    assert ollama_client.delete("tour-made").status == "success"
    assert ollama_client.delete("tour-copy").status == "success"
    with refused(404, "not found"):
        ollama_client.delete("tour-made")


def test_it_moves_models(moving_url: str, registry_host: str, tiny_path: Path) -> None:
    """blob, create, push, delete and pull, with progress, against a registry that is not ours."""
    name = f"http://{registry_host}/library/tour:1"
    client = ollama.Client(host=moving_url, timeout=120)
    digest = client.create_blob(tiny_path)
    assert digest == "sha256:" + hashlib.sha256(tiny_path.read_bytes()).hexdigest()
    assert client.create(name, files={"tiny.gguf": digest}).status == "success"
    statuses = [step.status for step in client.push(name, insecure=True, stream=True)]
    assert (statuses[0], statuses[-1]) == ("retrieving manifest", "success")
    client.delete(name)
    steps = list(client.pull(name, insecure=True, stream=True))
    assert (steps[0].status, steps[-1].status) == ("pulling manifest", "success")
    assert any(step.completed == step.total != 0 for step in steps if step.digest)
    assert client.pull(name, insecure=True).status == "success"
    with refused(403, "not allowed"):
        client.pull("registry.example/library/x")
    client._client.close()


def test_it_may_leave_in_the_middle(ollama_client: ollama.Client) -> None:
    """A stream that nobody reads to its end takes no place from the next."""
    for _ in range(6):
        stream = ollama_client.chat(CHAT, HI, stream=True, options={"num_predict": 400})
        assert next(iter(stream)).message
        stream.close()  # type: ignore[attr-defined]
    assert ollama_client.chat(CHAT, HI, options=GREEDY).done


def test_it_hears_that_there_is_no_cloud(ollama_client: ollama.Client) -> None:
    """V-05: its search goes to a cloud that we have not."""
    answer = ollama_client._client.post("/api/experimental/web_search", json={"query": "x"})
    assert (answer.status_code, "disabled" in json.loads(answer.text)["error"]) == (403, True)
