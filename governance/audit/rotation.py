"""Changes the key that signs the trail, so that a crash at any moment leaves a key that may sign.

1. The new key is written to `trail.key.next`, on the disk, and signs nothing yet.
2. One transaction records that it takes over; both keys sign that checkpoint (`hand_over`).
3. `trail.key.next` becomes `trail.key`, and the old key is gone.

A crash after 1 changes nothing: the old key signs, and the next attempt takes up the same new key.
After 2 the record says that the new key signs, so whoever looks for the key finds it in
`trail.key.next`, and the next start or attempt finishes 3.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from governance.audit.checkpoint import Checkpoints
from governance.audit.note import VerifierKey, verifier_key
from governance.audit.signatures import handovers
from governance.events import Actor
from governance.record.database import Record
from governance.secrets import Secrets


@dataclass(frozen=True, slots=True)
class Rotated:
    """The key before, the key that signs now, and whether an earlier attempt was finished."""

    old: VerifierKey
    new: VerifierKey
    resumed: bool


def rotate(record: Record, checkpoints: Checkpoints, secrets: Secrets, actor: Actor) -> Rotated:
    """Let a new key sign the trail from now on; finishes an attempt that was cut short.

    Raises SecretUnsafe, TrailBroken, AnchorUnreachable.
    """
    old = verifier_key(checkpoints.verifier_key.name, secrets.trail_key())
    coming = secrets.next_trail_key()
    new = verifier_key(old.name, coming)
    with record.read() as connection:
        resumed = _took_over(connection, new)
    if resumed:
        checkpoints.take_up(coming)
    else:
        checkpoints.hand_over(actor, coming)
    secrets.put_next_trail_key_in_place()
    return Rotated(old, new, resumed)


def signing_key(connection: Connection, secrets: Secrets, origin: str) -> Ed25519PrivateKey:
    """The key that may sign now, wherever a rotation stands. Raises SecretUnsafe."""
    waiting = secrets.waiting_trail_key()
    if waiting is not None and _took_over(connection, verifier_key(origin, waiting)):
        return waiting
    return secrets.trail_key()


def finish(record: Record, secrets: Secrets, origin: str) -> Ed25519PrivateKey:
    """The key that may sign now; one that has taken over is put in its place. Raises SecretUnsafe.

    Only for whoever holds the lock of the data directory.
    """
    waiting = secrets.waiting_trail_key()
    with record.read() as connection:
        key = signing_key(connection, secrets, origin)
    if waiting is not None and key.private_bytes_raw() == waiting.private_bytes_raw():
        secrets.put_next_trail_key_in_place()
    return key


def _took_over(connection: Connection, key: VerifierKey) -> bool:
    return any(new == str(key) for _, _, new in handovers(connection))
