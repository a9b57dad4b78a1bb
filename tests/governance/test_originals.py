"""Uploaded files are stored once, whole, and only while there is room."""

from pathlib import Path

import pytest

from governance.errors import NoSpace
from governance.originals import drop_original, keep_original, original_path

DIGEST = "ab" + "0" * 62


def test_bytes_are_kept_by_digest(tmp_path: Path) -> None:
    """Storing again is the same file."""
    path = keep_original(tmp_path, DIGEST, b"policy", 0)
    assert path == original_path(tmp_path, DIGEST) == keep_original(tmp_path, DIGEST, b"policy", 0)
    assert path.read_bytes() == b"policy"
    assert [p.name for p in path.parent.iterdir()] == [DIGEST]


def test_a_full_disk_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    """The reserve is kept, and the refusal says what to do."""
    with pytest.raises(NoSpace) as refusal:
        keep_original(tmp_path, DIGEST, b"policy", min_free_bytes=2**62)
    assert "Free some space" in refusal.value.hint
    assert not original_path(tmp_path, DIGEST).exists()


def test_dropping_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    """Deleting is repeatable."""
    drop_original(tmp_path, DIGEST)
    assert not original_path(tmp_path, DIGEST).exists()
