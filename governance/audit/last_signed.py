"""The newest signed checkpoint, once more, in a file beside the key that signed it.

Whoever cuts off the record's tail together with its checkpoints is found out by this file. It is no
anchor: it lies on the same machine, and whoever owns that can take it away or put an old one back.
"""

import os
import secrets
from pathlib import Path

from governance.audit.note import NoteInvalid, read_checkpoint
from governance.errors import AnchorUnreachable, TrailBlocked
from governance.secrets import flush_folder

FILE_NAME = "trail.signed"


class LastSigned:
    """One small file; what stands under its name is whole."""

    def __init__(self, keys_dir: Path) -> None:
        self.path = keys_dir / FILE_NAME

    def __str__(self) -> str:
        return str(self.path)

    def note(self) -> str | None:
        """The checkpoint as it was signed; None before the first. Raises AnchorUnreachable."""
        try:
            return self.path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise AnchorUnreachable(str(self.path), str(error.strerror)) from error

    def keep(self, note: str) -> None:
        """Put a newer checkpoint in its place, on the disk when it returns.

        Raises TrailBlocked.
        """
        if self._size() >= read_checkpoint(note).size:
            return
        partial = self.path.with_name(f".{FILE_NAME}.{secrets.token_hex(8)}")
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with os.fdopen(os.open(partial, flags, 0o600), "wb") as file:
                file.write(note.encode())
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.path)
            flush_folder(self.path.parent)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise TrailBlocked(f"{self.path}: {error.strerror}") from error

    def _size(self) -> int:
        note = self.note()
        try:
            return 0 if note is None else read_checkpoint(note).size
        except NoteInvalid:
            return 0
