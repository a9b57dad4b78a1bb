"""SQLite keeps the record only where it cannot lose a commit (D1, D2)."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from governance.config import GovernanceSettings
from governance.errors import RecordUnusable
from governance.record.database import Record, open_record
from governance.record.sqlite import check_pragma, check_sqlite_version


@pytest.fixture
def settings(tmp_path: Path) -> GovernanceSettings:
    return GovernanceSettings(data_dir=tmp_path / "data")


@pytest.fixture
def record(settings: GovernanceSettings) -> Iterator[Record]:
    record = open_record(settings)
    yield record
    record.close()


@pytest.mark.parametrize("version", [(3, 40, 1), (3, 51, 2)])
def test_d2_a_sqlite_that_loses_commits_is_refused_by_name(version: tuple[int, ...]) -> None:
    """The refusal says which SQLite was found and which is needed."""
    with pytest.raises(RecordUnusable, match=r"3\.51\.3 or newer"):
        check_sqlite_version(version)


def test_d2_the_safe_sqlite_is_the_one_in_use(record: Record) -> None:
    """The engine runs on the wheel's SQLite, with WAL and full synchronisation."""
    with record.read() as connection:
        version = connection.execute(text("SELECT sqlite_version()")).scalar_one()
        assert tuple(map(int, version.split("."))) >= (3, 51, 3)
        for pragma, value in (
            ("journal_mode", "wal"),
            ("synchronous", 2),
            ("foreign_keys", 1),
            ("secure_delete", 1),
        ):
            assert connection.execute(text(f"PRAGMA {pragma}")).scalar_one() == value


def test_d2_the_jobs_are_kept_as_safely(record: Record) -> None:
    """DBOS has an engine of its own, with the same settings."""
    with record.jobs_engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2


def test_d2_a_record_without_a_log_is_refused_by_name(tmp_path: Path) -> None:
    """A database in memory cannot have a write-ahead log, and is gone after a power cut."""
    settings = GovernanceSettings(data_dir=tmp_path, database_url="sqlite:///:memory:")
    with pytest.raises(RecordUnusable, match="journal_mode=memory"):
        open_record(settings)


def test_d2_a_setting_that_is_not_taken_on_is_refused_by_name() -> None:
    """What SQLite ignores without a word is read back."""
    with pytest.raises(RecordUnusable, match="synchronous=1 where 2"):
        check_pragma("synchronous", 1, 2)


def test_a_file_that_is_no_database_is_named(settings: GovernanceSettings) -> None:
    """A damaged record is refused with what to do, not with a stack trace."""
    settings.data_dir.mkdir(parents=True)
    (settings.data_dir / "record.db").write_bytes(b"this is not a database" * 100)
    with pytest.raises(RecordUnusable, match=r"record\.db") as refusal:
        open_record(settings)
    assert "backup" in refusal.value.hint


def test_what_was_deleted_is_not_in_the_file(record: Record, settings: GovernanceSettings) -> None:
    """Deleted rows are overwritten, so a purge leaves nothing in free pages."""
    with record.write() as connection:
        connection.execute(text("INSERT INTO departments VALUES ('1', 'canary', '2026-01-01')"))
    with record.write() as connection:
        connection.execute(text("DELETE FROM departments"))
    record.close()
    assert b"canary" not in (settings.data_dir / "record.db").read_bytes()


def test_the_record_is_an_ordinary_sqlite_file(
    settings: GovernanceSettings, tmp_path: Path
) -> None:
    """Anybody can read it with the tools they have."""
    open_record(settings).close()
    with sqlite3.connect(settings.data_dir / "record.db") as connection:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    connection.close()
    assert {"departments", "documents", "versions", "passages"} <= names
