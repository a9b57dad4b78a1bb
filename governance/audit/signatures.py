"""Holds the trail to everything that was ever signed over it: in the record, in anchors, elsewhere.

Keys are learned backwards. The newest checkpoints are of the key that the caller trusts; where the
trail says that a key took over and both keys signed that checkpoint, older ones are of the older
key, and newer ones of it count for nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from governance.audit.anchors import Anchor
from governance.audit.note import (
    Checkpoint,
    NoteInvalid,
    VerifierKey,
    open_checkpoint,
    open_note,
    parse_verifier_key,
    read_checkpoint,
)
from governance.audit.verdict import Code, Findings
from governance.errors import AnchorUnreachable
from governance.events import Action
from governance.record.trail_tables import audit_checkpoints, audit_leaves

RECORD = "the record"
BESIDE = "the file beside the key"
ELSEWHERE = "the given checkpoint"
# Places on the same machine, which whoever owns it can change: no anchors.
INSIDE = (RECORD, BESIDE)


@dataclass(slots=True)
class Signed:
    """A checkpoint and where it lies; root: that of the events as they are, once it is known."""

    note: str
    place: str
    said: Checkpoint
    root: bytes | None = None

    def __str__(self) -> str:
        return f"the checkpoint at {self.said.size} events ({self.place})"


def all_signed(
    connection: Connection,
    anchors: Sequence[Anchor],
    notes: Sequence[str],
    beside: str | None,
    findings: Findings,
) -> list[Signed]:
    """Every checkpoint there is, by size; beside: the one in the file beside the key."""
    found: list[Signed] = []
    for row in connection.execute(select(audit_checkpoints)):
        one = _read(row.note, RECORD, findings)
        if one and (one.said.size, one.said.root) != (row.size, row.root):
            findings.add(
                Code.TAMPERED, f"The checkpoint at {row.size} events is filed under another size."
            )
        found += [one] if one else []
    for anchor in anchors:
        try:
            kept = anchor.notes()
        except (NoteInvalid, AnchorUnreachable) as error:
            findings.add(Code.KEY, str(error))
            continue
        found += [one for note in kept if (one := _read(note, str(anchor), findings))]
    found += [one for note in notes if (one := _read(note, ELSEWHERE, findings))]
    if beside is not None and (one := _read(beside, BESIDE, findings)):
        found.append(one)
    return sorted(found, key=lambda one: one.said.size)


def _read(note: str, place: str, findings: Findings) -> Signed | None:
    try:
        return Signed(note, place, read_checkpoint(note))
    except NoteInvalid as error:
        findings.add(Code.KEY, f"A checkpoint in {place} cannot be read: {error}")
        return None


def check_signed(
    connection: Connection,
    key: VerifierKey,
    signed: Sequence[Signed],
    size: int,
    findings: Findings,
) -> None:
    """Check signatures from the newest down, and what each of them promises."""
    taken_over = handovers(connection)
    for one in reversed(signed):
        while taken_over and taken_over[0][0] > one.said.size:
            key = _older(key, *taken_over.pop(0), signed, findings)
        try:
            open_checkpoint(one.note, key)
        except NoteInvalid as error:
            findings.add(Code.KEY, f"No trusted key signed {one}: {error}")
            continue
        if one.said.size > size:
            findings.add(
                Code.TRUNCATED, f"Only {size} events are left, but {one} was signed over more."
            )
        elif one.root is not None and one.root != one.said.root:
            code = Code.TAMPERED if one.place == RECORD else Code.FORKED
            findings.add(code, f"The events are not those over which {one} was signed.")


def handovers(connection: Connection) -> list[tuple[int, str, str]]:
    """Size of the trail with the event, old key, new key; the newest first."""
    leaf = audit_leaves.c
    wanted = select(leaf.seq, leaf.body).where(leaf.action == Action.CHECKPOINT_KEY_CHANGED)
    found = []
    for seq, body in connection.execute(wanted.order_by(leaf.seq.desc())):
        try:
            facts = json.loads(body)["facts"]
            found.append((seq + 1, str(facts["old"]), str(facts["new"])))
        except (ValueError, KeyError, TypeError):
            continue  # whoever reads the leaves says so
    return found


def _older(
    key: VerifierKey,
    size: int,
    old: str,
    new: str,
    signed: Sequence[Signed],
    findings: Findings,
) -> VerifierKey:
    """The key before this one, if it agreed to be replaced by it."""
    try:
        older = parse_verifier_key(old)
        if parse_verifier_key(new) != key:
            raise NoteInvalid("it names another new key than the one that signs after it")
        notes = [one.note for one in signed if one.said.size == size]
        if not any(_opens(note, older) and _opens(note, key) for note in notes):
            raise NoteInvalid("no checkpoint is signed by both keys")
    except NoteInvalid as error:
        findings.add(Code.KEY, f"The change of the key at {size} events does not hold: {error}.")
        return key
    return older


def _opens(note: str, key: VerifierKey) -> bool:
    try:
        open_note(note, key)
    except NoteInvalid:
        return False
    return True
