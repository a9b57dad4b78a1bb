"""Keeps the platform's own keys: one file each, readable by the platform's account alone.

`trail.key` is the Ed25519 seed that signs checkpoints, `vault.key` wraps the departments' keys, and
`hmac.key` keys what must not be guessed. A file is made at first use: written beside its place,
flushed, then linked there, so that a crash leaves all of it or nothing and of two that make it at
the same time one wins and both read the same. What others can read is refused, never repaired: by
then it may be known. `trail.key.next` is a signing key on its way: it takes the place of
`trail.key` once the trail says so (`governance/audit/rotation.py`).
"""

import os
import secrets as entropy
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.errors import SecretUnsafe

KEY_BYTES = 32
TRAIL, VAULT, HMAC = "trail.key", "vault.key", "hmac.key"
NEXT_TRAIL = "trail.key.next"


class Secrets:
    """The keys of one data directory; nothing here prints one."""

    __slots__ = ("_keys_dir",)

    def __init__(self, keys_dir: Path) -> None:
        self._keys_dir = keys_dir

    def __repr__(self) -> str:
        return "Secrets(…)"

    def trail_key(self) -> Ed25519PrivateKey:
        """The key that signs checkpoints. Raises SecretUnsafe."""
        return Ed25519PrivateKey.from_private_bytes(self._key(TRAIL))

    def vault_key(self) -> bytes:
        """The key that wraps the departments' keys, 32 bytes. Raises SecretUnsafe."""
        return self._key(VAULT)

    def hmac_key(self) -> bytes:
        """The key of commitments, tokens and throttles, 32 bytes. Raises SecretUnsafe."""
        return self._key(HMAC)

    def next_trail_key(self) -> Ed25519PrivateKey:
        """The key that is to sign next, made and on the disk; the same until it is put in place.

        Raises SecretUnsafe.
        """
        return Ed25519PrivateKey.from_private_bytes(self._key(NEXT_TRAIL))

    def waiting_trail_key(self) -> Ed25519PrivateKey | None:
        """The key that is to sign next, if one was made. Raises SecretUnsafe."""
        try:
            return Ed25519PrivateKey.from_private_bytes(_read(self._keys_dir / NEXT_TRAIL))
        except FileNotFoundError:
            return None

    def put_next_trail_key_in_place(self) -> None:
        """Let the next signing key be the signing key; the old one is gone. Raises OSError."""
        (self._keys_dir / NEXT_TRAIL).replace(self._keys_dir / TRAIL)
        flush_folder(self._keys_dir)

    def _key(self, name: str) -> bytes:
        _make_folder(self._keys_dir)
        try:
            return _read(self._keys_dir / name)
        except FileNotFoundError:
            self._make(name)
        return _read(self._keys_dir / name)

    def _make(self, name: str) -> None:
        made = self._write_beside(name)
        try:
            # A link, unlike a rename, never puts itself over a key that another just made.
            (self._keys_dir / name).hardlink_to(made)
        except FileExistsError:
            pass
        finally:
            made.unlink()
        flush_folder(self._keys_dir)

    def _write_beside(self, name: str) -> Path:
        path = self._keys_dir / f".{name}.{entropy.token_hex(8)}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(entropy.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        return path


def _make_folder(keys_dir: Path) -> None:
    keys_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    _refuse_shared(keys_dir, keys_dir.stat().st_mode, "700")


def _read(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SecretUnsafe(
            f"The key file {path} cannot be read: {error.strerror}.",
            "It must be a plain file that belongs to the account of the platform.",
        ) from error
    with os.fdopen(descriptor, "rb") as file:
        _refuse_shared(path, os.fstat(file.fileno()).st_mode, "600")
        key = file.read(KEY_BYTES + 1)
    if len(key) != KEY_BYTES:
        raise SecretUnsafe(
            f"The key file {path} is damaged: it does not hold {KEY_BYTES} bytes.",
            "Put it back from a backup; without it, what it protects cannot be read.",
        )
    return key


def _refuse_shared(path: Path, mode: int, wanted: str) -> None:
    if stat.S_IMODE(mode) & 0o077:
        raise SecretUnsafe(
            f"Others on this computer can reach {path}.",
            f"Find out who read it, then: chmod {wanted} {path}",
        )


def flush_folder(folder: Path) -> None:
    """Put the names in a folder on the disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
