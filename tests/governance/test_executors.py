"""Who does jobs holds a lock for as long as it lives; without it nothing it does counts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from governance.config import GovernanceSettings
from governance.executors import Displaced, Executor, executor_of
from governance.record.database import Record, open_record
from governance.testing import postgresql_cluster


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GovernanceSettings]:
    with postgresql_cluster() as cluster:
        yield GovernanceSettings(tmp_path_factory.mktemp("data"), cluster.create("record"))


@pytest.fixture
def records(settings: GovernanceSettings) -> Iterator[list[Record]]:
    made = [open_record(settings) for _ in range(2)]
    yield made
    for record in made:
        record.close()


@pytest.fixture
def executors(records: list[Record], settings: GovernanceSettings) -> Iterator[list[Executor]]:
    made = [one for record in records if (one := executor_of(record, settings))]
    for one in made:
        one.begin()
    yield made
    for one in made:
        one.end()


def end_connections_of(record: Record) -> None:
    """What a broken network or a server that starts again does to locks, waited for."""
    with record.write() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks "
                "WHERE locktype = 'advisory' AND objsubid = 2"
            )
        )


def test_on_sqlite_one_process_does_all_jobs(tmp_path: Path) -> None:
    """There is nobody to share with."""
    settings = GovernanceSettings(tmp_path)
    record = open_record(settings)
    assert executor_of(record, settings) is None
    record.close()


def test_each_has_an_id_of_its_own_and_is_seen_by_the_others(executors: list[Executor]) -> None:
    """Who lives is not dead, who ended is, and one of two finds it so."""
    first, second = executors
    assert first.id != second.id
    with second.dead(first.id) as gone:
        assert not gone
    first.end()
    with second.dead(first.id) as gone, second.dead(first.id) as again:
        assert (gone, again) == (True, False)


def test_who_lost_the_lock_writes_nothing_more(
    executors: list[Executor], records: list[Record]
) -> None:
    """Not even with a new id: others may have begun the job again."""
    first, second = executors
    record, other = records
    with first.working():
        with record.write() as connection:
            connection.execute(text("SELECT 1"))
        end_connections_of(other)
        with pytest.raises(Displaced), record.write():
            pass
        before = first.id
        assert not first.lives()
        assert first.begin() != before
        assert first.lives()
        with pytest.raises(Displaced), record.write():
            pass
        with record.read() as connection:  # to look is no harm
            assert connection.execute(text("SELECT 1")).scalar_one() == 1
    with first.working(), record.write():  # what is begun under the new id counts
        pass
    with record.write():  # and so does what nobody does as a worker
        pass
    second.end()
