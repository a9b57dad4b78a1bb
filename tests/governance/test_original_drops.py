"""What is refused or deleted takes along its own rows and bytes, and nothing that is still used."""

from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import Connection

from governance.config import GovernanceSettings
from governance.erasing import Erasing
from governance.events import SYSTEM, Event
from governance.handing_in import HandIns, NewFile, Registered
from governance.jobs import JobError, JobState
from governance.loading import LoadingStore
from governance.original_drops import drop_unreferenced
from governance.originals import keep_original, original_path
from governance.policies import Department, PolicyStore
from governance.record.database import Record
from governance.versions import VersionState

FIRST, SECOND = "a" * 64, "b" * 64
FILE = NewFile("hand-hygiene.pdf", FIRST, "application/pdf", 5)
REASON = JobError("no_text", "hand-hygiene.pdf has no text.", "Scan it with text recognition.")


def taken_in(hand_ins: HandIns, settings: GovernanceSettings, demo: Department) -> Registered:
    keep_original(settings.originals_dir, FIRST, b"first", 0)
    return hand_ins.register(SYSTEM, FILE, demo, override_reason="a test")


def test_a_refused_second_version_leaves_the_first_in_force(
    hand_ins: HandIns,
    loading: LoadingStore,
    erasing: Erasing,
    policies: PolicyStore,
    settings: GovernanceSettings,
    demo: Department,
) -> None:
    """Only the refused version goes with its job, and only its own bytes."""
    first = taken_in(hand_ins, settings, demo)
    assert first.job_id is not None
    loading.finish(first.version_id, first.job_id)
    originals = settings.originals_dir
    keep_original(originals, SECOND, b"second", 0)
    second = hand_ins.register(
        SYSTEM, replace(FILE, digest=SECOND), demo, replaces=first.document_id
    )
    assert second.job_id is not None
    loading.abandon(second.version_id, second.job_id, JobState.REFUSED, REASON)
    assert original_path(originals, SECOND).exists()
    erasing.forget(SYSTEM, second.job_id)
    detail = policies.document(first.document_id)
    assert [(v.version, v.state) for v in detail.versions] == [(1, VersionState.EFFECTIVE)]
    assert original_path(originals, FIRST).exists()
    assert not original_path(originals, SECOND).exists()


def test_bytes_stay_when_the_removal_is_rolled_back(
    hand_ins: HandIns,
    erasing: Erasing,
    policies: PolicyStore,
    settings: GovernanceSettings,
    record: Record,
    demo: Department,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A deletion that could not be committed leaves the document with its file."""
    first = taken_in(hand_ins, settings, demo)

    def refuse(connection: Connection, event: Event) -> None:
        raise OSError("the last write before the commit failed")

    with monkeypatch.context() as patched:
        patched.setattr(record.trail, "append", refuse)
        with pytest.raises(OSError, match="before the commit"):
            erasing.begin(SYSTEM, first.document_id, 0)
    assert policies.document(first.document_id)
    assert original_path(settings.originals_dir, FIRST).exists()


def test_bytes_deleted_before_they_are_registered_are_written_again(
    hand_ins: HandIns,
    erasing: Erasing,
    policies: PolicyStore,
    settings: GovernanceSettings,
    demo: Department,
) -> None:
    """A copy deleted between keeping and registering does not leave a row without a file."""
    first = taken_in(hand_ins, settings, demo)
    originals = settings.originals_dir
    keep = partial(keep_original, originals, FIRST, b"first", 0)
    keep()
    erasing.complete(erasing.begin(SYSTEM, first.document_id, 0), 0, SYSTEM)
    again = hand_ins.register(SYSTEM, FILE, demo, keep)
    assert policies.original_path(again.document_id, 1).read_bytes() == b"first"


def test_bytes_that_are_used_are_not_dropped(
    hand_ins: HandIns,
    settings: GovernanceSettings,
    record: Record,
    demo: Department,
) -> None:
    """A late removal asks again whether a version refers to the file."""
    taken_in(hand_ins, settings, demo)
    drop_unreferenced(record, settings, [FIRST])
    assert original_path(settings.originals_dir, FIRST).exists()
