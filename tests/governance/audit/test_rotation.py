"""A change of the signing key leaves, wherever it is cut short, one key that may sign (AUD-11)."""

import os
import signal
import sys
from itertools import count
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import event as on

from governance.audit.anchors import Anchor
from governance.audit.checkpoint import Checkpoints
from governance.audit.last_signed import LastSigned
from governance.audit.note import verifier_key
from governance.audit.rotation import finish, rotate, signing_key
from governance.audit.testing import ANNA, ORIGIN, event
from governance.audit.verdict import Code, Verdict
from governance.audit.verify import verify
from governance.config import GovernanceSettings
from governance.errors import TrailBroken
from governance.record.database import Record, open_record
from governance.secrets import Secrets


class Place:
    """A data directory with a signed trail, its keys and an anchor."""

    def __init__(self, record: Record, folder: Path) -> None:
        self.record = record
        self.secrets = Secrets(folder / "keys")
        self.last_signed = LastSigned(folder / "keys")
        self.anchor = folder / "anchor"
        self.anchor.mkdir(exist_ok=True)

    def checkpoints(self, key: Ed25519PrivateKey | None = None) -> Checkpoints:
        key = key or finish(self.record, self.secrets, ORIGIN)
        return Checkpoints(self.record, key, ORIGIN, [self.anchor], last_signed=self.last_signed)

    def append(self) -> None:
        with self.record.write() as connection:
            self.record.trail.append(connection, event(1))

    def verify(self) -> Verdict:
        """As `lamplight audit verify` does, which puts nothing in its place."""
        with self.record.read() as connection:
            key = verifier_key(ORIGIN, signing_key(connection, self.secrets, ORIGIN))
            beside = self.last_signed.note()
            return verify(connection, key, anchors=[Anchor(self.anchor)], beside=beside)


@pytest.fixture
def place(record: Record, tmp_path: Path) -> Place:
    place = Place(record, tmp_path)
    place.append()
    place.checkpoints().sign()
    return place


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def test_aud_11_the_new_key_signs_and_the_old_signatures_stay_good(place: Place) -> None:
    """Twice in a row; the file of the new key is the owner's alone."""
    checkpoints = place.checkpoints()
    for _ in range(2):
        rotated = rotate(place.record, checkpoints, place.secrets, ANNA)
        assert rotated.new == checkpoints.verifier_key != rotated.old
        assert public(place.secrets.trail_key()) == rotated.new.key
        place.append()
        checkpoints.sign()
        assert place.verify().code is Code.OK
    assert place.secrets.waiting_trail_key() is None
    assert (place.anchor.parent / "keys" / "trail.key").stat().st_mode & 0o777 == 0o600
    assert place.verify().anchored == 5


def test_aud_11_the_old_key_signs_nothing_more_in_any_process(place: Place) -> None:
    """A command that read the old key before the change does not sign a second history."""
    old = place.secrets.trail_key()
    rotate(place.record, place.checkpoints(), place.secrets, ANNA)
    place.append()
    with pytest.raises(TrailBroken, match="took over"):
        place.checkpoints(old).sign()
    place.checkpoints().sign()
    assert place.verify().code is Code.OK


def test_aud_11_an_old_key_file_put_back_signs_nothing(place: Place) -> None:
    """The refusal is clear, and nothing is written."""
    path = place.anchor.parent / "keys" / "trail.key"
    old = path.read_bytes()
    rotate(place.record, place.checkpoints(), place.secrets, ANNA)
    path.write_bytes(old)
    place.append()
    with pytest.raises(TrailBroken, match="took over"):
        place.checkpoints().sign()


@pytest.mark.parametrize("again", [True, False], ids=["again", "start"])
@pytest.mark.parametrize("step", [1, 2])
def test_aud_11_what_was_cut_short_is_finished(place: Place, step: int, again: bool) -> None:
    """After the new key lies there, and after the record says so: by a start or by the command."""
    old, new = place.secrets.trail_key(), place.secrets.next_trail_key()
    if step == 2:
        place.checkpoints(old).hand_over(ANNA, new)
    assert place.verify().code is Code.OK
    checkpoints = place.checkpoints()
    assert checkpoints.verifier_key.key == public(new if step == 2 else old)
    if again:
        rotated = rotate(place.record, checkpoints, place.secrets, ANNA)
        assert (rotated.new.key == public(new)) == (step == 1)
    place.append()
    checkpoints.sign()
    assert place.verify().code is Code.OK


def test_aud_11_a_command_finishes_where_no_start_did(place: Place) -> None:
    """The old key is still in its place, but the record knows better."""
    old, new = place.secrets.trail_key(), place.secrets.next_trail_key()
    checkpoints = place.checkpoints(old)
    checkpoints.hand_over(ANNA, new)
    rotated = rotate(place.record, checkpoints, place.secrets, ANNA)
    assert rotated.resumed
    assert (rotated.old.key, rotated.new.key) == (public(old), public(new))
    assert public(place.secrets.trail_key()) == public(new)
    assert place.verify().code is Code.OK


def rotate_until(folder: Path, kill_at: int) -> None:
    """Change the key, and die by SIGKILL before the act of this number (from 1) on the disk."""
    place = Place(open_record(GovernanceSettings(data_dir=folder)), folder)
    checkpoints, numbers = place.checkpoints(), count(1)

    def maybe_die(*_arguments: object) -> None:
        if next(numbers) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("before_cursor_execute", "commit"):
        on.listen(place.record.engine, name, maybe_die)
    watched = {"os.rename", "os.link", "os.remove"}
    writes = os.O_WRONLY | os.O_RDWR

    def watch(name: str, arguments: tuple[object, ...]) -> None:
        opened = name == "open" and isinstance(arguments[2], int) and arguments[2] & writes
        if name in watched or opened:
            maybe_die()

    sys.addaudithook(watch)
    rotate(place.record, checkpoints, place.secrets, ANNA)
    os._exit(0)


def test_aud_11_a_kill_at_any_step_leaves_one_key_that_signs(tmp_path: Path) -> None:
    """Before each statement and commit, and each file that is made, linked, renamed or removed."""
    record = open_record(GovernanceSettings(data_dir=tmp_path))
    place = Place(record, tmp_path)
    place.append()
    place.checkpoints().sign()
    record.close()
    for kill_at in count(1):
        child = os.fork()
        if child == 0:
            try:
                rotate_until(tmp_path, kill_at)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        place.record = open_record(GovernanceSettings(data_dir=tmp_path))
        assert place.verify().code is Code.OK, kill_at
        place.append()
        place.checkpoints().sign()
        assert place.verify().code is Code.OK, kill_at
        place.record.close()
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            break
    assert kill_at > 15
