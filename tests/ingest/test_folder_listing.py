import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.errors import IngestFailed
from ingest.folder_listing import FolderLimits, digest_of, list_folder

LIMITS = FolderLimits()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two policies, one of them a folder down."""
    root = tmp_path / "policies"
    (root / "ward").mkdir(parents=True)
    (root / "visitors.md").write_bytes(b"# Visitors")
    (root / "ward" / "hands.pdf").write_bytes(b"%PDF-1.7 hands")
    return root


def paths(root: Path, limits: FolderLimits = LIMITS) -> list[str]:
    return [entry.path for entry in list_folder(root, limits).entries]


def test_files_are_listed_with_size_and_time(folder: Path) -> None:
    """In the order of their paths, those of folders below too."""
    listing = list_folder(folder, LIMITS)
    assert [entry.path for entry in listing.entries] == ["visitors.md", "ward/hands.pdf"]
    state = (folder / "visitors.md").stat()
    assert listing.entries[0].size_bytes == 10
    assert listing.entries[0].modified_ns == state.st_mtime_ns
    assert listing.unread == ()


def test_no_link_is_followed(folder: Path, tmp_path: Path) -> None:
    """Neither to a file nor to a folder: a link could name any file of the machine."""
    (tmp_path / "secret.md").write_text("secret")
    (folder / "link.md").symlink_to(tmp_path / "secret.md")
    (folder / "loop").symlink_to(folder)
    assert paths(folder) == ["visitors.md", "ward/hands.pdf"]


def test_what_programs_leave_behind_is_no_document(folder: Path) -> None:
    """Lock files, hidden files and half-made copies are left out."""
    for name in ("~$hands.docx", ".hidden.md", "Thumbs.db", "copy.pdf.part"):
        (folder / name).write_text("x")
    os.mkfifo(folder / "pipe.md")
    assert paths(folder) == ["visitors.md", "ward/hands.pdf"]


def test_a_folder_that_is_gone_is_an_error(tmp_path: Path) -> None:
    """It is never taken for an empty one."""
    with pytest.raises(IngestFailed, match="cannot be read") as raised:
        list_folder(tmp_path / "gone", LIMITS)
    assert "mounted" in raised.value.hint


def test_a_file_in_place_of_the_folder_is_an_error(folder: Path) -> None:
    """So is anything that cannot be listed."""
    with pytest.raises(IngestFailed):
        list_folder(folder / "visitors.md", LIMITS)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_refuses_is_named_as_unread(folder: Path) -> None:
    """The rest is listed; nothing is concluded about what is below."""
    (folder / "ward").chmod(0)
    try:
        listing = list_folder(folder, LIMITS)
    finally:
        (folder / "ward").chmod(0o700)
    assert [entry.path for entry in listing.entries] == ["visitors.md"]
    assert listing.unread == ("ward",)


def test_too_deep_too_large_and_empty_files_are_named_as_unread(folder: Path) -> None:
    """They are known to be there, and are not missing."""
    (folder / "empty.md").write_bytes(b"")
    limits = FolderLimits(max_depth=0, max_file_bytes=5)
    assert list_folder(folder, limits).unread == ("empty.md", "visitors.md", "ward")


def test_too_many_files_are_an_error(folder: Path) -> None:
    """Half a listing would make the other half missing."""
    with pytest.raises(IngestFailed, match="more than 1 files"):
        list_folder(folder, FolderLimits(max_files=1))


def test_a_name_that_is_no_text_is_unread(folder: Path) -> None:
    """File systems take any bytes; the record takes text."""
    (folder / os.fsdecode(b"caf\xe9.md")).write_text("x")
    listing = list_folder(folder, LIMITS)
    assert len(listing.unread) == 1
    assert [entry.path for entry in listing.entries] == ["visitors.md", "ward/hands.pdf"]


def test_a_file_is_read_as_it_was_listed(folder: Path) -> None:
    """Its digest is that of its bytes; once it has changed there is none."""
    entry = list_folder(folder, LIMITS).entries[0]
    assert digest_of(folder, entry, LIMITS) == hashlib.sha256(b"# Visitors").hexdigest()
    assert digest_of(folder, replace(entry, size_bytes=9), LIMITS) is None
    (folder / "visitors.md").write_bytes(b"# Guests")
    assert digest_of(folder, entry, LIMITS) is None


def test_a_file_replaced_by_a_link_is_not_read(folder: Path, tmp_path: Path) -> None:
    """Between listing and reading anybody with access to the folder can put a link there."""
    entries = list_folder(folder, LIMITS).entries
    secret = tmp_path / "visitors.md"
    secret.write_bytes(b"# Visitors")
    (folder / "visitors.md").unlink()
    (folder / "visitors.md").symlink_to(secret)
    (folder / "ward").rename(tmp_path / "elsewhere")
    (folder / "ward").symlink_to(tmp_path / "elsewhere")
    assert [digest_of(folder, entry, LIMITS) for entry in entries] == [None, None]
