"""Copies of every checkpoint in folders outside the data directory: one file, only added to.

Whoever rewrites the record, or puts back an old one, cannot rewrite these as well, as long as they
lie on another host, or on a medium that only grows (`chattr +a`, WORM). Each line is one note as a
JSON text. A line that a power cut tore is ended and written again.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from governance.audit.note import NoteInvalid, read_checkpoint
from governance.errors import AnchorUnreachable

FILE_NAME = "lamplight.checkpoints"


class Anchor:
    """One folder with the checkpoints of one log."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME

    def __str__(self) -> str:
        return str(self.path)

    def notes(self) -> tuple[str, ...]:
        """Every checkpoint in its order. Raises AnchorUnreachable, NoteInvalid."""
        lines = self._read().split("\n")
        found = []
        for number, line in enumerate(lines, start=1):
            note = _note(line)
            if note is not None:
                found.append(note)
            elif not _torn(line, lines[number:]):
                raise NoteInvalid(f"Line {number} of {self.path} is damaged.")
        return tuple(found)

    def add(self, notes: Sequence[str]) -> None:
        """Write these below the others, on the disk when it returns. Raises AnchorUnreachable."""
        if not notes:
            return
        ended = self._read()[-1:] in ("", "\n")
        text = ("" if ended else "\n") + "".join(json.dumps(note) + "\n" for note in notes)
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
            descriptor = os.open(self.path, flags, 0o640)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise AnchorUnreachable(str(self.path), str(error.strerror)) from error

    def _read(self) -> str:
        if not self.path.parent.is_dir():
            raise AnchorUnreachable(str(self.path), "the folder is not there")
        try:
            return self.path.read_text(encoding="ascii", errors="replace")
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise AnchorUnreachable(str(self.path), str(error.strerror)) from error


def _note(line: str) -> str | None:
    try:
        note = json.loads(line)
        read_checkpoint(note)
    except (ValueError, AttributeError, TypeError):
        return None
    return str(note)


def _torn(line: str, below: Sequence[str]) -> bool:
    """Whether a line is the beginning of the next, or of one that was never finished."""
    return all(not one for one in below) or below[0].startswith(line)
