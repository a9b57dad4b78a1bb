"""Checks the trail: every leaf and node is built again from the bodies and held to what was signed.

Stored hashes prove nothing; they are only compared. What the record alone cannot show (that its
tail was cut off with the checkpoints, that all of it was written anew, that an old copy was put
back) shows against an anchor or a checkpoint that was kept elsewhere.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, String, func, select, type_coerce

from governance.audit.anchors import Anchor
from governance.audit.leaf import columns_in
from governance.audit.merkle import leaf_hash
from governance.audit.note import VerifierKey
from governance.audit.rebuild import STRETCH, STRETCH_LEVEL, Rebuilt, Row
from governance.audit.signatures import RECORD, Signed, all_signed, check_signed
from governance.audit.verdict import Code, Findings, Verdict
from governance.events import Action
from governance.record.trail_tables import audit_leaves, audit_nodes


def verify(
    connection: Connection,
    key: VerifierKey,
    *,
    anchors: Sequence[Anchor] = (),
    notes: Sequence[str] = (),
    start: int = 0,
) -> Verdict:
    """Check the whole trail within one read transaction.

    key: the key that signs now. notes: checkpoints that were kept elsewhere. start: the first event
    to read, rounded down to a stretch of 65,536; what is before is held to later signatures alone.
    """
    findings = Findings()
    signed = all_signed(connection, anchors, notes, findings)
    before, tree = _frontier(connection, start)
    _read_leaves(connection, tree, before, signed, findings)
    _count_nodes(connection, tree, findings)
    check_signed(connection, key, signed, tree.size, findings)
    anchored = sum(one.place != RECORD for one in signed)
    return Verdict(
        tree.size,
        tree.root(tree.size),
        len(signed) - anchored,
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
    stream = _Leaves(connection, before, findings)
    while leaves := list(islice(stream, STRETCH)):
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
        self._stream = self._hashes(connection, before)

    def __iter__(self) -> Iterator[bytes]:
        return self._stream

    def _hashes(self, connection: Connection, before: int) -> Iterator[bytes]:
        leaf = audit_leaves.c
        wanted = select(
            leaf.seq,
            leaf.body,
            leaf.leaf_hash,
            # Left as the database keeps it: to read a time costs more than to read the rest.
            type_coerce(leaf.at, String),
            leaf.action,
            leaf.actor_id,
            leaf.department_id,
            leaf.object_id,
        )
        stream = connection.execute(
            wanted.where(leaf.seq >= before).order_by(leaf.seq),
            execution_options={"yield_per": 4096},
        )
        expected, earlier = before, ""
        with stream:
            for seq, body, stored, at, *columns in stream:
                if seq != expected:
                    self._say(f"Event {expected} is missing: the next one is {seq}.")
                    return
                made = leaf_hash(body.encode())
                if made != stored:
                    self._say(f"Event {seq} was changed: its hash is not that of its content.")
                earlier = self._compare(seq, body, at, columns, earlier)
                yield made
                expected += 1

    def _compare(self, seq: int, body: str, at: Any, columns: list[Any], earlier: str) -> str:
        """Hold the search columns to the body; returns the time that the body gives."""
        try:
            said = columns_in(body)
            same_time = _same_time(said.ts, at)
        except ValueError:
            self._say(f"Event {seq} was changed: it cannot be read.")
            return earlier
        if said.seq != seq:
            self._say(f"Event {seq} was moved: it says that it is number {said.seq}.")
        if [*said[2:]] != columns or not same_time:
            self._say(f"Event {seq} is filed under what it does not say.")
        if said.ts < earlier and said.action != Action.CLOCK_REGRESSED:
            self._say(f"Event {seq} is earlier than the one before, and no clock was set back.")
        return said.ts

    def _say(self, text: str) -> None:
        self._findings.add(Code.TAMPERED, text)


def _same_time(ts: str, stored: Any) -> bool:
    if isinstance(stored, str):
        return f"{ts[:10]} {ts[11:23]}000" == stored
    return bool(datetime.fromisoformat(ts) == stored.astimezone(UTC))


def _compare_nodes(connection: Connection, made: Sequence[Row], findings: Findings) -> None:
    """Hold the stored nodes to those that were made."""
    node = audit_nodes.c
    for level, low, hashes in made:
        wanted = list(enumerate(hashes, start=low))
        rows = connection.execute(
            select(node.position, node.hash)
            .where(node.level == level, node.position.between(low, wanted[-1][0]))
            .order_by(node.position)
        )
        stored = [tuple(row) for row in rows]
        if stored != wanted:
            kept = dict(stored)
            at = next((position for position, one in wanted if kept.get(position) != one), low)
            findings.add(
                Code.TAMPERED,
                f"A hash above the events from {at << level} on is missing or not theirs.",
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
