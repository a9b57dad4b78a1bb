"""OpenAI's own Python client against our `/v1`."""

import base64
from typing import Any

import numpy as np
import openai
import pytest
from pydantic import BaseModel

CHAT, EMBED = "smollm2:135m", "all-minilm"
HI: Any = [{"role": "user", "content": "What is the capital of France?"}]
GREEDY: Any = {"model": CHAT, "temperature": 0, "max_tokens": 8}
FUNCTION: Any = {
    "name": "get_weather",
    "description": "Get the current weather in a city.",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}


class Ward(BaseModel):
    """What an answer is to look like."""

    name: str
    beds: int


def test_it_finds_the_models(openai_client: openai.OpenAI) -> None:
    """The list and one of it; an unknown one is its own error."""
    assert CHAT in [model.id for model in openai_client.models.list()]
    assert openai_client.models.retrieve(CHAT).object == "model"
    with pytest.raises(openai.NotFoundError):
        openai_client.models.retrieve("nobody")


def test_it_chats(openai_client: openai.OpenAI) -> None:
    """Whole and streamed say the same; the newer words are understood; usage at the end."""
    whole = openai_client.chat.completions.create(messages=HI, **GREEDY)
    said = whole.choices[0].message.content
    chunks = list(
        openai_client.chat.completions.create(
            messages=HI, stream=True, stream_options={"include_usage": True}, **GREEDY
        )
    )
    parts = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(parts) == said
    assert chunks[-1].usage
    assert chunks[-1].usage == whole.usage
    newer: Any = {"model": CHAT, "temperature": 0, "max_completion_tokens": 3}
    short = openai_client.chat.completions.create(messages=HI, **newer)
    assert short.choices[0].finish_reason == "length"
    assert short.usage
    assert short.usage.completion_tokens == 3


def test_its_stream_helper_puts_the_answer_together(openai_client: openai.OpenAI) -> None:
    """The events of its own accumulator end in the same answer."""
    with openai_client.chat.completions.stream(messages=HI, **GREEDY) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= kinds
    whole = openai_client.chat.completions.create(messages=HI, **GREEDY)
    assert final.choices[0].message.content == whole.choices[0].message.content


def test_it_calls_tools(openai_client: openai.OpenAI, tool_model: str) -> None:
    """Streamed with its helper; the result is answered."""
    tool: Any = {"type": "function", "function": FUNCTION}
    asked: Any = [{"role": "user", "content": "What is the weather in Paris? Use the tool."}]
    how: Any = {"model": tool_model, "temperature": 0, "max_tokens": 80}
    with openai_client.chat.completions.stream(messages=asked, tools=[tool], **how) as stream:
        message = stream.get_final_completion().choices[0].message
    assert message.tool_calls
    call: Any = message.tool_calls[0]
    assert "Paris" in call.function.arguments
    reply: Any = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": call.id, "type": "function", "function": call.function.to_dict()}],
    }
    result: Any = {"role": "tool", "tool_call_id": call.id, "content": "17 degrees"}
    after = openai_client.chat.completions.create(messages=[*asked, reply, result], **how)
    assert "17" in (after.choices[0].message.content or "")


def test_it_parses_what_a_class_describes(openai_client: openai.OpenAI) -> None:
    """`parse` sends a strict schema and reads the answer as an object."""
    asked: Any = [{"role": "user", "content": "Ward North has 12 beds. Say it as JSON."}]
    how: Any = {"model": CHAT, "temperature": 0, "max_tokens": 60}
    found = openai_client.chat.completions.parse(messages=asked, response_format=Ward, **how)
    assert isinstance(found.choices[0].message.parsed, Ward)
    told = openai_client.responses.parse(
        model=CHAT, input=asked, text_format=Ward, temperature=0, max_output_tokens=60
    )
    assert isinstance(told.output_parsed, Ward)


def test_it_reads_log_probabilities(openai_client: openai.OpenAI) -> None:
    """Of each token and of the likeliest, whole and streamed."""
    how = GREEDY | {"logprobs": True, "top_logprobs": 2}
    found = openai_client.chat.completions.create(messages=HI, **how).choices[0].logprobs
    assert found
    assert found.content
    assert all(one.logprob <= 0 and len(one.top_logprobs) == 2 for one in found.content)
    chunks = openai_client.chat.completions.create(messages=HI, stream=True, **how)
    lists = [c.choices[0].logprobs.content for c in chunks if c.choices and c.choices[0].logprobs]
    streamed = [one.token for content in lists for one in content or []]
    assert streamed == [one.token for one in found.content]


def test_it_completes(openai_client: openai.OpenAI) -> None:
    """The older endpoint, whole and streamed."""
    whole = openai_client.completions.create(prompt="The capital of France is", **GREEDY)
    parts = openai_client.completions.create(
        prompt="The capital of France is", stream=True, **GREEDY
    )
    assert "".join(part.choices[0].text for part in parts) == whole.choices[0].text != ""


def test_it_makes_vectors(openai_client: openai.OpenAI) -> None:
    """The client asks for base64 unless told otherwise, and both are the same numbers."""
    texts = ["wash your hands", "hand hygiene"]
    plain = openai_client.embeddings.create(model=EMBED, input=texts, encoding_format="float")
    usual = openai_client.embeddings.create(model=EMBED, input=texts)
    assert np.allclose(plain.data[1].embedding, usual.data[1].embedding)
    assert (len(usual.data), usual.usage.total_tokens > 0) == (2, True)
    raw: Any = openai_client.embeddings.create(model=EMBED, input="x", encoding_format="base64")
    assert len(base64.b64decode(raw.data[0].embedding)) == 384 * 4


def test_it_gets_responses(openai_client: openai.OpenAI) -> None:
    """Whole, and streamed with its helper."""
    how: Any = {"model": CHAT, "temperature": 0, "max_output_tokens": 8, "input": HI}
    whole = openai_client.responses.create(**how)
    with openai_client.responses.stream(**how) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert final.output_text == whole.output_text
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")


@pytest.mark.parametrize(
    ("change", "kind", "status"),
    [
        ({"model": "nobody"}, openai.NotFoundError, 404),
        ({"top_logprobs": 21, "logprobs": True}, openai.BadRequestError, 400),
        ({"messages": []}, openai.BadRequestError, 400),
        ({"reasoning_effort": "much"}, openai.BadRequestError, 400),
        (
            {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]},
            openai.BadRequestError,
            400,
        ),
    ],
)
def test_it_raises_its_own_errors(
    openai_client: openai.OpenAI, change: Any, kind: type[openai.APIStatusError], status: int
) -> None:
    """With the type and the message that programs look at."""
    with pytest.raises(kind) as raised:
        openai_client.chat.completions.create(**(GREEDY | {"messages": HI} | change))
    assert raised.value.status_code == status
    body: Any = raised.value.body
    assert body["type"] in ("invalid_request_error", "not_found_error")
    assert body["message"]


def test_it_hears_that_nobody_here_hears(openai_client: openai.OpenAI) -> None:
    """A recording for a model that reads is the caller's mistake, not ours."""
    with pytest.raises(openai.BadRequestError, match="does not support audio"):
        openai_client.audio.transcriptions.create(model=CHAT, file=("a.wav", b"RIFF"))


def test_it_may_leave_in_the_middle(openai_client: openai.OpenAI) -> None:
    """Closed streams take no place from the next."""
    for _ in range(6):
        stream = openai_client.chat.completions.create(messages=HI, model=CHAT, stream=True)
        assert next(iter(stream)).choices
        stream.close()
    assert openai_client.chat.completions.create(messages=HI, **GREEDY).choices
