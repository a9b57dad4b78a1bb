"""A real record in a fresh directory, on the SQLite that ships with Lamplight."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.config import GovernanceSettings
from governance.loading import LoadingStore
from governance.policies import Department, PolicyStore
from governance.record.database import Record, open_record


@pytest.fixture
def settings(tmp_path: Path) -> GovernanceSettings:
    return GovernanceSettings(data_dir=tmp_path / "data")


@pytest.fixture
def record(settings: GovernanceSettings) -> Iterator[Record]:
    record = open_record(settings)
    yield record
    record.close()


@pytest.fixture
def policies(record: Record, settings: GovernanceSettings) -> PolicyStore:
    return PolicyStore(record, settings)


@pytest.fixture
def loading(record: Record, settings: GovernanceSettings) -> LoadingStore:
    return LoadingStore(record, settings)


@pytest.fixture
def demo(policies: PolicyStore) -> Department:
    return policies.create_department("demo")
