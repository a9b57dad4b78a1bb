"""A data directory with a record and keys, beside a scripted runtime."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.record.database import Record, open_record
from lamplight.settings import Settings
from lamplight.testing_backup import settings_of
from rag.testing import Script, scripted_runtime


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
