"""Real models, a real server, and a small package index for the tests of the runtime."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import ollama
import openai
import pytest
import uvicorn
from starlette.applications import Starlette

from runtime.api.app import create_app
from runtime.catalog import builtin_catalog
from runtime.config import RuntimeSettings
from runtime.pull import Puller
from runtime.store import Store
from runtime.testing import PackageServer

CHAT = "smollm2:135m"
EMBED = "all-minilm"


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """A store with the two small models, fetched once per machine by our own code."""
    given = os.environ.get("LAMPLIGHT_TEST_MODELS") or "~/.cache/lamplight/models"
    folder = Path(given).expanduser()
    settings = RuntimeSettings(models_dir=folder)
    puller = Puller(settings, Store(folder), builtin_catalog())
    for name in (CHAT, EMBED):
        if not puller.is_installed(name):
            puller.pull(name, lambda _: None)
    return folder


@pytest.fixture(scope="session")
def settings(models_dir: Path) -> RuntimeSettings:
    """Settings for tests: small contexts, and threads that share the machine."""
    return RuntimeSettings(
        models_dir=models_dir,
        context_length_tokens=1024,
        max_sequences=4,
        gentle_threads=True,
    )


@pytest.fixture(scope="session")
def app(settings: RuntimeSettings) -> Starlette:
    """The application behind the server."""
    return create_app(settings)


@pytest.fixture(scope="session")
def base_url(app: Starlette) -> Iterator[str]:
    """A real server on a free port."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="session")
def http(base_url: str) -> Iterator[httpx.Client]:
    """A plain client of the server."""
    with httpx.Client(base_url=base_url, timeout=120) as client:
        yield client


@pytest.fixture(scope="session")
def ollama_client(base_url: str) -> Iterator[ollama.Client]:
    """Ollama's own client."""
    client = ollama.Client(host=base_url, timeout=120)
    yield client
    client._client.close()


@pytest.fixture(scope="session")
def openai_client(base_url: str) -> Iterator[openai.OpenAI]:
    """OpenAI's own client."""
    with openai.OpenAI(base_url=f"{base_url}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
def package_server() -> Iterator[PackageServer]:
    """A package index whose answers can be made to fail."""
    with PackageServer() as server:
        yield server
