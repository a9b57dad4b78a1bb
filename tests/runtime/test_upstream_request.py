"""What another server is asked: approved fields in OpenAI's form."""

import json
from dataclasses import replace

import pytest

from runtime.errors import BadRequest
from runtime.protocol import Embed, Generate, Rendering
from runtime.sampling import Options
from runtime.upstream_config import read_upstreams
from runtime.upstream_request import asked_of

[SETTINGS] = read_upstreams("a https://a.example/v1 model=there context_tokens=1000")
ASK = ({"role": "user", "content": "hello", "name": "Ann Smith", "thinking": "x"},)
JOB = Generate(7, Options(), messages=ASK, share="surgery")
TOOL = {"type": "function", "function": {"name": "f", "description": "", "parameters": {}}}


def test_nothing_but_approved_fields_is_sent() -> None:
    """No name of a person, no department, no number of ours, and no option beyond OpenAI's."""
    asked = asked_of(SETTINGS, JOB)
    known = {"model", "stream", "stream_options", "temperature", "top_p", "messages"}
    assert asked.path == "/chat/completions"
    assert set(asked.body) == known
    assert asked.body["messages"] == [{"role": "user", "content": "hello"}]
    assert "Ann" not in json.dumps(dict(asked.body))
    assert "surgery" not in str(asked.body)


def test_options_have_openais_names() -> None:
    """Limits, seeds, stops and penalties; others only where the settings allow them."""
    options = Options(
        num_predict=5, seed=3, stop=("x",), presence_penalty=0.5, top_k=7, repeat_penalty=1.2
    )
    body = asked_of(SETTINGS, replace(JOB, options=options, logprobs=2)).body
    assert (body["max_tokens"], body["seed"], body["stop"]) == (5, 3, ["x"])
    assert (body["presence_penalty"], body["logprobs"], body["top_logprobs"]) == (0.5, True, 2)
    assert "top_k" not in body
    wider = replace(SETTINGS, more_fields=("top_k", "repetition_penalty"))
    body = asked_of(wider, replace(JOB, options=options)).body
    assert (body["top_k"], body["repetition_penalty"]) == (7, 1.2)


def test_a_schema_is_asked_for_as_the_server_reads_it() -> None:
    """OpenAI's way, llama-cpp-python's way, and any JSON."""
    job = replace(JOB, schema='{"type": "object"}')
    openai = asked_of(SETTINGS, job).body["response_format"]
    assert openai["json_schema"]["schema"] == {"type": "object"}
    other = asked_of(replace(SETTINGS, schema_form="json_object"), job).body["response_format"]
    assert other == {"type": "json_object", "schema": {"type": "object"}}
    plain = asked_of(SETTINGS, replace(JOB, schema="")).body["response_format"]
    assert plain == {"type": "json_object"}


def test_calls_and_their_results_are_joined_by_ids() -> None:
    """Results without an id belong to the first open call of their name."""
    calls = [{"function": {"name": n, "arguments": {"k": n}}} for n in ("f", "g")]
    messages = (
        *ASK,
        {"role": "assistant", "content": "", "tool_calls": calls},
        {"role": "tool", "tool_name": "g", "content": "2"},
        {"role": "tool", "content": "1"},
    )
    job = replace(JOB, messages=messages, rendering=Rendering(tools=(TOOL,)))
    body = asked_of(SETTINGS, job).body
    _, said, second, first = body["messages"]
    assert [call["id"] for call in said["tool_calls"]] == ["call_1", "call_2"]
    assert json.loads(said["tool_calls"][0]["function"]["arguments"]) == {"k": "f"}
    assert (second["tool_call_id"], first["tool_call_id"]) == ("call_2", "call_1")
    assert body["tools"] == [TOOL]


def test_a_bare_text_gets_a_limit() -> None:
    """Without one OpenAI's form means 16 tokens, and more than the context is refused."""
    job = Generate(1, Options(), text="x" * 400)
    asked = asked_of(SETTINGS, job)
    assert (asked.path, asked.body["prompt"]) == ("/completions", "x" * 400)
    assert asked.body["max_tokens"] == 800


def test_texts_are_embedded_together() -> None:
    """One request for all texts of one."""
    asked = asked_of(SETTINGS, Embed(1, ("a", "b")))
    assert asked.path == "/embeddings"
    assert asked.body["input"] == ["a", "b"]


def test_what_has_no_form_there_is_refused() -> None:
    """Tokens of an earlier answer, and a template in place of the server's own."""
    for job in (replace(JOB, context=(1,)), replace(JOB, rendering=Rendering("{{ x }}"))):
        with pytest.raises(BadRequest, match="not supported"):
            asked_of(SETTINGS, job)
