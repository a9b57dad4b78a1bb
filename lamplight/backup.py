"""Makes a backup of a data directory while Lamplight works on it.

The record is copied as it stood at one moment. Originals are named by their digest and never
change, so only those that the folder lacks are copied, and all of them are read and checked. They
are copied before the record, and again after it: a file that is handed in or removed meanwhile
costs nothing. The index is left out because it is built from the record in seconds, and models
because they are named by digest and can be pulled again.
"""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from governance.audit.last_signed import FILE_NAME as LAST_SIGNED
from governance.errors import BackupRefused
from governance.events import Action, Actor, Event
from governance.originals import check_free_space, original_path
from governance.record.database import Record, schema_version
from governance.record.snapshot import SUFFIXES, copy_record, originals_of
from lamplight import __version__
from lamplight.copies import copy_durably, digest_of, write_durably
from lamplight.manifest import (
    FILE_NAME,
    KEYS,
    ORIGINALS,
    SETTINGS_FILE,
    Entry,
    Manifest,
    check_apart,
    is_ours,
    record_name,
)
from lamplight.settings import Settings
from runtime.store import Store

GONE = "removed while the backup was made"
DAMAGED = "damaged: its bytes are not the ones that were handed in"


def make_backup(
    record: Record,
    settings: Settings,
    destination: Path,
    actor: Actor,
    *,
    with_keys: bool,
    made_at: datetime,
) -> Manifest:
    """Write a whole backup into a folder, new or of an earlier backup, and record the act.

    Raises BackupRefused, NoSpace, RecordNotCopied, OSError.
    """
    check_apart(settings.data_dir, destination)
    check_usable(destination)
    destination.mkdir(parents=True, exist_ok=True, mode=0o700)
    originals = _Originals(settings.governance.originals_dir, destination)
    originals.copy(originals_of(record.engine))
    kind = record.engine.dialect.name
    copied = copy_record(record.engine, destination / record_name(made_at, SUFFIXES[kind]))
    originals.copy(copied.originals)
    files = originals.entries(copied.originals) | {copied.path.name: _known(copied.path)}
    if with_keys:
        files |= _copy_keys(settings, destination)
    manifest = Manifest(
        made_at=made_at.isoformat(),
        lamplight=__version__,
        database=kind,
        schema=schema_version(record),
        record=copied.path.name,
        trail_size=copied.trail_size,
        trail_root=copied.trail_root.hex(),
        files=files,
        models=_models(settings),
        not_copied=originals.reasons(copied.originals),
    )
    _publish(record, manifest, destination, actor)
    _sweep(manifest, destination)
    return manifest


def check_usable(destination: Path) -> None:
    """Refuse a folder that holds anything but a backup of ours. Raises BackupRefused."""
    if not destination.exists() or (destination / FILE_NAME).is_file():
        return
    if not destination.is_dir():
        raise BackupRefused(f"{destination} is not a folder.", "Name a folder.")
    foreign = [path.name for path in destination.iterdir() if not _may_be_ours(path.name)]
    if foreign:
        raise BackupRefused(
            f"{destination} holds other things: {', '.join(sorted(foreign)[:3])}.",
            "Name a new folder, or that of an earlier backup.",
        )


class _Originals:
    """The uploaded files, on their way into a backup."""

    def __init__(self, source_dir: Path, destination: Path) -> None:
        self._source_dir = source_dir
        self._folder = destination / ORIGINALS
        self._copied: dict[str, Entry] = {}
        self._reasons: dict[str, str] = {}

    def copy(self, digests: Iterable[str]) -> None:
        """Copy those that are not there yet, and check every one. Raises NoSpace."""
        for digest in sorted(digests):
            if digest not in self._copied:
                self._copy(digest)

    def entries(self, digests: Iterable[str]) -> dict[str, Entry]:
        """Those of the originals that the backup now holds, by name."""
        return {
            original_path(Path(ORIGINALS), digest).as_posix(): self._copied[digest]
            for digest in digests
            if digest in self._copied
        }

    def reasons(self, digests: Iterable[str]) -> dict[str, str]:
        """Why some of the originals are not in the backup."""
        return {digest: self._reasons[digest] for digest in digests if digest in self._reasons}

    def _copy(self, digest: str) -> None:
        source = original_path(self._source_dir, digest)
        place = original_path(self._folder, digest)
        kept = digest_of(place)
        if kept is None or kept.digest != digest:
            self._folder.mkdir(exist_ok=True, mode=0o700)
            try:
                check_free_space(self._folder, source.stat().st_size)
                kept = copy_durably(source, place)
            except FileNotFoundError:
                self._reasons[digest] = GONE
                return
        if kept.digest != digest:
            place.unlink()
            self._reasons[digest] = DAMAGED
            return
        self._copied[digest] = kept
        self._reasons.pop(digest, None)


def _copy_keys(settings: Settings, destination: Path) -> dict[str, Entry]:
    """Copy the keys, and the settings file, which may hold secrets of its own."""
    found = {}
    if settings.governance.keys_dir.is_dir():
        for path in sorted(settings.governance.keys_dir.iterdir()):
            # The last checkpoint may be newer than the record's copy, which would look cut off.
            if path.is_file() and not path.name.startswith(".") and path.name != LAST_SIGNED:
                name = f"{KEYS}/{path.name}"
                found[name] = copy_durably(path, destination / name)
    if (settings.data_dir / SETTINGS_FILE).is_file():
        found[SETTINGS_FILE] = copy_durably(
            settings.data_dir / SETTINGS_FILE, destination / SETTINGS_FILE
        )
    return found


def _models(settings: Settings) -> dict[str, str]:
    installed = Store(settings.runtime.models_dir).models()
    return {str(model.name): model.manifest.digest for model in installed}


def _publish(record: Record, manifest: Manifest, destination: Path, actor: Actor) -> None:
    """Make the backup count, in the transaction that records it."""
    content = manifest.to_json()
    with record.write() as connection:
        record.trail.append(connection, _made(manifest, content, destination, actor))
        write_durably(destination / FILE_NAME, content)


def _made(manifest: Manifest, content: bytes, destination: Path, actor: Actor) -> Event:
    return Event(
        Action.BACKUP_MADE,
        actor,
        object_type="backup",
        object_id=manifest.record,
        digest=sha256(content).hexdigest(),
        facts={
            "place": str(destination),
            "files": len(manifest.files),
            "size_bytes": manifest.size_bytes,
            "trail_size": manifest.trail_size,
            "trail_root": manifest.trail_root,
            "with_keys": manifest.has_keys,
            "not_copied": len(manifest.not_copied),
        },
    )


def _sweep(manifest: Manifest, destination: Path) -> None:
    """Remove what an earlier backup in this folder held and this one does not."""
    for path in destination.rglob("*"):
        name = path.relative_to(destination).as_posix()
        if path.is_file() and is_ours(name) and name not in manifest.files:
            path.unlink()


def _known(path: Path) -> Entry:
    entry = digest_of(path)
    assert entry is not None
    return entry


def _may_be_ours(name: str) -> bool:
    return name in (ORIGINALS, KEYS) or name.startswith(".new-") or is_ours(name)
