"""Puts a backup into an empty data directory, checks it, and records what is lost since.

All of it is laid out beside its place first; the record moves last. A restore that was cut short
leaves no record behind and can be started again.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from governance.audit.anchors import Anchor
from governance.audit.note import read_checkpoint, verifier_key
from governance.audit.verdict import Code
from governance.audit.verify import verify
from governance.config import GovernanceSettings
from governance.errors import BackupRefused
from governance.events import Action, Actor, Event
from governance.record.database import Record, open_record
from governance.record.snapshot import fill_database, sync
from governance.secrets import Secrets
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
from lamplight.settings import Settings, load_settings

RECORD, STAGING = "record.db", ".restoring"
# The lock's folder, what an earlier attempt left, and what only says how to run.
HARMLESS = frozenset({"run", "logs", "models", STAGING, SETTINGS_FILE})


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back. anchored_size: the longest trail that an anchor knows, None without one."""

    manifest: Manifest
    anchored_size: int | None

    @property
    def lost_events(self) -> int:
        """How many acts were recorded after the backup was made, as far as anchors tell."""
        return max(0, (self.anchored_size or 0) - self.manifest.trail_size)


def restore(
    source: Path, settings: Settings, actor: Actor, anchors: Sequence[Path] = ()
) -> Restored:
    """Restore a backup into the data directory of these settings.

    Raises AlreadyRunning, BackupRefused, RecordNotCopied, RecordUnusable.
    """
    check_apart(settings.data_dir, source)
    manifest = read_manifest(source)
    check_kind(manifest, settings.governance)
    with DataLock(settings.run_dir).take("restore"):
        check_empty(settings)
        staging = settings.data_dir / STAGING
        shutil.rmtree(staging, ignore_errors=True)
        try:
            lay_out(source, manifest, staging)
            restored = _settle(manifest, settings, staging, actor, anchors)
            move_in(staging, settings.data_dir)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return restored


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


def move_in(staging: Path, data_dir: Path) -> None:
    """Put what was checked into its place, the record last. Raises OSError."""
    for path in sorted(staging.iterdir(), key=lambda path: path.name == RECORD):
        if not path.name.startswith(RECORD_PREFIX):
            path.replace(data_dir / path.name)
    sync(data_dir)


def _settle(
    manifest: Manifest, settings: Settings, staging: Path, actor: Actor, anchors: Sequence[Path]
) -> Restored:
    """Check the restored trail and write into it that, and from where, it was restored."""
    governance = _as_it_was(settings.governance, staging)
    if manifest.database == "postgresql":
        fill_database(governance.record_url, staging / manifest.record)
    record = open_record(governance)
    try:
        held = [Anchor(folder) for folder in anchors or governance.anchor_dirs]
        anchored_size = check_trail(record, manifest, governance, held)
        restored = Restored(manifest, anchored_size)
        with record.write() as connection:
            record.trail.append(connection, _event(restored, actor))
    finally:
        record.close()
    return restored


def _as_it_was(settings: GovernanceSettings, staging: Path) -> GovernanceSettings:
    """The settings for what lies there; how its trail is signed stands in its own settings file."""
    here = replace(settings, data_dir=staging)
    if not (staging / SETTINGS_FILE).is_file():
        return here
    kept = load_settings(staging).governance
    return replace(here, trail_origin=kept.trail_origin, anchor_dirs=kept.anchor_dirs)


def check_trail(
    record: Record, manifest: Manifest, governance: GovernanceSettings, anchors: Sequence[Anchor]
) -> int | None:
    """Hold the trail to the manifest, its signatures and the anchors; gives their longest size.

    That the anchors know more events is no fault of the backup: it is older. Without the keys of
    the backup nobody can tell whose signatures they are. Raises BackupRefused, AnchorUnreachable.
    """
    key = verifier_key(governance.trail_origin, Secrets(governance.keys_dir).trail_key())
    with record.read() as connection:
        verdict = verify(connection, key, anchors=anchors)
    tolerated = {Code.TRUNCATED} if manifest.has_keys else {Code.TRUNCATED, Code.KEY}
    grave = [found.text for found in verdict.findings if found.code not in tolerated]
    root = verdict.root.hex() if verdict.root else ""
    if (verdict.size, root) != (manifest.trail_size, manifest.trail_root):
        grave.append(f"It has {verdict.size} events, the manifest says {manifest.trail_size}.")
    if grave:
        raise BackupRefused(
            f"The audit trail in the backup is not the one that was signed. {grave[0]}",
            "Do not use this backup; somebody may have changed it.",
        )
    sizes = (read_checkpoint(note).size for anchor in anchors for note in anchor.notes())
    return max(sizes, default=None)


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
            "anchored_size": restored.anchored_size,
            "lost_events": restored.lost_events,
            "with_keys": manifest.has_keys,
        },
    )
