"""Adapters over HTTP: a generated one on a generated model, which is another model with it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from runtime.api.app import create_app
from runtime.api.gate import Visit
from runtime.api.refusal import Forbidden
from runtime.api.testing import OpenGate
from runtime.config import RuntimeSettings
from runtime.manifest import ADAPTER_TYPE
from runtime.names import parse_name
from runtime.store import InstalledModel, Store
from runtime.testing_engine import install_runnable
from runtime.testing_generated import write_adapter_gguf

BASE, ADAPTED = "llama:latest", "adapted:latest"


class ByDigest(OpenGate):
    """A gate that lets only approved digests work."""

    def __init__(self) -> None:
        super().__init__()
        self.approved: set[str] | None = None

    def approve(self, _visit: Visit, model: InstalledModel) -> None:
        if self.approved is not None and model.manifest.digest not in self.approved:
            raise Forbidden(f"The model {model.name} may not be used here.", "Propose it.")


@dataclass
class Place:
    """A runtime of one test's own."""

    http: TestClient
    store: Store
    gate: ByDigest

    def upload(self, content: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert self.http.post(f"/api/blobs/{digest}", content=content).status_code in (200, 201)
        return digest

    def create(self, name: str, **body: Any) -> Any:
        return self.http.post("/api/create", json={"model": name, "stream": False} | body)

    def write(self, name: str) -> Any:
        options = {"temperature": 0, "num_predict": 12}
        body = {"model": name, "prompt": "the ward", "raw": True, "stream": False}
        return self.http.post("/api/generate", json=body | {"options": options, "logprobs": True})

    def digest(self, name: str) -> str:
        return self.store.read(parse_name(name)).manifest.digest


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    store, gate = install_runnable(tmp_path, "llama"), ByDigest()
    settings = RuntimeSettings(models_dir=tmp_path, gentle_threads=True, max_sequences=2)
    with TestClient(create_app(settings, store, gate), base_url="http://127.0.0.1") as http:
        yield Place(http, store, gate)


def adapter(tmp_path: Path, **more: Any) -> bytes:
    return write_adapter_gguf(tmp_path / "adapter.gguf", **more)


def test_apr_1_an_adapter_makes_another_model(place: Place, tmp_path: Path) -> None:
    """It is a layer of Ollama's kind, answers otherwise, and its digest is its own."""
    digest = place.upload(adapter(tmp_path))
    made = place.create(ADAPTED, **{"from": BASE, "adapters": {"a.gguf": digest}})
    assert (made.status_code, made.json()) == (200, {"status": "success"})
    layers = place.store.read(parse_name(ADAPTED)).manifest.layers_of(ADAPTER_TYPE)
    assert [layer.digest for layer in layers] == [digest]
    plain, adapted = place.write(BASE).json(), place.write(ADAPTED).json()
    chances = [[one["logprob"] for one in x["logprobs"]] for x in (plain, adapted)]
    assert chances[0][0] != pytest.approx(chances[1][0], abs=1e-3)
    assert [use.digest for use in place.gate.uses] == [place.digest(BASE), place.digest(ADAPTED)]
    assert place.digest(BASE) != place.digest(ADAPTED)


def test_apr_2_an_approval_of_the_base_is_none_of_the_adapted(place: Place, tmp_path: Path) -> None:
    """Nor is one with another adapter the same model."""
    for name, strength in ((ADAPTED, 4.0), ("other", 5.0)):
        digest = place.upload(adapter(tmp_path, strength=strength))
        place.create(name, **{"from": BASE, "adapters": {"a.gguf": digest}})
    place.gate.approved = {place.digest(BASE)}
    assert [place.write(x).status_code for x in (BASE, ADAPTED, "other")] == [200, 403, 403]
    place.gate.approved = {place.digest(ADAPTED)}
    assert [place.write(x).status_code for x in (BASE, ADAPTED, "other")] == [403, 200, 403]


def test_an_adapter_stays_when_a_model_is_made_of_an_adapted_one(
    place: Place, tmp_path: Path
) -> None:
    """A second one comes on top of it, and the Modelfile names both."""
    first, second = (place.upload(adapter(tmp_path, strength=x)) for x in (4.0, 1.0))
    place.create(ADAPTED, **{"from": BASE, "adapters": {"a.gguf": first}})
    place.create("twice", **{"from": ADAPTED, "adapters": {"b.gguf": second}})
    shown = place.http.post("/api/show", json={"model": "twice"}).json()["modelfile"]
    lines = [line for line in shown.splitlines() if line.startswith("ADAPTER ")]
    assert [line.endswith(x[7:]) for line, x in zip(lines, (first, second), strict=True)] == [1, 1]
    assert place.write("twice").status_code == 200


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("qwen2", "a.gguf", "the adapter is for qwen2, and the model is llama"),
        ("base", "a.gguf", "the file is no LoRA adapter"),
        ("odd", "adapter_model.safetensors", "is not in GGUF form"),
        ("odd", "../a.gguf", "file path must be relative"),
    ],
)
def test_an_adapter_that_does_not_fit_makes_nothing(
    place: Place, tmp_path: Path, content: str, name: str, message: str
) -> None:
    """It is refused before a model is visible, and the base works as before."""
    base = place.store.read(parse_name(BASE)).path.read_bytes()
    other = adapter(tmp_path, architecture="qwen2")
    digest = place.upload({"qwen2": other, "base": base, "odd": b"no GGUF at all"}[content])
    answer = place.create(ADAPTED, **{"from": BASE, "adapters": {name: digest}})
    assert answer.status_code == 400, answer.text
    assert message in answer.json()["error"]
    assert [str(x) for x in place.store.names()] == [BASE]
    assert place.write(BASE).status_code == 200


def test_prv_1_an_adapter_that_was_swapped_is_not_loaded(place: Place, tmp_path: Path) -> None:
    """The bytes on disk are not those that were approved: no load, no answer."""
    digest = place.upload(adapter(tmp_path))
    place.create(ADAPTED, **{"from": BASE, "adapters": {"a.gguf": digest}})
    place.store.blob_path(digest).write_bytes(adapter(tmp_path, strength=9.0))
    answer = place.write(ADAPTED)
    assert answer.status_code != 200
    assert "is damaged" in answer.json()["error"]


def test_an_adapter_alone_is_no_model(place: Place, tmp_path: Path) -> None:
    """It says what it is."""
    answer = place.create(ADAPTED, files={"a.gguf": place.upload(adapter(tmp_path))})
    assert answer.status_code == 400
    assert "is an adapter, not a model" in answer.json()["error"]
