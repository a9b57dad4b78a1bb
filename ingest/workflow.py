"""Loads files as durable workflows: what was accepted is finished, also after a crash.

On PostgreSQL any number of processes work through one queue, each under an id of its own whose lock
it holds (`governance/executors.py`). Every few seconds each looks for jobs of one that holds its
lock no more, and puts them back into the queue.

Each file passes three steps: read, embed, publish. A step that was done is not done again; a step
that was cut short starts over and writes the same rows, because ids follow from the version.
The last step fills the index and makes the version a draft, which answers nobody until it is
approved (`governance/versions.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from threading import Event, Thread
from uuid import uuid4

import structlog
from dbos import DBOS, DBOSConfig, SetWorkflowID, StepOptions
from dbos._dbos import _get_dbos_instance
from dbos._error import DBOSMaxStepRetriesExceeded
from dbos._utils import GlobalParams

from governance.config import GovernanceSettings
from governance.document_locks import DocumentLocks
from governance.errors import DocumentBusy, GovernanceError, NotFound
from governance.events import Actor
from governance.executors import Displaced, Executor, executor_of
from governance.handing_in import HandIns, NewFile, Registered
from governance.jobs import JobError, JobState, JobStore, Stage
from governance.kinship import Kinship
from governance.loading import LoadingStore
from governance.loading_rows import NewPassage
from governance.originals import keep_original, original_path
from governance.page_scans import PageScans
from governance.policies import Department
from governance.policy_fields import PolicyFields
from governance.proposals import Proposal
from governance.record.database import Record
from governance.version_life import VersionLife
from ingest.config import IngestSettings
from ingest.contradictions import Contradictions
from ingest.endings import GIVEN_UP, MAX_ATTEMPTS, ending
from ingest.fields import propose_fields
from ingest.identity import Identity
from ingest.instructions import checks_in
from ingest.parser import parse_file
from ingest.publishing import Publisher
from ingest.scan_memory import ScanMemory
from ingest.source import inspect
from ingest.split import split
from rag.embed import Embedder
from rag.errors import RuntimeBusy, RuntimeTooSlow, RuntimeUnreachable
from rag.index import PassageIndex

QUEUE = "ingest"
POLLING_INTERVAL_S = 0.2
# A constant: by default DBOS derives it from our source, and jobs of an older build wait for ever.
APPLICATION_VERSION = "lamplight-1"
# Of the one process that there is on SQLite: what it left is its own at the next start.
EXECUTOR_ID = "lamplight-worker"
WORKFLOW = "load_file"
# How often a process shows that it lives, and looks for jobs of one that does not.
LOOK_EVERY_S = 5.0
ENDED = frozenset({"SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"})

# The runtime may be starting, restarting, or busy with questions; the index may be written again.
PASSING_FAULTS = (RuntimeUnreachable, RuntimeBusy, RuntimeTooSlow, DocumentBusy)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of a file that was handed in; a duplicate names the document it repeats."""

    document_id: str
    version: int
    job_id: str | None

    @property
    def state(self) -> str:
        """`queued`, or `duplicate` when the department already has these bytes."""
        return "duplicate" if self.job_id is None else "queued"


class Interrupted(BaseException):
    """Shutting down: no error of the workflow, which goes on at the next start."""


class Loader:
    """Takes files in and works through them, one durable workflow each."""

    def __init__(
        self,
        record: Record,
        index: PassageIndex,
        embedder: Embedder,
        embed_model: str,
        governance_settings: GovernanceSettings,
        settings: IngestSettings,
    ) -> None:
        self._record = record
        self._embedder = embedder
        self._embed_model = embed_model
        self._originals_dir = governance_settings.originals_dir
        self._settings = settings
        self._store = LoadingStore(record, governance_settings)
        self._hand_ins = HandIns(record)
        self._jobs = JobStore(record)
        self._scans = PageScans(record)
        life = VersionLife(record, governance_settings)
        self.publisher = Publisher(record, index, self._store, life, governance_settings)
        self.identity = Identity(Kinship(record))
        self._contradictions = Contradictions(record, index, self._store, governance_settings)
        self._locks = DocumentLocks(record, governance_settings)
        self._executor: Executor | None = None
        if self.does_jobs:
            self._executor = executor_of(record, governance_settings)
        self._stopping = Event()
        self._watch: Thread | None = None
        self._workflow: Callable[[str, str], None] = self._load

    @property
    def does_jobs(self) -> bool:
        """Whether this process loads files itself; else it only takes them in for others."""
        return self._settings.parallel_files > 0

    def launch(self) -> None:
        """Bring the index into line and take up every job that an earlier run left."""
        mended = self.publisher.repair()
        if mended:
            log.warning("index brought into line with the record", mended=mended)
        with self._locks.starting():
            self._launch_dbos()
        self._take_over()
        if self._executor is not None:
            self._watch = Thread(target=self._look_after, daemon=True, name="executors")
            self._watch.start()
        for job_id, version_id in self._jobs.open_versions():
            self._take_up(job_id, version_id)

    def close(self, drain_s: int = 0) -> None:
        """Stop between two steps; what is unfinished goes on elsewhere, or at the next launch.

        drain_s: how long to wait until everything under way has come to such a place.
        """
        self._stopping.set()
        if self._watch is not None:
            self._watch.join()
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=drain_s)
        if self._executor is not None:
            self._executor.end()

    def _launch_dbos(self) -> None:
        DBOS(config=self._config())

        @DBOS.workflow(name=WORKFLOW)
        def load_file(version_id: str, job_id: str) -> None:
            self._load(version_id, job_id)

        self._workflow = load_file
        if not self.does_jobs:
            DBOS.listen_queues([])
        DBOS.launch()
        if self.does_jobs:
            DBOS.register_queue(
                QUEUE,
                worker_concurrency=self._settings.parallel_files,
                polling_interval_sec=POLLING_INTERVAL_S,
                on_conflict="always_update",
            )

    def _look_after(self) -> None:
        """Show that we live and take over from those who do not, until we stop; for a thread."""
        while not self._stopping.wait(LOOK_EVERY_S):
            try:
                self._show_life()
                self._take_over()
            except Exception:
                # A database that is away for a while must not end the looking for good.
                log.exception("workers could not be looked at; tried again")

    def _show_life(self) -> None:
        if self._executor is None or self._executor.lives():
            return
        # Others may have our jobs by now: what we still do under the old id is refused.
        GlobalParams.executor_id = self._executor.begin()
        log.warning("the connection to the record was lost", executor=self._executor.id)

    def _take_over(self) -> None:
        """Put the jobs of executors that are gone back into the queue."""
        if self._executor is None:
            return
        pending = DBOS.list_workflows(
            status="PENDING", name=WORKFLOW, load_input=False, load_output=False
        )
        for executor_id in {one.executor_id for one in pending} - {self._executor.id, None}:
            assert executor_id is not None
            with self._executor.dead(executor_id) as is_dead:
                if is_dead:
                    log.warning("taking jobs over from a worker that is gone", worker=executor_id)
                    DBOS._recover_pending_workflows([executor_id])

    def submit(
        self,
        actor: Actor,
        file_name: str,
        content: bytes,
        department: Department,
        fields: PolicyFields | None = None,
        *,
        replaces: str | None = None,
        override_reason: str | None = None,
    ) -> Submitted:
        """Accept a file, durably, and queue it; it ends as a draft, which answers nobody.

        replaces: the document that this is the next version of. override_reason: why it goes into
        force as soon as it is loaded. Raises RefusedFile, NoSpace, NotFound, InvalidName.
        """
        source = inspect(file_name, content, self._settings)
        keep = partial(
            keep_original,
            self._originals_dir,
            source.digest,
            content,
            self._settings.min_free_bytes,
        )
        keep()
        file = NewFile(
            file_name=source.file_name,
            digest=source.digest,
            media_type=source.media_type,
            size_bytes=source.size_bytes,
            fields=fields or PolicyFields(),
        )
        # Once more inside: another copy of these bytes may have been deleted in between.
        return self._queued(
            self._hand_ins.register(
                actor,
                file,
                department,
                keep,
                replaces=replaces,
                override_reason=override_reason,
            )
        )

    def retry(self, actor: Actor, version_id: str) -> Submitted:
        """Load a refused or failed version again. Raises NotFound, IllegalTransition."""
        return self._queued(self._hand_ins.retry(actor, version_id))

    def _queued(self, registered: Registered) -> Submitted:
        if registered.job_id is not None:
            self._enqueue(registered.job_id, registered.job_id, registered.version_id)
        return Submitted(registered.document_id, registered.version, registered.job_id)

    def _config(self) -> DBOSConfig:
        engine = self._record.jobs_engine
        return DBOSConfig(
            name="lamplight",
            system_database_url=engine.url.render_as_string(hide_password=False),
            system_database_engine=engine,
            application_version=APPLICATION_VERSION,
            executor_id=self._executor_id(),
            log_level="ERROR",
        )

    def _executor_id(self) -> str:
        if self._executor is not None:
            return self._executor.begin()
        return EXECUTOR_ID if self.does_jobs else f"web-{uuid4()}"

    def _take_up(self, job_id: str, version_id: str) -> None:
        # A workflow that has ended never runs again, so an open job goes on under the next id.
        for workflow_id in (job_id, *(f"{job_id}:{n}" for n in range(2, MAX_ATTEMPTS + 1))):
            workflow = DBOS.get_workflow_status(workflow_id)
            if workflow is None or workflow.status not in ENDED:
                return self._enqueue(workflow_id, job_id, version_id)
            # Another process may have ended both since the list was made, the job first.
            if (job_id, version_id) not in self._jobs.open_versions():
                return None
        try:
            self._abandon(version_id, job_id, JobState.FAILED, GIVEN_UP)
        except GovernanceError as error:
            log.warning("job could not be ended", job=job_id, error=str(error))

    def _enqueue(self, workflow_id: str, job_id: str, version_id: str) -> None:
        # The workflow's id follows from the job's, so a job that is queued twice runs once.
        with SetWorkflowID(workflow_id):
            DBOS.enqueue_workflow(QUEUE, self._workflow, version_id, job_id)

    def _load(self, version_id: str, job_id: str) -> None:
        if self._executor is None:
            return self._work_through(version_id, job_id)
        with self._executor.working():
            # The id may have changed since this left the queue. The public call would be a step,
            # and tell each later run what it told the first.
            workflow = _get_dbos_instance()._sys_db.get_workflow_status(str(DBOS.workflow_id))
            if workflow is None or workflow["executor_id"] != self._executor.id:
                raise Displaced
            return self._work_through(version_id, job_id)

    def _work_through(self, version_id: str, job_id: str) -> None:
        self._check_running()
        try:
            DBOS.run_step({"name": "read"}, self._read, version_id, job_id)
            DBOS.run_step(_retries("embed"), self._embed, version_id, job_id)
            DBOS.run_step(_retries("publish"), self._publish, version_id, job_id)
        except NotFound:
            log.info("document was removed while it was loading", job=job_id)
            self.publisher.drop(version_id)
        except Exception as error:
            state, reason = ending(_last(error))
            if state is JobState.FAILED:
                log.error("file could not be loaded", job=job_id, exc_info=error)
            DBOS.run_step({"name": "abandon"}, self._abandon, version_id, job_id, state, reason)

    def _read(self, version_id: str, job_id: str) -> None:
        file = self._store.file_of(version_id)
        self._jobs.note(job_id, Stage.READING, 0, 0)
        path = original_path(self._originals_dir, file.digest)

        def note_scanned(done: int, total: int) -> None:
            self._check_running()
            self._jobs.note(job_id, Stage.READING, done, total)

        document = parse_file(
            path,
            file.media_type,
            file.file_name,
            self._settings,
            on_scanned=note_scanned,
            keeper=ScanMemory(self._scans, file.digest, self._settings),
        )
        title = file.fields.title or document.title or PurePosixPath(file.file_name).stem
        passages = split(document, self._settings, title=title)
        self._check_running()
        self._store.save_text(
            version_id,
            title,
            document.page_texts,
            [
                NewPassage(p.ordinal, p.section, p.page_from, p.page_to, p.text, p.embed_text)
                for p in passages
            ],
            checks_in(document),
            [
                Proposal(one.name, one.value, one.page, one.quote)
                for one in propose_fields(document, file.file_name)
            ],
        )
        self.identity.note(version_id, tuple(passage.text for passage in passages))

    def _embed(self, version_id: str, job_id: str) -> None:
        total = self._store.count_passages(version_id)
        department_id = self._store.department_of(version_id)
        while batch := self._store.without_vector(version_id, self._settings.embed_batch):
            self._check_running()
            vectors = self._embedder.embed_for(department_id, [text for _, text in batch])
            ids = [passage_id for passage_id, _ in batch]
            self._store.save_vectors(dict(zip(ids, vectors, strict=True)), self._embed_model)
            left = self._store.count_without_vector(version_id)
            self._jobs.note(job_id, Stage.EMBEDDING, total - left, total)

    def _publish(self, version_id: str, job_id: str) -> None:
        self._check_running()
        count = self._store.count_passages(version_id)
        self._jobs.note(job_id, Stage.INDEXING, count, count)
        self._contradictions.report(version_id)
        self.publisher.finish(version_id, job_id)

    def _abandon(self, version_id: str, job_id: str, state: JobState, reason: JobError) -> None:
        self._store.abandon(version_id, job_id, state, reason)
        self.publisher.drop(version_id)

    def _check_running(self) -> None:
        if self._stopping.is_set():
            raise Interrupted


def _retries(name: str) -> StepOptions:
    # Six tries with growing waits: about half a minute before a file is given up.
    return StepOptions(
        name=name,
        retries_allowed=True,
        interval_seconds=1.0,
        backoff_rate=2.0,
        max_attempts=6,
        should_retry=lambda error: isinstance(error, PASSING_FAULTS),
    )


def _last(error: Exception) -> Exception:
    """What a step that was tried several times failed of in the end."""
    if isinstance(error, DBOSMaxStepRetriesExceeded) and error.errors:
        return error.errors[-1]
    return error
