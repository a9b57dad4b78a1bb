"""What OCR read is kept with the stored file and goes with it."""

from governance.config import GovernanceSettings
from governance.erasing import Erasing
from governance.events import SYSTEM
from governance.handing_in import HandIns, NewFile
from governance.originals import keep_original
from governance.page_scans import PageScans
from governance.policies import Department, PolicyStore
from governance.record.database import Record

DIGEST, READER = "a" * 64, "a reader"
FILE = NewFile("scan.pdf", DIGEST, "application/pdf", 5)


def test_pages_are_kept_by_digest_and_reader(
    record: Record, hand_ins: HandIns, demo: Department
) -> None:
    """A page read again stands once; another reader's pages are its own."""
    hand_ins.register(SYSTEM, FILE, demo)
    scans = PageScans(record)
    for lines in ("[1]", "[2]"):
        scans.keep(DIGEST, READER, 1, lines)
    scans.keep(DIGEST, "another", 2, "[3]")
    assert scans.kept(DIGEST, READER) == {1: "[2]"}
    assert (scans.of_page(DIGEST, 2), scans.of_page(DIGEST, 3)) == ("[3]", None)


def test_nothing_is_kept_of_a_file_that_is_gone(record: Record) -> None:
    """A reader that is late leaves nothing behind that nobody would remove."""
    scans = PageScans(record)
    scans.keep(DIGEST, READER, 1, "[1]")
    assert scans.kept(DIGEST, READER) == {}


def test_they_go_with_the_last_document_and_the_receipt_counts_them(
    record: Record,
    hand_ins: HandIns,
    erasing: Erasing,
    policies: PolicyStore,
    settings: GovernanceSettings,
    demo: Department,
) -> None:
    """While another department has the same file, its pages stay."""
    other = policies.create_department(SYSTEM, "other")
    keep_original(settings.originals_dir, DIGEST, b"bytes", 0)
    taken = [hand_ins.register(SYSTEM, FILE, one) for one in (demo, other)]
    scans = PageScans(record)
    for page in (1, 2):
        scans.keep(DIGEST, READER, page, "[]")
    for one, left in zip(taken, (2, 0), strict=True):
        erasing.complete(erasing.begin(SYSTEM, one.document_id, 0), 0, SYSTEM)
        assert len(scans.kept(DIGEST, READER)) == left
    for receipt in erasing.receipts([demo.id, other.id]):
        assert receipt.after is not None
        assert (receipt.before["scans"], receipt.after["scans"]) == (2, 0)
