"""A restore brings back what was backed up, and believes no backup about itself."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from governance.audit.note import VerifierKey, verifier_key
from governance.errors import BackupRefused
from governance.policies import PolicyStore
from governance.record.database import Record, open_record
from governance.record.trail_tables import audit_leaves
from governance.secrets import Secrets
from lamplight.errors import AlreadyRunning
from lamplight.lock import DataLock
from lamplight.operations import OWNER
from lamplight.restore import restore
from lamplight.restored_trail import Proofs
from lamplight.settings import Settings, load_settings
from lamplight.testing_backup import back_up, names, settings_of, signed


def test_one_changed_bit_anywhere_restores_nothing(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """HIP-6: each file of the backup in turn, the record among them."""
    place = tmp_path / "backup"
    made = back_up(record, settings, place)
    for number, name in enumerate(made.files):
        content = (place / name).read_bytes()
        (place / name).write_bytes(bytes([content[0] ^ 1]) + content[1:])
        target = settings_of(tmp_path / f"new{number}")
        with pytest.raises(BackupRefused, match=name):
            restore(place, target, OWNER)
        assert names(target.data_dir) <= {"run/lock"}
        (place / name).write_bytes(content)


def test_a_restore_needs_an_empty_directory(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """What is there is worth more than what would come."""
    back_up(record, settings, tmp_path / "backup")
    with pytest.raises(BackupRefused, match="not empty"):
        restore(tmp_path / "backup", settings, OWNER)


def test_a_restore_refuses_a_directory_at_work(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """The lock says who works there."""
    back_up(record, settings, tmp_path / "backup")
    target = settings_of(tmp_path / "new")
    with (
        DataLock(target.run_dir).take("up"),
        pytest.raises(AlreadyRunning, match="lamplight up"),
    ):
        restore(tmp_path / "backup", target, OWNER)


def test_a_folder_without_a_manifest_is_no_backup(settings: Settings, tmp_path: Path) -> None:
    """An attempt that was cut short has none."""
    with pytest.raises(BackupRefused, match="holds no backup"):
        restore(tmp_path, settings_of(tmp_path.parent / "elsewhere"), OWNER)


def test_the_keys_come_back_for_their_owner_alone(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """Mode 0600 in a folder of mode 0700, in the backup and in the data directory."""
    place, target = tmp_path / "backup", settings_of(tmp_path / "new")
    back_up(record, settings, place)
    restore(place, target, OWNER)
    for folder in (place / "keys", target.governance.keys_dir):
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "vault.key").stat().st_mode & 0o777 == 0o600
        assert (folder / "vault.key").read_bytes() == b"k" * 32


def test_what_was_recorded_after_the_backup_is_named_as_lost(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """The restored trail begins the anchored one; the gap is an event, never hidden."""
    policies, anchor = PolicyStore(record, settings.governance), tmp_path / "anchor"
    policies.create_department(OWNER, "before")
    signed(record, settings, anchor)
    back_up(record, settings, tmp_path / "backup")
    for number in range(3):
        policies.create_department(OWNER, f"after {number}")
    signed(record, settings, anchor)
    target = settings_of(tmp_path / "new")
    restored = restore(tmp_path / "backup", target, OWNER, Proofs(anchors=(anchor,)))
    # The backup's own event came after its moment, too.
    assert (restored.manifest.trail_size, restored.lost_events) == (1, 4)
    again = open_record(target.governance)
    with again.read() as connection:
        last = select(audit_leaves.c.body).order_by(audit_leaves.c.seq.desc()).limit(1)
        facts = json.loads(connection.execute(last).scalar_one())["facts"]
    assert (facts["trail_size"], facts["anchored_size"], facts["lost_events"]) == (1, 5, 4)
    again.close()


def test_a_trail_signed_under_its_own_name_is_known_by_the_settings_in_the_backup(
    settings: Settings, tmp_path: Path
) -> None:
    """The settings file comes back too, and says under which name the trail was signed."""
    (settings.data_dir / "lamplight.toml").write_text('[governance]\ntrail_origin = "ward.test"\n')
    named = replace(settings.governance, trail_origin="ward.test")
    record = open_record(named)
    PolicyStore(record, named).create_department(OWNER, "demo")
    signed(record, replace(settings, governance=named), tmp_path / "anchor")
    back_up(record, settings, tmp_path / "backup")
    record.close()
    target = settings_of(tmp_path / "new")
    restored = restore(tmp_path / "backup", target, OWNER, Proofs(anchors=(tmp_path / "anchor",)))
    assert restored.checked.anchored_size == 1
    assert load_settings(target.data_dir).governance.trail_origin == "ward.test"


def test_a_backup_of_another_trail_than_the_anchored_one_is_refused(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """Whoever rewrote the record and backed it up cannot rewrite the anchor."""
    PolicyStore(record, settings.governance).create_department(OWNER, "ours")
    signed(record, settings, tmp_path / "ours")
    back_up(record, settings, tmp_path / "backup")
    other = settings_of(tmp_path / "other")
    theirs = open_record(other.governance)
    PolicyStore(theirs, other.governance).create_department(OWNER, "theirs")
    signed(theirs, settings, tmp_path / "anchor")
    theirs.close()
    target = settings_of(tmp_path / "new")
    with pytest.raises(BackupRefused, match="not the one that was signed"):
        restore(tmp_path / "backup", target, OWNER, Proofs(anchors=(tmp_path / "anchor",)))
    assert names(target.data_dir) <= {"run/lock"}


def test_an_interrupted_restore_can_be_started_again(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """What it left behind is nobody's, and goes first."""
    back_up(record, settings, tmp_path / "backup")
    target = settings_of(tmp_path / "new")
    (target.data_dir / ".restoring").mkdir(parents=True)
    (target.data_dir / ".restoring" / "half").touch()
    restore(tmp_path / "backup", target, OWNER)
    assert (target.data_dir / "record.db").is_file()
    assert not (target.data_dir / ".restoring").exists()


def test_a_restore_that_was_cut_short_while_it_placed_files_can_be_started_again(
    record: Record, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each file; what it had placed goes, and nothing of it counts as the operator's own."""
    PolicyStore(record, settings.governance).create_department(OWNER, "demo")
    (settings.data_dir / "lamplight.toml").write_text("[governance]\nretention_days = 9\n")
    back_up(record, settings, tmp_path / "backup")
    target, moves = settings_of(tmp_path / "new"), []
    replace_file = Path.replace
    for cut in range(1, 9):

        def failing(path: Path, place: Path, cut: int = cut) -> Path:
            moves.append(place)
            if len(moves) == cut:
                raise InterruptedError
            return replace_file(path, place)

        moves.clear()
        monkeypatch.setattr("lamplight.restore.Path.replace", failing)
        try:
            restore(tmp_path / "backup", target, OWNER)
            break
        except InterruptedError:
            assert not (target.data_dir / "record.db").exists()
        finally:
            monkeypatch.undo()
    assert cut > 3
    assert (target.data_dir / "record.db").is_file()
    assert not (target.data_dir / ".restoring.names").exists()
    assert (target.data_dir / "lamplight.toml").is_file()


def test_a_backup_with_its_signing_key_is_not_vouched_for_by_the_public_one(
    backed_up: Path, settings: Settings, tmp_path: Path
) -> None:
    """Whoever can change it could have signed it anew; only an anchor tells."""
    target = settings_of(tmp_path / "new")
    restored = restore(backed_up, target, OWNER, Proofs(vkey=vkey_of(settings)))
    assert restored.checked.vouched_by == ()


@pytest.fixture
def backed_up(record: Record, settings: Settings, tmp_path: Path) -> Path:
    """A signed trail of one event, in a backup with its keys."""
    PolicyStore(record, settings.governance).create_department(OWNER, "ours")
    signed(record, settings, tmp_path / "anchor")
    back_up(record, settings, tmp_path / "backup")
    return tmp_path / "backup"


def vkey_of(settings: Settings) -> VerifierKey:
    governance = settings.governance
    return verifier_key(governance.trail_origin, Secrets(governance.keys_dir).trail_key())


def forge(tmp_path: Path) -> tuple[Path, Settings]:
    """What an attacker puts in the place of a backup: whole, and signed with a key of their own."""
    theirs = settings_of(tmp_path / "forged")
    record = open_record(theirs.governance)
    PolicyStore(record, theirs.governance).create_department(OWNER, "theirs")
    signed(record, theirs, tmp_path / "their-anchor")
    back_up(record, theirs, tmp_path / "forged-backup")
    record.close()
    return tmp_path / "forged-backup", theirs


def test_nobody_but_the_backup_vouches_for_it_unless_the_operator_brings_proof(
    backed_up: Path, settings: Settings, tmp_path: Path
) -> None:
    """The key or an anchor, kept elsewhere; without them the result says that there was none."""
    alone = restore(backed_up, settings_of(tmp_path / "alone"), OWNER).checked
    assert (alone.vouched_by, alone.vouched_size) == ((), 0)
    both = Proofs(vkey_of(settings), (tmp_path / "anchor",))
    checked = restore(backed_up, settings_of(tmp_path / "both"), OWNER, both).checked
    assert (checked.vouched_by, checked.vouched_size) == (("anchor",), 1)


def test_a_whole_backup_signed_with_another_key_is_refused_by_the_true_one(
    backed_up: Path, settings: Settings, tmp_path: Path
) -> None:
    """It agrees with itself in everything: only the public key kept elsewhere tells it apart."""
    forged, _ = forge(tmp_path)
    target = settings_of(tmp_path / "new")
    with pytest.raises(BackupRefused, match="signing key in it is not the one"):
        restore(forged, target, OWNER, Proofs(vkey_of(settings)))
    assert names(target.data_dir) <= {"run/lock"}


@pytest.mark.parametrize("keys", [True, False])
def test_the_anchors_of_a_backup_do_not_take_the_place_of_the_operators(
    backed_up: Path, settings: Settings, tmp_path: Path, keys: bool
) -> None:
    """Its settings name anchors that agree with it; the operator's are asked all the same."""
    forged, theirs = forge(tmp_path)
    named = f'[governance]\nanchor_dirs = ["{tmp_path / "their-anchor"}"]\n'
    (theirs.data_dir / "lamplight.toml").write_text(named)
    record = open_record(theirs.governance)
    back_up(record, theirs, forged, with_keys=keys)
    record.close()
    with pytest.raises(BackupRefused):
        restore(forged, settings_of(tmp_path / "a"), OWNER, Proofs(anchors=(tmp_path / "anchor",)))
    target = settings_of(tmp_path / "b")
    ours = replace(target.governance, anchor_dirs=(tmp_path / "anchor",))
    with pytest.raises(BackupRefused):
        restore(forged, replace(target, governance=ours), OWNER)
    assert restore(forged, settings_of(tmp_path / "c"), OWNER).checked.vouched_by == ()


def test_a_key_says_nothing_about_a_trail_without_signatures(
    record: Record, settings: Settings, tmp_path: Path
) -> None:
    """Whoever took the checkpoints away must not get the key's word for the rest."""
    PolicyStore(record, settings.governance).create_department(OWNER, "ours")
    back_up(record, settings, tmp_path / "backup", with_keys=False)
    with pytest.raises(BackupRefused, match="No checkpoint"):
        restore(
            tmp_path / "backup", settings_of(tmp_path / "new"), OWNER, Proofs(vkey_of(settings))
        )


def test_an_anchor_without_checkpoints_is_no_proof(backed_up: Path, tmp_path: Path) -> None:
    """A wrong folder must not look like a right one."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(BackupRefused, match="no checkpoint in"):
        restore(
            backed_up, settings_of(tmp_path / "new"), OWNER, Proofs(anchors=(tmp_path / "empty",))
        )


def test_the_operators_settings_stay(record: Record, settings: Settings, tmp_path: Path) -> None:
    """Those of the backup lie beside them, and only if they say something else."""
    (settings.data_dir / "lamplight.toml").write_text("[web]\nkey_days = 7\n")
    back_up(record, settings, tmp_path / "backup")
    target = settings_of(tmp_path / "new")
    target.data_dir.mkdir()
    (target.data_dir / "lamplight.toml").write_text("[web]\nkey_days = 30\n")
    restored = restore(tmp_path / "backup", target, OWNER)
    assert restored.settings == target.data_dir / "lamplight.toml.restored"
    assert "7" in restored.settings.read_text()
    assert load_settings(target.data_dir).web.key_days == 30
    same = settings_of(tmp_path / "same")
    same.data_dir.mkdir()
    (same.data_dir / "lamplight.toml").write_text("[web]\nkey_days = 7\n")
    assert restore(tmp_path / "backup", same, OWNER).settings is None
    assert "lamplight.toml.restored" not in names(same.data_dir)
