"""The statements behind `LoadingStore`, each on the caller's connection."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, Row, select

from governance.errors import NotFound
from governance.events import SYSTEM, Actor
from governance.jobs import OPEN_STATES, JobError, JobState, Stage
from governance.record.tables import documents, jobs, versions


@dataclass(frozen=True, slots=True)
class NewPassage:
    """A passage as the splitter made it; pages count from 1."""

    ordinal: int
    section: str
    page_from: int
    page_to: int
    text: str
    embed_text: str


def same_bytes(
    connection: Connection, digest: str, department_id: str
) -> Row[Any, Any, Any, Any] | None:
    """The newest version of a department that holds these bytes, in whatever state."""
    return connection.execute(
        select(versions.c.document_id, versions.c.id, versions.c.number, versions.c.state)
        .select_from(versions.join(documents))
        .where(versions.c.digest == digest, documents.c.department_id == department_id)
        .order_by(versions.c.created_at.desc(), versions.c.number.desc())
        .limit(1)
    ).first()


def version_row(connection: Connection, version_id: str) -> Row[Any]:
    """One version. Raises NotFound."""
    version = connection.execute(select(versions).where(versions.c.id == version_id)).one_or_none()
    if version is None:
        raise gone()
    return version


def passage_row(version_id: str, passage: NewPassage) -> dict[str, object]:
    """A new passage as a row of its table."""
    # The id follows from the version and the place, so that a repeated step writes the same rows.
    return {
        "id": str(uuid5(UUID(version_id), str(passage.ordinal))),
        "version_id": version_id,
        "ordinal": passage.ordinal,
        "section": passage.section,
        "page_from": passage.page_from,
        "page_to": passage.page_to,
        "text": passage.text,
        "embed_text": passage.embed_text,
    }


def end_job(
    connection: Connection,
    job_id: str,
    state: JobState,
    error: JobError | None,
    **counts: int,
) -> bool:
    """End an open job; tells whether it was open."""
    ended = connection.execute(
        jobs.update()
        .where(jobs.c.id == job_id, jobs.c.state.in_(OPEN_STATES))
        .values(
            state=state,
            stage=Stage.DONE,
            error_type=error.type if error else None,
            error_message=error.message if error else None,
            error_hint=error.hint if error else None,
            updated_at=datetime.now(UTC),
            **counts,
        )
    )
    return ended.rowcount > 0


def handed_in_by(connection: Connection, job_id: str) -> tuple[Actor, str]:
    """Who handed the file of a job in, and for which department."""
    row = connection.execute(
        select(jobs.c.actor, jobs.c.department_id).where(jobs.c.id == job_id)
    ).one()
    return (Actor(**json.loads(row.actor)) if row.actor else SYSTEM), row.department_id


def gone() -> NotFound:
    """The refusal for a document that was removed in between."""
    return NotFound("This document is not here any more.", "It may have been removed.")
