"""Rules of Ollama's interface across endpoints: defaults, progress, a model's own texts."""

import shutil
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from gguf import GGUFReader

from runtime.manifest import CONFIG_TYPE, make_manifest
from runtime.names import parse_name
from runtime.store import Store, sha256_of

CHAT = "smollm2:135m"
GREEDY = {"temperature": 0, "num_predict": 6}
USER = {"role": "user", "content": "Where am I?"}
SYSTEM = {"role": "system", "content": "You answer in one word."}
FIRST = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]


@pytest.fixture(scope="module")
def ward(http: httpx.Client) -> str:
    """A model with a system text and messages of its own."""
    body = {"model": "ward-rules", "from": CHAT, "system": SYSTEM["content"], "messages": FIRST}
    http.post("/api/create", json=body | {"stream": False}).raise_for_status()
    return "ward-rules"


def chat(http: httpx.Client, model: str, *messages: dict[str, str]) -> tuple[str, int]:
    """The answer, and how many tokens it was asked with."""
    body = {"model": model, "messages": messages, "stream": False, "options": GREEDY}
    found = http.post("/api/chat", json=body).json()
    return found["message"]["content"], found["prompt_eval_count"]


def test_c_06_a_model_s_own_texts_come_first(http: httpx.Client, ward: str) -> None:
    """Its system text unless another is given, then its messages, then those of the request."""
    assert chat(http, ward, USER) == chat(http, CHAT, SYSTEM, *FIRST, USER)
    other = {"role": "system", "content": "You answer at length, and kindly."}
    assert chat(http, ward, other, USER) == chat(http, CHAT, other, *FIRST, USER)


def test_g_11_they_come_first_in_generate_too(http: httpx.Client, ward: str) -> None:
    """Unless a context says that the conversation has begun already."""
    body = {"model": ward, "prompt": USER["content"], "stream": False, "options": GREEDY}
    first = http.post("/api/generate", json=body).json()
    said, tokens = chat(http, CHAT, SYSTEM, *FIRST, USER)
    assert (first["response"], first["prompt_eval_count"]) == (said, tokens)
    again = http.post("/api/generate", json=body | {"context": first["context"]}).json()
    alone = http.post("/api/generate", json=body | {"model": CHAT, "context": [1]}).json()
    length = len(first["context"])
    assert again["prompt_eval_count"] - length == alone["prompt_eval_count"] - 1


def test_g_12_a_model_that_draws_is_refused(http: httpx.Client, models_dir: Path) -> None:
    """Upstream's words for what its list calls an image model."""
    store = Store(models_dir)
    model = store.read(parse_name(CHAT))
    config = store.add_bytes(CONFIG_TYPE, b'{"model_format":"gguf","capabilities":["image"]}')
    store.write_model(parse_name("draws"), make_manifest(config, model.manifest.layers))
    answer = http.post("/api/generate", json={"model": "draws", "prompt": "a ward"})
    said = "image generation models are not currently supported"
    assert (answer.status_code, answer.json()["error"]) == (400, said)
    store.delete(parse_name("draws"))


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/api/generate", {"prompt": "Hi", "options": GREEDY}, "application/x-ndjson"),
        ("/api/chat", {"messages": [USER], "options": GREEDY}, "application/x-ndjson"),
        ("/api/pull", {}, "application/x-ndjson"),
        ("/api/create", {"model": "streamed", "from": CHAT}, "application/x-ndjson"),
        ("/v1/chat/completions", {"messages": [USER], "max_tokens": 2}, "application/json"),
        ("/v1/completions", {"prompt": "Hi", "max_tokens": 2}, "application/json"),
        ("/v1/responses", {"input": "Hi", "max_output_tokens": 2}, "application/json"),
        ("/v1/messages", {"messages": [USER], "max_tokens": 2}, "application/json"),
    ],
)
def test_r_12_what_streams_unless_told_otherwise(
    http: httpx.Client, path: str, body: dict[str, Any], kind: str
) -> None:
    """Ollama's own endpoints stream, those of the other dialects do not."""
    answer = http.post(path, json={"model": CHAT} | body)
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == kind


@pytest.mark.parametrize(
    ("path", "body"),
    [("/api/pull", {"model": CHAT}), ("/api/create", {"model": "told-once", "from": CHAT})],
)
def test_r_15_without_a_stream_only_the_end_is_told(
    http: httpx.Client, path: str, body: dict[str, Any]
) -> None:
    """One JSON object; what fails has a status of its own."""
    answer = http.post(path, json=body | {"stream": False})
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.json() == {"status": "success"}
    failed = http.post(path, json={"model": "absent", "from": "absent", "stream": False})
    assert failed.status_code >= 400
    assert failed.json()["error"]


def test_e_06_a_vector_without_numbers_is_refused(
    http: httpx.Client, models_dir: Path, tmp_path: Path
) -> None:
    """A damaged model says so with 400, instead of giving what cannot be compared."""
    store, path = Store(models_dir), tmp_path / "broken.gguf"
    shutil.copyfile(store.read(parse_name("all-minilm")).path, path)
    reader = GGUFReader(path, "r+")
    norm = next(tensor for tensor in reader.tensors if tensor.name == "token_embd_norm.weight")
    norm.data[:] = np.nan
    reader.data.flush()
    digest = sha256_of(path)
    with path.open("rb") as file:
        http.post(f"/api/blobs/{digest}", content=file)
    body = {"model": "broken", "files": {"broken.gguf": digest}, "stream": False}
    http.post("/api/create", json=body).raise_for_status()
    answer = http.post("/api/embed", json={"model": "broken", "input": "ward"})
    said = "embedding contains NaN or Inf values"
    assert (answer.status_code, answer.json()["error"]) == (400, said)
    store.delete(parse_name("broken"))
