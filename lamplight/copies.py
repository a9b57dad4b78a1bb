"""Copies files durably and says what their bytes are: the door of backup and restore."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from governance.record.snapshot import sync
from lamplight.manifest import Entry

CHUNK_BYTES = 1_048_576


def digest_of(path: Path) -> Entry | None:
    """Read a file whole and give its digest and size; None where there is none."""
    digest, size_bytes = hashlib.sha256(), 0
    try:
        with path.open("rb") as content:
            while chunk := content.read(CHUNK_BYTES):
                digest.update(chunk)
                size_bytes += len(chunk)
    except FileNotFoundError:
        return None
    return Entry(digest.hexdigest(), size_bytes)


def copy_durably(source: Path, destination: Path) -> Entry:
    """Copy for the owner alone; what stands under its name is whole. Raises OSError.

    The digest is of the bytes that were read, so a change on the way is found when it is checked.
    """
    destination.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest, size_bytes = hashlib.sha256(), 0
    with source.open("rb") as old, _replacing(destination) as new:
        while chunk := old.read(CHUNK_BYTES):
            digest.update(chunk)
            size_bytes += new.write(chunk)
    return Entry(digest.hexdigest(), size_bytes)


def write_durably(destination: Path, content: bytes) -> None:
    """Put a small file in its place in one step. Raises OSError."""
    with _replacing(destination) as new:
        new.write(content)


@contextmanager
def _replacing(destination: Path) -> Iterator[BinaryIO]:
    partial = destination.with_name(f".new-{destination.name}")
    partial.unlink(missing_ok=True)
    try:
        with open(partial, "xb", opener=_for_the_owner) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(destination)
        sync(destination.parent)
    finally:
        partial.unlink(missing_ok=True)


def _for_the_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
