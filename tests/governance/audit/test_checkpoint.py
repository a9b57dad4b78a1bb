"""Checkpoints are signed when due, copied to the anchors, and outlive a change of the key."""

import json
from datetime import timedelta
from pathlib import Path
from threading import Event as Signal

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from governance.audit.anchors import Anchor
from governance.audit.checkpoint import Checkpoints, prove
from governance.audit.note import (
    Checkpoint,
    NoteInvalid,
    open_checkpoint,
    parse_proof,
    read_checkpoint,
    sign,
)
from governance.audit.testing import ANNA, ORIGIN, Ticking, Trail, event
from governance.audit.verdict import Code
from governance.errors import AnchorUnreachable, NotFound, TrailBlocked, TrailBroken
from governance.events import Action
from governance.record.trail_tables import audit_checkpoints


def with_clock(trail: Trail, clock: Ticking) -> Checkpoints:
    return Checkpoints(trail.record, trail.key, ORIGIN, [trail.folder], clock)


def test_an_empty_trail_is_not_signed(empty: Trail) -> None:
    """There is nothing to promise."""
    assert empty.checkpoints.sign() is None
    assert empty.checkpoints.sign_if_due() is None


def test_a_checkpoint_is_due_after_a_minute(empty: Trail) -> None:
    """Counted from the oldest event that no checkpoint covers."""
    empty.append()
    at = Ticking().now + timedelta(seconds=1)
    early = with_clock(empty, Ticking(at + timedelta(seconds=58)))
    assert early.sign_if_due() is None
    late = with_clock(empty, Ticking(at + timedelta(seconds=59)))
    signed = late.sign_if_due()
    assert signed is not None
    assert signed.size == 1
    assert with_clock(empty, Ticking(at + timedelta(days=1))).sign_if_due() is None


def test_a_checkpoint_is_due_after_a_thousand_events(empty: Trail) -> None:
    """However little time has passed."""
    empty.append(999)
    clock = Ticking(Ticking().now)
    assert with_clock(empty, clock).sign_if_due() is None
    empty.append()
    signed = with_clock(empty, clock).sign_if_due()
    assert signed is not None
    assert signed.size == 1000


def test_a_clock_set_back_does_not_put_a_checkpoint_off(empty: Trail) -> None:
    """An event from the future is signed as well."""
    empty.append()
    before = Ticking(Ticking().now - timedelta(hours=1))
    assert with_clock(empty, before).sign_if_due() is not None


def test_what_is_left_is_signed_at_the_end(empty: Trail) -> None:
    """The thread that signs does so once more when it is told to stop."""
    empty.append(3)
    stop = Signal()
    stop.set()
    empty.checkpoints.run(stop)
    assert empty.checkpoints.trouble is None
    assert [read_checkpoint(note).size for note in Anchor(empty.folder).notes()] == [3]


def test_the_anchor_has_every_checkpoint(trail: Trail) -> None:
    """In its order, and word for word."""
    with trail.record.read() as connection:
        kept = select(audit_checkpoints.c.note).order_by(audit_checkpoints.c.size)
        notes = tuple(connection.execute(kept).scalars())
    assert len(notes) == 3
    assert Anchor(trail.folder).notes() == notes


def test_a_missing_anchor_stops_the_signing_and_is_told(trail: Trail) -> None:
    """A mount that is away is no reason to sign unseen; the next attempt finds it again."""
    away = trail.folder.with_name("away")
    trail.folder.rename(away)
    with pytest.raises(AnchorUnreachable, match="not there"):
        trail.checkpoints.sign()
    stop = Signal()
    stop.set()
    trail.checkpoints.run(stop)
    assert isinstance(trail.checkpoints.trouble, AnchorUnreachable)
    away.rename(trail.folder)
    assert trail.checkpoints.sign() is not None


def test_a_database_that_is_away_for_a_while_does_not_end_the_signing(
    empty: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the fault is: it is told, and the next attempt finds out that it is over."""
    empty.append(3)
    stop = Signal()
    stop.set()

    def busy() -> None:
        raise OperationalError("BEGIN", {}, Exception("database is locked"))

    with monkeypatch.context() as patch:
        patch.setattr(empty.record, "write", busy)
        empty.checkpoints.run(stop)
    assert isinstance(empty.checkpoints.trouble, TrailBlocked)
    empty.checkpoints.run(stop)
    assert empty.checkpoints.trouble is None
    assert [read_checkpoint(note).size for note in Anchor(empty.folder).notes()] == [3]


def test_a_new_anchor_gets_what_it_missed(trail: Trail, tmp_path: Path) -> None:
    """Whoever adds a folder later has all checkpoints in it."""
    later = tmp_path / "later"
    later.mkdir()
    Checkpoints(trail.record, trail.key, ORIGIN, [trail.folder, later]).sign()
    assert Anchor(later).notes() == Anchor(trail.folder).notes()


def test_a_line_torn_by_a_power_cut_is_written_again(trail: Trail) -> None:
    """What a crash left half written is no falsification."""
    path = Anchor(trail.folder).path
    path.write_text(path.read_text()[:-40])
    assert len(Anchor(trail.folder).notes()) == 2
    trail.checkpoints.sign()
    assert len(Anchor(trail.folder).notes()) == 4
    assert trail.verify().code is Code.OK


def test_a_line_changed_in_an_anchor_is_told(trail: Trail) -> None:
    """An anchor that was damaged is not passed over."""
    path = Anchor(trail.folder).path
    path.write_text(path.read_text().replace("hospital", '"', 1))
    with pytest.raises(NoteInvalid, match="Line 1"):
        Anchor(trail.folder).notes()
    assert trail.verify().code is Code.KEY
    with pytest.raises(TrailBroken):
        trail.checkpoints.sign()


def test_aud_11_a_new_key_takes_over_and_old_proofs_stay_valid(trail: Trail) -> None:
    """Both keys sign the checkpoint of the change; whoever trusts the new key learns the old."""
    old_key, new = trail.checkpoints.verifier_key, Ed25519PrivateKey.generate()
    with trail.record.read() as connection:
        old_proof = prove(connection, trail.record, 7)
    handover = trail.checkpoints.hand_over(ANNA, new)
    trail.append(5)
    trail.checkpoints.sign()
    assert open_checkpoint(parse_proof(old_proof.text).note, old_key).size == 30
    for trusted in (old_key, trail.checkpoints.verifier_key):
        assert open_checkpoint(Anchor(trail.folder).notes()[3], trusted) == handover
    verdict = trail.verify(key=new)
    assert verdict.code is Code.OK
    assert (verdict.checkpoints, verdict.anchored) == (5, 5)
    assert trail.verify().code is Code.KEY


def test_aud_11_an_old_key_signs_nothing_newer(trail: Trail) -> None:
    """Whoever stole a key that was replaced cannot go on with it."""
    new = Ed25519PrivateKey.generate()
    trail.checkpoints.hand_over(ANNA, new)
    trail.append(5)
    with trail.record.write() as connection:
        size = trail.record.trail.size(connection)
        said = Checkpoint(ORIGIN, size, trail.record.trail.root(connection, size))
        note, at = sign(said.text, ORIGIN, trail.key), Ticking().now
        row = {"size": size, "root": said.root, "note": note, "created_at": at}
        connection.execute(audit_checkpoints.insert(), row)
    assert trail.verify(key=new).code is Code.KEY


def test_aud_11_a_key_cannot_appoint_itself(trail: Trail) -> None:
    """An event that names a new key is worth nothing without the old key's signature."""
    new = Ed25519PrivateKey.generate()
    impostor = Checkpoints(trail.record, new, ORIGIN)
    facts = {"old": str(trail.checkpoints.verifier_key), "new": str(impostor.verifier_key)}
    change = event(0, Action.CHECKPOINT_KEY_CHANGED)
    with trail.record.write() as connection:
        trail.record.trail.append(
            connection, type(change)(change.action, change.actor, facts=facts)
        )
    impostor.sign()
    verdict = trail.verify(key=new, anchored=False)
    assert verdict.code is Code.KEY
    assert any("no checkpoint is signed by both keys" in one.text for one in verdict.findings)


def test_a_receipt_is_signed_for_when_none_covers_it(trail: Trail) -> None:
    """Nobody has to wait a minute for the proof of what they just did."""
    proof = trail.checkpoints.prove(32)
    assert read_checkpoint(proof.note).size == 33
    assert proof.leaf is not None
    assert json.loads(proof.leaf)["seq"] == 32


@pytest.mark.parametrize("seq", [33, 10_000, -1])
def test_there_is_no_receipt_for_what_never_was(trail: Trail, seq: int) -> None:
    """A number that the trail has not reached is refused by name."""
    with pytest.raises(NotFound, match=f"event {seq}"):
        trail.checkpoints.prove(seq)
