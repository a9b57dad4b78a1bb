"""A server whose models can be moved to and from a registry that is not ours."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.api.app import create_app
from runtime.api.testing import OpenGate
from runtime.config import RuntimeSettings
from runtime.store import Store
from runtime.testing import write_tiny_gguf
from runtime.testing_server import registry_in, serving


@pytest.fixture(scope="session")
def registry_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """HOST:PORT of an empty registry."""
    with registry_in(tmp_path_factory.mktemp("registry")) as host:
        yield host


@pytest.fixture(scope="session")
def moving_url(
    settings: RuntimeSettings, registry_host: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A server with an empty store that may speak to that registry."""
    folder = tmp_path_factory.mktemp("moving")
    chosen = replace(
        settings, models_dir=folder, allowed_registries=(registry_host,), min_free_bytes=0
    )
    with serving(create_app(chosen, Store(folder), OpenGate())) as url:
        yield url


@pytest.fixture(scope="session")
def tiny_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of a few kilobytes."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.gguf"
    write_tiny_gguf(path, "for the clients")
    return path
