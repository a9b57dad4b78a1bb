"""A data directory with a record and keys beside a scripted runtime; a gate with small models."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.config import GovernanceSettings
from governance.record.database import Record, open_record
from lamplight.settings import Settings
from lamplight.testing_backup import settings_of
from lamplight.testing_gate import CHAT, EMBED, House
from rag.testing import Script, scripted_runtime
from runtime.catalog import builtin_catalog
from runtime.config import RuntimeSettings
from runtime.pull import Puller
from runtime.store import Store


@pytest.fixture
def script() -> Script:
    return Script(pieces=("Check the hands 2 times in each shift. [1]",))


@pytest.fixture
def url(script: Script) -> Iterator[str]:
    with scripted_runtime(script) as url:
        yield url


@pytest.fixture
def settings(tmp_path: Path, url: str) -> Settings:
    settings = settings_of(tmp_path / "data", url)
    keys = settings.governance.keys_dir
    keys.mkdir(parents=True, mode=0o700)
    (keys / "vault.key").write_bytes(b"k" * 32)
    return settings


@pytest.fixture
def record(settings: Settings) -> Iterator[Record]:
    record = open_record(settings.governance)
    yield record
    record.close()


@pytest.fixture(scope="session")
def models_dir() -> Path:
    folder = Path(os.environ.get("LAMPLIGHT_TEST_MODELS") or "~/.cache/lamplight/models")
    settings = RuntimeSettings(models_dir=folder.expanduser())
    puller = Puller(settings, Store(settings.models_dir), builtin_catalog())
    for name in (CHAT, EMBED):
        if not puller.is_installed(name):
            puller.pull(name, lambda _: None)
    return settings.models_dir


@pytest.fixture
def house(tmp_path: Path, models_dir: Path) -> Iterator[House]:
    governance = GovernanceSettings(data_dir=tmp_path)
    record = open_record(governance)
    runtime = RuntimeSettings(models_dir, context_length_tokens=512, gentle_threads=True)
    yield House(record, runtime, governance)
    record.close()
