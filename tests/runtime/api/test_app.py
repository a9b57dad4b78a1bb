"""Rules that hold for every endpoint (reference/ollama.md, section 0)."""

import asyncio
import json
import os
import signal
import socket
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from runtime.api.refusal import status_of
from runtime.errors import (
    BadRequest,
    Cancelled,
    LoadFailed,
    ModelRuntimeError,
    ServerBusy,
    UnknownModel,
    WorkerDied,
)

CHAT = "smollm2:135m"
PATHS = ("/api/generate", "/api/chat", "/api/embed", "/api/show")
OPENAI_PATHS = ("/v1/chat/completions", "/v1/embeddings")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_r_01_the_root_says_that_it_runs(http: httpx.Client, method: str) -> None:
    """Clients probe with it."""
    answer = http.request(method, "/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == ("Ollama is running" if method == "GET" else "")


def test_r_02_any_content_type_is_read(http: httpx.Client) -> None:
    """`curl -d` sends a form type and means JSON."""
    answer = http.post(
        "/api/show",
        content=json.dumps({"model": CHAT}),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "missing request body"),
        (b"{", "unexpected EOF"),
        (b"{'a'}", "invalid character '''"),
        (b"[]", "cannot unmarshal array into Go value"),
        (b'{"model": 5}', "cannot unmarshal number into Go struct field"),
        (b'{"x": NaN}', "NaN is no JSON"),
        (b"[" * 100_000, "exceeded max depth"),
    ],
)
def test_r_03_r_05_a_bad_body_is_a_400_in_the_native_shape(
    http: httpx.Client, path: str, body: bytes, text: str
) -> None:
    """Never 422, never `detail`."""
    answer = http.post(path, content=body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert text in answer.json()["error"]


@pytest.mark.parametrize("path", OPENAI_PATHS)
@pytest.mark.parametrize(
    ("body", "text"), [(b"", "EOF"), (b"{", "unexpected EOF"), (b'{"model": 5}', "unmarshal")]
)
def test_r_03_r_06_a_bad_body_on_v1_is_in_openai_s_shape(
    http: httpx.Client, path: str, body: bytes, text: str
) -> None:
    """The same errors, as that dialect writes them."""
    answer = http.post(path, content=body)
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert text in error.pop("message")
    assert error == {"type": "invalid_request_error", "param": None, "code": None}


def test_r_04_unknown_fields_are_ignored_and_null_is_absent(http: httpx.Client) -> None:
    """Old and new clients send what we do not know."""
    body = {"model": CHAT, "verbose": None, "nonsense": {"a": 1}}
    assert http.post("/api/show", json=body).status_code == 200


def test_r_08_unknown_paths_and_wrong_methods(http: httpx.Client) -> None:
    """Texts, not JSON; HEAD only where Ollama has it."""
    missing = http.get("/api/nothing")
    assert (missing.status_code, missing.text) == (404, "404 page not found")
    assert http.get("/api/show").status_code == 405
    assert http.post("/api/tags").status_code == 405
    assert [http.head(p).status_code for p in ("/", "/api/version", "/api/tags")] == [200] * 3
    assert [http.head(p).status_code for p in ("/api/ps", "/v1/models")] == [405] * 2


def test_r_09_any_key_is_accepted_and_ignored(http: httpx.Client) -> None:
    """Clients send whatever they were set up with."""
    answer = http.get("/api/tags", headers={"Authorization": "Bearer ollama"})
    assert answer.status_code == 200


def test_r_10_name_is_an_old_word_for_model(http: httpx.Client) -> None:
    """Old clients ask for `name`; `model` wins."""
    assert http.post("/api/show", json={"name": CHAT}).status_code == 200
    both = http.post("/api/show", json={"name": CHAT, "model": "nobody"})
    assert both.status_code == 404


def test_v_01_the_version_is_numbers(http: httpx.Client) -> None:
    """Clients compare it."""
    version = http.get("/api/version").json()["version"]
    assert all(part.isdigit() for part in version.split("."))


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:3000", 200),
        ("https://127.0.0.1", 200),
        ("app://obsidian.md", 200),
        ("http://evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("null", 403),
    ],
)
def test_r_17_only_local_pages_may_ask(http: httpx.Client, origin: str, status: int) -> None:
    """A page from elsewhere gets an empty 403; a local one is told that it may read."""
    answer = http.get("/api/tags", headers={"Origin": origin})
    assert answer.status_code == status
    assert answer.headers.get("access-control-allow-origin") == (origin if status == 200 else None)
    preflight = http.options("/api/chat", headers={"Origin": origin})
    assert preflight.status_code == (204 if status == 200 else 403)
    assert preflight.content == b""


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:11434", 200),
        ("127.0.0.1", 200),
        ("[::1]:11434", 200),
        ("pc.local", 200),
        ("192.168.1.5", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
    ],
)
def test_r_18_a_name_bent_to_our_address_is_refused(
    http: httpx.Client, host: str, status: int
) -> None:
    """DNS rebinding ends in an empty 403."""
    answer = http.get("/api/version", headers={"Host": host})
    assert answer.status_code == status
    assert bool(answer.content) == (status == 200)


def connect(base_url: str) -> socket.socket:
    url = httpx.URL(base_url)
    return socket.create_connection((url.host, url.port or 80))


def send(line: socket.socket, path: str, body: dict[str, Any]) -> None:
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n\r\n"
    line.sendall(head.encode() + content)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions"])
def test_r_16_a_client_that_goes_away_ends_the_work(
    base_url: str, http: httpx.Client, path: str, stream: bool
) -> None:
    """Streamed or not: with all slots taken by clients that left, the next is served at once."""
    endless = {
        "model": CHAT,
        "messages": [{"role": "user", "content": "Write the longest story."}],
        "stream": stream,
        "options": {"num_predict": 10_000},
    }
    for _ in range(5):
        with connect(base_url) as line:
            send(line, path, endless)
            if stream:
                assert line.recv(64).startswith(b"HTTP/1.1 200")
    answer = http.post(
        "/api/generate",
        json={"model": CHAT, "prompt": "Hi", "stream": False, "options": {"num_predict": 3}},
    )
    assert answer.status_code == 200


def test_a_body_over_the_limit_is_refused_while_it_comes(base_url: str) -> None:
    """Nobody can fill our memory: 413 in the native shape."""

    async def run() -> httpx.Response:
        async def endless() -> Any:
            for _ in range(40):
                yield b" " * 1_000_000

        async with httpx.AsyncClient(base_url=base_url) as client:
            return await client.post("/api/show", content=endless())

    answer = asyncio.run(run())
    assert answer.status_code == 413
    assert "too large" in answer.json()["error"]


def test_r_14_o_07_an_error_in_the_middle_is_said_in_the_stream(
    http: httpx.Client, app: Starlette
) -> None:
    """The status stays 200; the last line or event is the error, and nothing says "done"."""
    body = {
        "model": CHAT,
        "messages": [{"role": "user", "content": "Write the longest story."}],
        "stream": True,
        "options": {"num_predict": 10_000},
    }
    for path in ("/api/chat", "/v1/chat/completions"):
        with http.stream("POST", path, json=body) as answer:
            lines = answer.iter_lines()
            assert next(lines)
            for entry in app.state.engine.loaded():
                os.kill(entry.process.pid, signal.SIGKILL)
            *_, last = (line for line in lines if line)
        assert answer.status_code == 200
        error = json.loads(last.removeprefix("data: "))["error"]
        assert "the process of the model ended" in (
            error if path == "/api/chat" else error["message"]
        )
    assert http.post("/api/show", json={"model": CHAT}).status_code == 200


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ServerBusy("busy"), 503),
        (Cancelled("request canceled"), 499),
        (UnknownModel("x"), 404),
        (BadRequest("x"), 400),
        (LoadFailed("x"), 500),
        (WorkerDied("x"), 500),
    ],
)
def test_each_failure_has_its_status(error: ModelRuntimeError, status: int) -> None:
    """The table of scheduling errors."""
    assert status_of(error) == status
