"""A real record for each test, fresh, on SQLite and on PostgreSQL."""

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import pytest

from governance.config import GovernanceSettings
from governance.erasing import Erasing
from governance.events import SYSTEM, Actor
from governance.handing_in import HandIns
from governance.loading import LoadingStore
from governance.people import PeopleStore, Person
from governance.policies import Department, PolicyStore
from governance.questions import AskedRecord, Channel, QuestionStatus, QuestionStore
from governance.quotas import QuotaStore
from governance.record.database import Record, open_record
from governance.record.people_tables import people as people_table
from governance.retention import RetentionStore
from governance.secrets import Secrets
from governance.sessions import SessionStore
from governance.testing import Cluster, postgresql_cluster
from governance.testing_clock import Watch
from governance.testing_quotas import ANNA, BEN
from governance.testing_quotas import NOW as QUOTAS_NOW
from governance.testing_retention import NOW, OWNER
from governance.vault import Vault

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
def hand_ins(record: Record) -> HandIns:
    return HandIns(record)


@pytest.fixture
def erasing(record: Record, settings: GovernanceSettings) -> Erasing:
    return Erasing(record, settings)


@pytest.fixture
def demo(policies: PolicyStore) -> Department:
    return policies.create_department(SYSTEM, "demo")


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def people(record: Record, watch: Watch) -> PeopleStore:
    return PeopleStore(record, watch)


@pytest.fixture
def sessions(record: Record, settings: GovernanceSettings) -> SessionStore:
    return SessionStore(record, settings, b"k" * 32)


@pytest.fixture
def ada(people: PeopleStore) -> Person:
    return people.create(SYSTEM, "Ada", "ada")


@pytest.fixture
def her(ada: Person) -> Actor:
    return Actor("local", "ada", "password", ada.id)


@pytest.fixture
def secrets(settings: GovernanceSettings) -> Secrets:
    return Secrets(settings.keys_dir)


@pytest.fixture
def retention(record: Record, secrets: Secrets, settings: GovernanceSettings) -> RetentionStore:
    return RetentionStore(record, Vault(secrets), settings)


@pytest.fixture
def store(record: Record, secrets: Secrets, settings: GovernanceSettings) -> QuestionStore:
    return QuestionStore(record, secrets, settings)


@pytest.fixture
def quotas(record: Record) -> QuotaStore:
    with record.write() as connection:
        for person_id, name in ((ANNA, "anna"), (BEN, "ben")):
            connection.execute(
                people_table.insert().values(
                    id=person_id,
                    issuer="local",
                    subject=name,
                    name=name,
                    state="active",
                    created_at=QUOTAS_NOW,
                )
            )
    return QuotaStore(record)


@pytest.fixture
def ask(store: QuestionStore, demo: Department) -> Callable[..., str]:
    """Someone asks, and the answer is recorded."""

    def ask(
        text: str = "Who may sing?", at: datetime = NOW, department_id: str | None = None
    ) -> str:
        asked = AskedRecord(
            department_id or demo.id, None, Channel.PAGE, QuestionStatus.ANSWERED, text, f"{text}!"
        )
        return store.record_answer(OWNER, asked, at)

    return ask
