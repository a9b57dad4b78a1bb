"""A model that carries a template of Ollama's, in Go's language, is asked with it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from runtime.manifest import CONFIG_TYPE, TEMPLATE_TYPE, make_manifest
from runtime.names import parse_name
from runtime.store import Store

CHAT = "smollm2:135m"
GREEDY = {"temperature": 0, "num_predict": 12}
CHATML = (
    "{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}"
    "{{- if .Tools }}{{ range .Tools }}{{ .Function.Name }}{{ end }}{{ end }}"
    "<|im_start|>assistant\n"
)
INSERTS = "{{ if .Suffix }}{{ .Suffix }} The capital of France is{{ else }}{{ .Prompt }}{{ end }}"


@pytest.fixture(scope="module")
def made(http: httpx.Client) -> Iterator[str]:
    """A model with a layer in Go's language."""
    body = {"model": "go-chat", "from": CHAT, "template": CHATML, "stream": False}
    assert http.post("/api/create", json=body).json() == {"status": "success"}
    yield "go-chat"
    http.request("DELETE", "/api/delete", json={"model": "go-chat"})


def test_it_says_the_same_as_with_the_file_s_own(http: httpx.Client, made: str) -> None:
    """Two templates that mean one form make one prompt."""
    messages = [
        {"role": "system", "content": "You know cities."},
        {"role": "user", "content": "What is the capital of France?"},
    ]
    how: Any = {"messages": messages, "stream": False, "options": GREEDY}
    go = http.post("/api/chat", json=how | {"model": made}).json()
    own = http.post("/api/chat", json=how | {"model": CHAT}).json()
    assert go["message"] == own["message"]
    assert go["prompt_eval_count"] == own["prompt_eval_count"]


def test_its_abilities_are_read_from_it(http: httpx.Client, made: str) -> None:
    """`.Tools` means that it takes tools, and show gives the layer as it is."""
    shown = http.post("/api/show", json={"model": made}).json()
    assert shown["capabilities"] == ["completion", "tools"]
    assert shown["template"] == CHATML


def test_a_template_with_a_suffix_inserts(http: httpx.Client) -> None:
    """Also where the vocabulary has no marks for it, on both interfaces."""
    body = {"model": "go-insert", "from": CHAT, "template": INSERTS, "stream": False}
    assert http.post("/api/create", json=body).json() == {"status": "success"}
    asked = {"model": "go-insert", "prompt": "x", "suffix": "Listen."}
    native = http.post("/api/generate", json=asked | {"stream": False, "options": GREEDY})
    assert "Paris" in native.json()["response"]
    older = http.post("/v1/completions", json=asked | {"temperature": 0, "max_tokens": 12})
    assert "Paris" in older.json()["choices"][0]["text"]
    shown = http.post("/api/show", json={"model": "go-insert"}).json()
    assert "insert" in shown["capabilities"]
    http.request("DELETE", "/api/delete", json={"model": "go-insert"})


def test_one_that_only_fills_the_place_is_passed_over(http: httpx.Client, models_dir: Path) -> None:
    """Models that name a renderer of Ollama's program carry an empty template; the file has one."""
    store = Store(models_dir)
    model = store.read(parse_name(CHAT))
    config = store.add_bytes(CONFIG_TYPE, b'{"model_format":"gguf","renderer":"smollm"}')
    layer = store.add_bytes(TEMPLATE_TYPE, b"{{ .Prompt }}")
    store.write_model(parse_name("rendered"), make_manifest(config, (model.manifest.model, layer)))
    how: Any = {"prompt": "What is the capital of France?", "stream": False, "options": GREEDY}
    found = [http.post("/api/generate", json=how | {"model": m}).json() for m in ("rendered", CHAT)]
    assert found[0]["prompt_eval_count"] == found[1]["prompt_eval_count"]
    store.delete(parse_name("rendered"))


def test_one_that_is_none_is_refused_when_the_model_is_made(http: httpx.Client) -> None:
    """400 before anything is written, in Ollama's words."""
    body = {"model": "go-bad", "from": CHAT, "template": "{{ if .Prompt }}"}
    answer = http.post("/api/create", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"] == "template error: template: :1: unexpected EOF"
