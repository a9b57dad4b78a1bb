"""How a catalogue of models lies on a medium, and what is looked at before anything is opened.

metadata/                 what TUF signs: root, targets, snapshot, timestamp
targets/revoked.json      digests that may no longer be used
targets/models/NAME/      one model, NAME as below `manifests/`
    model/manifest.json   its manifest, as in our store
    model/bom.cdx.json    its bill of materials
    model/sha256-HEX      its blobs
    model.sig             the publisher's signature of the folder `model`
"""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from runtime.config import RuntimeSettings
from runtime.errors import PackageRefused
from runtime.names import ModelName

METADATA, TARGETS = "metadata", "targets"
FOLDER, SIGNATURE = "model", "model.sig"
MANIFEST, BILL, REVOKED = "manifest.json", "bom.cdx.json", "revoked.json"
STAGING = "package-"  # what a folder is called while its content is not trusted
MAX_DEPTH = 10
MAX_METADATA_BYTES = 5_000_000
DO_NOT_USE = "Do not use this medium. Ask whoever keeps the catalogue for a new one."
# No leading dot: what a file manager hides, a person who checks the medium does not see.
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}")


def is_catalogue(folder: Path) -> bool:
    """Whether a folder is meant to be a catalogue, sound or not."""
    return (folder / METADATA).is_dir()


def place_of(name: ModelName) -> str:
    """Where a model's files lie below `targets/`."""
    return f"models/{name.path.as_posix()}"


def look(folder: Path, settings: RuntimeSettings) -> dict[str, int]:
    """Every file of a medium with its size, none opened. Raises PackageRefused."""
    found: dict[str, int] = {}
    for path, size in _walk(folder, ""):
        most = settings.max_blob_bytes if path.startswith(TARGETS) else MAX_METADATA_BYTES
        if size > most:
            raise PackageRefused(f"{path} is longer than {most} bytes", DO_NOT_USE)
        found[path] = size
        if len(found) > settings.max_package_files:
            raise PackageRefused(
                f"there are more than {settings.max_package_files} files", DO_NOT_USE
            )
    return found


def _walk(folder: Path, below: str, depth: int = 0) -> Iterator[tuple[str, int]]:
    if depth > MAX_DEPTH:
        raise PackageRefused(f"{below} lies too deep", DO_NOT_USE)
    with os.scandir(folder) as entries:
        for entry in entries:
            path = f"{below}{entry.name}"
            if not _PART.fullmatch(entry.name):
                # A file system's own folder at the top is nobody's attack.
                if depth == 0 and entry.name == "lost+found":
                    continue
                raise PackageRefused(f"{path!r} is no name of a catalogue", DO_NOT_USE)
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                yield from _walk(folder / entry.name, f"{path}/", depth + 1)
            elif stat.S_ISREG(status.st_mode):
                yield path, status.st_size
            else:
                raise PackageRefused(f"{path} is a link or no file", DO_NOT_USE)
