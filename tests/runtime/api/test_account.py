"""Ollama's cloud, answered as by a server without one (reference/ollama.md, V-02 to V-05)."""

from typing import Any

import httpx
import pytest

CHAT = "smollm2:135m"
FULL = "registry.ollama.ai/library/smollm2:135m"


def test_v_02_the_cloud_is_off_and_says_so(http: httpx.Client) -> None:
    """A desktop program hides its cloud by this."""
    assert http.get("/api/status").json() == {"cloud": {"disabled": True, "source": "config"}}


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("POST", "/api/me", 401, "unauthorized"),
        ("POST", "/api/signout", 401, "you are not currently signed in"),
        ("DELETE", "/api/user/keys/AAAA", 401, "you are not currently signed in"),
        (
            "POST",
            "/api/experimental/web_search",
            403,
            "cloud is disabled: web search is unavailable",
        ),
        ("POST", "/api/experimental/web_fetch", 403, "cloud is disabled: web fetch is unavailable"),
    ],
)
def test_v_03_v_04_v_05_what_needs_the_cloud_is_refused(
    http: httpx.Client, method: str, path: str, status: int, text: str
) -> None:
    """In upstream's words, whatever is sent."""
    for body in (b"", b'{"query": "hand hygiene"}', b"{"):
        answer = http.request(method, path, content=body)
        assert (answer.status_code, answer.json()["error"]) == (status, text)
        assert answer.json()["hint"]
    assert ("signin_url" in http.post("/api/me").json()) is True


def test_recommendations_are_what_can_be_fetched(http: httpx.Client) -> None:
    """The catalogue's models, by the names under which they can be pulled."""
    found = http.get("/api/experimental/model-recommendations").json()["recommendations"]
    assert CHAT in [one["model"] for one in found]
    assert all(one["description"] for one in found)


@pytest.mark.parametrize(
    ("given", "status", "text"),
    [
        ({"data": {"model": CHAT}, "files": {"file": b"RIFF"}}, 400, f"{FULL} does not support"),
        ({"data": {"model": "nobody"}, "files": {"file": b"RIFF"}}, 404, "'nobody' not found"),
        ({"data": {"model": CHAT}, "files": {"other": b"x"}}, 400, "file is required"),
        ({"files": {"file": b"RIFF"}}, 400, "model is required"),
        ({"json": {"model": CHAT}}, 400, "multipart/form-data"),
        (
            {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
            400,
            "boundary",
        ),
        (
            {
                "data": {"model": CHAT, "response_format": "srt"},
                "files": {"file": b"RIFF"},
            },
            400,
            "unsupported response_format",
        ),
    ],
)
def test_transcriptions_are_refused_for_what_the_model_is(
    http: httpx.Client, given: dict[str, Any], status: int, text: str
) -> None:
    """A recording is read as upstream reads it; no model here hears."""
    answer = http.post("/v1/audio/transcriptions", **given)
    assert answer.status_code == status
    assert text in answer.json()["error"]["message"]


def test_a_recording_over_the_limit_is_refused_while_it_comes(http: httpx.Client) -> None:
    """25 MB, as upstream; no more of it is read."""
    files = {"file": b"x" * (26 * 1024 * 1024)}
    answer = http.post("/v1/audio/transcriptions", data={"model": CHAT}, files=files)
    assert answer.status_code == 413
