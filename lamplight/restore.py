"""Puts a backup into an empty data directory, checks it, and records what is lost since.

All of it is laid out beside its place first; the record moves last. A restore that was cut short
leaves no record behind and can be started again.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from governance.config import GovernanceSettings
from governance.errors import BackupRefused
from governance.events import Action, Actor, Event
from governance.record.database import open_record
from governance.record.snapshot import empty_database, fill_database, sync
from lamplight.copies import copy_durably
from lamplight.lock import DataLock
from lamplight.manifest import (
    FILE_NAME,
    MAX_MANIFEST_BYTES,
    RECORD_PREFIX,
    SETTINGS_FILE,
    Manifest,
    check_apart,
    check_entry,
    parse_manifest,
)
from lamplight.restored_trail import NO_PROOFS, Checked, Proofs, check_trail
from lamplight.settings import Settings, load_settings

RECORD, STAGING = "record.db", ".restoring"
# Where the settings of a backup go if the operator has written others.
SETTINGS_BESIDE = f"{SETTINGS_FILE}.restored"
# The lock's folder, what an earlier attempt left, and what only says how to run.
HARMLESS = frozenset({"run", "logs", "models", STAGING, SETTINGS_FILE, SETTINGS_BESIDE})
# The names that are being put into their places: what an attempt that was cut short has left.
PLACING = ".restoring.names"


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back. settings: where the backup's settings file lies; None: nowhere new."""

    manifest: Manifest
    checked: Checked
    settings: Path | None = None

    @property
    def lost_events(self) -> int:
        """How many acts were recorded after the backup was made, as far as anchors tell."""
        return max(0, (self.checked.anchored_size or 0) - self.manifest.trail_size)


def restore(source: Path, settings: Settings, actor: Actor, proofs: Proofs = NO_PROOFS) -> Restored:
    """Restore a backup into the data directory of these settings.

    Raises AlreadyRunning, BackupRefused, RecordNotCopied, RecordUnusable.
    """
    check_apart(settings.data_dir, source)
    manifest = read_manifest(source)
    check_kind(manifest, settings.governance)
    with DataLock(settings.run_dir).take("restore"):
        undo_placing(settings.data_dir)
        check_empty(settings)
        staging = settings.data_dir / STAGING
        shutil.rmtree(staging, ignore_errors=True)
        try:
            lay_out(source, manifest, staging)
            checked = _settle(manifest, settings, staging, actor, proofs)
            placed = move_in(staging, settings.data_dir)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return Restored(manifest, checked, placed)


def read_manifest(source: Path) -> Manifest:
    """What the backup says about itself. Raises BackupRefused."""
    path = source / FILE_NAME
    if not path.is_file():
        raise BackupRefused(
            f"{source} holds no backup: it has no {FILE_NAME}.",
            "Name the folder that `lamplight backup` wrote.",
        )
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise BackupRefused(f"{path} is too large to be ours.", "Use another backup.")
    return parse_manifest(path.read_bytes())


def check_kind(manifest: Manifest, settings: GovernanceSettings) -> None:
    """Refuse a backup of another kind of database. Raises BackupRefused."""
    ours = "sqlite" if settings.record_url.startswith("sqlite") else "postgresql"
    if manifest.database != ours:
        raise BackupRefused(
            f"The backup holds a {manifest.database} record; the settings say {ours}.",
            "Set LAMPLIGHT_DATABASE_URL to an empty PostgreSQL database to restore into."
            if manifest.database == "postgresql"
            else "Leave governance.database_url unset for a restore.",
        )


def check_empty(settings: Settings) -> None:
    """Refuse a data directory that holds anything worth keeping. Raises BackupRefused."""
    # The lock may lie elsewhere (LAMPLIGHT_RUN), so that nothing has made the directory yet.
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = sorted(p.name for p in settings.data_dir.iterdir() if p.name not in HARMLESS)
    if found:
        raise BackupRefused(
            f"{settings.data_dir} is not empty: it holds {', '.join(found[:3])}.",
            "Name a new directory with --data, or move the old one away.",
        )


def lay_out(source: Path, manifest: Manifest, staging: Path) -> None:
    """Copy the backup's files to where they will be used. Raises BackupRefused, OSError."""
    for name, entry in manifest.files.items():
        place = RECORD if name == manifest.record and name.endswith(".db") else name
        check_entry(name, entry, copy_durably(source / name, staging / place))


def move_in(staging: Path, data_dir: Path) -> Path | None:
    """Put what was checked into its place, the record last; gives the settings file's new place.

    The operator's settings stay: those of a backup are not signed by anybody. Raises OSError.
    """
    settings = _settings_place(staging / SETTINGS_FILE, data_dir)
    places = {
        path: data_dir / path.name
        for path in sorted(staging.iterdir(), key=lambda path: path.name == RECORD)
        if not path.name.startswith(RECORD_PREFIX) and path.name != SETTINGS_FILE
    }
    if settings is not None:
        places = {staging / SETTINGS_FILE: settings, **places}
    placing = data_dir / PLACING
    placing.write_text(json.dumps([place.name for place in places.values()]))
    sync(placing)
    sync(data_dir)
    for path, place in places.items():
        path.replace(place)
    sync(data_dir)
    placing.unlink()
    return settings


def undo_placing(data_dir: Path) -> None:
    """Remove what an attempt has left that was cut short before its record was in place."""
    placing = data_dir / PLACING
    if not placing.is_file():
        return
    if not (data_dir / RECORD).exists():
        for name in json.loads(placing.read_text()):
            place = data_dir / str(name)
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)
    placing.unlink()


def _settings_place(brought: Path, data_dir: Path) -> Path | None:
    """Where the settings of a backup go; None where there are none, or the same already."""
    ours = data_dir / SETTINGS_FILE
    if not brought.is_file():
        return None
    if not ours.exists():
        return ours
    return None if ours.read_bytes() == brought.read_bytes() else data_dir / SETTINGS_BESIDE


def _settle(
    manifest: Manifest, settings: Settings, staging: Path, actor: Actor, proofs: Proofs
) -> Checked:
    """Check the restored trail and write into it that, and from where, it was restored."""
    governance, brought = _as_it_was(settings, staging)
    if manifest.database != "postgresql":
        return _check_and_note(manifest, governance, actor, proofs, brought)
    fill_database(governance.record_url, staging / manifest.record)
    try:
        return _check_and_note(manifest, governance, actor, proofs, brought)
    except BaseException:
        # What is refused must not be there for the next start to serve.
        empty_database(governance.record_url)
        raise


def _check_and_note(
    manifest: Manifest,
    governance: GovernanceSettings,
    actor: Actor,
    proofs: Proofs,
    brought: Sequence[Path],
) -> Checked:
    record = open_record(governance)
    try:
        checked = check_trail(record, manifest, governance, proofs, brought)
        with record.write() as connection:
            record.trail.append(connection, _event(Restored(manifest, checked), actor))
    finally:
        record.close()
    return checked


def _as_it_was(settings: Settings, staging: Path) -> tuple[GovernanceSettings, tuple[Path, ...]]:
    """The settings for what lies there, and the anchors that the backup itself names.

    How the trail is signed stands in the backup's settings, unless the operator has written some.
    """
    here = replace(settings.governance, data_dir=staging)
    if not (staging / SETTINGS_FILE).is_file():
        return here, ()
    kept = load_settings(staging).governance
    if not (settings.data_dir / SETTINGS_FILE).exists():
        here = replace(here, trail_origin=kept.trail_origin)
    return here, kept.anchor_dirs


def _event(restored: Restored, actor: Actor) -> Event:
    manifest = restored.manifest
    return Event(
        Action.BACKUP_RESTORED,
        actor,
        object_type="backup",
        object_id=manifest.record,
        digest=sha256(manifest.to_json()).hexdigest(),
        facts={
            "made_at": manifest.made_at,
            "trail_size": manifest.trail_size,
            "trail_root": manifest.trail_root,
            "anchored_size": restored.checked.anchored_size,
            "vouched_by": list(restored.checked.vouched_by),
            "lost_events": restored.lost_events,
            "with_keys": manifest.has_keys,
        },
    )
