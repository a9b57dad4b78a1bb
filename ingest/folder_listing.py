"""Lists a watched folder and reads its files, within limits; no link is followed."""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import IngestFailed
from ingest.watching import Entry, Listing

# What programs leave beside documents: lock files, half-made copies, settings of file managers.
_LEFTOVERS = ("~$", ".", "Thumbs.db", "desktop.ini")
_HALF_MADE = (".tmp", ".part", ".partial", ".crdownload", ".filepart")
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FolderLimits:
    """How much of a folder is looked at."""

    max_files: int = 50_000
    max_depth: int = 20
    max_file_bytes: int = 100 * 1024 * 1024


def list_folder(root: Path, limits: FolderLimits) -> Listing:
    """Every file below the folder in order of its path; raises IngestFailed if it cannot."""
    entries: list[Entry] = []
    unread: list[str] = []
    folders = [("", 0)]
    while folders:
        folder, depth = folders.pop()
        try:
            found = sorted(os.scandir(root / folder), key=lambda one: one.name)
        except OSError as error:
            if not folder:
                raise _unreadable(root, error) from error
            unread.append(folder)
            continue
        for one in _documents(found):
            path = f"{folder}/{one.name}" if folder else one.name
            _sort(one, path, depth, limits, entries, unread, folders)
            if len(entries) + len(unread) + len(folders) > limits.max_files:
                raise IngestFailed(
                    f"The folder {root} has more than {limits.max_files:,} files.",
                    "Watch the folders below it one by one.",
                )
    return Listing(tuple(sorted(entries, key=lambda one: one.path)), tuple(sorted(unread)))


def digest_of(root: Path, entry: Entry, limits: FolderLimits) -> str | None:
    """SHA-256 of a listed file in hex; None if it has changed since, or cannot be read now."""
    digest = hashlib.sha256()
    try:
        for part in _parts(root, entry, limits):
            digest.update(part)
    except OSError:
        return None
    return digest.hexdigest()


def bytes_of(root: Path, entry: Entry, digest: str, limits: FolderLimits) -> bytes | None:
    """A listed file, if its bytes are those of this digest; None if not, or not any more."""
    try:
        content = b"".join(_parts(root, entry, limits))
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == digest else None


def _parts(root: Path, entry: Entry, limits: FolderLimits) -> Iterator[bytes]:
    """The bytes of a file that is, and stays, as it was listed. Raises OSError."""
    with os.fdopen(_open_below(root, entry.path), "rb") as file:
        if not _is_as_listed(file.fileno(), entry) or entry.size_bytes > limits.max_file_bytes:
            raise OSError("it is not the file that was listed")
        for _ in range(0, entry.size_bytes + 1, _CHUNK_BYTES):
            yield file.read(_CHUNK_BYTES)
        if not _is_as_listed(file.fileno(), entry):
            raise OSError("it was changed while it was read")


def _open_below(root: Path, path: str) -> int:
    """Open a file step by step, so that no link leads out, whenever it is put there."""
    *folders, name = path.split("/")
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        for one in folders:
            inner = os.open(one, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    finally:
        os.close(folder)


def _documents(found: list[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
    for one in found:
        if not one.name.startswith(_LEFTOVERS) and not one.name.lower().endswith(_HALF_MADE):
            yield one


def _sort(
    one: os.DirEntry[str],
    path: str,
    depth: int,
    limits: FolderLimits,
    entries: list[Entry],
    unread: list[str],
    folders: list[tuple[str, int]],
) -> None:
    """Put a folder's item where it belongs; links and devices belong nowhere."""
    try:
        state = one.stat(follow_symlinks=False)
    except FileNotFoundError:
        return
    except OSError:
        unread.append(path)
        return
    if not _is_writable_down(path):
        unread.append(path)
    elif stat.S_ISDIR(state.st_mode):
        (folders.append((path, depth + 1)) if depth < limits.max_depth else unread.append(path))
    elif stat.S_ISREG(state.st_mode):
        if 0 < state.st_size <= limits.max_file_bytes:
            entries.append(Entry(path, state.st_size, state.st_mtime_ns))
        else:
            unread.append(path)


def _is_writable_down(path: str) -> bool:
    """Whether the name can be kept as text: file systems also take bytes that are none."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return len(path) <= 1000 and path.isprintable()


def _is_as_listed(handle: int, entry: Entry) -> bool:
    state = os.fstat(handle)
    listed = (entry.size_bytes, entry.modified_ns)
    return stat.S_ISREG(state.st_mode) and (state.st_size, state.st_mtime_ns) == listed


def _unreadable(root: Path, error: OSError) -> IngestFailed:
    return IngestFailed(
        f"The folder {root} cannot be read: {error.strerror or error}.",
        "Check that it is mounted and that Lamplight's account may read it. "
        "Nothing was changed; it is looked at again later.",
    )
