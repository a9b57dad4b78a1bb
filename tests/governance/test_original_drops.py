"""What is refused or deleted takes along its own rows and bytes, and nothing that is still used."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import Connection

from governance.config import GovernanceSettings
from governance.events import SYSTEM, Event
from governance.jobs import JobError, JobState
from governance.loading import LoadingStore, NewFile, Registered
from governance.original_drops import drop_unreferenced
from governance.originals import keep_original, original_path
from governance.policies import Department, PolicyStore
from governance.record.database import Record
from governance.record.tables import versions
from governance.versions import VersionState

FIRST, SECOND = "a" * 64, "b" * 64
FILE = NewFile("hand-hygiene.pdf", FIRST, "application/pdf", 5)
REASON = JobError("no_text", "hand-hygiene.pdf has no text.", "Scan it with text recognition.")


def taken_in(loading: LoadingStore, settings: GovernanceSettings, demo: Department) -> Registered:
    keep_original(settings.originals_dir, FIRST, b"first", 0)
    return loading.register(SYSTEM, FILE, demo)


def second_version(record: Record, document_id: str) -> str:
    version_id = str(uuid4())
    row = {
        "id": version_id,
        "document_id": document_id,
        "number": 2,
        "state": VersionState.LOADING,
        "digest": SECOND,
        "media_type": "application/pdf",
        "size_bytes": 6,
        "page_count": 0,
        "created_at": datetime.now(UTC),
    }
    with record.write() as connection:
        connection.execute(versions.insert().values(row))
    return version_id


def test_a_refused_second_version_leaves_the_first_in_force(
    loading: LoadingStore,
    policies: PolicyStore,
    settings: GovernanceSettings,
    record: Record,
    demo: Department,
) -> None:
    """Only the refused version goes, with its own bytes."""
    first = taken_in(loading, settings, demo)
    assert first.job_id is not None
    loading.publish(first.version_id, first.job_id)
    originals = settings.originals_dir
    keep_original(originals, SECOND, b"second", 0)
    refused = second_version(record, first.document_id)
    job = loading.register(SYSTEM, replace(FILE, digest="c" * 64), demo).job_id
    assert job is not None
    loading.abandon(refused, job, JobState.REFUSED, REASON)
    detail = policies.document(first.document_id)
    assert [(v.version, v.state) for v in detail.versions] == [(1, VersionState.EFFECTIVE)]
    assert original_path(originals, FIRST).exists()
    assert not original_path(originals, SECOND).exists()


def test_bytes_stay_when_the_removal_is_rolled_back(
    loading: LoadingStore,
    policies: PolicyStore,
    settings: GovernanceSettings,
    record: Record,
    demo: Department,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A deletion that could not be committed leaves the document with its file."""
    first = taken_in(loading, settings, demo)

    def refuse(connection: Connection, event: Event) -> None:
        raise OSError("the last write before the commit failed")

    with monkeypatch.context() as patched:
        patched.setattr(record.trail, "append", refuse)
        with pytest.raises(OSError, match="before the commit"):
            loading.delete(SYSTEM, first.document_id)
    assert policies.document(first.document_id)
    assert original_path(settings.originals_dir, FIRST).exists()


def test_bytes_deleted_before_they_are_registered_are_written_again(
    loading: LoadingStore,
    policies: PolicyStore,
    settings: GovernanceSettings,
    demo: Department,
) -> None:
    """A copy deleted between keeping and registering does not leave a row without a file."""
    first = taken_in(loading, settings, demo)
    originals = settings.originals_dir
    keep = partial(keep_original, originals, FIRST, b"first", 0)
    keep()
    loading.delete(SYSTEM, first.document_id)
    again = loading.register(SYSTEM, FILE, demo, keep)
    assert policies.original_path(again.document_id, 1).read_bytes() == b"first"


def test_bytes_that_are_used_are_not_dropped(
    loading: LoadingStore,
    settings: GovernanceSettings,
    record: Record,
    demo: Department,
) -> None:
    """A late removal asks again whether a version refers to the file."""
    taken_in(loading, settings, demo)
    drop_unreferenced(record, settings, [FIRST])
    assert original_path(settings.originals_dir, FIRST).exists()
