"""Functions that a model asks to be called, thoughts, and filling in: in every dialect."""

import json
from typing import Any

import httpx
import openai
import pytest

CHAT = "smollm2:135m"
GREEDY = {"temperature": 0, "num_predict": 80}
FUNCTION = {
    "name": "get_weather",
    "description": "Get the current weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "The city"}},
        "required": ["city"],
    },
}
TOOL: Any = {"type": "function", "function": FUNCTION}
ASKED = "What is the weather in Paris? Use the tool."
USER: Any = [{"role": "user", "content": ASKED}]
# A model that thinks cannot be had here: a template of that kind stands in for it.
THINKING = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "<|im_start|>assistant\n{% if enable_thinking is not defined or enable_thinking %}<think>\n"
    "{% endif %}"
)


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.text.splitlines()]


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    data = [line.removeprefix("data: ") for line in answer.text.splitlines() if "data: " in line]
    return [json.loads(one) for one in data if one != "[DONE]"]


@pytest.fixture(scope="module")
def thinker(http: httpx.Client) -> str:
    """A model whose template begins a thought."""
    body = {"model": "thinker", "from": CHAT, "template": THINKING, "stream": False}
    assert http.post("/api/create", json=body).json() == {"status": "success"}
    return "thinker"


@pytest.mark.parametrize("stream", [True, False])
def test_c_05_a_call_has_its_name_and_an_object(
    http: httpx.Client, tool_model: str, stream: bool
) -> None:
    """Streamed or not: id, index, name and arguments; `done_reason` stays `stop`."""
    body = {"model": tool_model, "messages": USER, "tools": [TOOL], "options": GREEDY}
    told = lines(http.post("/api/chat", json=body | {"stream": stream}))
    calls = [call for line in told for call in line["message"].get("tool_calls", [])]
    assert [call["function"]["name"] for call in calls] == ["get_weather"]
    assert calls[0]["function"]["index"] == 0
    assert "Paris" in calls[0]["function"]["arguments"]["city"]
    assert calls[0]["id"].startswith("call_")
    assert told[-1]["done_reason"] == "stop"
    assert "tool_call" not in "".join(line["message"]["content"] for line in told)


def test_c_09_a_result_is_answered(http: httpx.Client, tool_model: str) -> None:
    """The model reads what came of its call; so small a one would call again if it could."""
    call = {"function": {"name": "get_weather", "arguments": {"city": "Paris"}}}
    messages = [
        *USER,
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_name": "get_weather", "content": "17 degrees and snow"},
    ]
    body = {"model": tool_model, "messages": messages, "options": GREEDY}
    said = http.post("/api/chat", json=body | {"stream": False}).json()["message"]["content"]
    assert "17" in said


def test_o_03_o_04_openai_s_client_gets_the_call(
    openai_client: openai.OpenAI, tool_model: str
) -> None:
    """One delta with name and arguments as a text; the end says `tool_calls`."""
    how: Any = {"model": tool_model, "messages": USER, "temperature": 0, "max_tokens": 80}
    whole = openai_client.chat.completions.create(tools=[TOOL], **how).choices[0]
    assert whole.finish_reason == "tool_calls"
    assert whole.message.tool_calls
    function: Any = whole.message.tool_calls[0]
    assert "Paris" in json.loads(function.function.arguments)["city"]
    chunks = list(openai_client.chat.completions.create(tools=[TOOL], stream=True, **how))
    calls = [c for chunk in chunks for c in chunk.choices[0].delta.tool_calls or []]
    assert [(call.index, call.function and call.function.name) for call in calls] == [
        (0, "get_weather")
    ]
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    none = openai_client.chat.completions.create(tools=[TOOL], tool_choice="none", **how)
    assert none.choices[0].message.tool_calls is None


def test_v1_messages_gives_the_call_in_anthropic_s_shape(
    http: httpx.Client, tool_model: str
) -> None:
    """A block of type `tool_use`, and the reason to stop says so; streamed it comes in pieces."""
    tool = {"name": "get_weather", "description": "Weather", "input_schema": FUNCTION["parameters"]}
    body = {"model": tool_model, "max_tokens": 80, "messages": USER, "tools": [tool]}
    body |= {"temperature": 0}
    found = http.post("/v1/messages", json=body).json()
    assert found["stop_reason"] == "tool_use"
    use = next(block for block in found["content"] if block["type"] == "tool_use")
    assert (use["name"], "Paris" in use["input"]["city"]) == ("get_weather", True)
    told = events(http.post("/v1/messages", json=body | {"stream": True}))
    deltas = [one["delta"] for one in told if one["type"] == "content_block_delta"]
    parts = [d["partial_json"] for d in deltas if d["type"] == "input_json_delta"]
    assert "Paris" in json.loads("".join(parts))["city"]
    assert told[-2]["delta"]["stop_reason"] == "tool_use"


def test_v1_responses_gives_the_call_as_an_item(
    openai_client: openai.OpenAI, tool_model: str
) -> None:
    """And takes its result back as one."""
    tool: Any = {"type": "function", **FUNCTION}
    how: Any = {"model": tool_model, "temperature": 0, "max_output_tokens": 80, "tools": [tool]}
    found = openai_client.responses.create(input=ASKED, **how)
    call: Any = next(item for item in found.output if item.type == "function_call")
    assert (call.name, "Paris" in call.arguments) == ("get_weather", True)
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "17 degrees"}
    given: Any = [USER[0], call.model_dump(), result]
    after = how | {"tools": []}
    assert "17" in openai_client.responses.create(input=given, **after).output_text
    kinds = [e.type for e in openai_client.responses.create(input=ASKED, stream=True, **how)]
    assert "response.function_call_arguments.done" in kinds


# --- Thinking --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/chat", "/api/generate"])
def test_g_08_g_09_a_thought_is_told_apart(http: httpx.Client, thinker: str, path: str) -> None:
    """On unless it is said otherwise; the marks are shown to nobody; false is obeyed."""
    body = {"model": thinker, "stream": False, "options": {"temperature": 0, "num_predict": 8}}
    body |= {"messages": [{"role": "user", "content": "Hi"}], "prompt": "Hi"}

    def said(**more: Any) -> tuple[str, str]:
        found = http.post(path, json=body | more).json()
        found = found.get("message", found)
        return found.get("thinking", ""), found.get("content", found.get("response"))

    thought, words = said()
    assert (bool(thought), words) == (True, "")
    assert "<think>" not in thought
    assert said(think=True) == (thought, "")
    thought, words = said(think=False)
    assert (thought, bool(words)) == ("", True)


def test_o_02_a_thought_is_reasoning_on_v1(http: httpx.Client, thinker: str) -> None:
    """`reasoning` beside `content`, and `none` turns it off."""
    body = {"model": thinker, "max_tokens": 8, "messages": [{"role": "user", "content": "Hi"}]}
    message = http.post("/v1/chat/completions", json=body).json()["choices"][0]["message"]
    assert (bool(message["reasoning"]), message["content"]) == (True, "")
    quiet = http.post("/v1/chat/completions", json=body | {"reasoning_effort": "none"}).json()
    assert "reasoning" not in quiet["choices"][0]["message"]
    blocks = http.post("/v1/messages", json=body).json()["content"]
    assert [block["type"] for block in blocks] == ["thinking"]


def test_c_08_format_is_obeyed_by_a_model_that_thinks(http: httpx.Client, thinker: str) -> None:
    """The answer follows the schema; both asked for at once are refused."""
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    body = {"model": thinker, "stream": False, "format": schema, "prompt": "Fine?"}
    found = http.post("/api/generate", json=body).json()
    assert isinstance(json.loads(found["response"])["ok"], bool)
    both = http.post("/api/generate", json=body | {"think": True})
    assert both.status_code == 400


# --- Templates, filling in, tokens -----------------------------------------------------------


def test_an_own_template_takes_the_place_of_the_model_s(http: httpx.Client) -> None:
    """In Jinja or in Go's language; what is neither is refused in Go's words."""
    body = {"model": CHAT, "prompt": "x", "stream": False, "options": GREEDY}
    form = "{{ messages[0].content }} The capital of France is"
    found = http.post("/api/generate", json=body | {"template": form}).json()
    assert "Paris" in found["response"]
    go = body | {"prompt": "The capital of France is", "template": "{{ .Prompt }}"}
    assert "Paris" in http.post("/api/generate", json=go).json()["response"]
    refused = http.post("/api/generate", json=body | {"template": "{{ .Prompt }}{{ end }}"})
    assert refused.json()["error"] == "template error: template: :1: unexpected {{end}}"
    assert refused.status_code == 400
    broken = http.post("/api/generate", json=body | {"template": "{% if %}"})
    assert broken.status_code == 400


def test_a_template_reaches_nothing_of_the_machine(http: httpx.Client) -> None:
    """TPL-1: a sandbox without attributes that lead out."""
    form = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
    answer = http.post("/api/generate", json={"model": CHAT, "prompt": "x", "template": form})
    assert answer.status_code == 400


def test_insert_fills_in_between_two_texts(http: httpx.Client, tool_model: str) -> None:
    """`suffix`, on both interfaces; a model without the words for it refuses."""
    body = {"model": tool_model, "prompt": "def add(a, b):\n    return ", "suffix": "\n"}
    native = body | {"stream": False, "options": {"temperature": 0, "num_predict": 12}}
    assert "a + b" in http.post("/api/generate", json=native).json()["response"]
    older = http.post("/v1/completions", json=body | {"max_tokens": 12, "temperature": 0}).json()
    assert "a + b" in older["choices"][0]["text"]
    refused = http.post("/v1/completions", json=body | {"model": CHAT})
    assert "does not support insert" in refused.json()["error"]["message"]
    shown = http.post("/api/show", json={"model": tool_model}).json()["capabilities"]
    assert shown == ["completion", "tools", "insert"]


def test_v1_completions_follow_a_prompt(openai_client: openai.OpenAI) -> None:
    """Whole and streamed are the same text, with the counts."""
    how: Any = {"model": CHAT, "prompt": "What is the capital of France?", "temperature": 0}
    whole = openai_client.completions.create(max_tokens=10, **how)
    assert "Paris" in whole.choices[0].text
    assert whole.usage
    assert whole.usage.completion_tokens > 1
    parts = openai_client.completions.create(max_tokens=10, stream=True, **how)
    assert "".join(part.choices[0].text for part in parts) == whole.choices[0].text


@pytest.mark.parametrize("model", [CHAT, "all-minilm"])
def test_tokens_of_a_text_and_back(http: httpx.Client, model: str) -> None:
    """Beyond Ollama; numbers that are no tokens are refused."""
    found = http.post("/api/tokenize", json={"model": model, "content": "wash your hands"}).json()
    assert len(found["tokens"]) >= 3
    back = http.post("/api/detokenize", json={"model": model, "tokens": found["tokens"]}).json()
    assert "wash" in back["content"]
    wrong = http.post("/api/detokenize", json={"model": model, "tokens": [10**9]})
    assert wrong.status_code == 400


def test_embeddings_in_the_older_form(http: httpx.Client) -> None:
    """One vector that is not brought to length one; none for no text."""
    body = {"model": "all-minilm", "prompt": "wash your hands"}
    vector = http.post("/api/embeddings", json=body).json()["embedding"]
    unit = http.post("/api/embed", json={"model": "all-minilm", "input": body["prompt"]}).json()
    scale = sum(v * v for v in vector) ** 0.5
    assert abs(scale - 1) > 0.01
    assert vector[0] / scale == pytest.approx(unit["embeddings"][0][0], abs=1e-4)
    assert http.post("/api/embeddings", json=body | {"prompt": ""}).json() == {"embedding": []}
    assert http.post("/api/embeddings", json={"model": ""}).status_code == 400


# --- The shapes of the newer dialects --------------------------------------------------------


def test_r_07_anthropic_s_errors_have_their_shape(http: httpx.Client) -> None:
    """Type, message and a request id."""
    good = {"model": CHAT, "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}
    for change, status, kind in (
        ({"max_tokens": 0}, 400, "invalid_request_error"),
        ({"messages": []}, 400, "invalid_request_error"),
        ({"model": "nobody"}, 404, "not_found_error"),
    ):
        answer = http.post("/v1/messages", json=good | change)
        assert answer.status_code == status
        assert (answer.json()["type"], answer.json()["error"]["type"]) == ("error", kind)
        assert answer.json()["request_id"].startswith("req_")


def test_v1_messages_answers_and_streams(http: httpx.Client) -> None:
    """Blocks are begun, filled and ended in order; the text is the same; system may be blocks."""
    body = {
        "model": CHAT,
        "max_tokens": 10,
        "temperature": 0,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {}}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Capital of France?"}]}],
    }
    whole = http.post("/v1/messages", json=body).json()
    assert (whole["type"], whole["role"], whole["content"][0]["type"]) == (
        "message",
        "assistant",
        "text",
    )
    assert whole["usage"]["input_tokens"] > 5
    told = events(http.post("/v1/messages", json=body | {"stream": True}))
    kinds = list(dict.fromkeys(one["type"] for one in told))
    assert kinds == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    texts = [one["delta"]["text"] for one in told if one["type"] == "content_block_delta"]
    assert "".join(texts) == whole["content"][0]["text"]


def test_v1_responses_answers_and_streams(openai_client: openai.OpenAI) -> None:
    """Numbered without gaps, and the last event holds the whole of it."""
    how: Any = {"model": CHAT, "input": "Capital of France?", "temperature": 0}
    whole = openai_client.responses.create(max_output_tokens=10, instructions="Be brief.", **how)
    assert whole.output_text
    assert whole.usage
    assert whole.usage.total_tokens == whole.usage.input_tokens + whole.usage.output_tokens
    told: list[Any] = list(
        openai_client.responses.create(
            max_output_tokens=10, instructions="Be brief.", stream=True, **how
        )
    )
    assert [one.sequence_number for one in told] == list(range(len(told)))
    assert [one.type for one in told[:4]] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    texts = [one.delta for one in told if one.type == "response.output_text.delta"]
    assert "".join(texts) == whole.output_text == told[-1].response.output_text
    with pytest.raises(openai.BadRequestError, match="previous_response_id"):
        openai_client.responses.create(previous_response_id="resp_1", **how)
