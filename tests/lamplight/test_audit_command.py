"""`lamplight audit`: the exit status tells what is wrong with the trail."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from governance.audit import verify_proof
from governance.audit.anchors import FILE_NAME
from governance.audit.checkpoint import Checkpoints
from governance.audit.note import verifier_key
from governance.audit.testing import ANNA, disarm, event
from governance.config import GovernanceSettings
from governance.record.database import open_record
from governance.record.trail_tables import audit_checkpoints, audit_leaves
from governance.secrets import Secrets
from lamplight.cli import app
from lamplight.errors import BadUse
from lamplight.settings import load_settings


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with twelve events."""
    folder = tmp_path / "data"
    record = open_record(GovernanceSettings(data_dir=folder))
    with record.write() as connection:
        for number in range(12):
            record.trail.append(connection, event(number))
    record.close()
    return folder


def audit(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["audit", *arguments, "--data", str(data)])


def falsify(data: Path) -> None:
    record = open_record(GovernanceSettings(data_dir=data))
    with record.write() as connection:
        disarm(connection)
        connection.execute(
            audit_leaves.update().where(audit_leaves.c.seq == 3).values(actor_id="x|nobody")
        )
    record.close()


def cut(data: Path) -> None:
    """Take the last two events away, and the checkpoints with them."""
    record = open_record(GovernanceSettings(data_dir=data))
    with record.write() as connection:
        disarm(connection)
        connection.execute(audit_leaves.delete().where(audit_leaves.c.seq >= 10))
        connection.execute(audit_checkpoints.delete())
    record.close()


def test_a_whole_trail_ends_with_0(data: Path) -> None:
    """In words and as JSON."""
    done = audit(data, "verify")
    assert done.exit_code == 0
    assert "trail of 12 events holds" in done.output
    told = json.loads(audit(data, "verify", "--json").stdout)
    assert (told["ok"], told["events"], told["findings"]) == (True, 12, [])


def test_a_falsified_trail_ends_with_3_and_says_what(data: Path) -> None:
    """The event is named."""
    falsify(data)
    done = audit(data, "verify")
    assert done.exit_code == 3
    assert "Event 3 is filed under what it does not say." in done.output


def test_a_cut_trail_ends_with_4_against_a_checkpoint_kept_elsewhere(
    data: Path, tmp_path: Path
) -> None:
    """A checkpoint in a drawer, or an anchor, is enough to see it."""
    note = audit(data, "prove", "11").stdout.partition("\n\n")[2]
    kept = tmp_path / "checkpoint"
    kept.write_text(note)
    anchor = tmp_path / "anchor"
    anchor.mkdir()
    (anchor / FILE_NAME).write_text(json.dumps(note) + "\n")
    assert audit(data, "verify", "--checkpoint", str(kept), "--anchor", str(anchor)).exit_code == 0
    cut(data)
    for option, place in (("--checkpoint", kept), ("--anchor", anchor)):
        assert audit(data, "verify", option, str(place), "--json").exit_code in (3, 4)
        told = json.loads(audit(data, "verify", option, str(place), "--json").stdout)
        assert "truncated" in {one["kind"] for one in told["findings"]}


def test_another_key_ends_with_6(data: Path, tmp_path: Path) -> None:
    """The trail of one platform is not that of another."""
    audit(data, "prove", "0")
    other = audit(data.parent / "data", "key").stdout.strip()
    made = tmp_path / "other"
    open_record(GovernanceSettings(data_dir=made)).close()
    foreign = audit(made, "key").stdout.strip()
    assert audit(data, "verify", "--vkey", other).exit_code == 0
    assert audit(data, "verify", "--vkey", foreign).exit_code == 6


def test_a_printed_receipt_is_checked_by_the_standalone_verifier(data: Path) -> None:
    """What `prove` prints and what `key` prints go together."""
    key = audit(data, "key").stdout.strip()
    seq, size, leaf = verify_proof.check(audit(data, "prove", "7").stdout, key)
    assert (seq, size) == (7, 12)
    assert json.loads(leaf)["seq"] == 7


def test_an_export_is_itself_an_event(data: Path) -> None:
    """Whoever takes the trail away is in it."""
    lines = audit(data, "export").stdout.splitlines()
    assert json.loads(lines[-1])["action"] == "audit.exported"
    assert len(lines) == 13
    first = json.loads(audit(data, "export", "--profile", "phipa").stdout.splitlines()[0])
    assert list(first) == ["information_type", "date_time", "person", "act", "individual"]


def test_a_folder_without_a_record_is_refused_and_stays_empty(tmp_path: Path) -> None:
    """A wrong path must not look like a whole trail of no events."""
    done = audit(tmp_path / "nowhere", "verify")
    assert isinstance(done.exception, BadUse)
    assert not (tmp_path / "nowhere").exists()


def test_deleted_checkpoints_end_with_4_without_an_anchor(data: Path) -> None:
    """The file beside the key still tells of them; it is no anchor, and that is said."""
    audit(data, "prove", "11")
    assert audit(data, "verify").exit_code == 0
    cut(data)
    done = audit(data, "verify", "--json")
    told = json.loads(done.stdout)
    assert "truncated" in {one["kind"] for one in told["findings"]}
    assert told["anchored"] == 0
    assert any("No anchor" in remark for remark in told["remarks"])


def test_aud_11_the_key_is_changed_by_a_command(data: Path) -> None:
    """The new key is printed, old receipts stay good, and the trail holds."""
    receipt = audit(data, "prove", "7").stdout
    old = audit(data, "key").stdout.strip()
    new = audit(data, "rotate-key").stdout.strip()
    assert new == audit(data, "key").stdout.strip() != old
    assert audit(data, "verify").exit_code == 0
    assert audit(data, "verify", "--vkey", new).exit_code == 0
    assert audit(data, "verify", "--vkey", old).exit_code == 6
    assert verify_proof.check(receipt, old)[0] == 7
    told = json.loads(audit(data, "rotate-key", "--json").stdout)
    assert (told["old"], told["resumed"]) == (new, False)
    assert audit(data, "verify", "--vkey", told["new"]).exit_code == 0


def test_aud_11_a_rotation_that_was_cut_short_is_told_and_finished(data: Path) -> None:
    """The record has the new key, its file is not yet in place: every command knows that key."""
    settings = load_settings(data).governance
    record, secrets = open_record(settings), Secrets(settings.keys_dir)
    new = secrets.next_trail_key()
    checkpoints = Checkpoints(record, secrets.trail_key(), settings.trail_origin)
    checkpoints.hand_over(ANNA, new)
    record.close()
    key = audit(data, "key").stdout.strip()
    assert key == str(verifier_key(settings.trail_origin, new))
    assert audit(data, "verify").exit_code == 0
    done = audit(data, "rotate-key")
    assert "earlier change of the key was finished" in done.output
    assert done.stdout.strip() == key
    assert not (settings.keys_dir / "trail.key.next").exists()
    assert audit(data, "verify").exit_code == 0
