"""Files that were accepted are loaded once, whole, whatever happens in between."""

import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from dbos import DBOS

from governance.config import GovernanceSettings
from governance.errors import NoSpace, NotFound
from governance.events import SYSTEM
from governance.jobs import Job, JobState, JobStore
from governance.loading import LoadingStore
from governance.originals import original_path
from governance.policies import Department, PolicyStore
from governance.policy_fields import PolicyFields
from governance.record.database import Record, open_record
from ingest.config import IngestSettings
from ingest.errors import EmptyFile, RefusedFile
from ingest.testing import load_in_force
from ingest.workflow import Interrupted, Loader
from rag.config import RagSettings
from rag.embed import Embedder
from rag.index import PassageIndex, open_index
from rag.testing import DIMENSIONS, Script, scripted_runtime, word_vector

POLICY = b"# Hand hygiene\n\n## Duty\n\nClean your hands before each contact with a patient.\n"
WAIT_S = 60


class Platform:
    """The parts that loading needs, over a directory that outlives them."""

    def __init__(self, data_dir: Path, url: str, settings: IngestSettings) -> None:
        self.governance = GovernanceSettings(data_dir=data_dir)
        rag = RagSettings(index_dir=data_dir / "index", embed_url=url, embed_dimensions=DIMENSIONS)
        self.record: Record = open_record(self.governance)
        self.index: PassageIndex = open_index(rag)
        self.embedder = Embedder(rag)
        self.policies = PolicyStore(self.record, self.governance)
        self.jobs = JobStore(self.record)
        self.loader = Loader(
            self.record, self.index, self.embedder, rag.embed_model, self.governance, settings
        )
        self.demo: Department = self.policies.create_department(SYSTEM, "demo")

    def close(self) -> None:
        self.loader.close()
        self.embedder.close()
        self.index.close()
        self.record.close()

    def submit(self, name: str, content: bytes = POLICY) -> str:
        job_id = load_in_force(self.loader, name, content, self.demo).job_id
        assert job_id is not None
        return job_id

    def ended(self, job_id: str) -> Job:
        deadline = time.monotonic() + WAIT_S
        while (job := self.jobs.job(job_id)).is_open:
            assert time.monotonic() < deadline, f"{job} did not end"
            time.sleep(0.02)
        return job

    def found(self, text: str) -> list[str]:
        hits = self.index.search("demo", text, word_vector(text), 10, time.time())
        return list(self.policies.passages_in_force([hit.passage_id for hit in hits], "demo"))


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def url(script: Script) -> Iterator[str]:
    with scripted_runtime(script) as url:
        yield url


@pytest.fixture
def platform(tmp_path: Path, url: str) -> Iterator[Platform]:
    platform = Platform(tmp_path, url, IngestSettings())
    platform.loader.launch()
    yield platform
    platform.close()


def test_a_file_becomes_searchable_passages(platform: Platform) -> None:
    """The title is the document's own, and its words are found."""
    job = platform.ended(platform.submit("hands.md"))
    assert (job.state, job.error, job.done) == (JobState.LOADED, None, 1)
    assert [d.title for d in platform.policies.documents()] == ["Hand hygiene"]
    assert len(platform.found("clean your hands")) == 1


def test_what_the_person_says_about_a_file_wins(platform: Platform) -> None:
    """A stated title and number are kept over what the file says."""
    fields = PolicyFields(title="Hands", policy_number="IC-001")
    submitted = platform.loader.submit(SYSTEM, "hands.md", POLICY, platform.demo, fields)
    assert submitted.job_id is not None
    platform.ended(submitted.job_id)
    document = platform.policies.documents()[0]
    assert (document.title, document.policy_number) == ("Hands", "IC-001")


def test_the_same_file_twice_is_one_document(platform: Platform) -> None:
    """Also under another name, and also while the first is still loading."""
    job_id = platform.submit("hands.md")
    again = platform.loader.submit(SYSTEM, "copy of hands.md", POLICY, platform.demo)
    assert (again.state, again.job_id) == ("duplicate", None)
    platform.ended(job_id)
    assert platform.index.count() == 1


def test_a_bad_file_never_stops_the_others(platform: Platform) -> None:
    """It is refused by name with a reason, and nothing of it stays."""
    bad = platform.submit("broken.pdf", b"%PDF-1.7 but nothing else")
    good = platform.submit("hands.md")
    job = platform.ended(bad)
    assert job.state is JobState.REFUSED
    assert job.error is not None
    assert "broken.pdf" in job.error.message
    assert job.error.hint
    assert platform.ended(good).state is JobState.LOADED
    assert [d.file_name for d in platform.policies.documents()] == ["hands.md"]


def test_an_unreadable_file_is_refused_before_it_is_taken(platform: Platform) -> None:
    """No job, no document, no stored bytes."""
    with pytest.raises(EmptyFile):
        platform.loader.submit(SYSTEM, "empty.md", b"", platform.demo)
    with pytest.raises(RefusedFile):
        platform.loader.submit(
            SYSTEM, "picture.png", b"\x89PNG\r\n\x1a\n" + b"0" * 100, platform.demo
        )
    assert platform.jobs.recent() == ()
    assert not list(platform.governance.originals_dir.rglob("*"))


def test_a_full_disk_takes_nothing_in(tmp_path: Path, url: str) -> None:
    """The refusal comes before a byte is written."""
    platform = Platform(tmp_path, url, IngestSettings(min_free_bytes=2**62))
    with pytest.raises(NoSpace):
        platform.loader.submit(SYSTEM, "hands.md", POLICY, platform.demo)
    assert platform.jobs.recent() == ()
    platform.close()


def test_a_failing_model_fails_the_job_and_leaves_nothing(
    platform: Platform, script: Script
) -> None:
    """The person is told what to do, and can load the same file again."""
    script.embed_status = 404
    job = platform.ended(platform.submit("hands.md"))
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert "lamplight pull" in job.error.hint
    assert platform.policies.documents() == ()
    assert platform.index.count() == 0
    script.embed_status = 200
    assert platform.ended(platform.submit("hands.md")).state is JobState.LOADED


def test_a_passing_fault_of_the_runtime_is_waited_out(platform: Platform, script: Script) -> None:
    """A runtime that is busy for a moment costs no file."""
    script.embed_status = 503
    job_id = platform.submit("hands.md")
    time.sleep(0.5)
    script.embed_status = 200
    assert platform.ended(job_id).state is JobState.LOADED


def test_a_deleted_document_cannot_be_found(platform: Platform) -> None:
    """Record, index and stored bytes are all without it."""
    platform.ended(platform.submit("hands.md"))
    document = platform.policies.documents()[0]
    platform.loader.publisher.delete(SYSTEM, document.document_id)
    assert platform.found("clean your hands") == []
    assert platform.index.count() == 0
    assert not original_path(platform.governance.originals_dir, document.digest).exists()
    with pytest.raises(NotFound):
        platform.loader.publisher.delete(SYSTEM, document.document_id)


def test_a_stop_in_the_middle_loses_nothing(tmp_path: Path, url: str, script: Script) -> None:
    """What was accepted before a restart is loaded after it."""
    script.embed_status = 503
    before = Platform(tmp_path, url, IngestSettings())
    before.loader.launch()
    job_ids = [before.submit(f"{n}.md", POLICY + b"Number %d.\n" % n) for n in range(3)]
    time.sleep(0.5)
    before.close()
    script.embed_status = 200
    after = Platform(tmp_path, url, IngestSettings())
    after.loader.launch()
    assert [after.ended(job_id).state for job_id in job_ids] == [JobState.LOADED] * 3
    assert after.index.count() == 3
    after.close()


def test_a_stop_between_index_and_publish_leaves_no_hole(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file whose passages were in the index before the stop is in it after the restart."""
    before, stopped = Platform(tmp_path, url, IngestSettings()), threading.Event()

    def stop(store: LoadingStore, version_id: str, job_id: str) -> None:
        assert before.index.count() == 1
        stopped.set()
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(LoadingStore, "finish", stop)
        before.loader.launch()
        job_id = before.submit("hands.md")
        assert stopped.wait(WAIT_S)
        before.close()
    after = Platform(tmp_path, url, IngestSettings())
    after.loader.launch()
    assert after.ended(job_id).state is JobState.LOADED
    assert len(after.found("clean your hands")) == 1
    after.close()


def test_a_stop_right_after_publish_keeps_the_document(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last step may be done twice: once before the stop and once after."""
    publish = LoadingStore.finish

    def publish_and_stop(store: LoadingStore, version_id: str, job_id: str) -> None:
        publish(store, version_id, job_id)
        raise Interrupted

    before = Platform(tmp_path, url, IngestSettings())
    with monkeypatch.context() as patch:
        patch.setattr(LoadingStore, "finish", publish_and_stop)
        before.loader.launch()
        job_id = before.submit("hands.md")
        assert before.ended(job_id).state is JobState.LOADED
        before.close()
    after = Platform(tmp_path, url, IngestSettings())
    after.loader.launch()
    DBOS.retrieve_workflow(job_id).get_result()
    assert len(after.found("clean your hands")) == 1
    assert len(after.policies.documents()) == 1
    after.close()


def test_an_override_that_cannot_be_is_refused_in_words(platform: Platform) -> None:
    """A version for a later day is approved already: nothing changes, and the person reads why."""
    ahead = PolicyFields(effective_from=date(2100, 1, 1))
    submitted = load_in_force(platform.loader, "hands.md", POLICY, platform.demo, ahead)
    assert submitted.job_id is not None
    platform.ended(submitted.job_id)
    second = load_in_force(
        platform.loader, "a.md", POLICY + b"Now.\n", platform.demo, replaces=submitted.document_id
    )
    assert second.job_id is not None
    job = platform.ended(second.job_id)
    assert job.state is JobState.REFUSED
    assert job.error is not None
    assert "01 January 2100" in job.error.message
    assert platform.policies.document(submitted.document_id).in_force is None


def test_a_stopped_platform_leaves_one_whole_file(tmp_path: Path, url: str) -> None:
    """After a stop nothing is left in the write-ahead log: the record can be copied as it is."""
    platform = Platform(tmp_path, url, IngestSettings())
    platform.loader.launch()
    platform.ended(platform.submit("hands.md"))
    platform.close()
    assert not (tmp_path / "record.db-wal").exists()


def test_an_index_that_was_lost_is_rebuilt_without_the_model(
    tmp_path: Path, url: str, script: Script
) -> None:
    """The record holds the vectors; the index is derived from it."""
    before = Platform(tmp_path, url, IngestSettings())
    before.loader.launch()
    before.ended(before.submit("hands.md"))
    before.close()
    (tmp_path / "index").rename(tmp_path / "lost")
    script.embed_status = 500
    after = Platform(tmp_path, url, IngestSettings())
    after.loader.launch()
    assert len(after.found("clean your hands")) == 1
    after.close()


def _no_room(*arguments: object) -> None:
    raise OSError("no room to note how the job ended")


def _broken_off(tmp_path: Path, url: str, job_id: str | None, workflow: str) -> str:
    """One start in which the model fails and the job's end cannot be noted; gives the job's id."""
    platform = Platform(tmp_path, url, IngestSettings())
    platform.loader.launch()
    job_id = job_id or platform.submit("hands.md")
    with pytest.raises(OSError, match="no room"):
        DBOS.retrieve_workflow(workflow.format(job_id)).get_result()
    assert platform.jobs.job(job_id).is_open
    platform.close()
    return job_id


def test_a_job_that_broke_off_is_loaded_at_the_next_start(
    tmp_path: Path, url: str, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workflow that ended without ending its job does not leave it running for ever."""
    script.embed_status = 404
    with monkeypatch.context() as patch:
        patch.setattr(LoadingStore, "abandon", _no_room)
        job_id = _broken_off(tmp_path, url, None, "{}")
    script.embed_status = 200
    after = Platform(tmp_path, url, IngestSettings())
    after.loader.launch()
    assert after.ended(job_id).state is JobState.LOADED
    assert len(after.found("clean your hands")) == 1
    after.close()


def test_a_job_that_breaks_off_again_and_again_is_given_up(
    tmp_path: Path, url: str, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fourth start ends it with words instead of beginning it once more."""
    script.embed_status = 404
    with monkeypatch.context() as patch:
        patch.setattr(LoadingStore, "abandon", _no_room)
        job_id = _broken_off(tmp_path, url, None, "{}")
        for attempt in ("{}:2", "{}:3"):
            _broken_off(tmp_path, url, job_id, attempt)
    after = Platform(tmp_path, url, IngestSettings())
    after.loader.launch()
    job = after.jobs.job(job_id)
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert "broke off 3 times" in job.error.message
    assert after.policies.documents() == ()
    after.close()
