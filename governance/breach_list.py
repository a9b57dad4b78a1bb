"""Looks a password up in the operator's list of leaked ones, offline.

The file holds plain passwords, one a line, or SHA-1 digests in hex, sorted, with or without a count
behind a colon: the form in which the large public lists are given away. SHA-1 is only the name
under which the list keeps a password; nothing of ours is protected by it. Such a list can be tens
of gigabytes, so it is searched by halves; a plain list is read from its beginning.
"""

import hashlib
import os
import re
from pathlib import Path
from typing import BinaryIO

from governance.errors import BreachListUnreadable

DIGEST_LINE = re.compile(rb"([0-9A-Fa-f]{40})(:\d+)?\r?\n?")
MAX_LINE_BYTES = 1_024


class BreachList:
    """A file of leaked passwords, or none."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def holds(self, password: str) -> bool:
        """Whether this password was leaked; no list holds nothing. Raises BreachListUnreadable."""
        if self._path is None:
            return False
        try:
            with self._path.open("rb") as file:
                return _holds(file, password.encode())
        except OSError as error:
            raise BreachListUnreadable(
                f"The list of leaked passwords cannot be read: {error.strerror}.",
                "Correct governance.breach_list_path, or leave it out.",
            ) from error


def _holds(file: BinaryIO, password: bytes) -> bool:
    first = file.readline(MAX_LINE_BYTES)
    if DIGEST_LINE.fullmatch(first):
        digest = hashlib.sha1(password, usedforsecurity=False).hexdigest().upper().encode()
        return _holds_digest(file, digest)
    file.seek(0)
    return any(line.rstrip(b"\r\n") == password for line in file)


def _holds_digest(file: BinaryIO, wanted: bytes) -> bool:
    """Halve the bytes in which the wanted line can begin, until one line is left."""
    low, high = 0, file.seek(0, os.SEEK_END)
    while low < high:
        middle = (low + high) // 2
        start, line = _line_at(file, middle)
        found = line[: len(wanted)].upper()
        if found == wanted:
            return True
        if not line or found > wanted or start >= high:
            high = middle
        else:
            low = start + len(line)
    return False


def _line_at(file: BinaryIO, position: int) -> tuple[int, bytes]:
    """The first line that begins at or after a position, and where it begins."""
    file.seek(max(position - 1, 0))
    if position > 0:
        file.readline(MAX_LINE_BYTES)
    return file.tell(), file.readline(MAX_LINE_BYTES)
