"""What a backup says about itself: every file with its digest, and where the trail stood.

Pure. The manifest is written last and replaces the one before in one step, so a folder with a
manifest holds a whole backup, whatever happened to the attempt after it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from governance.errors import BackupRefused

FILE_NAME = "manifest.json"
FORMAT = 1
ORIGINALS, KEYS, SETTINGS_FILE = "originals", "keys", "lamplight.toml"
RECORD_PREFIX = "record-"
MAX_MANIFEST_BYTES = 256_000_000
INDEX_NOTE = "Not kept: it is derived, and built again from the record at the next start."


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a backup; digest is SHA-256 in hex."""

    digest: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole backup.

    database: `sqlite` or `postgresql`. record: the file that holds the record. trail_size,
    trail_root: where the audit trail stood, in leaves and as hex. models: digest by name; the
    models themselves are not in it. not_copied: originals the record names, and why they are not
    here.
    """

    made_at: str
    lamplight: str
    database: str
    schema: str
    record: str
    trail_size: int
    trail_root: str
    files: Mapping[str, Entry]
    models: Mapping[str, str] = field(default_factory=dict)
    not_copied: Mapping[str, str] = field(default_factory=dict)
    index: str = INDEX_NOTE
    format: int = FORMAT

    @property
    def has_keys(self) -> bool:
        """Whether the keys are in it; without them kept questions cannot be read any more."""
        return any(name.startswith(f"{KEYS}/") for name in self.files)

    @property
    def size_bytes(self) -> int:
        """What all of its files take."""
        return sum(entry.size_bytes for entry in self.files.values())

    def to_json(self) -> bytes:
        """The manifest as its file holds it."""
        return json.dumps(asdict(self), indent=1, sort_keys=True).encode() + b"\n"


def parse_manifest(content: bytes) -> Manifest:
    """Read a manifest that may come from anybody. Raises BackupRefused."""
    try:
        found: dict[str, Any] = json.loads(content)
        if found["format"] != FORMAT:
            raise BackupRefused(
                f"This backup has format {found['format']}; this Lamplight reads {FORMAT}.",
                "Restore it with the Lamplight that made it.",
            )
        files = {name: Entry(**entry) for name, entry in found.pop("files").items()}
        manifest = Manifest(files=files, **found)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(FILE_NAME) from error
    for name in manifest.files:
        check_name(name)
    if manifest.record not in manifest.files:
        raise _damaged(FILE_NAME)
    return manifest


def check_name(name: str) -> None:
    """Refuse a file that a backup does not hold, above all one outside of it."""
    path = PurePosixPath(name)
    known = (
        (len(path.parts) == 3 and path.parts[0] == ORIGINALS)
        or (len(path.parts) == 2 and path.parts[0] == KEYS)
        or (len(path.parts) == 1 and name.startswith(RECORD_PREFIX))
        or name == SETTINGS_FILE
    )
    if not known or ".." in path.parts or str(path) != name:
        raise BackupRefused(
            f"The manifest names {name!r}, which no backup of ours holds.",
            "Do not use this backup; somebody may have changed it.",
        )


def check_entry(name: str, wanted: Entry, found: Entry | None) -> None:
    """Refuse a file that is gone or is not the one that was backed up."""
    if found != wanted:
        raise _damaged(name)


def check_apart(data_dir: Path, place: Path) -> None:
    """Refuse a backup inside the data directory, or around it. Raises BackupRefused."""
    one, other = data_dir.resolve(), place.resolve()
    if one == other or one in other.parents or other in one.parents:
        raise BackupRefused(
            f"{place} and the data directory {data_dir} lie inside one another.",
            "Name a folder elsewhere, best on another disk or machine.",
        )


def summary(manifest: Manifest) -> dict[str, Any]:
    """A backup as the command line and the interface show it."""
    return {
        "made_at": manifest.made_at,
        "files": len(manifest.files),
        "size_bytes": manifest.size_bytes,
        "trail": {"size": manifest.trail_size, "root": manifest.trail_root},
        "keys": manifest.has_keys,
        "models": dict(manifest.models),
        "not_copied": dict(manifest.not_copied),
    }


def record_name(made_at: datetime, suffix: str) -> str:
    """What the record's copy of this moment is called."""
    return f"{RECORD_PREFIX}{made_at:%Y%m%dT%H%M%S%f}Z{suffix}"


def is_ours(name: str) -> bool:
    """Whether a file of the folder belongs to a backup of ours, this one or one before."""
    try:
        check_name(name)
    except BackupRefused:
        return False
    return True


def _damaged(name: str) -> BackupRefused:
    return BackupRefused(
        f"The backup is damaged: {name} is missing or was changed.",
        "Use another backup. Nothing was restored.",
    )
