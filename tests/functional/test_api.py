"""Programs ask through the official OpenAI client and the platform's own interface."""

from collections.abc import Iterator

import httpx
import openai
import pytest

from lamplight.testing import SMALL_CHAT_MODEL, Running

QUESTION = "How long does the scrub before the first operation of the day take?"


@pytest.fixture
def client(up: Running) -> Iterator[openai.OpenAI]:
    base_url = f"{up.url}/v1"
    with openai.OpenAI(base_url=base_url, api_key=up.key, max_retries=0, timeout=300) as client:
        yield client


@pytest.fixture
def http(up: Running) -> Iterator[httpx.Client]:
    with up.client() as client:
        yield client


def test_every_part_is_ready(up: Running) -> None:
    """`GET /readyz` is 200 and says so part by part."""
    with up.client() as client:
        answer = client.get("/readyz")
    assert answer.status_code == 200
    parts = answer.json()["parts"]
    assert {name: part["ready"] for name, part in parts.items()} == dict.fromkeys(parts, True)
    assert {"record", "index", "runtime", "models"} <= parts.keys()


def test_the_model_policies_is_listed_beside_the_runtimes_own(client: openai.OpenAI) -> None:
    """A client's model menu offers the policies first-hand."""
    names = {model.id for model in client.models.list()}
    assert {"policies", SMALL_CHAT_MODEL} <= names


def test_policies_answer_in_openais_shape_with_citations(client: openai.OpenAI) -> None:
    """The message carries annotations and citations; each quote stands in its passage."""
    completion = client.chat.completions.create(
        model="policies", messages=[{"role": "user", "content": QUESTION}]
    )
    message = completion.choices[0].message
    assert "[" in (message.content or "")
    assert message.annotations
    assert message.annotations[0].type == "url_citation"
    citations = message.model_extra["citations"]  # type: ignore[index]
    assert all(citation["quote"] for citation in citations)
    assert completion.choices[0].finish_reason == "stop"


def test_a_streamed_answer_ends_with_its_citations(client: openai.OpenAI) -> None:
    """Text comes in pieces; the last chunk before the end carries the citations."""
    stream = client.chat.completions.create(
        model="policies:demo", messages=[{"role": "user", "content": QUESTION}], stream=True
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert "[" in text
    delta = next(c.choices[0].delta for c in reversed(chunks) if c.choices)
    assert delta.model_extra["citations"]  # type: ignore[index]


def test_other_models_are_passed_through(client: openai.OpenAI) -> None:
    """The platform is one address for policies and plain models."""
    completion = client.chat.completions.create(
        model=SMALL_CHAT_MODEL,
        messages=[{"role": "user", "content": "Say yes."}],
        max_tokens=4,
    )
    assert completion.choices[0].message.content


def test_an_unknown_model_is_an_openai_error(client: openai.OpenAI) -> None:
    """The status and the shape are OpenAI's."""
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(
            model="no-such-model", messages=[{"role": "user", "content": "Hello"}]
        )


def test_every_quote_stands_verbatim_in_its_passage(http: httpx.Client) -> None:
    """What is shown as a quote is the policy's own words."""
    answer = http.post("/api/v1/ask", json={"question": QUESTION}).raise_for_status().json()
    assert answer["status"] == "answered"
    texts = {passage["passage_id"]: passage["text"] for passage in answer["passages"]}
    assert answer["citations"]
    for citation in answer["citations"]:
        assert citation["quote"] in texts[citation["passage_id"]]
        assert f"[{citation['marker']}]" in answer["answer"]
    assert answer["model"]["digest"]


def test_what_is_not_in_the_policies_is_not_found(http: httpx.Client) -> None:
    """The status says so, and nothing is cited."""
    question = "What is the capital city of Australia?"
    answer = http.post("/api/v1/ask", json={"question": question}).raise_for_status().json()
    assert (answer["status"], answer["citations"]) == ("not_found", [])
    assert answer["passages"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/ask", {"question": "why? " * 20_000}),
        ("/api/v1/ask", {"question": "  "}),
        ("/api/v1/ask", {"question": "Why?", "departmnet": "demo"}),
        ("/api/v1/ask", {"question": "Why?", "department": "nowhere"}),
        ("/api/v1/search", {"query": "hands", "k": 0}),
    ],
    ids=["100 kB", "empty", "unknown field", "unknown department", "k of 0"],
)
def test_bad_requests_say_what_to_do(
    http: httpx.Client, path: str, body: dict[str, object]
) -> None:
    """A clear status, a message, and a hint."""
    answer = http.post(path, json=body)
    assert 400 <= answer.status_code < 500
    error = answer.json()["error"]
    assert error["message"]
    assert error["hint"]
