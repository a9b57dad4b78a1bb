"""`/v1/rerank` over HTTP, with a generated model: scores mean nothing, their order must hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from runtime.api.app import create_app
from runtime.api.gate import Visit
from runtime.api.refusal import Forbidden, LimitReached
from runtime.api.testing import OpenGate
from runtime.config import RuntimeSettings
from runtime.manifest import MODEL_TYPE
from runtime.store import InstalledModel, Store
from runtime.testing_engine import install_runnable
from runtime.testing_generated import install, write_reranker_gguf

RANKS, WRITES = "ranks:generated", "llama:latest"
QUESTION = "who may visit"
TEXTS = ["visitor hours", "fire drill", "hand hygiene", "ward"]


class Closed(OpenGate):
    """A gate that approves no model."""

    def approve(self, _visit: Visit, model: InstalledModel) -> None:
        raise Forbidden(f"The model {model.name} may not be used here.", "Ask for an approval.")


class UsedUp(OpenGate):
    """A gate whose limits are used up."""

    def reserve(self, _visit: Visit, _tokens: int) -> str | None:
        raise LimitReached("Your limit is used up.", "Wait.", 60)


@dataclass
class Place:
    """A runtime of one test's own."""

    http: TestClient
    gate: OpenGate

    def rerank(self, **body: Any) -> Any:
        whole = {"model": RANKS, "query": QUESTION, "documents": TEXTS} | body
        return self.http.post("/v1/rerank", json=whole)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("ranking")
    store = install_runnable(made, "llama")
    write_reranker_gguf(made / "ranks.gguf")
    install(store, RANKS, {MODEL_TYPE: made / "ranks.gguf"})
    return made


def opened(folder: Path, gate: OpenGate) -> TestClient:
    settings = RuntimeSettings(
        models_dir=folder, gentle_threads=True, max_rerank_documents=40, max_rerank_bytes=1000
    )
    app = create_app(settings, Store(folder), gate)
    return TestClient(app, base_url="http://127.0.0.1")


@pytest.fixture(scope="module")
def place(folder: Path) -> Iterator[Place]:
    gate = OpenGate()
    with opened(folder, gate) as http:
        yield Place(http, gate)


def test_documents_come_back_by_their_scores(place: Place) -> None:
    """The best first, each with its place in the request; the list has the usual shape."""
    answer = place.rerank().json()
    scores = [one["relevance_score"] for one in answer["results"]]
    assert (answer["model"], answer["object"]) == (RANKS, "list")
    assert scores == sorted(scores, reverse=True)
    assert sorted(one["index"] for one in answer["results"]) == [0, 1, 2, 3]
    assert len(set(scores)) == 4
    assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] > 4 * 4


def test_a_score_does_not_depend_on_the_other_documents(place: Place) -> None:
    """Forty documents need two batches; each is scored as if it were alone."""
    many = place.rerank(documents=TEXTS * 10).json()["results"]
    alone = [place.rerank(documents=[t]).json()["results"][0]["relevance_score"] for t in TEXTS]
    for one in many:
        assert one["relevance_score"] == pytest.approx(alone[one["index"] % 4], abs=1e-4)
    best = [one["index"] for one in many[:10]]
    assert [index % 4 for index in best] == [alone.index(max(alone))] * 10


def test_top_n_and_the_texts_on_request(place: Place) -> None:
    """Objects are as good as texts, and more than there is may be asked for."""
    objects = [{"text": text} for text in TEXTS]
    best = place.rerank(documents=objects, top_n=1, return_documents=True).json()["results"]
    assert best[0]["document"] == {"text": TEXTS[best[0]["index"]]}
    assert len(best) == 1
    every = place.rerank(top_n=99).json()["results"]
    assert len(every) == 4
    assert "document" not in every[0]


def test_a_long_document_loses_its_end(place: Place) -> None:
    """What does not fit beside the question changes nothing; a long question is refused."""
    long = place.rerank(documents=["ward " * 30, "ward " * 190]).json()["results"]
    assert long[0]["relevance_score"] == pytest.approx(long[1]["relevance_score"])
    refused = place.rerank(query="ward " * 100)
    assert (refused.status_code, refused.json()["error"]["message"]) == (
        400,
        "the input length exceeds the context length",
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"model": ""}, "model is required"),
        ({"query": " "}, "query is required"),
        ({"documents": []}, "documents are required"),
        ({"documents": ["ward", ""]}, "a document has no text"),
        ({"documents": ["ward"] * 41}, "more than 40 documents"),
        ({"documents": ["w" * 1001]}, "the query or a document has more than 1000 bytes"),
        ({"top_n": 0}, "top_n must be at least 1"),
        ({"model": WRITES}, f'"{WRITES}" does not support reranking'),
    ],
)
def test_what_cannot_be_ranked_is_refused(place: Place, body: dict[str, Any], message: str) -> None:
    """By name, and no model works for it."""
    before = len(place.gate.uses)
    answer = place.rerank(**body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == message
    assert len(place.gate.uses) == before


def test_a_model_that_ranks_does_nothing_else(place: Place) -> None:
    """It says what it can, and refuses vectors and answers."""
    tags = place.http.get("/api/tags").json()["models"]
    can = {one["name"]: one["capabilities"] for one in tags}
    assert can[RANKS] == ["rerank"]
    assert "rerank" not in can[WRITES]
    assert place.http.post("/api/show", json={"model": RANKS}).json()["capabilities"] == ["rerank"]
    embed = place.http.post("/v1/embeddings", json={"model": RANKS, "input": "a"})
    chat = place.http.post("/api/chat", json={"model": RANKS, "messages": []})
    assert (embed.status_code, chat.status_code) == (400, 400)
    assert "does not support embeddings" in embed.json()["error"]["message"]


def test_a_ranking_is_counted_and_recorded(place: Place) -> None:
    """With the tokens that the model read, under the digest that was approved."""
    count = place.rerank().json()["usage"]["prompt_tokens"]
    use = place.gate.uses[-1]
    assert (use.model, use.prompt_tokens, use.answer_tokens) == (RANKS, count, 0)
    assert use.outcome == "done"
    assert len(use.digest) == 64


@pytest.mark.parametrize(("gate", "status"), [(Closed(), 403), (UsedUp(), 429)])
def test_apr_2_no_approval_or_no_quota_no_ranking(
    folder: Path, gate: OpenGate, status: int
) -> None:
    """The gate is asked before a model is loaded."""
    with opened(folder, gate) as http:
        answer = Place(http, gate).rerank()
        assert http.get("/api/ps").json()["models"] == []
    assert answer.status_code == status
    assert gate.uses == []
