"""A backup holds what the record names, says so in the trail, and leaves other things alone."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from governance.errors import BackupRefused
from governance.events import Action
from governance.record.database import Record
from governance.record.trail_tables import audit_leaves
from lamplight.backup import make_backup
from lamplight.copies import digest_of
from lamplight.manifest import parse_manifest
from lamplight.operations import OWNER, back_up_alone
from lamplight.settings import Settings
from lamplight.testing_backup import NOW, actions, back_up, names, settings_of


def test_a_backup_is_recorded_with_the_digest_of_its_manifest(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """Whoever holds the trail can tell a forged backup from ours."""
    back_up(record, settings, tmp_path / "backup")
    assert actions(record) == [Action.BACKUP_MADE]
    with record.read() as connection:
        body = json.loads(connection.execute(select(audit_leaves.c.body)).scalar_one())
    manifest = digest_of(tmp_path / "backup" / "manifest.json")
    assert manifest is not None
    assert body["object"]["digest"] == manifest.digest


def test_the_second_backup_into_a_folder_takes_the_place_of_the_first(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """At each moment the manifest names files that are there; nothing older stays."""
    place = tmp_path / "backup"
    first = back_up(record, settings, place)
    second = make_backup(
        record, settings, place, OWNER, with_keys=False, made_at=NOW.replace(hour=13)
    )
    assert second.record != first.record
    assert names(place) == {"manifest.json", *second.files}
    assert not second.has_keys
    assert parse_manifest((place / "manifest.json").read_bytes()) == second


@pytest.mark.parametrize("inside", [True, False])
def test_a_backup_and_its_data_lie_apart(record: Record, settings: Settings, inside: bool) -> None:
    """A backup inside the data directory would be lost with it."""
    place = settings.data_dir / "backup" if inside else settings.data_dir.parent
    with pytest.raises(BackupRefused, match="inside one another"):
        back_up(record, settings, place)
    assert actions(record) == []


def test_a_folder_with_other_things_is_left_alone(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """The refusal names what is there, and nothing is written."""
    place = tmp_path / "photos"
    place.mkdir()
    (place / "cat.jpg").touch()
    with pytest.raises(BackupRefused, match=r"cat\.jpg"):
        back_up(record, settings, place)
    assert names(place) == {"cat.jpg"}


def test_there_is_nothing_to_back_up_in_an_empty_directory(tmp_path: Path) -> None:
    """A wrong --data must not make a new, empty record."""
    target = settings_of(tmp_path / "typo")
    with pytest.raises(BackupRefused, match="no record"):
        back_up_alone(target, tmp_path / "backup", with_keys=True)
    assert not target.data_dir.exists()
