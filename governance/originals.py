"""Keeps the uploaded files, named by their digest, so that the same bytes are stored once."""

import errno
import os
import shutil
from pathlib import Path
from tempfile import NamedTemporaryFile

from governance.errors import NoSpace


def original_path(originals_dir: Path, digest: str) -> Path:
    """Where the file of this SHA-256 (hex) lies."""
    return originals_dir / digest[:2] / digest


def keep_original(originals_dir: Path, digest: str, content: bytes, min_free_bytes: int) -> Path:
    """Store the bytes durably before anything refers to them. Raises NoSpace."""
    path = original_path(originals_dir, digest)
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    check_free_space(path.parent, len(content) + min_free_bytes)
    try:
        _write_durably(path, content)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _no_space(path.parent) from error
        raise
    return path


def drop_original(originals_dir: Path, digest: str) -> None:
    """Remove a file that no version refers to any more."""
    original_path(originals_dir, digest).unlink(missing_ok=True)


def check_free_space(folder: Path, needed_bytes: int) -> None:
    """Raise NoSpace unless the disk has this much room."""
    if shutil.disk_usage(folder).free < needed_bytes:
        raise _no_space(folder)


def _write_durably(path: Path, content: bytes) -> None:
    with NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as file:
        partial = Path(file.name)
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _no_space(folder: Path) -> NoSpace:
    free_mb = shutil.disk_usage(folder).free // 1_000_000
    return NoSpace(
        f"The disk of the data directory has only {free_mb} MB left.",
        "Free some space, or move the data directory to a larger disk, and try again.",
    )
