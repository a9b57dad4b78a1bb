"""Jobs: what is being loaded, how far it is, and why something could not be loaded.

A job is `queued` until a worker takes it and `running` while it works through its stages; it ends
`loaded`, `refused` (the file's fault) or `failed` (ours). An ended job never changes again.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, select

from governance.errors import NotFound
from governance.record.database import Record
from governance.record.tables import departments, jobs, versions


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    LOADED = "loaded"
    REFUSED = "refused"
    FAILED = "failed"


class Stage(StrEnum):
    """What a running job is doing."""

    WAITING = "waiting"
    READING = "reading"
    EMBEDDING = "embedding"
    INDEXING = "indexing"
    DONE = "done"


OPEN_STATES = frozenset({JobState.QUEUED, JobState.RUNNING})


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job ended without a document, in words for the person who loaded it."""

    type: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Job:
    """One file on its way into the index; done and total count passages."""

    job_id: str
    file_name: str
    department: str
    document_id: str | None
    version_id: str | None
    version: int | None
    state: JobState
    stage: Stage
    done: int
    total: int
    error: JobError | None
    created_at: datetime
    updated_at: datetime

    @property
    def is_open(self) -> bool:
        """Whether this job can still change."""
        return self.state in OPEN_STATES


class JobStore:
    """Reads jobs, and notes their progress."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def job(self, job_id: str) -> Job:
        """One job. Raises NotFound."""
        with self._record.read() as connection:
            row = connection.execute(_jobs().where(jobs.c.id == job_id)).mappings().first()
        if row is None:
            raise NotFound("There is no such job.", "Load the file again to start a new one.")
        return _job(dict(row))

    def recent(self, department: str | None = None, limit: int = 50) -> tuple[Job, ...]:
        """The latest jobs, newest first."""
        query = _jobs().order_by(jobs.c.created_at.desc(), jobs.c.id).limit(limit)
        if department is not None:
            query = query.where(departments.c.name == department)
        with self._record.read() as connection:
            return tuple(_job(dict(row)) for row in connection.execute(query).mappings())

    def open_jobs(self, department: str | None = None) -> tuple[Job, ...]:
        """The jobs that are waiting or running, oldest first."""
        query = _jobs().where(jobs.c.state.in_(OPEN_STATES)).order_by(jobs.c.created_at)
        if department is not None:
            query = query.where(departments.c.name == department)
        with self._record.read() as connection:
            return tuple(_job(dict(row)) for row in connection.execute(query).mappings())

    def open_versions(self) -> tuple[tuple[str, str], ...]:
        """Pairs of job and version for every job that has not ended, oldest first."""
        with self._record.read() as connection:
            rows = connection.execute(
                select(jobs.c.id, jobs.c.version_id)
                .where(jobs.c.state.in_(OPEN_STATES), jobs.c.version_id.is_not(None))
                .order_by(jobs.c.created_at)
            )
            return tuple((row.id, row.version_id) for row in rows)

    def note(self, job_id: str, stage: Stage, done: int, total: int) -> None:
        """Note how far a job is; a job that has ended stays as it is."""
        with self._record.write() as connection:
            connection.execute(
                jobs.update()
                .where(jobs.c.id == job_id, jobs.c.state.in_(OPEN_STATES))
                .values(
                    state=JobState.RUNNING,
                    stage=stage,
                    done=done,
                    total=total,
                    updated_at=datetime.now(UTC),
                )
            )


def _jobs() -> Select[Any]:
    return select(
        jobs.c.id.label("job_id"),
        jobs.c.file_name,
        departments.c.name.label("department"),
        versions.c.document_id,
        jobs.c.version_id,
        versions.c.number.label("version"),
        jobs.c.state,
        jobs.c.stage,
        jobs.c.done,
        jobs.c.total,
        jobs.c.error_type,
        jobs.c.error_message,
        jobs.c.error_hint,
        jobs.c.created_at,
        jobs.c.updated_at,
    ).select_from(jobs.join(departments).outerjoin(versions))


def _job(row: dict[str, Any]) -> Job:
    kind, message, hint = (row.pop(f"error_{part}") for part in ("type", "message", "hint"))
    error = JobError(kind, message or "", hint or "") if kind else None
    row["state"], row["stage"] = JobState(row["state"]), Stage(row["stage"])
    return Job(**row, error=error)
