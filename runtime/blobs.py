"""Takes in a file that is sent to us: bounded, checked, and visible only when it is whole."""

import hashlib
import re
import time
import uuid
from pathlib import Path

from runtime.errors import BadRequest, NoSpace
from runtime.manifest import blob_name
from runtime.pull import free_bytes_of
from runtime.store import Store

_DIGEST = re.compile(r"sha256[:-]([0-9a-fA-F]{64})")
FORGOTTEN_S = 24 * 3600.0  # an upload of a process that died is removed after this


def parse_digest(text: str) -> str:
    """`sha256:HEX` from one of the forms that clients write. Raises BadRequest."""
    found = _DIGEST.fullmatch(text)
    if found is None:
        raise BadRequest("invalid digest format", "Write sha256: and 64 hex digits.")
    return f"sha256:{found[1].lower()}"


class IncomingBlob:
    """A file on its way into a store."""

    def __init__(
        self, store: Store, digest: str, limit_bytes: int, min_free_bytes: int, now_s: float
    ) -> None:
        self._store = store
        self._digest = digest
        self._limit_bytes = limit_bytes
        self._min_free_bytes = min_free_bytes
        self._hash = hashlib.sha256()
        self._folder = store.models_dir / "downloads"
        self._folder.mkdir(parents=True, exist_ok=True)
        _clear_forgotten(self._folder, now_s)
        self._path = self._folder / f"{blob_name(digest)}.{uuid.uuid4().hex}.upload"
        self._file = self._path.open("wb")

    def write(self, chunk: bytes) -> None:
        """Take more of it. Raises BadRequest, NoSpace."""
        if self._file.tell() + len(chunk) > self._limit_bytes:
            raise BadRequest(
                f"the file is longer than {self._limit_bytes} bytes",
                "Raise LAMPLIGHT_RUNTIME_MAX_BLOB_BYTES, or bring a smaller file.",
            )
        if free_bytes_of(self._folder) - len(chunk) < self._min_free_bytes:
            raise NoSpace(
                f"the disk of {self._folder.parent} is full",
                "Make room, or name another models directory with LAMPLIGHT_MODELS.",
            )
        self._file.write(chunk)
        self._hash.update(chunk)

    def finish(self) -> None:
        """Move the whole file to its place. Raises BadRequest."""
        self._file.close()
        found = f"sha256:{self._hash.hexdigest()}"
        if found != self._digest:
            raise BadRequest(
                f'digest mismatch, expected "{self._digest}", got "{found}"', "Send it again."
            )
        self._store.take(self._path, self._digest)

    def discard(self) -> None:
        """Forget what is left of it."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def _clear_forgotten(folder: Path, now_s: float) -> None:
    for path in folder.glob("*.upload"):
        if path.stat().st_mtime < now_s - FORGOTTEN_S:
            path.unlink(missing_ok=True)


def wall_clock_s() -> float:
    """Seconds as file times are counted."""
    return time.time()
