"""The record opens safely or not at all, and its transactions are whole, on both databases."""

import threading
from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, inspect, select, text

from governance.config import GovernanceSettings
from governance.errors import RecordUnusable
from governance.record import people_tables, trail_tables, use_tables  # noqa: F401
from governance.record.database import Record, open_record, schema_version
from governance.record.tables import departments, metadata

COUNT = select(func.count()).select_from(departments)


def add(connection: Connection, name: str) -> None:
    connection.execute(
        departments.insert().values(id=name, name=name, created_at=datetime.now(UTC))
    )


def test_migrations_build_exactly_the_tables_of_the_code(record: Record) -> None:
    """A table changed without a migration fails here."""
    with record.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_opening_again_changes_nothing(settings: GovernanceSettings, record: Record) -> None:
    """Migrations that ran are not run again."""
    before = schema_version(record)
    again = open_record(settings)
    assert schema_version(again) == before
    again.close()


def test_a_failed_write_leaves_nothing(record: Record) -> None:
    """An exception inside the block takes all of it back, table definitions included."""
    with pytest.raises(RuntimeError), record.write() as connection:
        connection.execute(text("CREATE TABLE half (id INTEGER)"))
        add(connection, "half")
        raise RuntimeError
    with record.read() as connection:
        assert "half" not in inspect(connection).get_table_names()
        assert connection.execute(COUNT).scalar_one() == 0


def test_writers_queue_instead_of_failing(record: Record) -> None:
    """Eight threads that read and then write each see what the one before has written."""
    seen = []

    def count_and_add(number: int) -> None:
        with record.write() as connection:
            seen.append(connection.execute(COUNT).scalar_one())
            add(connection, f"department {number}")

    threads = [threading.Thread(target=count_and_add, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == list(range(8))


def test_a_reader_does_not_wait_for_a_writer(record: Record) -> None:
    """A read inside another thread's open write sees the state before it."""
    with record.write() as connection:
        add(connection, "new")
        seen: list[int] = []

        def look() -> None:
            with record.read() as reading:
                seen.append(reading.execute(COUNT).scalar_one())

        thread = threading.Thread(target=look)
        thread.start()
        thread.join(timeout=10)
    assert seen == [0]


def test_a_read_sees_one_moment(record: Record) -> None:
    """What others commit during a read block is not seen in it."""
    with record.read() as reading:
        before = reading.execute(COUNT).scalar_one()
        with record.write() as connection:
            add(connection, "new")
        assert reading.execute(COUNT).scalar_one() == before
    with record.read() as reading:
        assert reading.execute(COUNT).scalar_one() == before + 1


def test_a_database_of_another_kind_is_refused_by_name(settings: GovernanceSettings) -> None:
    """Only SQLite and PostgreSQL keep a record."""
    other = GovernanceSettings(data_dir=settings.data_dir, database_url="mysql://host/record")
    with pytest.raises(RecordUnusable, match="'mysql'"):
        open_record(other)
