"""Accounts at registries, kept in a file in the form that Docker's tools know, for its owner alone.

{"auths": {"registry.hospital.example": {"auth": "<base64 of user:password>"}}}
"""

import base64
import binascii
import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runtime.errors import BadAccounts

MAX_FILE_BYTES = 1024 * 1024
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Account:
    """Who we are at one registry."""

    user: str
    password: str = field(repr=False)

    @property
    def basic(self) -> str:
        """The header's value that shows it."""
        return f"Basic {base64.b64encode(f'{self.user}:{self.password}'.encode()).decode()}"


def account_of(path: Path | None, host: str) -> Account | None:
    """The account at a registry, if one is kept. Raises BadAccounts."""
    entry = _read(path).get(host) if path is not None else None
    if entry is None:
        return None
    try:
        text = base64.b64decode(entry["auth"], validate=True).decode()
        user, colon, password = text.partition(":")
    except (binascii.Error, UnicodeError, KeyError, TypeError) as error:
        raise _unreadable(path) from error
    if not colon:
        raise _unreadable(path)
    return Account(user, password)


def keep_account(path: Path, host: str, account: Account) -> None:
    """Write an account down, in place of an earlier one. Raises BadAccounts, OSError."""
    text = base64.b64encode(f"{account.user}:{account.password}".encode()).decode()
    _write(path, _read(path) | {host: {"auth": text}})


def forget_account(path: Path, host: str) -> bool:
    """Remove an account; whether there was one. Raises BadAccounts, OSError."""
    kept = _read(path)
    if kept.pop(host, None) is None:
        return False
    _write(path, kept)
    return True


def _read(path: Path | None) -> dict[str, Any]:
    if path is None or not path.exists():
        return {}
    if path.stat().st_mode & _OTHERS:
        raise BadAccounts(
            f"other users of this machine can read {path}", f"Run: chmod 600 {path}, and check it."
        )
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(MAX_FILE_BYTES + 1))
        return dict(content.get("auths", {}))
    except (ValueError, TypeError, AttributeError) as error:
        raise _unreadable(path) from error


def _write(path: Path, accounts: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"auths": accounts}, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _unreadable(path: Path | None) -> BadAccounts:
    return BadAccounts(
        f"the accounts of registries in {path} cannot be read", "Sign in again: lamplight login."
    )
