"""Loads files as durable workflows: what was accepted is finished, also after a crash.

Each file passes three steps: read, embed, publish. A step that was done is not done again; a step
that was cut short starts over and writes the same rows, because ids follow from the version.
The last step fills the index and makes the version a draft, which answers nobody until it is
approved (`governance/versions.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from threading import Event

import structlog
from dbos import DBOS, DBOSConfig, SetWorkflowID, StepOptions
from dbos._error import DBOSMaxStepRetriesExceeded

from governance.config import GovernanceSettings
from governance.errors import GovernanceError, IllegalTransition, NoSpace, NotFound
from governance.events import Actor
from governance.handing_in import HandIns, NewFile, Registered
from governance.jobs import JobError, JobState, JobStore, Stage
from governance.kinship import Kinship
from governance.loading import LoadingStore
from governance.loading_rows import NewPassage
from governance.originals import keep_original, original_path
from governance.page_checks import PageCheck
from governance.policies import Department
from governance.policy_fields import PolicyFields
from governance.proposals import Proposal
from governance.record.database import Record
from governance.version_life import VersionLife
from ingest.config import IngestSettings
from ingest.errors import IngestError, NoDiskSpace, RefusedFile
from ingest.fields import propose_fields
from ingest.identity import Identity
from ingest.parser import parse_file
from ingest.publishing import Publisher
from ingest.source import inspect
from ingest.split import split
from rag.embed import Embedder
from rag.errors import RagError, RuntimeBusy, RuntimeTooSlow, RuntimeUnreachable
from rag.index import PassageIndex

QUEUE = "ingest"
POLLING_INTERVAL_S = 0.2
# A constant: by default DBOS derives it from our source, and jobs of an older build wait for ever.
APPLICATION_VERSION = "lamplight-1"
EXECUTOR_ID = "lamplight-worker"
# How often a job is begun whose workflow broke off without ending it: a full disk, a blocked trail.
MAX_ATTEMPTS = 3
ENDED = frozenset({"SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"})
GIVEN_UP = JobError(
    "internal",
    f"Loading this file broke off {MAX_ATTEMPTS} times, and each time its end could not be noted.",
    "Look for a full disk or a blocked record in the log, then load the file again.",
)

# The runtime may be starting, restarting, or busy with questions.
PASSING_FAULTS = (RuntimeUnreachable, RuntimeBusy, RuntimeTooSlow)

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
        life = VersionLife(record, governance_settings)
        self.publisher = Publisher(record, index, self._store, life, governance_settings)
        self.identity = Identity(Kinship(record))
        self._stopping = Event()
        self._workflow: Callable[[str, str], None] = self._load

    def launch(self) -> None:
        """Bring the index into line and take up every job that an earlier run left."""
        mended = self.publisher.repair()
        if mended:
            log.warning("index brought into line with the record", mended=mended)
        DBOS(config=self._config())

        @DBOS.workflow(name="load_file")
        def load_file(version_id: str, job_id: str) -> None:
            self._load(version_id, job_id)

        self._workflow = load_file
        DBOS.launch()
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=self._settings.parallel_files,
            polling_interval_sec=POLLING_INTERVAL_S,
            on_conflict="always_update",
        )
        for job_id, version_id in self._jobs.open_versions():
            self._take_up(job_id, version_id)

    def close(self) -> None:
        """Stop between two steps; what is unfinished goes on at the next launch."""
        self._stopping.set()
        DBOS.destroy(destroy_registry=True)

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
            executor_id=EXECUTOR_ID,
            log_level="ERROR",
        )

    def _take_up(self, job_id: str, version_id: str) -> None:
        # A workflow that has ended never runs again, so an open job goes on under the next id.
        for workflow_id in (job_id, *(f"{job_id}:{n}" for n in range(2, MAX_ATTEMPTS + 1))):
            workflow = DBOS.get_workflow_status(workflow_id)
            if workflow is None or workflow.status not in ENDED:
                return self._enqueue(workflow_id, job_id, version_id)
        try:
            self._abandon(version_id, job_id, JobState.FAILED, GIVEN_UP)
        except GovernanceError as error:
            log.warning("job could not be ended", job=job_id, error=str(error))

    def _enqueue(self, workflow_id: str, job_id: str, version_id: str) -> None:
        # The workflow's id follows from the job's, so a job that is queued twice runs once.
        with SetWorkflowID(workflow_id):
            DBOS.enqueue_workflow(QUEUE, self._workflow, version_id, job_id)

    def _load(self, version_id: str, job_id: str) -> None:
        try:
            DBOS.run_step({"name": "read"}, self._read, version_id, job_id)
            DBOS.run_step(_retries("embed"), self._embed, version_id, job_id)
            DBOS.run_step({"name": "publish"}, self._publish, version_id, job_id)
        except NotFound:
            log.info("document was removed while it was loading", job=job_id)
            self.publisher.drop(version_id)
        except Exception as error:
            state, reason = ending(error)
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
            path, file.media_type, file.file_name, self._settings, on_scanned=note_scanned
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
            [PageCheck(f.page, f.kind, f.detail, f.count) for f in document.findings],
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


def ending(error: Exception) -> tuple[JobState, JobError]:
    """How a job ends after an error: whose fault it was, and what to tell the person."""
    if isinstance(error, DBOSMaxStepRetriesExceeded) and error.errors:
        error = error.errors[-1]
    match error:
        case RefusedFile():
            return JobState.REFUSED, JobError(error.type, error.message, error.hint)
        case IngestError():
            return JobState.FAILED, JobError(error.type, error.message, error.hint)
        case IllegalTransition():
            return JobState.REFUSED, JobError("illegal_transition", error.message, error.hint)
        case RagError() | NoSpace():
            kind = NoDiskSpace.type if isinstance(error, NoSpace) else "runtime"
            return JobState.FAILED, JobError(kind, error.message, error.hint)
        case _:
            return JobState.FAILED, JobError(
                "internal",
                "Something went wrong on our side while this file was being loaded.",
                "Load it again. If it fails again, give the log of the data directory to support.",
            )
