"""Checks the trail: every leaf and node is built again from the bodies and held to what was signed.

Stored hashes prove nothing; they are only compared. What the record alone cannot show (that its
tail was cut off with the checkpoints, that all of it was written anew, that an old copy was put
back) shows against an anchor or a checkpoint that was kept elsewhere.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, select, type_coerce
from sqlalchemy.types import NullType

from governance.audit.anchors import Anchor
from governance.audit.leaf import said_in
from governance.audit.note import VerifierKey
from governance.audit.rebuild import STRETCH, STRETCH_LEVEL, Nodes, Rebuilt
from governance.audit.signatures import INSIDE, RECORD, Signed, all_signed, check_signed
from governance.audit.verdict import Code, Findings, Verdict
from governance.events import Action
from governance.record.trail_tables import audit_leaves, audit_nodes

# Rows read at once; a stretch is a multiple of it. Few enough that they stay in the processor's
# cache and do not set off Python's search for garbage: with 4,096 it takes a third longer.
BATCH = 256
# Compared as plain texts: a member of an enumeration compares slowly.
_REGRESSED = Action.CLOCK_REGRESSED.value


def verify(
    connection: Connection,
    key: VerifierKey,
    *,
    anchors: Sequence[Anchor] = (),
    notes: Sequence[str] = (),
    beside: str | None = None,
    start: int = 0,
) -> Verdict:
    """Check the whole trail within one read transaction.

    key: the key that signs now. notes: checkpoints that were kept elsewhere. beside: the one in the
    file beside the key, read before the transaction began. start: the first event
    to read, rounded down to a stretch of 65,536; what is before is held to later signatures alone.
    """
    findings = Findings()
    signed = all_signed(connection, anchors, notes, beside, findings)
    before, tree = _frontier(connection, start)
    _read_leaves(connection, tree, before, signed, findings)
    _count_nodes(connection, tree, findings)
    check_signed(connection, key, signed, tree.size, findings)
    anchored = sum(one.place not in INSIDE for one in signed)
    return Verdict(
        tree.size,
        max((one.said.size for one in signed if one.said.size <= tree.size), default=0),
        tree.root(tree.size),
        sum(one.place == RECORD for one in signed),
        anchored,
        findings.all,
        tuple(_remarks(tree.size, before, signed, anchored)),
    )


def _frontier(connection: Connection, start: int) -> tuple[int, Rebuilt]:
    """The first event to read, and the tree before it as it is stored."""
    node = audit_nodes.c
    wanted = select(node.hash).where(node.level == STRETCH_LEVEL).order_by(node.position)
    tops = list(connection.execute(wanted.limit(start // STRETCH)).scalars())
    return len(tops) * STRETCH, Rebuilt(tops)


def _read_leaves(
    connection: Connection,
    tree: Rebuilt,
    before: int,
    signed: Sequence[Signed],
    findings: Findings,
) -> None:
    """Read all events from `before` on; note the root at each checkpoint."""
    due = [one for one in signed if 0 < one.said.size >= before]
    _note_roots(tree, due)
    for leaves in _Leaves(connection, before, findings).stretches():
        _compare_nodes(connection, tree.add(leaves), findings)
        _note_roots(tree, due)


def _note_roots(tree: Rebuilt, due: list[Signed]) -> None:
    while due and due[0].said.size <= tree.size:
        one = due.pop(0)
        one.root = tree.root(one.said.size)


class _Leaves:
    """The leaf hashes, each made from its body; ends where a number is missing."""

    def __init__(self, connection: Connection, before: int, findings: Findings) -> None:
        self._findings = findings
        self._expected = before
        self._earlier = ""
        leaf = audit_leaves.c
        wanted = select(
            leaf.seq,
            leaf.body,
            # Hashes and times are left as the database keeps them: to convert them costs more
            # than to read the rest.
            type_coerce(leaf.leaf_hash, NullType()),
            type_coerce(leaf.at, NullType()),
            leaf.action,
            leaf.actor_id,
            leaf.department_id,
            leaf.object_id,
        )
        self._rows = connection.execute(
            wanted.where(leaf.seq >= before).order_by(leaf.seq),
            execution_options={"yield_per": BATCH},
        )

    def stretches(self) -> Iterator[list[bytes]]:
        """The hashes of one stretch after the other; only the last may be short."""
        found: list[bytes] = []
        with self._rows as rows:
            for batch in rows.partitions():
                made = self._check(batch)
                found += made
                if len(made) < len(batch):
                    break
                if len(found) == STRETCH:
                    yield found
                    found = []
        if found:
            yield found

    def _check(self, batch: Sequence[Any]) -> list[bytes]:
        """Hold each leaf to its body; the hashes up to where a number is missing.

        One loop, without calls while nothing is wrong: it runs for every event that ever was.
        """
        made: list[bytes] = []
        expected, earlier, sha256 = self._expected, self._earlier, hashlib.sha256
        for seq, body, stored, at, action, actor_id, department_id, object_id in batch:
            if seq != expected:
                self._say(f"Event {expected} is missing: the next one is {seq}.")
                break
            expected += 1
            made.append(sha256(b"\0" + body.encode()).digest())
            if made[-1] != stored:
                self._say(f"Event {seq} was changed: its hash is not that of its content.")
            try:
                said_seq, ts, *said = said_in(body)
                if type(at) is str:
                    same = at == f"{ts[:10]} {ts[11:23]}000"
                else:
                    same = datetime.fromisoformat(ts) == at.astimezone(UTC)
            except (ValueError, TypeError):
                self._say(f"Event {seq} was changed: it cannot be read.")
                continue
            if said_seq != seq:
                self._say(f"Event {seq} was moved: it says that it is number {said_seq}.")
            if not same or said != [action, actor_id, department_id, object_id]:
                self._say(f"Event {seq} is filed under what it does not say.")
            if ts < earlier and action != _REGRESSED:
                self._say(f"Event {seq} is earlier than the one before, and no clock was set back.")
            earlier = ts
        self._expected, self._earlier = expected, earlier
        return made

    def _say(self, text: str) -> None:
        self._findings.add(Code.TAMPERED, text)


def _compare_nodes(connection: Connection, made: Sequence[Nodes], findings: Findings) -> None:
    """Hold the stored nodes to those that were made."""
    node = audit_nodes.c
    for level, low, hashes in made:
        here = (node.level == level) & node.position.between(low, low + len(hashes) - 1)
        wanted = select(type_coerce(node.hash, NullType())).where(here).order_by(node.position)
        rows = connection.execute(wanted, execution_options={"yield_per": BATCH})
        # No two have one position, so as many as there are places stand each in its own.
        stored: list[Any] = []
        for batch in rows.partitions():
            stored += [one for (one,) in batch]
        if stored != hashes:
            _tell_where(connection, Nodes(level, low, hashes), findings)


def _tell_where(connection: Connection, made: Nodes, findings: Findings) -> None:
    node = audit_nodes.c
    wanted = enumerate(made.hashes, start=made.position)
    rows = connection.execute(select(node.position, node.hash).where(node.level == made.level))
    kept = {row.position: row.hash for row in rows}
    at = next((position for position, one in wanted if kept.get(position) != one), made.position)
    findings.add(
        Code.TAMPERED,
        f"A hash above the events from {at << made.level} on is missing or not theirs.",
    )


def _count_nodes(connection: Connection, tree: Rebuilt, findings: Findings) -> None:
    count = connection.execute(select(func.count()).select_from(audit_nodes)).scalar_one()
    expected = sum(tree.size >> level for level in range(1, tree.size.bit_length()))
    if count > expected:
        findings.add(Code.TAMPERED, f"There are hashes of more than {tree.size} events.")


def _remarks(size: int, before: int, signed: Sequence[Signed], anchored: int) -> Iterator[str]:
    last = max((one.said.size for one in signed), default=0)
    if size > last:
        yield f"The last {size - last} events are not signed yet."
    if not anchored:
        yield (
            "No anchor was given: a tail cut off with its checkpoints, an old copy put back, "
            "or a trail written anew with the same key would not show."
        )
    if before:
        yield f"The {before} events before were not read; later signatures vouch for them."
