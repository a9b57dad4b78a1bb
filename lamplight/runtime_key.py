"""The key of this start, which the platform shows its own runtime: a file for its owner alone.

Whoever starts both processes makes it anew, so that a key that leaked dies with its start. A
runtime that is started by itself takes the key that lies there, or makes the first.
"""

import os
import secrets
from pathlib import Path

PREFIX = "lrt_"
KEY_BYTES = 32
MAX_KEY_CHARS = 200


def make_key(path: Path) -> str:
    """Put a new key in the place of any old one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = PREFIX + secrets.token_urlsafe(KEY_BYTES)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
    beside.replace(path)
    return key


def read_key(path: Path) -> str:
    """The key that lies there; none is made again, a damaged or shared one is replaced."""
    try:
        key = path.read_text(encoding="ascii")[:MAX_KEY_CHARS].strip()
        shared = path.stat().st_mode & 0o077
    except (OSError, UnicodeDecodeError):
        return make_key(path)
    return key if key.startswith(PREFIX) and not shared else make_key(path)
