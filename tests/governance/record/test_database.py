"""The record opens safely or not at all, and its transactions are whole."""

import sqlite3
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from governance.config import GovernanceSettings
from governance.errors import RecordUnusable
from governance.record.database import Record, check_sqlite_version, open_record, schema_version
from governance.record.tables import metadata


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


@pytest.mark.parametrize("version", [(3, 40, 1), (3, 51, 2)])
def test_a_sqlite_that_loses_commits_is_refused_by_name(version: tuple[int, ...]) -> None:
    """The refusal says which SQLite was found and which is needed."""
    with pytest.raises(RecordUnusable, match=r"3\.51\.3 or newer"):
        check_sqlite_version(version)


def test_the_safe_sqlite_is_the_one_in_use(record: Record) -> None:
    """The engine runs on the wheel's SQLite, with WAL and full synchronisation."""
    with record.read() as connection:
        version = connection.execute(text("SELECT sqlite_version()")).scalar_one()
        assert tuple(map(int, version.split("."))) >= (3, 51, 3)
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2
        assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 1


def test_a_file_that_is_no_database_is_named(settings: GovernanceSettings) -> None:
    """A damaged record is refused with what to do, not with a stack trace."""
    settings.data_dir.mkdir(parents=True)
    (settings.data_dir / "record.db").write_bytes(b"this is not a database" * 100)
    with pytest.raises(RecordUnusable, match=r"record\.db") as refusal:
        open_record(settings)
    assert "backup" in refusal.value.hint


def test_a_failed_write_leaves_nothing(record: Record) -> None:
    """An exception inside the block takes all of it back, table definitions included."""
    with pytest.raises(RuntimeError), record.write() as connection:
        connection.execute(text("CREATE TABLE half (id INTEGER)"))
        raise RuntimeError
    with record.read() as connection:
        tables = connection.execute(text("SELECT name FROM sqlite_master")).scalars().all()
    assert "half" not in tables


def test_writers_queue_instead_of_failing(record: Record) -> None:
    """Eight threads that read and then write in one transaction all commit."""

    def add(number: int) -> None:
        with record.write() as connection:
            connection.execute(text("SELECT count(*) FROM departments")).scalar_one()
            connection.execute(
                text("INSERT INTO departments VALUES (:id, :name, '2026-01-01')"),
                {"id": str(number), "name": f"department {number}"},
            )

    threads = [threading.Thread(target=add, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with record.read() as connection:
        count = connection.execute(text("SELECT count(*) FROM departments")).scalar_one()
    assert count == 8


def test_a_reader_does_not_wait_for_a_writer(record: Record) -> None:
    """A read inside another thread's open write sees the state before it."""
    with record.write() as connection:
        connection.execute(text("INSERT INTO departments VALUES ('1', 'new', '2026-01-01')"))
        seen: list[int] = []

        def look() -> None:
            with record.read() as reading:
                seen.append(reading.execute(text("SELECT count(*) FROM departments")).scalar_one())

        thread = threading.Thread(target=look)
        thread.start()
        thread.join(timeout=10)
    assert seen == [0]


def test_the_record_is_an_ordinary_sqlite_file(
    settings: GovernanceSettings, tmp_path: Path
) -> None:
    """Anybody can read it with the tools they have."""
    open_record(settings).close()
    with sqlite3.connect(settings.data_dir / "record.db") as connection:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    connection.close()
    assert {"departments", "documents", "versions", "passages"} <= names
