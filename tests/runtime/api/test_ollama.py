"""Ollama's own client and plain requests against `/api/generate`, `/api/chat`, `/api/embed`."""

import json
import math
from typing import Any

import httpx
import numpy as np
import ollama
import pytest

CHAT, EMBED = "smollm2:135m", "all-minilm"
FULL = "registry.ollama.ai/library/smollm2:135m"
GREEDY = {"temperature": 0, "num_predict": 12}


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.text.splitlines()]


def post(http: httpx.Client, path: str, **body: Any) -> httpx.Response:
    return http.post(path, json={"model": CHAT, "options": GREEDY} | body)


def test_g_01_r_13_a_stream_is_lines_and_ends_once(http: httpx.Client) -> None:
    """Pieces with done false, then one with done true and the figures; the text is the same."""
    answer = post(http, "/api/generate", prompt="What is the capital of France?")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert "\n\n" not in answer.text
    *pieces, last = lines(answer)
    assert all(piece["done"] is False and piece["created_at"] for piece in pieces)
    assert (last["done"], last["response"], last["model"]) == (True, "", CHAT)
    figures = ("total_duration", "prompt_eval_count", "prompt_eval_duration", "eval_count")
    assert all(last[name] > 0 for name in (*figures, "eval_duration"))
    whole = post(http, "/api/generate", prompt="What is the capital of France?", stream=False)
    assert whole.json()["response"] == "".join(piece["response"] for piece in pieces)
    assert "Paris" in whole.json()["response"]


def test_g_02_g_03_an_empty_prompt_loads_and_unloads(http: httpx.Client) -> None:
    """One JSON object, not a stream; with keep_alive 0 the model leaves."""
    loaded = http.post("/api/generate", json={"model": CHAT})
    assert loaded.headers["content-type"] == "application/json; charset=utf-8"
    assert loaded.json().pop("created_at")
    assert {k: v for k, v in loaded.json().items() if k != "created_at"} == {
        "model": CHAT,
        "response": "",
        "done": True,
        "done_reason": "load",
    }
    assert CHAT in [m["name"] for m in http.get("/api/ps").json()["models"]]
    for _ in range(2):  # also when it is not loaded
        gone = http.post("/api/generate", json={"model": CHAT, "keep_alive": 0}).json()
        assert gone["done_reason"] == "unload"
    assert CHAT not in [m["name"] for m in http.get("/api/ps").json()["models"]]


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("/api/generate", {"model": "nobody"}, 404, "model 'nobody' not found"),
        ("/api/generate", {"model": ""}, 404, "model '' not found"),
        ("/api/generate", {"model": "a b"}, 400, "invalid model name"),
        (
            "/api/generate",
            {"raw": True, "system": "x", "prompt": "y"},
            400,
            "raw mode does not support template, system, or context",
        ),
        (
            "/api/generate",
            {"model": EMBED, "prompt": "x"},
            400,
            f'"{EMBED}" does not support generate',
        ),
        (
            "/api/generate",
            {"prompt": "x", "think": True},
            400,
            f'"{CHAT}" does not support thinking',
        ),
        (
            "/api/generate",
            {"prompt": "x", "think": "much"},
            400,
            'invalid think value: "much" (must be "high", "medium", "low", "max", true, or false)',
        ),
        ("/api/generate", {"prompt": "x", "suffix": "y"}, 400, f"{FULL} does not support insert"),
        (
            "/api/generate",
            {"prompt": "x", "images": ["aGk="]},
            400,
            f"{FULL} does not support vision",
        ),
        (
            "/api/generate",
            {"prompt": "x", "format": "xyz"},
            400,
            'invalid format: "xyz"; expected "json" or a valid JSON Schema object',
        ),
        (
            "/api/generate",
            {"prompt": "x", "top_logprobs": 21},
            400,
            "top_logprobs must be between 0 and 20",
        ),
        (
            "/api/generate",
            {"prompt": "x", "options": {"num_ctx": "a"}},
            400,
            'option "num_ctx" must be of type integer',
        ),
        (
            "/api/generate",
            {"prompt": "x", "keep_alive": "300"},
            400,
            'time: missing unit in duration "300"',
        ),
        ("/api/chat", {"model": ""}, 400, "model is required"),
        ("/api/chat", {"model": "a b"}, 400, "invalid model name"),
        ("/api/chat", {"model": "nobody"}, 404, "model 'nobody' not found"),
        (
            "/api/chat",
            {"model": EMBED, "messages": user("x")},
            400,
            f'"{EMBED}" does not support chat',
        ),
        (
            "/api/chat",
            {"messages": user("x"), "tools": [{"type": "function", "function": {"name": "f"}}]},
            400,
            f"{FULL} does not support tools",
        ),
        (
            "/api/chat",
            {"messages": [{"role": "user", "content": ["x"]}]},
            400,
            "json: cannot unmarshal array into Go struct field"
            " ChatRequest.messages.content of type string",
        ),
        ("/api/embed", {"model": ""}, 404, "model '' not found"),
        ("/api/embed", {"model": "nobody"}, 404, 'model "nobody" not found, try pulling it first'),
        ("/api/embed", {"model": EMBED, "input": 5}, 400, "invalid input type"),
        ("/api/embed", {"model": EMBED, "input": ["a", 5]}, 400, "invalid input type"),
    ],
)
def test_g_04_to_g_08_c_01_c_03_c_04_e_03_e_07_refusals_have_their_words(
    http: httpx.Client, path: str, body: dict[str, Any], status: int, text: str
) -> None:
    """Status and text as Ollama's, before anything is streamed (R-14)."""
    answer = http.post(path, json={"model": CHAT} | body)
    assert (answer.status_code, answer.json()["error"]) == (status, text)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


def test_g_08_thinking_may_be_declined(http: httpx.Client) -> None:
    """`think: false` is no request."""
    assert post(http, "/api/generate", prompt="Hi", think=False, stream=False).status_code == 200


def test_g_10_num_predict_is_exact(ollama_client: ollama.Client) -> None:
    """So many tokens and no more, and the reason says so."""
    answer = ollama_client.generate(CHAT, "Tell a long story.", options={"num_predict": 10})
    assert (answer.eval_count, answer.done_reason) == (10, "length")


def test_a_seed_makes_an_answer_repeatable(ollama_client: ollama.Client) -> None:
    """The same seed gives the same text; another one another."""

    def told(seed: int) -> str:
        options = {"seed": seed, "temperature": 1.5, "num_predict": 16}
        return str(ollama_client.generate(CHAT, "Tell a story.", options=options).response)

    assert told(1) == told(1) != told(2)


def test_a_stop_string_ends_an_answer(ollama_client: ollama.Client) -> None:
    """It is not part of the answer."""
    answer = ollama_client.generate(
        CHAT, "What is the capital of France?", options={**GREEDY, "stop": ["Paris"]}
    )
    assert answer.response == "The capital of France is "
    assert answer.done_reason == "stop"


def test_a_context_is_continued(ollama_client: ollama.Client) -> None:
    """The tokens of one answer are the beginning of the next prompt."""
    first = ollama_client.generate(CHAT, "My name is Zebulon.", options=GREEDY)
    assert first.context
    next_one = ollama_client.generate(
        CHAT, "What is my name?", context=first.context, options=GREEDY
    )
    assert (next_one.prompt_eval_count or 0) > len(first.context)
    assert "Zebulon" in next_one.response


def test_raw_takes_the_prompt_as_it_is(http: httpx.Client) -> None:
    """No template, and no context in the answer."""
    answer = post(http, "/api/generate", prompt="One two three", raw=True, stream=False).json()
    assert "context" not in answer
    assert answer["prompt_eval_count"] == 3


@pytest.mark.parametrize(
    "schema",
    ["json", {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}],
)
def test_a_format_is_kept(http: httpx.Client, schema: Any) -> None:
    """With a format the answer is JSON, whatever the model would like to write."""
    options = {"temperature": 0, "num_predict": 120}
    body = {"prompt": "name: Bob, age: 4. As JSON:", "format": schema, "options": options}
    answer = post(http, "/api/generate", stream=False, **body).json()
    assert isinstance(json.loads(answer["response"]), dict)


def test_logprobs_are_sent_when_asked(http: httpx.Client) -> None:
    """One entry per token, none above 0, the likeliest in order, bytes as UTF-8."""
    body = {"prompt": "Hi", "logprobs": True, "top_logprobs": 3, "stream": False}
    entries = post(http, "/api/generate", options={"num_predict": 10}, **body).json()["logprobs"]
    assert 1 <= len(entries) <= 10
    for entry in entries:
        top = [t["logprob"] for t in entry["top_logprobs"]]
        assert entry["logprob"] <= 0
        assert len(top) == 3
        assert top == sorted(top, reverse=True)
        assert bytes(entry["bytes"]).decode(errors="replace") == entry["token"]
    assert "logprobs" not in post(http, "/api/generate", prompt="Hi", stream=False).json()


def test_a_prompt_longer_than_its_context_is_a_400(http: httpx.Client) -> None:
    """Upstream's context-long-input test: the text names the context and what is wrong with it."""
    answer = post(http, "/api/generate", prompt="word " * 500, options={"num_ctx": 128})
    assert answer.status_code == 400
    assert "exceeds the context length" in answer.json()["error"]


def test_c_02_no_messages_load_and_unload(http: httpx.Client) -> None:
    """As an empty prompt does for generate."""
    loaded = http.post("/api/chat", json={"model": CHAT, "messages": []}).json()
    assert loaded["message"] == {"role": "assistant", "content": ""}
    assert (loaded["done"], loaded["done_reason"]) == (True, "load")
    gone = http.post("/api/chat", json={"model": CHAT, "keep_alive": 0}).json()
    assert gone["done_reason"] == "unload"


def test_c_10_a_chat_streams_and_ends_once(ollama_client: ollama.Client) -> None:
    """Every piece is the assistant's, exactly one is the last."""
    pieces = list(
        ollama_client.chat(
            CHAT, user("What is the capital of France?"), stream=True, options=GREEDY
        )
    )
    assert [piece.done for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert {piece.message.role for piece in pieces} == {"assistant"}
    assert "Paris" in "".join(piece.message.content or "" for piece in pieces)
    assert (pieces[-1].eval_count or 0) > 0


def test_g_03_an_embedding_model_can_be_unloaded_too(http: httpx.Client) -> None:
    """`lamplight stop` asks the same of every model."""
    embed(http, input="x")
    gone = http.post("/api/generate", json={"model": EMBED, "keep_alive": 0}).json()
    assert gone["done_reason"] == "unload"
    assert "all-minilm:latest" not in [m["name"] for m in http.get("/api/ps").json()["models"]]


def test_a_conversation_is_part_of_the_prompt(ollama_client: ollama.Client) -> None:
    """Earlier turns are read with the last one."""
    turns = [
        *user("My name is Zebulon."),
        {"role": "assistant", "content": "Hello Zebulon!"},
        *user("What is my name?"),
    ]
    whole = ollama_client.chat(CHAT, turns, options=GREEDY).prompt_eval_count or 0
    last = ollama_client.chat(CHAT, turns[-1:], options=GREEDY).prompt_eval_count or 0
    assert whole > last + 10


def test_unicode_is_never_split(ollama_client: ollama.Client) -> None:
    """Characters of several bytes come whole in every piece."""
    pieces = list(
        ollama_client.chat(
            CHAT,
            user("Repeat: 日本語 😀 Ελλάδα"),
            stream=True,
            options={"num_predict": 40, "temperature": 1.8, "seed": 3},
        )
    )
    joined = "".join(piece.message.content or "" for piece in pieces[:-1])
    assert joined.encode()
    assert "\ufffd" not in joined[:-1]


def test_an_unknown_model_is_the_client_s_404(ollama_client: ollama.Client) -> None:
    """The idiom `except ResponseError: if e.status_code == 404: pull` works."""
    with pytest.raises(ollama.ResponseError) as caught:
        ollama_client.chat("nobody", user("x"))
    assert caught.value.status_code == 404


def embed(http: httpx.Client, **body: Any) -> dict[str, Any]:
    answer = http.post("/api/embed", json={"model": EMBED} | body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_e_01_vectors_have_length_one(http: httpx.Client) -> None:
    """Also after they were shortened."""
    for dimensions, count in ((0, 384), (100, 100), (9999, 384)):
        (vector,) = embed(http, input="hello", dimensions=dimensions)["embeddings"]
        assert len(vector) == count
        assert math.isclose(float(np.linalg.norm(vector)), 1, abs_tol=1e-5)


@pytest.mark.parametrize("given", [{}, {"input": ""}, {"input": []}, {"input": None}])
def test_e_02_no_input_only_loads(http: httpx.Client, given: dict[str, Any]) -> None:
    """An empty list comes back."""
    assert embed(http, **given)["embeddings"] == []


def test_e_02_an_empty_text_is_embedded(http: httpx.Client) -> None:
    """A list with an empty text holds one text."""
    assert len(embed(http, input=[""])["embeddings"]) == 1


def test_e_04_e_05_long_texts_are_cut_or_refused(http: httpx.Client) -> None:
    """Cut by default: then the vector is that of the shorter text; refused if cutting is off."""
    short = embed(http, input="why")["embeddings"][0]
    cut = embed(http, input="why is the sky blue", options={"num_ctx": 3})["embeddings"][0]
    assert float(np.dot(short, cut)) > 0.9999
    for body, text in (
        (
            {"truncate": False, "options": {"num_ctx": 3}},
            "the input length exceeds the context length",
        ),
        ({"options": {"num_ctx": 1}}, "input after truncation exceeds maximum context length"),
        ({"options": {"num_ctx": 0}}, "input after truncation exceeds maximum context length"),
    ):
        refused = http.post(
            "/api/embed", json={"model": EMBED, "input": ["ok", "why is the sky blue"], **body}
        )
        assert (refused.status_code, refused.json()["error"]) == (400, text)
    assert embed(http, input="still works")["embeddings"]


def test_e_08_order_and_counts(http: httpx.Client) -> None:
    """Vectors come in the order of the texts, and equal texts count each time."""
    texts = [
        "a longer text about hospital wards",
        "b",
        "a longer text about hospital wards",
        "cc d",
    ]
    many = embed(http, input=texts)
    single = [embed(http, input=text) for text in texts]
    for vector, alone in zip(many["embeddings"], single, strict=True):
        assert float(np.dot(vector, alone["embeddings"][0])) > 0.9999
    assert many["prompt_eval_count"] == sum(one["prompt_eval_count"] for one in single)


def test_embed_agrees_with_meaning(ollama_client: ollama.Client) -> None:
    """What is near in meaning is near as a vector."""
    texts = ["Wash your hands", "Hand hygiene", "The stock market fell"]
    vectors = np.array(ollama_client.embed(EMBED, texts).embeddings)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_a_model_that_writes_does_not_embed(http: httpx.Client) -> None:
    """The refusal says what to use instead."""
    answer = http.post("/api/embed", json={"model": CHAT, "input": "x"})
    assert answer.status_code == 400
    assert "all-minilm" in answer.json()["hint"]
