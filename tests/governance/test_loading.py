"""Loading a file is whole or leaves no trace, and what is in force is what is published."""

from datetime import date

import pytest
from sqlalchemy import select

from governance.config import GovernanceSettings
from governance.errors import NotFound
from governance.events import SYSTEM, Actor
from governance.jobs import JobError, JobState, JobStore, Stage
from governance.loading import LoadingStore, NewFile, NewPassage, Registered
from governance.originals import keep_original, original_path
from governance.policies import Department, PolicyStore
from governance.record.database import Record
from governance.record.trail_tables import audit_leaves
from governance.versions import VersionState

DIGEST = "a" * 64
FILE = NewFile(
    "hand-hygiene.pdf", DIGEST, "application/pdf", 1000, None, "IC-001", date(2026, 1, 1)
)
PASSAGES = [
    NewPassage(0, "Purpose", 1, 1, "Clean hands save lives.", "Hand hygiene Purpose Clean hands"),
    NewPassage(1, "Duty", 1, 2, "Clean them before each contact.", "Hand hygiene Duty Clean them"),
]
REASON = JobError("no_text", "hand-hygiene.pdf has no text.", "Scan it with text recognition.")


def read_in(loading: LoadingStore, department: Department, file: NewFile = FILE) -> Registered:
    registered = loading.register(SYSTEM, file, department)
    loading.save_text(registered.version_id, "Hand hygiene", ["page one", "page two"], PASSAGES)
    return registered


def embed_all(loading: LoadingStore, version_id: str) -> None:
    batch = loading.without_vector(version_id, 100)
    loading.save_vectors({pid: [0.5, float(n)] for n, (pid, _) in enumerate(batch)}, "all-minilm")


def publish(loading: LoadingStore, registered: Registered) -> None:
    embed_all(loading, registered.version_id)
    assert registered.job_id is not None
    loading.publish(registered.version_id, registered.job_id)


def test_the_same_bytes_are_one_document(loading: LoadingStore, demo: Department) -> None:
    """A second registration names the first and starts no job."""
    first = loading.register(SYSTEM, FILE, demo)
    second = loading.register(SYSTEM, FILE, demo)
    assert (second.document_id, second.job_id) == (first.document_id, None)


def test_each_department_has_its_own_copy(
    loading: LoadingStore, policies: PolicyStore, demo: Department
) -> None:
    """The same bytes in another department are another document."""
    other = policies.create_department(SYSTEM, "pharmacy")
    assert (
        loading.register(SYSTEM, FILE, demo).document_id
        != loading.register(SYSTEM, FILE, other).document_id
    )


def test_nothing_is_in_force_before_it_is_published(
    loading: LoadingStore, policies: PolicyStore, demo: Department
) -> None:
    """Passages that are stored and embedded are still not returned."""
    registered = read_in(loading, demo)
    embed_all(loading, registered.version_id)
    ids = [p.passage_id for p in loading.to_index(registered.version_id)]
    assert policies.passages_in_force(ids, "demo") == {}
    assert policies.count_in_force() == 0


def test_a_published_version_is_in_force_with_all_its_fields(
    loading: LoadingStore, policies: PolicyStore, demo: Department, record: Record
) -> None:
    """Publishing ends the job and shows the passages to their department only."""
    registered = read_in(loading, demo)
    publish(loading, registered)
    ids = [p.passage_id for p in loading.to_index(registered.version_id)]
    found = policies.passages_in_force(ids, "demo")
    assert [found[i].section for i in ids] == ["Purpose", "Duty"]
    assert found[ids[1]].page_to == 2
    assert found[ids[0]].policy_number == "IC-001"
    assert found[ids[0]].effective_from == date(2026, 1, 1)
    assert policies.passages_in_force(ids, "pharmacy") == {}
    assert registered.job_id is not None
    job = JobStore(record).job(registered.job_id)
    assert (job.state, job.done, job.total) == (JobState.LOADED, 2, 2)


def test_publishing_twice_changes_nothing(
    loading: LoadingStore, policies: PolicyStore, demo: Department
) -> None:
    """A last step that a dead process had done already may be done again."""
    registered = read_in(loading, demo)
    publish(loading, registered)
    before = policies.documents()
    publish(loading, registered)
    assert policies.documents() == before


def test_what_is_in_force_is_not_abandoned(
    loading: LoadingStore, policies: PolicyStore, demo: Department
) -> None:
    """A late error of a job that is over does not take its document along."""
    registered = read_in(loading, demo)
    publish(loading, registered)
    assert registered.job_id is not None
    loading.abandon(registered.version_id, registered.job_id, JobState.FAILED, REASON)
    assert len(policies.documents()) == 1


def test_vectors_come_back_as_they_were_stored(loading: LoadingStore, demo: Department) -> None:
    """The index can be rebuilt from the record without the model."""
    registered = read_in(loading, demo)
    embed_all(loading, registered.version_id)
    assert sorted(p.vector for p in loading.to_index(registered.version_id)) == [
        [0.5, 0.0],
        [0.5, 1.0],
    ]


def test_reading_again_replaces_and_keeps_the_ids(loading: LoadingStore, demo: Department) -> None:
    """A step that is repeated after a crash writes the same rows."""
    registered = read_in(loading, demo)
    before = {pid for pid, _ in loading.without_vector(registered.version_id, 10)}
    loading.save_text(registered.version_id, "Hand hygiene", ["page one"], PASSAGES)
    assert {pid for pid, _ in loading.without_vector(registered.version_id, 10)} == before


def test_a_refused_file_leaves_only_its_reason(
    loading: LoadingStore,
    policies: PolicyStore,
    demo: Department,
    record: Record,
    settings: GovernanceSettings,
) -> None:
    """Document, passages and the stored file go; the job says why; a new try is possible."""
    keep_original(settings.originals_dir, DIGEST, b"%PDF", 0)
    registered = read_in(loading, demo)
    assert registered.job_id is not None
    loading.abandon(registered.version_id, registered.job_id, JobState.REFUSED, REASON)
    job = JobStore(record).job(registered.job_id)
    assert (job.state, job.error, job.document_id) == (JobState.REFUSED, REASON, None)
    assert policies.documents() == ()
    assert not original_path(settings.originals_dir, DIGEST).exists()
    assert loading.register(SYSTEM, FILE, demo).job_id is not None


def test_deleting_removes_everything_but_shared_bytes(
    loading: LoadingStore,
    policies: PolicyStore,
    demo: Department,
    settings: GovernanceSettings,
) -> None:
    """The stored file stays as long as another department's document is made of it."""
    keep_original(settings.originals_dir, DIGEST, b"%PDF", 0)
    other = policies.create_department(SYSTEM, "pharmacy")
    first, second = read_in(loading, demo), read_in(loading, other)
    publish(loading, first)
    publish(loading, second)
    loading.delete(SYSTEM, first.document_id)
    assert [d.department for d in policies.documents()] == ["pharmacy"]
    assert original_path(settings.originals_dir, DIGEST).exists()
    loading.delete(SYSTEM, second.document_id)
    assert not original_path(settings.originals_dir, DIGEST).exists()
    with pytest.raises(NotFound):
        loading.delete(SYSTEM, second.document_id)


def test_a_document_removed_while_it_loads_is_gone(
    loading: LoadingStore, demo: Department, record: Record
) -> None:
    """The next step finds nothing to work on, and the job is off the list."""
    registered = read_in(loading, demo)
    loading.delete(SYSTEM, registered.document_id)
    with pytest.raises(NotFound):
        loading.save_text(registered.version_id, "t", ["p"], PASSAGES)
    assert JobStore(record).recent() == ()


def test_progress_is_noted_until_the_job_ends(
    loading: LoadingStore, demo: Department, record: Record
) -> None:
    """A late note cannot reopen a job that has ended."""
    store, registered = JobStore(record), read_in(loading, demo)
    assert registered.job_id is not None
    store.note(registered.job_id, Stage.EMBEDDING, 1, 2)
    assert (store.job(registered.job_id).state, store.job(registered.job_id).done) == ("running", 1)
    publish(loading, registered)
    store.note(registered.job_id, Stage.READING, 0, 0)
    assert store.job(registered.job_id).state is JobState.LOADED


def test_open_jobs_are_found_again_after_a_restart(
    loading: LoadingStore, demo: Department, record: Record
) -> None:
    """Every accepted file is either ended or still listed with its version."""
    registered = loading.register(SYSTEM, FILE, demo)
    assert JobStore(record).open_versions() == ((registered.job_id, registered.version_id),)


def test_the_file_name_stands_in_until_the_title_is_known(
    loading: LoadingStore, policies: PolicyStore, demo: Department
) -> None:
    """Lists never show an empty title."""
    registered = loading.register(SYSTEM, FILE, demo)
    assert policies.documents()[0].title == "hand-hygiene.pdf"
    loading.save_text(registered.version_id, "Hand hygiene", ["p"], PASSAGES)
    document = policies.documents("demo")[0]
    assert (document.title, document.state) == ("Hand hygiene", VersionState.LOADING)


def test_aud_5_each_act_leaves_one_event_of_whoever_did_it(
    loading: LoadingStore, policies: PolicyStore, demo: Department, record: Record
) -> None:
    """Later steps of a job are recorded as acts of the person who handed the file in."""
    nurse = Actor("local", "nurse", "password", "person-1")
    registered = loading.register(nurse, FILE, demo)
    assert registered.job_id is not None
    loading.save_text(registered.version_id, "Hand hygiene", ["page one"], PASSAGES)
    publish(loading, registered)
    loading.register(nurse, FILE, demo)  # a duplicate is no act
    loading.delete(SYSTEM, registered.document_id)
    assert trail_of(record)[1:] == [
        ("document.handed_in", "local|nurse", demo.id, registered.document_id),
        ("document.published", "local|nurse", demo.id, registered.document_id),
        ("document.deleted", "lamplight|system", demo.id, registered.document_id),
    ]


def test_aud_5_a_refused_file_is_recorded_once(
    loading: LoadingStore, demo: Department, record: Record
) -> None:
    """Ending the same job again adds nothing."""
    registered = read_in(loading, demo)
    assert registered.job_id is not None
    for _ in range(2):
        loading.abandon(registered.version_id, registered.job_id, JobState.REFUSED, REASON)
    assert [row[0] for row in trail_of(record)[1:]] == ["document.handed_in", "document.refused"]


def trail_of(record: Record) -> list[tuple[str, str, str | None, str | None]]:
    with record.read() as connection:
        rows = connection.execute(
            select(
                audit_leaves.c.action,
                audit_leaves.c.actor_id,
                audit_leaves.c.department_id,
                audit_leaves.c.object_id,
            ).order_by(audit_leaves.c.seq)
        )
        return [tuple(row) for row in rows]
