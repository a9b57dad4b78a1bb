"""A real HTTP runtime whose words the test decides, and policies to ask it about."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.config import RagSettings
from rag.testing import DIMENSIONS, Script, scripted_runtime
from rag.testing_assistant import Policies


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def policies() -> Policies:
    return Policies()


@pytest.fixture
def settings(tmp_path: Path, script: Script) -> Iterator[RagSettings]:
    with scripted_runtime(script) as url:
        yield RagSettings(
            index_dir=tmp_path / "index",
            index_reserve_bytes=0,
            chat_url=url,
            embed_url=url,
            chat_model="scripted",
            embed_dimensions=DIMENSIONS,
        )
