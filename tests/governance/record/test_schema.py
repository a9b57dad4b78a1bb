"""The schema goes forward only, keeps a copy, and is whole after a crash (FLT-18)."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.config import Config
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DatabaseError

from governance.config import GovernanceSettings
from governance.errors import NoSpace, RecordUnusable
from governance.record.database import open_record, schema_version
from governance.record.postgresql import postgresql_engine
from governance.record.schema import (
    MIGRATIONS,
    drop_old_copies,
    migrate,
    revision,
    revisions,
)
from governance.record.snapshot import read_sqlite_copy
from governance.record.sqlite import sqlite_engine

CRASHER = Path(__file__).with_name("migration_crasher.py")


def known() -> tuple[str, ...]:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return revisions(config)


@contextmanager
def opened(path: Path) -> Iterator[Engine]:
    engine = sqlite_engine(f"sqlite:///{path}", busy_timeout_s=5)
    yield engine
    engine.dispose()


def layout(path: Path) -> set[str]:
    with opened(path) as engine, engine.connect() as connection:
        return set(connection.execute(text("SELECT sql FROM sqlite_master")).scalars())


def standing_at(path: Path, target: str | None) -> Path:
    """A record at an older revision, with a department in it."""
    path.parent.mkdir(parents=True)
    with opened(path) as engine:
        if target is not None:
            migrate(engine, target)
            with engine.begin() as connection:
                connection.execute(
                    text("INSERT INTO departments VALUES ('1', 'old', '2026-01-01')")
                )
    path.touch()
    return path


@pytest.mark.parametrize("place", range(len(known())), ids=known())
def test_flt_18_a_killed_migration_leaves_the_old_schema_or_the_new(
    tmp_path: Path, place: int
) -> None:
    """Killed before each statement and before the commit; the next start completes it."""
    old = known()[place - 1] if place else None
    new = known()[place]
    start = standing_at(tmp_path / "start" / "record.db", old)
    goal = standing_at(tmp_path / "goal" / "record.db", new)
    copies = tmp_path / "copies"
    copies.mkdir()
    done = subprocess.run(
        [sys.executable, CRASHER, start, copies, new],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    kills, status = map(int, done.stdout.split())
    assert status == 0
    assert kills > 3
    for number in range(1, kills + 1):
        path = copies / str(number) / "record.db"
        with opened(path) as engine:
            assert revision(engine) in (old, new)
            migrate(engine, new)
            assert revision(engine) == new
        assert layout(path) == layout(goal)
        shutil.rmtree(path.parent)


def test_a_migration_keeps_a_copy_named_with_the_old_revision(tmp_path: Path) -> None:
    """The copy is whole and holds what the record held before."""
    path = standing_at(tmp_path / "data" / "record.db", "0001")
    open_record(GovernanceSettings(data_dir=path.parent)).close()
    copy = path.with_name("record-0001.backup.db")
    with read_sqlite_copy(copy) as connection:
        assert connection.execute(text("SELECT name FROM departments")).scalar_one() == "old"
        version = connection.execute(text("SELECT version_num FROM alembic_version"))
        assert version.scalar_one() == "0001"
    assert sorted(p.name for p in path.parent.iterdir()) == [copy.name, "record.db"]


def test_a_proposal_of_before_keeps_its_meaning(tmp_path: Path) -> None:
    """The proposed mode stood in one column with the one in force; a link without issuer ends."""
    path = standing_at(tmp_path / "data" / "record.db", "0004")
    statements = (
        "INSERT INTO departments VALUES ('2', 'b', '2026-01-01'), ('3', 'c', '2026-01-01')",
        "INSERT INTO retention_rules (department_id, mode, days, legal_hold, proposed_days) VALUES "
        "('1', 'none>full', 30, 0, 20), ('2', 'masked', 30, 0, 20), ('3', 'none', 30, 0, NULL)",
        "INSERT INTO tickets (id, purpose, created_at, expires_at) VALUES ('t', 'password', 0, 0)",
    )
    with opened(path) as engine:
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
        migrate(engine)
        with engine.connect() as connection:
            kept = connection.execute(text("SELECT mode, proposed_mode FROM retention_rules"))
            assert kept.all() == [("none", "full"), ("masked", "masked"), ("none", None)]
            assert connection.execute(text("SELECT count(*) FROM tickets")).scalar_one() == 0


def test_the_copy_goes_after_a_week(tmp_path: Path) -> None:
    """What was purged since then must not stay readable in it."""
    path = standing_at(tmp_path / "data" / "record.db", "0001")
    open_record(GovernanceSettings(data_dir=path.parent)).close()
    now = datetime.now(UTC)
    assert drop_old_copies(path.parent, now + timedelta(days=6)) == 0
    assert drop_old_copies(path.parent, now + timedelta(days=8)) == 1
    assert [p.name for p in path.parent.iterdir()] == ["record.db"]


def test_a_new_record_needs_no_copy(tmp_path: Path) -> None:
    """Nothing is there to be kept."""
    open_record(GovernanceSettings(data_dir=tmp_path)).close()
    assert [p.name for p in tmp_path.iterdir()] == ["record.db"]


def test_without_room_for_the_copy_nothing_is_migrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal comes first, and the record stays as it is."""
    path = standing_at(tmp_path / "data" / "record.db", "0001")

    def full(_folder: Path, _needed_bytes: int) -> None:
        raise NoSpace("full", "free some")

    monkeypatch.setattr("governance.record.snapshot.check_free_space", full)
    with pytest.raises(NoSpace):
        open_record(GovernanceSettings(data_dir=path.parent))
    with opened(path) as engine:
        assert revision(engine) == "0001"


def test_a_record_of_a_newer_lamplight_is_refused_by_name(settings: GovernanceSettings) -> None:
    """The refusal names both revisions and changes nothing."""
    record = open_record(settings)
    with record.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(RecordUnusable, match=f"9999.*{known()[-1]}") as refusal:
        open_record(settings)
    assert "newer Lamplight" in refusal.value.hint
    assert schema_version(record) == "9999"
    record.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_migration_that_fails_takes_all_of_it_back(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """On both databases tables are made inside the transaction, so nothing half-made stays."""
    if kind == "sqlite":
        engine = sqlite_engine(f"sqlite:///{tmp_path / 'record.db'}", busy_timeout_s=5)
    else:
        url = request.getfixturevalue("cluster").create(f"failing-{tmp_path.name}")
        engine = postgresql_engine(url, busy_timeout_s=5)
    migrate(engine, "0001")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE oidc_flows (id INTEGER)"))
    with pytest.raises(DatabaseError, match="already exists"):
        migrate(engine)
    assert revision(engine) == "0001"
    with engine.connect() as connection:
        assert "people" not in inspect(connection).get_table_names()
    engine.dispose()
