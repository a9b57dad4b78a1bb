"""The file beside the key tells of checkpoints that are no longer in the record."""

from pathlib import Path

import pytest
from sqlalchemy import delete

from governance.audit.checkpoint import Checkpoints
from governance.audit.last_signed import LastSigned
from governance.audit.note import read_checkpoint
from governance.audit.testing import ORIGIN, Trail, disarm
from governance.audit.verdict import Code, Verdict
from governance.audit.verify import verify
from governance.errors import TrailBlocked, TrailBroken
from governance.record.trail_tables import audit_checkpoints, audit_leaves, audit_nodes


@pytest.fixture
def kept(trail: Trail, tmp_path: Path) -> LastSigned:
    """33 events, all signed, the last time beside the key as well."""
    (tmp_path / "keys").mkdir()
    kept = LastSigned(tmp_path / "keys")
    signing(trail, kept).sign()
    return kept


def signing(trail: Trail, kept: LastSigned) -> Checkpoints:
    return Checkpoints(trail.record, trail.key, ORIGIN, last_signed=kept)


def checked(trail: Trail, kept: LastSigned) -> Verdict:
    with trail.record.read() as connection:
        return verify(connection, trail.checkpoints.verifier_key, beside=kept.note())


def cut(trail: Trail, size: int) -> None:
    """Back to so many events, with nodes and checkpoints."""
    with trail.record.write() as connection:
        disarm(connection)
        connection.execute(delete(audit_leaves).where(audit_leaves.c.seq >= size))
        for level in range(1, 8):
            beyond = (audit_nodes.c.level == level) & (audit_nodes.c.position >= size >> level)
            connection.execute(delete(audit_nodes).where(beyond))
        connection.execute(delete(audit_checkpoints).where(audit_checkpoints.c.size > size))


def test_deleted_checkpoints_are_missed_without_an_anchor(trail: Trail, kept: LastSigned) -> None:
    """The tail is gone with its checkpoints, and still the verdict is: cut off."""
    assert checked(trail, kept).code is Code.OK
    cut(trail, 20)
    assert trail.verify(anchored=False).code is Code.OK
    verdict = checked(trail, kept)
    assert verdict.code is Code.TRUNCATED
    assert "signed over more" in verdict.findings[0].text


def test_it_is_no_anchor(trail: Trail, kept: LastSigned) -> None:
    """Whoever takes it away as well is not seen, and the verdict says that none was given."""
    assert any("No anchor" in remark for remark in checked(trail, kept).remarks)
    assert checked(trail, kept).anchored == 0
    cut(trail, 20)
    kept.path.unlink()
    assert checked(trail, kept).code is Code.OK


def test_a_trail_that_was_cut_is_not_signed_again(trail: Trail, kept: LastSigned) -> None:
    """The next checkpoint would wipe out the trace."""
    before = kept.note()
    cut(trail, 20)
    trail.append()
    with pytest.raises(TrailBroken, match="33 were signed"):
        signing(trail, kept).sign()
    assert kept.note() == before


def test_a_changed_file_is_found(trail: Trail, kept: LastSigned) -> None:
    """It is signed as every checkpoint is; damage is said as such and stops the signing."""
    note = str(kept.note())
    kept.path.write_text(note.replace("\n33\n", "\n34\n"))
    assert Code.KEY in {one.code for one in checked(trail, kept).findings}
    kept.path.write_bytes(b"\xff")
    assert checked(trail, kept).code is Code.KEY
    trail.append()
    with pytest.raises(TrailBroken, match="damaged"):
        signing(trail, kept).sign()


def test_it_keeps_the_newest_for_the_owner_alone(trail: Trail, kept: LastSigned) -> None:
    """An older checkpoint that comes late changes nothing; a leftover of a crash does no harm."""
    old = str(kept.note())
    (kept.path.parent / ".trail.signed.half").touch()
    trail.append()
    signing(trail, kept).sign()
    kept.keep(old)
    assert read_checkpoint(str(kept.note())).size == 34
    assert kept.path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_written_is_told(trail: Trail, tmp_path: Path) -> None:
    """The checkpoint stands in the record; the next one tries again."""
    away = LastSigned(tmp_path / "away")
    trail.append()
    with pytest.raises(TrailBlocked, match=r"trail\.signed"):
        signing(trail, away).sign()
    (tmp_path / "away").mkdir()
    signing(trail, away).sign()
    assert read_checkpoint(str(away.note())).size == 34
