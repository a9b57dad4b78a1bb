"""Each model server gets its own key; ours alone hears who asks."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from rag.asker import NOBODY, Asker
from rag.config import RagSettings
from rag.model_keys import ModelKeys

OURS = "http://127.0.0.1:11434/v1"
GPU = "http://gpu.example:8000/v1"
ASKER = Asker("p-1", "d-1", "r-1")


def settings_with(tmp_path: Path, **changes: Any) -> RagSettings:
    path = tmp_path / "runtime.key"
    path.write_text("lrt_start\n")
    given = {"chat_url": OURS, "embed_url": OURS, "runtime_url": "http://127.0.0.1:11434/"}
    return RagSettings(tmp_path, **{"runtime_key_path": path, **given, **changes})


def sent(settings: RagSettings, url: str, **headers: str) -> httpx.Headers:
    request = httpx.Request("POST", url, headers=ASKER.headers() | headers)
    return next(ModelKeys(settings).auth_flow(request)).headers


def ids(headers: httpx.Headers) -> list[str]:
    return [value for name, value in headers.items() if name.startswith("x-lamplight-")]


def test_our_runtime_gets_the_key_of_this_start_and_who_asks(tmp_path: Path) -> None:
    """Under each name of this machine; the client's own word is overwritten."""
    settings = settings_with(tmp_path)
    for url in (OURS, "http://localhost:11434/v1/embeddings"):
        headers = sent(settings, url, Authorization="Bearer none")
        assert headers["authorization"] == "Bearer lrt_start"
        assert ids(headers) == ["p-1", "d-1", "r-1"]


def test_the_key_is_read_anew_for_each_request(tmp_path: Path) -> None:
    """A runtime that was started again has another."""
    settings = settings_with(tmp_path)
    keys = ModelKeys(settings)
    (tmp_path / "runtime.key").write_text("lrt_next")
    request = next(keys.auth_flow(httpx.Request("GET", OURS)))
    assert request.headers["authorization"] == "Bearer lrt_next"


@pytest.mark.parametrize(
    "url", [GPU, "http://127.0.0.1:8000/v1", "https://127.0.0.1:11434/v1", "http://127.0.0.1/v1"]
)
def test_another_server_never_gets_the_start_key_nor_who_asks(tmp_path: Path, url: str) -> None:
    """It gets the key that the settings name for it."""
    settings = settings_with(tmp_path, chat_url=url, chat_key="vllm")
    headers = sent(settings, url)
    assert headers["authorization"] == "Bearer vllm"
    assert ids(headers) == []


def test_each_server_gets_its_own_key(tmp_path: Path) -> None:
    """The chat server's is its own; the common one is for the other."""
    settings = settings_with(tmp_path, chat_url=GPU, chat_key="vllm", api_key="common")
    settings_of_both = settings_with(tmp_path, chat_url=GPU, embed_url=GPU, api_key="common")
    assert sent(settings, OURS)["authorization"] == "Bearer lrt_start"
    assert sent(settings_of_both, GPU)["authorization"] == "Bearer common"
    assert "authorization" not in sent(settings, "http://elsewhere.example/v1")


def test_without_a_key_file_nobody_is_named(tmp_path: Path) -> None:
    """A runtime would not believe it, and a server that is none of ours shall not know it."""
    settings = settings_with(tmp_path, runtime_key_path=tmp_path / "none")
    headers = sent(settings, OURS)
    assert "authorization" not in headers
    assert ids(headers) == []


def test_nobody_has_no_headers() -> None:
    """What is not known is not sent."""
    assert NOBODY.headers() == {}
    assert Asker(request="r").headers() == {"X-Lamplight-Request": "r"}


def test_keys_are_not_printed(tmp_path: Path) -> None:
    """Settings end up in logs."""
    settings = settings_with(tmp_path, chat_key="hidden", api_key="hidden")
    assert "hidden" not in repr(settings) + repr(ModelKeys(settings))
