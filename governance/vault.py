"""Keeps the text of questions and answers encrypted, so that destroying a key destroys the text.

Each body is sealed with AES-256-GCM under a key of its own; that key lies beside it, wrapped by the
department's key, which is wrapped by the key file of the data directory. What each seal belongs to
is its associated data, so a body, a key or a whole row put in another's place does not open. Once
the row is gone, no key that is left opens what a copy of the ciphertext holds.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Engine, delete, select

from governance.errors import VaultDamaged
from governance.record.use_tables import question_bodies, vault_keys
from governance.secrets import Secrets

KEY_BITS = 256
NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Body:
    """What is kept of one question's text; repr shows none of it."""

    plaintext: bytes
    masked: bool

    def __repr__(self) -> str:
        return f"Body({len(self.plaintext)} bytes, masked={self.masked})"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed text with its own key, wrapped by the department's."""

    wrapped_key: bytes
    nonce: bytes
    ciphertext: bytes


class Vault:
    """Seals, opens and destroys bodies inside the caller's transaction."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def seal(
        self,
        connection: Connection,
        department_id: str,
        question_id: str,
        plaintext: bytes,
        *,
        masked: bool,
        sealed_at: datetime,
        purge_at: datetime,
    ) -> None:
        """Keep a body until `purge_at`, or until it is destroyed. Raises VaultDamaged."""
        wrapping = self._department_key(connection, department_id, sealed_at)
        key, nonce = AESGCM.generate_key(KEY_BITS), os.urandom(NONCE_BYTES)
        bound = _bound("body", department_id, question_id, masked)
        connection.execute(
            question_bodies.insert().values(
                question_id=question_id,
                department_id=department_id,
                wrapped_key=_wrap(wrapping, key, _bound("key", department_id, question_id)),
                nonce=nonce,
                ciphertext=AESGCM(key).encrypt(nonce, plaintext, bound),
                masked=masked,
                purge_at=purge_at,
                held=False,
            )
        )

    def open(self, connection: Connection, department_id: str, question_id: str) -> Body | None:
        """The body of a question of this department; None where none is kept.

        Raises VaultDamaged.
        """
        row = connection.execute(
            select(question_bodies).where(
                question_bodies.c.question_id == question_id,
                question_bodies.c.department_id == department_id,
            )
        ).one_or_none()
        if row is None:
            return None
        wrapping = self._known_department_key(connection, department_id)
        key = _unwrap(wrapping, row.wrapped_key, _bound("key", department_id, question_id))
        bound = _bound("body", department_id, question_id, row.masked)
        return Body(_decrypt(key, row.nonce, row.ciphertext, bound), row.masked)

    def seal_text(
        self,
        connection: Connection,
        department_id: str,
        belongs_to: tuple[str, ...],
        plaintext: bytes,
        sealed_at: datetime,
    ) -> Sealed:
        """A text for a row of the caller's, to which it is bound. Raises VaultDamaged."""
        wrapping = self._department_key(connection, department_id, sealed_at)
        key, nonce = AESGCM.generate_key(KEY_BITS), os.urandom(NONCE_BYTES)
        return Sealed(
            _wrap(wrapping, key, _bound("text key", department_id, *belongs_to)),
            nonce,
            AESGCM(key).encrypt(nonce, plaintext, _bound("text", department_id, *belongs_to)),
        )

    def open_text(
        self,
        connection: Connection,
        department_id: str,
        belongs_to: tuple[str, ...],
        sealed: Sealed,
    ) -> bytes:
        """The text of a row, as it was sealed. Raises VaultDamaged."""
        wrapping = self._known_department_key(connection, department_id)
        bound = _bound("text key", department_id, *belongs_to)
        key = _unwrap(wrapping, sealed.wrapped_key, bound)
        bound = _bound("text", department_id, *belongs_to)
        return _decrypt(key, sealed.nonce, sealed.ciphertext, bound)

    def destroy(self, connection: Connection, question_ids: Sequence[str]) -> int:
        """Remove these bodies with their keys; returns how many there were."""
        gone = connection.execute(
            delete(question_bodies).where(question_bodies.c.question_id.in_(question_ids))
        )
        return gone.rowcount

    def _department_key(
        self, connection: Connection, department_id: str, made_at: datetime
    ) -> bytes:
        """The key of this department, made at first use: writers queue, so one makes it."""
        known = self._known_department_key(connection, department_id)
        if known is not None:
            return known
        key = AESGCM.generate_key(KEY_BITS)
        wrapped = _wrap(self._secrets.vault_key(), key, _bound("department", department_id))
        connection.execute(
            vault_keys.insert().values(
                department_id=department_id, wrapped_key=wrapped, created_at=made_at
            )
        )
        return key

    def _known_department_key(self, connection: Connection, department_id: str) -> bytes | None:
        wrapped = connection.execute(
            select(vault_keys.c.wrapped_key).where(vault_keys.c.department_id == department_id)
        ).scalar_one_or_none()
        if wrapped is None:
            return None
        return _unwrap(self._secrets.vault_key(), wrapped, _bound("department", department_id))


def forget_deleted(engine: Engine) -> bool:
    """Get deleted rows out of the database's files; False if a reader still stood in the way.

    SQLite (with `secure_delete`) zeroes them in the record, but its log still has the old pages
    until it is folded in and cut. PostgreSQL frees them; its own log is recycled in its own time.
    """
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        if engine.dialect.name == "sqlite":
            busy = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            return bool(busy == 0)
        driver.rollback()
        driver.autocommit = True
        try:
            driver.execute("VACUUM question_bodies, report_texts")
        finally:
            driver.autocommit = False
    return True


def _bound(*parts: str | bool) -> bytes:
    """The associated data of a seal: what it is and what it belongs to, without ambiguity."""
    return json.dumps(["lamplight-vault-1", *parts]).encode()


def _wrap(wrapping: bytes, key: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(wrapping).encrypt(nonce, key, bound)


def _unwrap(wrapping: bytes | None, wrapped: bytes, bound: bytes) -> bytes:
    if wrapping is None:
        raise _damaged()
    return _decrypt(wrapping, wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], bound)


def _decrypt(key: bytes, nonce: bytes, ciphertext: bytes, bound: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, bound)
    except (InvalidTag, ValueError) as error:
        raise _damaged() from error


def _damaged() -> VaultDamaged:
    return VaultDamaged(
        "What is kept of this question cannot be opened: it, or its key, is not what was sealed.",
        "Verify the audit trail, and restore the record and keys of one and the same backup.",
    )
