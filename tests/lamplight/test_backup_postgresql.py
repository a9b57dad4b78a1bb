"""A record in PostgreSQL is backed up and restored with PostgreSQL's own programs."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from governance.errors import BackupRefused, RecordNotCopied
from governance.policies import PolicyStore
from governance.record.database import Record, open_record
from governance.record.snapshot import trail_head
from governance.testing import Cluster, postgresql_cluster
from lamplight.backup import make_backup
from lamplight.manifest import Manifest
from lamplight.operations import OWNER
from lamplight.restore import restore
from lamplight.settings import Settings, load_settings

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with postgresql_cluster() as cluster:
        yield cluster


def settings_of(data_dir: Path, url: str | None) -> Settings:
    settings = load_settings(data_dir, environment={})
    return replace(settings, governance=replace(settings.governance, database_url=url))


@pytest.fixture
def settings(tmp_path: Path, cluster: Cluster) -> Iterator[Settings]:
    yield settings_of(tmp_path / "data", cluster.create("source"))
    cluster.drop("source")


@pytest.fixture
def record(settings: Settings) -> Iterator[Record]:
    record = open_record(settings.governance)
    yield record
    record.close()


def names(record: Record, settings: Settings) -> set[str]:
    return {one.name for one in PolicyStore(record, settings.governance).departments()}


def back_up(record: Record, settings: Settings, place: Path) -> Manifest:
    return make_backup(record, settings, place, OWNER, with_keys=True, made_at=NOW)


def test_flt_17_a_dump_holds_one_moment_of_a_busy_record(
    record: Record, settings: Settings, cluster: Cluster, tmp_path: Path
) -> None:
    """The trail of the restored record is as long as the manifest says, with what it records."""
    policies, stop = PolicyStore(record, settings.governance), threading.Event()
    policies.create_department(OWNER, "first")

    def keep_writing() -> None:
        number = 0
        while not stop.wait(0.005):
            policies.create_department(OWNER, f"department {number}")
            number += 1

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        manifest = back_up(record, settings, tmp_path / "backup")
    finally:
        stop.set()
        writer.join()
    target = settings_of(tmp_path / "new", cluster.create("target"))
    restore(tmp_path / "backup", target, OWNER)
    restored = open_record(target.governance)
    with restored.read() as connection:
        assert trail_head(connection)[0] == manifest.trail_size + 1
    assert "first" in names(restored, target)
    assert len(names(restored, target)) == manifest.trail_size
    assert names(restored, target) <= names(record, settings)
    restored.close()
    cluster.drop("target")


def test_a_database_with_something_in_it_is_not_restored_into(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """What is there stays as it is."""
    back_up(record, settings, tmp_path / "backup")
    with pytest.raises(RecordNotCopied, match="not empty"):
        restore(tmp_path / "backup", replace(settings, data_dir=tmp_path / "new"), OWNER)


def test_a_dump_is_not_restored_into_sqlite(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """The refusal says how to name an empty database."""
    back_up(record, settings, tmp_path / "backup")
    with pytest.raises(BackupRefused, match="postgresql record") as refusal:
        restore(tmp_path / "backup", settings_of(tmp_path / "new", None), OWNER)
    assert "LAMPLIGHT_DATABASE_URL" in refusal.value.hint


def test_without_pg_dump_the_refusal_says_what_to_install(
    record: Record, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that looks like a backup is left."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RecordNotCopied, match="pg_dump") as refusal:
        back_up(record, settings, tmp_path / "backup")
    assert "postgresql-client" in refusal.value.hint
    assert not (tmp_path / "backup" / "manifest.json").exists()
