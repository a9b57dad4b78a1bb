"""Where the trail cannot be written, nothing is done; afterwards it goes on by itself (AUD-6)."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import event as on
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError

from governance.audit.search import Filter, search
from governance.audit.testing import ANNA, no_room
from governance.config import GovernanceSettings
from governance.errors import TrailBlocked
from governance.events import Action
from governance.policies import PolicyStore
from governance.record.blocked import why_blocked
from governance.record.database import Record, open_record
from governance.record.tables import departments


@contextmanager
def read_only(record: Record) -> Iterator[None]:
    """PostgreSQL's own refusal to write, as on a standby or with default_transaction_read_only."""

    def refuse(connection: object) -> None:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    on.listen(record.engine, "begin", refuse)
    try:
        yield
    finally:
        on.remove(record.engine, "begin", refuse)


@contextmanager
def blocked(record: Record) -> Iterator[None]:
    if record.engine.dialect.name == "sqlite":
        # A page of SQLite's log no longer fits.
        with no_room():
            yield
    else:
        with read_only(record):
            yield


def names(record: Record) -> set[str]:
    with record.read() as connection:
        return set(connection.execute(select(departments.c.name)).scalars())


def newest(record: Record, count: int) -> list[dict[str, object]]:
    with record.read() as connection:
        return [one.body for one in search(connection, Filter(), None, limit=count)]


def test_aud_6_nothing_is_done_that_cannot_be_recorded(
    record: Record, settings: GovernanceSettings
) -> None:
    """Each attempt is refused with what to do; the record can still be read."""
    policies = PolicyStore(record, settings)
    policies.create_department(ANNA, "before")
    with blocked(record):
        for _ in range(3):
            with pytest.raises(TrailBlocked, match="cannot be written") as refused:
                policies.create_department(ANNA, "lost")
            assert "Free disk space" in refused.value.hint
            assert names(record) == {"before"}
        record.try_again()
        assert record.refused == 3


def test_aud_6_it_goes_on_by_itself_and_says_so_in_the_trail(
    record: Record, settings: GovernanceSettings
) -> None:
    """No restart: the next act is done, behind an event that counts what was refused."""
    policies = PolicyStore(record, settings)
    with blocked(record), pytest.raises(TrailBlocked):
        policies.create_department(ANNA, "lost")
    policies.create_department(ANNA, "after")
    assert names(record) == {"after"}
    assert record.refused == 0
    done, resumed = newest(record, 2)
    assert (done["action"], resumed["action"]) == ("department.created", Action.AUDIT_RESUMED)
    assert resumed["facts"] == {"refused": 1}


def test_aud_6_a_probe_finds_out_that_there_is_room(
    record: Record, settings: GovernanceSettings
) -> None:
    """Without anybody's act the metric falls back to 0; where nothing is wrong nothing is asked."""
    with blocked(record), pytest.raises(TrailBlocked):
        PolicyStore(record, settings).create_department(ANNA, "lost")
    record.try_again()
    assert record.refused == 0
    assert [one["action"] for one in newest(record, 5)] == [Action.AUDIT_RESUMED]
    record.try_again()
    assert len(newest(record, 5)) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, 4 MB; only root may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("a file system can be mounted by root alone")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_flt_5_a_disk_that_is_really_full(small_disk: Path, migrated_file: Path) -> None:
    """ENOSPC from the system: reads work, acts are refused, and room is all it takes."""
    data = small_disk / "data"
    data.mkdir(mode=0o700)
    shutil.copy(migrated_file, data / "record.db")
    settings = GovernanceSettings(data_dir=data)
    record = open_record(settings)
    policies = PolicyStore(record, settings)
    policies.create_department(ANNA, "before")
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space left"), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)
    with pytest.raises(TrailBlocked, match="the disk is full"):
        for number in range(100):
            policies.create_department(ANNA, f"more {number}")
    assert "before" in names(record)
    with record.read() as connection:
        events = record.trail.size(connection)
    assert events == len(names(record))
    filler.unlink()
    policies.create_department(ANNA, "after")
    assert "after" in names(record)
    record.close()


@pytest.mark.parametrize(
    ("orig", "why"),
    [
        (SimpleNamespace(sqlite_errorcode=13), "the disk is full"),
        (SimpleNamespace(sqlite_errorcode=1034), "the disk reports an error"),
        (SimpleNamespace(sqlite_errorcode=5), None),
        (SimpleNamespace(sqlite_errorcode=2067), None),
        (SimpleNamespace(sqlstate="53100"), "the disk is full"),
        (SimpleNamespace(sqlstate="25006"), "the database is read-only"),
        (SimpleNamespace(sqlstate="57P01"), "the database is being stopped"),
        (SimpleNamespace(sqlstate="57014"), None),
        (SimpleNamespace(sqlstate="23505"), None),
        (SimpleNamespace(sqlstate=None), None),
    ],
)
def test_only_what_cannot_be_written_counts_as_blocked(
    orig: SimpleNamespace, why: str | None
) -> None:
    """A lock that is waited for, a broken rule and a cancelled statement are something else."""
    assert why_blocked(DatabaseError("", {}, orig)) == why
    if why is None and orig == SimpleNamespace(sqlstate=None):
        broken = DatabaseError("", {}, orig, connection_invalidated=True)
        assert "connection" in str(why_blocked(broken))
