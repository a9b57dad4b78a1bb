"""What another server answers: read strictly, and never handed on raw."""

import json
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import (
    BadRequest,
    InputTooLong,
    ModelRuntimeError,
    ServerBusy,
    UpstreamChanged,
    UpstreamDown,
    UpstreamFailed,
)
from runtime.protocol import Embed, Generate
from runtime.sampling import Options
from runtime.speech import Called
from runtime.upstream_answer import AnswerReader, lists_model, refusal_of, vectors_of
from runtime.upstream_config import read_upstreams

[SETTINGS] = read_upstreams("a https://a.example/v1 model=there root=/weights")
JOB = Generate(1, Options(), messages=({"role": "user", "content": "hello there"},))
SECRET = "/srv/inside: patient Ann"


def reader() -> AnswerReader:
    """A reader of one answer."""
    return AnswerReader(SETTINGS, JOB, 0)


def event(delta: dict[str, Any], reason: str | None = None, **more: Any) -> str:
    """One event of a stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return json.dumps({"model": "there", "choices": [choice], **more})


def test_text_thoughts_and_figures_are_read() -> None:
    """Both names of a thought, and counts from the part that holds them."""
    one = reader()
    found = one.read(event({"reasoning_content": "hm"})) + one.read(event({"reasoning": "m"}))
    found += one.read(event({"content": "yes"})) + one.read(event({}, "length"))
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 4,
        "prompt_tokens_details": {"cached_tokens": 3},
    }
    one.read(json.dumps({"choices": [], "usage": usage}))
    done = one.end()
    assert [(delta.thought, delta.text) for delta in found] == [("hm", ""), ("m", ""), ("", "yes")]
    assert (done.reason, done.prompt_tokens, done.cached_tokens) == ("length", 9, 3)
    assert done.answer_tokens == 4


def test_calls_are_put_together() -> None:
    """Their parts come in any pieces; a call is told when it is whole."""
    one = reader()
    for index, name, part in ((0, "f", '{"a"'), (1, "g", ""), (0, "", ": 1}")):
        function = {"name": name, "arguments": part}
        assert one.read(event({"tool_calls": [{"index": index, "function": function}]})) == []
    calls = [delta.call for delta in one.read(event({}, "tool_calls"))]
    assert calls == [Called("f", {"a": 1}), Called("g", {})]


def test_a_server_that_does_not_count_is_estimated() -> None:
    """A token in each part, and rather too many in the prompt than none."""
    one = reader()
    one.read(event({"content": "a"}))
    one.read(event({"content": "b"}, "stop"))
    assert (one.end().answer_tokens, one.end().prompt_tokens) == (2, 4)


def test_an_answer_that_only_stops_is_not_whole() -> None:
    """Who is interrupted says no reason."""
    one = reader()
    one.read(event({"content": "a"}))
    with pytest.raises(UpstreamFailed, match="in the middle"):
        one.end()


@pytest.mark.parametrize(
    "data",
    [
        "{",
        "[]",
        "null",
        '"text"',
        event({"content": 5}),
        event({"tool_calls": [{"index": "x"}]}),
        json.dumps({"choices": [[]]}),
        json.dumps({"error": {"message": SECRET}}),
        event({"content": "x"}, logprobs=1).replace('"delta"', '"logprobs": 3, "delta"'),
    ],
)
def test_what_is_not_openais_form_is_refused(data: str) -> None:
    """Damaged events end the answer with words of ours."""
    with pytest.raises(UpstreamFailed) as caught:
        reader().read(data)
    assert SECRET not in f"{caught.value}{caught.value.hint}"


def test_a_call_that_is_no_object_is_refused() -> None:
    """Arguments are an object, or there is no call."""
    one = reader()
    one.read(event({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "[1]"}}]}))
    with pytest.raises(UpstreamFailed):
        one.read(event({}, "tool_calls"))


def test_the_answer_of_another_model_is_refused() -> None:
    """An answer says which model wrote it."""
    with pytest.raises(UpstreamChanged):
        reader().read(event({"content": "x"}).replace("there", "elsewhere"))


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "choices",
                        "delta",
                        "content",
                        "usage",
                        "logprobs",
                        "tool_calls",
                        "function",
                        "error",
                        "x",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_event_breaks_the_reader(value: Any) -> None:
    """Whatever JSON comes is read or refused by an error of ours."""
    with suppress(ModelRuntimeError):
        reader().read(json.dumps(value))


def test_probabilities_have_two_forms() -> None:
    """Those of chats have bytes; those of bare texts are lists."""
    top = [{"token": "é", "logprob": -2.0, "bytes": [195, 169]}]
    chat = {"content": [{"token": "a", "logprob": -1.5, "bytes": None, "top_logprobs": top}]}
    text = {"tokens": ["a"], "token_logprobs": [-1.5], "top_logprobs": [{"é": -2.0}]}
    found = []
    for chances in (chat, text):
        choice = {"index": 0, "text": "a", "logprobs": chances, "finish_reason": None}
        [delta] = reader().read(json.dumps({"choices": [choice]}))
        found.append(delta.chances)
    assert found[0] == found[1]
    assert found[0][0].likeliest[0].token == "é".encode()


def test_vectors_are_sorted_and_of_length_one() -> None:
    """They belong to texts by their numbers."""
    rows = [{"index": 1, "embedding": [0, 2]}, {"index": 0, "embedding": [3, 4]}]
    body = {"model": "there", "data": rows, "usage": {"prompt_tokens": 5}}
    found = vectors_of(SETTINGS, Embed(1, ("a", "b")), body)
    vectors = [np.frombuffer(one, "<f4").tolist() for one in found.vectors]
    assert vectors == [pytest.approx([0.6, 0.8]), [0, 1]]
    assert found.prompt_tokens == 5


@pytest.mark.parametrize(
    "data",
    [
        [],
        [{"index": 0, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}],
        [{"index": 0, "embedding": []}, {"index": 1, "embedding": []}],
        [{"index": 0, "embedding": [float("nan")]}, {"index": 1, "embedding": [1.0]}],
        [{"index": 0, "embedding": "AAAA"}, {"index": 1, "embedding": "AAAA"}],
        "text",
    ],
)
def test_vectors_that_do_not_fit_are_refused(data: Any) -> None:
    """One finite vector for each text, all of one length."""
    with pytest.raises(UpstreamFailed):
        vectors_of(SETTINGS, Embed(1, ("a", "b")), {"data": data})


def test_the_pinned_model_must_be_listed() -> None:
    """By its name and, where that is pinned, by what it was made of."""

    def told(**entry: str) -> bool:
        return lists_model(SETTINGS, {"data": [{"id": "other"}, entry]})

    assert told(id="there", root="/weights")
    assert not told(id="there", root="/others")
    assert not told(id="there")
    with pytest.raises(UpstreamFailed):
        lists_model(SETTINGS, {"models": []})


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, "", BadRequest),
        (422, SECRET, BadRequest),
        (400, f"{SECRET} maximum context length is 5", InputTooLong),
        (401, SECRET, UpstreamFailed),
        (404, SECRET, UpstreamFailed),
        (429, SECRET, ServerBusy),
        (500, SECRET, UpstreamFailed),
        (503, SECRET, UpstreamDown),
        (302, SECRET, UpstreamFailed),
    ],
)
def test_a_status_is_told_in_our_words(
    status: int, body: str, kind: type[ModelRuntimeError]
) -> None:
    """What happened and what to do; nothing of what the other server wrote."""
    error = refusal_of(SETTINGS, status, body.encode(), "7")
    assert type(error) is kind
    assert error.hint
    assert SECRET not in f"{error}{error.hint}"
    assert error.retry_after_s == (7 if status in (429, 503) else None)
