"""Writes the trail: one leaf for each event, in the transaction of the act itself.

A leaf gets the next number and at most log2(n) new nodes above it. `Record.write()` lets one
writer in at a time (BEGIN IMMEDIATE, pg_advisory_xact_lock), so numbers have no gap and no two
leaves share one; the primary key would refuse it. Where the wall clock went backwards, that is said
first: the order of the trail is that of its numbers.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, desc, insert, select, tuple_

from governance.audit.leaf import body_of, canonical, columns_in, whole_milliseconds
from governance.audit.merkle import (
    Place,
    Span,
    consistency_spans,
    cover,
    fold,
    grow,
    inclusion_spans,
    leaf_hash,
    places_of,
    siblings,
)
from governance.clock import Clock, utc_now
from governance.events import SYSTEM, Action, Event
from governance.record.trail_tables import audit_leaves, audit_nodes

_LAST = select(audit_leaves.c.seq, audit_leaves.c.at).order_by(desc(audit_leaves.c.seq)).limit(1)
_LEAF = insert(audit_leaves)
_NODE = insert(audit_nodes)
MILLISECONDS_PER_SECOND = 1000


class AuditLog:
    """The trail of one record; it keeps nothing in memory."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock

    def append(self, connection: Connection, event: Event) -> int:
        """Write one event within the caller's transaction; returns its number."""
        now = whole_milliseconds(self._clock())
        last = connection.execute(_LAST).one_or_none()
        if last is None:
            return self._write(connection, event, 0, now)
        seq = last.seq + 1
        if now < last.at:
            self._write(connection, _clock_regressed(last.at, now), seq, now)
            seq += 1
        return self._write(connection, event, seq, now)

    def size(self, connection: Connection) -> int:
        """How many leaves there are."""
        last = connection.execute(_LAST).one_or_none()
        return 0 if last is None else int(last.seq) + 1

    def root(self, connection: Connection, size: int) -> bytes:
        """The root of the first `size` leaves, from the kept nodes."""
        span = Span(0, size)
        return fold(span, read_hashes(connection, cover(span)))

    def inclusion(self, connection: Connection, seq: int, size: int) -> list[bytes]:
        """The proof that leaf `seq` is in the tree of `size`. Raises ProofInvalid."""
        return _proof(connection, inclusion_spans(seq, size))

    def consistency(self, connection: Connection, first: int, second: int) -> list[bytes]:
        """The proof that the tree of `first` begins that of `second`. Raises ProofInvalid."""
        return _proof(connection, consistency_spans(first, second))

    def _write(self, connection: Connection, event: Event, seq: int, at: datetime) -> int:
        text = canonical(body_of(event, seq, at))
        leaf = leaf_hash(text.encode())
        found = columns_in(text)
        row = {
            "seq": seq,
            "body": text,
            "leaf_hash": leaf,
            "at": at,
            "action": found.action,
            "actor_id": found.actor_id,
            "department_id": found.department_id,
            "object_id": found.object_id,
        }
        connection.execute(_LEAF, row)
        made = grow(seq, leaf, read_hashes(connection, siblings(seq)))
        if made:
            nodes = [{"level": p.level, "position": p.position, "hash": h} for p, h in made.items()]
            connection.execute(_NODE, nodes)
        return seq


def read_hashes(connection: Connection, places: Sequence[Place]) -> dict[Place, bytes]:
    """The kept hashes of these places; KeyError where one is missing."""
    found: dict[Place, bytes] = {}
    leaves = [place.position for place in places if place.level == 0]
    if leaves:
        wanted = select(audit_leaves.c.seq, audit_leaves.c.leaf_hash)
        rows = connection.execute(wanted.where(audit_leaves.c.seq.in_(leaves)))
        found |= {Place(0, row.seq): row.leaf_hash for row in rows}
    nodes = [tuple(place) for place in places if place.level > 0]
    if nodes:
        key = tuple_(audit_nodes.c.level, audit_nodes.c.position)
        kept = connection.execute(select(audit_nodes).where(key.in_(nodes)))
        found |= {Place(row.level, row.position): row.hash for row in kept}
    return found


def _proof(connection: Connection, spans: tuple[Span, ...]) -> list[bytes]:
    hashes = read_hashes(connection, places_of(spans))
    return [fold(span, hashes) for span in spans]


def _clock_regressed(before: datetime, now: datetime) -> Event:
    behind_ms = round((before - now).total_seconds() * MILLISECONDS_PER_SECOND)
    return Event(Action.CLOCK_REGRESSED, SYSTEM, facts={"behind_ms": behind_ms})
