"""Loading a file is whole or leaves no trace, and what is in force is what is published."""

from dataclasses import dataclass, replace
from datetime import date

import pytest
from sqlalchemy import select

from governance.config import GovernanceSettings
from governance.erasing import Erasing
from governance.errors import IllegalTransition, NotFound
from governance.events import SYSTEM, Actor
from governance.handing_in import HandIns, NewFile, Registered
from governance.jobs import JobError, JobState, JobStore, Stage
from governance.loading import LoadingStore
from governance.loading_rows import NewPassage
from governance.originals import keep_original, original_path
from governance.policies import Department, PolicyStore
from governance.policy_fields import PolicyFields
from governance.record.database import Record
from governance.record.trail_tables import audit_leaves
from governance.versions import VersionState

DIGEST = "a" * 64
FILE = NewFile(
    "hand-hygiene.pdf",
    DIGEST,
    "application/pdf",
    1000,
    PolicyFields(policy_number="IC-001", effective_from=date(2026, 1, 1)),
)
PASSAGES = [
    NewPassage(0, "Purpose", 1, 1, "Clean hands save lives.", "Hand hygiene Purpose Clean hands"),
    NewPassage(1, "Duty", 1, 2, "Clean them before each contact.", "Hand hygiene Duty Clean them"),
]
REASON = JobError("no_text", "hand-hygiene.pdf has no text.", "Scan it with text recognition.")


@dataclass(frozen=True)
class Stores:
    """What takes a file in, writes what it holds, and removes it."""

    hand_ins: HandIns
    loading: LoadingStore
    erasing: Erasing

    def delete(self, document_id: str) -> None:
        """Remove a document whose passages are in no index."""
        self.erasing.complete(self.erasing.begin(SYSTEM, document_id, 0), 0, SYSTEM)


@pytest.fixture
def site(hand_ins: HandIns, loading: LoadingStore, erasing: Erasing) -> Stores:
    return Stores(hand_ins, loading, erasing)


def read_in(site: Stores, department: Department, actor: Actor = SYSTEM) -> Registered:
    registered = site.hand_ins.register(actor, FILE, department, override_reason="a test")
    site.loading.save_text(
        registered.version_id, "Hand hygiene", ["page one", "page two"], PASSAGES
    )
    return registered


def embed_all(site: Stores, version_id: str) -> None:
    batch = site.loading.without_vector(version_id, 100)
    site.loading.save_vectors(
        {pid: [0.5, float(n)] for n, (pid, _) in enumerate(batch)}, "all-minilm"
    )


def publish(site: Stores, registered: Registered) -> None:
    embed_all(site, registered.version_id)
    assert registered.job_id is not None
    site.loading.finish(registered.version_id, registered.job_id)


def test_the_same_bytes_are_one_document(site: Stores, demo: Department) -> None:
    """A second registration names the first and starts no job."""
    first = site.hand_ins.register(SYSTEM, FILE, demo)
    second = site.hand_ins.register(SYSTEM, FILE, demo)
    assert (second.document_id, second.job_id) == (first.document_id, None)


def test_each_department_has_its_own_copy(
    site: Stores, policies: PolicyStore, demo: Department
) -> None:
    """The same bytes in another department are another document."""
    other = policies.create_department(SYSTEM, "pharmacy")
    assert (
        site.hand_ins.register(SYSTEM, FILE, demo).document_id
        != site.hand_ins.register(SYSTEM, FILE, other).document_id
    )


def test_nothing_is_in_force_before_it_is_published(
    site: Stores, policies: PolicyStore, demo: Department
) -> None:
    """Passages that are stored and embedded are still not returned."""
    registered = read_in(site, demo)
    embed_all(site, registered.version_id)
    ids = [p.passage_id for p in site.loading.to_index(registered.version_id)]
    assert policies.passages_in_force(ids, "demo") == {}
    assert policies.count_in_force() == 0


def test_a_published_version_is_in_force_with_all_its_fields(
    site: Stores, policies: PolicyStore, demo: Department, record: Record
) -> None:
    """Publishing ends the job and shows the passages to their department only."""
    registered = read_in(site, demo)
    publish(site, registered)
    ids = [p.passage_id for p in site.loading.to_index(registered.version_id)]
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
    site: Stores, policies: PolicyStore, demo: Department
) -> None:
    """A last step that a dead process had done already may be done again."""
    registered = read_in(site, demo)
    publish(site, registered)
    before = policies.documents()
    publish(site, registered)
    assert policies.documents() == before


def test_what_is_in_force_is_not_abandoned(
    site: Stores, policies: PolicyStore, demo: Department
) -> None:
    """A late error of a job that is over does not take its document along."""
    registered = read_in(site, demo)
    publish(site, registered)
    assert registered.job_id is not None
    site.loading.abandon(registered.version_id, registered.job_id, JobState.FAILED, REASON)
    assert len(policies.documents()) == 1


def test_vectors_come_back_as_they_were_stored(site: Stores, demo: Department) -> None:
    """The index can be rebuilt from the record without the model."""
    registered = read_in(site, demo)
    embed_all(site, registered.version_id)
    assert sorted(p.vector for p in site.loading.to_index(registered.version_id)) == [
        [0.5, 0.0],
        [0.5, 1.0],
    ]


def test_reading_again_replaces_and_keeps_the_ids(site: Stores, demo: Department) -> None:
    """A step that is repeated after a crash writes the same rows."""
    registered = read_in(site, demo)
    before = {pid for pid, _ in site.loading.without_vector(registered.version_id, 10)}
    site.loading.save_text(registered.version_id, "Hand hygiene", ["page one"], PASSAGES)
    assert {pid for pid, _ in site.loading.without_vector(registered.version_id, 10)} == before


def test_a_refused_file_is_in_no_list_and_can_be_tried_again(
    site: Stores, policies: PolicyStore, demo: Department, record: Record
) -> None:
    """What was read of it goes; the job says why; version and bytes stay for another try."""
    registered = read_in(site, demo)
    assert registered.job_id is not None
    site.loading.abandon(registered.version_id, registered.job_id, JobState.REFUSED, REASON)
    job = JobStore(record).job(registered.job_id)
    assert (job.state, job.error) == (JobState.REFUSED, REASON)
    assert (policies.documents(), site.loading.to_index(registered.version_id)) == ((), ())
    again = site.hand_ins.register(SYSTEM, FILE, demo)
    assert (again.version_id, again.version) == (registered.version_id, 1)
    assert again.job_id not in (None, registered.job_id)


def test_a_version_is_retried_only_if_it_could_not_be_loaded(
    site: Stores, demo: Department
) -> None:
    """What is loading or in force is left alone."""
    registered = read_in(site, demo)
    with pytest.raises(IllegalTransition, match="only what could not be read"):
        site.hand_ins.retry(SYSTEM, registered.version_id)


def test_clearing_a_refused_file_removes_it(
    site: Stores, policies: PolicyStore, demo: Department, settings: GovernanceSettings
) -> None:
    """With the job go the version, its document and its bytes."""
    keep_original(settings.originals_dir, DIGEST, b"%PDF", 0)
    registered = read_in(site, demo)
    assert registered.job_id is not None
    site.loading.abandon(registered.version_id, registered.job_id, JobState.REFUSED, REASON)
    site.erasing.forget(SYSTEM, registered.job_id)
    with pytest.raises(NotFound):
        policies.document(registered.document_id)
    assert not original_path(settings.originals_dir, DIGEST).exists()


def test_a_loaded_file_is_a_draft_until_somebody_approves_it(
    site: Stores, policies: PolicyStore, demo: Department
) -> None:
    """Without a reason for an override it answers nobody."""
    registered = site.hand_ins.register(SYSTEM, FILE, demo)
    site.loading.save_text(registered.version_id, "Hand hygiene", ["page one"], PASSAGES)
    publish(site, registered)
    ids = [p.passage_id for p in site.loading.to_index(registered.version_id)]
    assert policies.passages_in_force(ids, "demo") == {}
    (found,) = policies.documents("demo")
    assert found.state is VersionState.DRAFT
    assert policies.documents("demo", drafts=False) == ()


def test_the_same_number_is_the_next_version(site: Stores, demo: Department) -> None:
    """However it is written; in another department it is another policy."""
    first = read_in(site, demo)
    publish(site, first)
    other = replace(FILE, digest="b" * 64, fields=PolicyFields(policy_number="ic 001"))
    second = site.hand_ins.register(SYSTEM, other, demo)
    assert (second.document_id, second.version) == (first.document_id, 2)


def test_a_next_version_takes_over_what_stays_the_same(
    site: Stores, policies: PolicyStore, demo: Department
) -> None:
    """Its number and owner, but no date of the version before."""
    first = read_in(site, demo)
    publish(site, first)
    fields = PolicyFields(owner="Wards")
    second = site.hand_ins.register(
        SYSTEM, replace(FILE, digest="b" * 64, fields=fields), demo, replaces=first.document_id
    )
    found = policies.version(second.document_id, 2)
    assert (found.policy_number, found.owner, found.effective_from) == ("IC-001", "Wards", None)


def test_another_departments_document_is_not_replaced(
    site: Stores, policies: PolicyStore, demo: Department
) -> None:
    """It is not there for whoever asks."""
    first = read_in(site, policies.create_department(SYSTEM, "pharmacy"))
    with pytest.raises(NotFound):
        site.hand_ins.register(SYSTEM, FILE, demo, replaces=first.document_id)


def test_a_draft_renames_nothing(site: Stores, policies: PolicyStore, demo: Department) -> None:
    """Lists and answers keep the title of the version in force."""
    first = read_in(site, demo)
    publish(site, first)
    second = site.hand_ins.register(
        SYSTEM, replace(FILE, digest="b" * 64), demo, replaces=first.document_id
    )
    site.loading.save_text(second.version_id, "Another title", ["page one"], PASSAGES)
    assert policies.document(first.document_id).title == "Hand hygiene"


def test_a_receipt_says_what_was_there_and_what_is_left(
    site: Stores, demo: Department, settings: GovernanceSettings
) -> None:
    """Counts before and after; nothing that could be read."""
    keep_original(settings.originals_dir, DIGEST, b"%PDF", 0)
    registered = read_in(site, demo)
    receipt_id = site.erasing.begin(SYSTEM, registered.document_id, indexed=2)
    assert site.erasing.open() == ((receipt_id, registered.document_id),)
    for _ in range(2):
        site.erasing.complete(receipt_id, 0, SYSTEM)
    (receipt,) = site.erasing.receipts([demo.id])
    counts = {"versions": 1, "pages": 2, "passages": 2, "indexed": 2, "files": 1}
    assert receipt.before == counts | {"scans": 0}
    assert receipt.after == dict.fromkeys(receipt.before, 0)
    assert (receipt.policy_number, receipt.completed_at is None) == ("IC-001", False)


def test_deleting_removes_everything_but_shared_bytes(
    site: Stores,
    policies: PolicyStore,
    demo: Department,
    settings: GovernanceSettings,
) -> None:
    """The stored file stays as long as another department's document is made of it."""
    keep_original(settings.originals_dir, DIGEST, b"%PDF", 0)
    other = policies.create_department(SYSTEM, "pharmacy")
    first, second = read_in(site, demo), read_in(site, other)
    publish(site, first)
    publish(site, second)
    site.delete(first.document_id)
    assert [d.department for d in policies.documents()] == ["pharmacy"]
    assert original_path(settings.originals_dir, DIGEST).exists()
    site.delete(second.document_id)
    assert not original_path(settings.originals_dir, DIGEST).exists()
    with pytest.raises(NotFound):
        site.delete(second.document_id)


def test_a_document_removed_while_it_loads_is_gone(
    site: Stores, demo: Department, record: Record
) -> None:
    """The next step finds nothing to work on, and the job is off the list."""
    registered = read_in(site, demo)
    site.delete(registered.document_id)
    with pytest.raises(NotFound):
        site.loading.save_text(registered.version_id, "t", ["p"], PASSAGES)
    assert JobStore(record).recent() == ()


def test_progress_is_noted_until_the_job_ends(
    site: Stores, demo: Department, record: Record
) -> None:
    """A late note cannot reopen a job that has ended."""
    store, registered = JobStore(record), read_in(site, demo)
    assert registered.job_id is not None
    store.note(registered.job_id, Stage.EMBEDDING, 1, 2)
    assert (store.job(registered.job_id).state, store.job(registered.job_id).done) == ("running", 1)
    publish(site, registered)
    store.note(registered.job_id, Stage.READING, 0, 0)
    assert store.job(registered.job_id).state is JobState.LOADED


def test_open_jobs_are_found_again_after_a_restart(
    site: Stores, demo: Department, record: Record
) -> None:
    """Every accepted file is either ended or still listed with its version."""
    registered = site.hand_ins.register(SYSTEM, FILE, demo)
    assert JobStore(record).open_versions() == ((registered.job_id, registered.version_id),)


def test_the_file_name_stands_in_until_the_title_is_known(
    site: Stores, policies: PolicyStore, demo: Department
) -> None:
    """Lists never show an empty title."""
    registered = site.hand_ins.register(SYSTEM, FILE, demo)
    assert policies.documents()[0].title == "hand-hygiene.pdf"
    site.loading.save_text(registered.version_id, "Hand hygiene", ["p"], PASSAGES)
    document = policies.documents("demo")[0]
    assert (document.title, document.state) == ("Hand hygiene", VersionState.LOADING)


def test_aud_5_each_act_leaves_one_event_of_whoever_did_it(
    site: Stores, policies: PolicyStore, demo: Department, record: Record
) -> None:
    """Later steps of a job are recorded as acts of the person who handed the file in."""
    nurse = Actor("local", "nurse", "password", "person-1")
    registered = read_in(site, demo, nurse)
    publish(site, registered)
    site.hand_ins.register(nurse, FILE, demo)  # a duplicate is no act
    site.delete(registered.document_id)
    assert trail_of(record)[1:] == [
        ("document.handed_in", "local|nurse", demo.id, registered.document_id),
        ("version.loaded", "local|nurse", demo.id, registered.document_id),
        ("version.overridden", "local|nurse", demo.id, registered.document_id),
        ("document.deleted", "lamplight|system", demo.id, registered.document_id),
        ("document.erased", "lamplight|system", demo.id, registered.document_id),
    ]


def test_aud_5_a_refused_file_is_recorded_once(
    site: Stores, demo: Department, record: Record
) -> None:
    """Ending the same job again adds nothing."""
    registered = read_in(site, demo)
    assert registered.job_id is not None
    for _ in range(2):
        site.loading.abandon(registered.version_id, registered.job_id, JobState.REFUSED, REASON)
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
