"""A real record for each test, fresh, on SQLite and on PostgreSQL."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from governance.config import GovernanceSettings
from governance.events import SYSTEM
from governance.loading import LoadingStore
from governance.policies import Department, PolicyStore
from governance.record.database import Record, open_record
from governance.testing import Cluster, postgresql_cluster

TEMPLATE = "migrated"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One PostgreSQL server for all tests of this run; fails where it is not installed."""
    with postgresql_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite record with the newest schema and nothing in it; tests copy it."""
    settings = GovernanceSettings(data_dir=tmp_path_factory.mktemp("migrated"))
    open_record(settings).close()
    return settings.data_dir / "record.db"


@pytest.fixture(scope="session")
def migrated_database(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a PostgreSQL database with the newest schema and nothing in it."""
    url = cluster.create(TEMPLATE)
    folder = tmp_path_factory.mktemp("postgresql")
    open_record(GovernanceSettings(data_dir=folder, database_url=url)).close()
    return TEMPLATE


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GovernanceSettings]:
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o700)
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), data_dir / "record.db")
        yield GovernanceSettings(data_dir=data_dir)
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    name = f"test-{uuid4().hex}"
    url = cluster.create(name, request.getfixturevalue("migrated_database"))
    yield GovernanceSettings(data_dir=data_dir, database_url=url)
    cluster.drop(name)


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
    return policies.create_department(SYSTEM, "demo")
