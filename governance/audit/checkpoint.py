"""Signs the trail: so many events have this root, and nobody can later say otherwise.

A checkpoint is due when 1,000 events or 60 s have passed since the last, and when the platform
ends. Before it is signed, the trail as it stands is proved to go on from the last checkpoint of the
record, from the last one in each anchor and from the one beside the key; if it does not, nothing is
signed: a log must never sign two histories. A new key takes over with an event that names both
keys, in a checkpoint that both sign; from there on the old key signs nothing, in no process.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event as Signal
from threading import RLock

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, desc, insert, select

from governance.audit.anchors import Anchor
from governance.audit.last_signed import LastSigned
from governance.audit.merkle import ProofInvalid, check_consistency, check_inclusion, leaf_hash
from governance.audit.note import (
    Checkpoint,
    NoteInvalid,
    Proof,
    VerifierKey,
    read_checkpoint,
    sign,
    verifier_key,
)
from governance.audit.signatures import handovers
from governance.clock import Clock, utc_now
from governance.errors import GovernanceError, NotFound, TrailBlocked, TrailBroken
from governance.events import Action, Actor, Event
from governance.record.database import Record
from governance.record.trail_tables import audit_checkpoints, audit_leaves

EVENTS_MAX = 1000
AGE_MAX = timedelta(seconds=60)
log = structlog.get_logger(__name__)
LOOK_EVERY_S = 1.0

_NEWEST = select(audit_checkpoints).order_by(desc(audit_checkpoints.c.size)).limit(1)


class Checkpoints:
    """The signed checkpoints of one record and their copies in its anchors.

    trouble: why the last attempt to sign failed; None when it went well.
    """

    def __init__(
        self,
        record: Record,
        key: Ed25519PrivateKey,
        origin: str,
        anchors: Sequence[Path] = (),
        clock: Clock = utc_now,
        last_signed: LastSigned | None = None,
    ) -> None:
        self._record = record
        self._key = key
        # No checkpoint of the old key may come between a handover and the change to the new one.
        self._turn = RLock()
        self._origin = origin
        self._anchors = tuple(Anchor(folder) for folder in anchors)
        self._clock = clock
        self._last_signed = last_signed
        self.trouble: GovernanceError | None = None

    @property
    def verifier_key(self) -> VerifierKey:
        """What others check our checkpoints with."""
        return verifier_key(self._origin, self._key)

    @property
    def beside_the_key(self) -> str | None:
        """The last checkpoint as the file beside the key has it. Raises AnchorUnreachable."""
        return None if self._last_signed is None else self._last_signed.note()

    def run(self, stop: Signal) -> None:
        """Sign whatever is due until told to stop, and then what is left; for a thread."""
        while not stop.wait(LOOK_EVERY_S):
            self._try(self.sign_if_due)
        self._try(self.sign)

    def sign_if_due(self) -> Checkpoint | None:
        """Sign when enough events or time have passed; None when not. Raises as `sign`."""
        with self._record.read() as connection:
            due = self._due(connection)
        return self.sign() if due else None

    def sign(self) -> Checkpoint | None:
        """Sign the trail as it stands; None when nothing is new.

        Raises TrailBroken, AnchorUnreachable.
        """
        with self._turn:
            with self._record.write() as connection:
                self._refuse_replaced(connection)
                made = self._sign(connection, self._key)
            self._copy_out()
            return made

    def hand_over(self, actor: Actor, key: Ed25519PrivateKey) -> Checkpoint:
        """Let a new key take over: both sign one checkpoint. Raises as `sign`.

        The new key must be safe on the disk before: from here on nothing else can sign.
        """
        old, new = self.verifier_key, verifier_key(self._origin, key)
        event = Event(
            Action.CHECKPOINT_KEY_CHANGED, actor, facts={"old": str(old), "new": str(new)}
        )
        with self._turn:
            with self._record.write() as connection:
                self._refuse_replaced(connection)
                self._record.trail.append(connection, event)
                made = self._sign(connection, self._key, key)
            assert made is not None, "the event itself is new"
            self._key = key
            self._copy_out()
            return made

    def take_up(self, key: Ed25519PrivateKey) -> None:
        """Sign with the key that has taken over already."""
        with self._turn:
            self._key = key

    def prove(self, seq: int) -> Proof:
        """A receipt for one event; a checkpoint is signed if none covers it yet.

        Raises NotFound, TrailBroken, AnchorUnreachable.
        """
        with self._record.read() as connection:
            newest = connection.execute(_NEWEST).one_or_none()
        if newest is None or seq >= newest.size:
            self.sign()
        with self._record.read() as connection:
            return prove(connection, self._record, seq)

    def _due(self, connection: Connection) -> bool:
        newest = connection.execute(_NEWEST).one_or_none()
        covered = 0 if newest is None else newest.size
        uncovered = self._record.trail.size(connection) - covered
        if uncovered <= 0 or uncovered >= EVENTS_MAX:
            return uncovered > 0
        oldest = connection.execute(
            select(audit_leaves.c.at).where(audit_leaves.c.seq == covered)
        ).scalar_one()
        # A clock that went backwards must not put a checkpoint off.
        return bool(abs(self._clock() - oldest) >= AGE_MAX)

    def _sign(self, connection: Connection, *keys: Ed25519PrivateKey) -> Checkpoint | None:
        trail = self._record.trail
        size = trail.size(connection)
        if size == 0:
            return None
        now = Checkpoint(self._origin, size, _root(self._record, connection, size))
        newest = connection.execute(_NEWEST).one_or_none()
        if newest is not None:
            self._prove_goes_on(connection, read_checkpoint(newest.note), now, "the record")
        for note, place in self._kept_outside():
            self._prove_goes_on(connection, read_checkpoint(note), now, place)
        if newest is not None and newest.size == size:
            return None
        _keep(connection, now, sign(now.text, self._origin, *keys), self._clock())
        return now

    def _refuse_replaced(self, connection: Connection) -> None:
        """Raise TrailBroken if another key has taken over from ours."""
        ours = str(self.verifier_key)
        if any(old == ours for _, old, _ in handovers(connection)):
            raise TrailBroken(
                f"Another key took over from {ours}, so this one signs nothing any more."
            )

    def _kept_outside(self) -> Iterator[tuple[str, str]]:
        """The last checkpoint in each place outside of the record, and the place."""
        for anchor in self._anchors:
            yield from ((note, str(anchor)) for note in _notes(anchor)[-1:])
        beside = self.beside_the_key
        if beside is not None:
            yield _checked(beside), str(self._last_signed)

    def _prove_goes_on(
        self, connection: Connection, before: Checkpoint, now: Checkpoint, place: str
    ) -> None:
        if before.size > now.size:
            raise TrailBroken(
                f"The trail has {now.size} events, but {before.size} were signed ({place})."
            )
        try:
            proof = self._record.trail.consistency(connection, before.size, now.size)
            check_consistency(before.size, now.size, before.root, now.root, proof)
        except (ProofInvalid, KeyError) as error:
            raise TrailBroken(
                f"The trail is another one than was signed at {before.size} events ({place})."
            ) from error

    def _copy_out(self) -> None:
        with self._record.read() as connection:
            newest = connection.execute(_NEWEST).one_or_none()
        if newest is not None and self._last_signed is not None:
            self._last_signed.keep(newest.note)
        for anchor in self._anchors:
            notes = _notes(anchor)
            last = read_checkpoint(notes[-1]).size if notes else 0
            anchor.add(self._notes_after(last))

    def _notes_after(self, size: int) -> list[str]:
        kept = audit_checkpoints.c
        wanted = select(kept.note).where(kept.size > size).order_by(kept.size)
        with self._record.read() as connection:
            return list(connection.execute(wanted).scalars())

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
            self.trouble = None
        except GovernanceError as error:
            self.trouble = error
        except Exception as error:
            # A database that is busy or away for a while must not end the signing for good.
            log.exception("the trail could not be signed and is tried again")
            self.trouble = TrailBlocked(f"it cannot be signed ({type(error).__name__})")


def prove(connection: Connection, record: Record, seq: int) -> Proof:
    """A receipt from the newest checkpoint, checked before it is given out.

    Raises NotFound, TrailBroken.
    """
    newest = connection.execute(_NEWEST).one_or_none()
    leaf = audit_leaves.c
    body = connection.execute(select(leaf.body).where(leaf.seq == seq)).scalar_one_or_none()
    if newest is None or body is None or seq >= newest.size:
        raise NotFound(
            f"No checkpoint covers an event {seq}.",
            "Events are signed within a minute; their numbers begin with 0.",
        )
    data = body.encode()
    try:
        hashes = record.trail.inclusion(connection, seq, newest.size)
        root = read_checkpoint(newest.note).root
        check_inclusion(seq, newest.size, leaf_hash(data), hashes, root)
    except (ProofInvalid, KeyError) as error:
        raise TrailBroken(f"Event {seq} is not the one that was signed.") from error
    return Proof(seq, tuple(hashes), newest.note, data)


def _root(record: Record, connection: Connection, size: int) -> bytes:
    try:
        return record.trail.root(connection, size)
    except KeyError as error:
        raise TrailBroken("Hashes of the trail are missing.") from error


def _keep(connection: Connection, made: Checkpoint, note: str, now: datetime) -> None:
    row = {"size": made.size, "root": made.root, "note": note, "created_at": now}
    connection.execute(insert(audit_checkpoints), row)


def _checked(note: str) -> str:
    try:
        read_checkpoint(note)
    except NoteInvalid as error:
        raise TrailBroken(f"The checkpoint beside the key is damaged: {error}") from error
    return note


def _notes(anchor: Anchor) -> tuple[str, ...]:
    try:
        return anchor.notes()
    except NoteInvalid as error:
        raise TrailBroken(str(error)) from error
