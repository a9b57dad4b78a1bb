"""Writes what loading a file does to the record; each method is one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

import numpy as np
from sqlalchemy import Connection, Row, func, select, update

from governance.config import GovernanceSettings
from governance.errors import NotFound
from governance.jobs import OPEN_STATES, JobError, JobState, Stage
from governance.originals import drop_original
from governance.policies import Department
from governance.record.database import Record
from governance.record.tables import departments, documents, jobs, pages, passages, versions
from governance.versions import VersionState, check_transition

LIVE_STATES = (VersionState.LOADING, VersionState.EFFECTIVE)


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that was accepted, with what its loader said about it; digest is SHA-256 in hex."""

    file_name: str
    digest: str
    media_type: str
    size_bytes: int
    title: str | None = None
    policy_number: str | None = None
    effective_from: date | None = None
    review_due: date | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """Where an accepted file stands in the record; a duplicate has no job of its own."""

    document_id: str
    version_id: str
    version: int
    job_id: str | None


@dataclass(frozen=True, slots=True)
class NewPassage:
    """A passage as the splitter made it; pages count from 1."""

    ordinal: int
    section: str
    page_from: int
    page_to: int
    text: str
    embed_text: str


@dataclass(frozen=True, slots=True)
class IndexedPassage:
    """What the index needs to know of a passage."""

    passage_id: str
    document_id: str
    version_id: str
    department: str
    embed_text: str
    vector: list[float]


class LoadingStore:
    """The record's side of loading: register, read, embed, publish, or leave no trace."""

    def __init__(self, record: Record, settings: GovernanceSettings) -> None:
        self._record = record
        self._settings = settings

    def register(self, file: NewFile, department: Department) -> Registered:
        """Take a file in, or name the version that already holds the same bytes."""
        with self._record.write() as connection:
            known = _same_bytes(connection, file.digest, department.id)
            if known is not None:
                return Registered(known.document_id, known.id, known.number, None)
            document_id, version_id, job_id = str(uuid4()), str(uuid4()), str(uuid4())
            now = datetime.now(UTC)
            connection.execute(
                documents.insert().values(
                    id=document_id,
                    department_id=department.id,
                    title=file.title,
                    policy_number=file.policy_number,
                    file_name=file.file_name,
                    created_at=now,
                )
            )
            connection.execute(
                versions.insert().values(
                    id=version_id,
                    document_id=document_id,
                    number=1,
                    state=VersionState.LOADING,
                    digest=file.digest,
                    media_type=file.media_type,
                    size_bytes=file.size_bytes,
                    page_count=0,
                    effective_from=file.effective_from,
                    review_due=file.review_due,
                    created_at=now,
                )
            )
            connection.execute(
                jobs.insert().values(
                    id=job_id,
                    department_id=department.id,
                    version_id=version_id,
                    file_name=file.file_name,
                    state=JobState.QUEUED,
                    stage=Stage.WAITING,
                    done=0,
                    total=0,
                    created_at=now,
                    updated_at=now,
                )
            )
            return Registered(document_id, version_id, 1, job_id)

    def file_of(self, version_id: str) -> NewFile:
        """The file of a version. Raises NotFound."""
        with self._record.read() as connection:
            row = connection.execute(
                select(versions, documents.c.title, documents.c.file_name)
                .select_from(versions.join(documents))
                .where(versions.c.id == version_id)
            ).one_or_none()
        if row is None:
            raise _gone()
        return NewFile(row.file_name, row.digest, row.media_type, row.size_bytes, row.title)

    def save_text(
        self,
        version_id: str,
        title: str,
        page_texts: Sequence[str],
        new_passages: Sequence[NewPassage],
    ) -> None:
        """Store what was read from the file, in place of an earlier attempt. Raises NotFound."""
        with self._record.write() as connection:
            version = _version(connection, version_id)
            connection.execute(pages.delete().where(pages.c.version_id == version_id))
            connection.execute(passages.delete().where(passages.c.version_id == version_id))
            connection.execute(
                update(documents).where(documents.c.id == version.document_id).values(title=title)
            )
            connection.execute(
                update(versions)
                .where(versions.c.id == version_id)
                .values(page_count=len(page_texts))
            )
            connection.execute(
                pages.insert(),
                [
                    {"version_id": version_id, "number": number, "text": text}
                    for number, text in enumerate(page_texts, 1)
                ],
            )
            connection.execute(
                passages.insert(), [_passage_row(version_id, passage) for passage in new_passages]
            )

    def without_vector(self, version_id: str, limit: int) -> tuple[tuple[str, str], ...]:
        """Passages still to be embedded: pairs of id and text, shortest first.

        Texts of like length share a batch, so that little of it is padding.
        """
        with self._record.read() as connection:
            rows = connection.execute(
                select(passages.c.id, passages.c.embed_text)
                .where(passages.c.version_id == version_id, passages.c.vector.is_(None))
                .order_by(func.length(passages.c.embed_text), passages.c.ordinal)
                .limit(limit)
            )
            return tuple((row.id, row.embed_text) for row in rows)

    def save_vectors(self, vectors: Mapping[str, Sequence[float]], embed_model: str) -> None:
        """Store the vectors of some passages, by passage id."""
        with self._record.write() as connection:
            for passage_id, vector in vectors.items():
                connection.execute(
                    update(passages)
                    .where(passages.c.id == passage_id)
                    .values(
                        vector=np.asarray(vector, dtype="<f4").tobytes(), embed_model=embed_model
                    )
                )

    def count_without_vector(self, version_id: str) -> int:
        """How many passages of a version are still to be embedded."""
        with self._record.read() as connection:
            return int(
                connection.execute(
                    select(func.count()).where(
                        passages.c.version_id == version_id, passages.c.vector.is_(None)
                    )
                ).scalar_one()
            )

    def count_passages(self, version_id: str) -> int:
        """How many passages a version has."""
        with self._record.read() as connection:
            return int(
                connection.execute(
                    select(func.count()).where(passages.c.version_id == version_id)
                ).scalar_one()
            )

    def to_index(self, version_id: str) -> tuple[IndexedPassage, ...]:
        """Every passage of a version with its vector, in order."""
        with self._record.read() as connection:
            rows = connection.execute(
                select(passages, versions.c.document_id, departments.c.name)
                .select_from(passages.join(versions).join(documents).join(departments))
                .where(passages.c.version_id == version_id, passages.c.vector.is_not(None))
                .order_by(passages.c.ordinal)
            )
            return tuple(
                IndexedPassage(
                    row.id,
                    row.document_id,
                    row.version_id,
                    row.name,
                    row.embed_text,
                    np.frombuffer(row.vector, dtype="<f4").tolist(),
                )
                for row in rows
            )

    def effective_versions(self) -> dict[str, int]:
        """The versions in force with their passages: what the index must hold, and nothing else."""
        with self._record.read() as connection:
            rows = connection.execute(
                select(versions.c.id, func.count(passages.c.id).label("passages"))
                .select_from(versions.outerjoin(passages))
                .where(versions.c.state == VersionState.EFFECTIVE)
                .group_by(versions.c.id)
                .order_by(versions.c.created_at)
            )
            return {row.id: row.passages for row in rows}

    def publish(self, version_id: str, job_id: str) -> None:
        """Make a version answer questions, in and end its job, in one step; twice is no error."""
        with self._record.write() as connection:
            version = _version(connection, version_id)
            if version.state == VersionState.EFFECTIVE:
                return
            check_transition(VersionState(version.state), VersionState.EFFECTIVE)
            now = datetime.now(UTC)
            connection.execute(
                update(versions)
                .where(versions.c.id == version_id)
                .values(state=VersionState.EFFECTIVE, published_at=now)
            )
            total = connection.execute(
                select(func.count()).where(passages.c.version_id == version_id)
            ).scalar_one()
            _end_job(connection, job_id, JobState.LOADED, None, done=total, total=total)

    def abandon(self, version_id: str, job_id: str, state: JobState, error: JobError) -> None:
        """End a job without a document: the reason stays, the document's rows go."""
        with self._record.write() as connection:
            _end_job(connection, job_id, state, error)
            version = connection.execute(
                select(versions).where(versions.c.id == version_id)
            ).one_or_none()
            if version is not None and version.state == VersionState.LOADING:
                self._remove(connection, version.document_id)

    def delete(self, document_id: str) -> tuple[str, ...]:
        """Remove a document with all it holds; gives the ids of its versions. Raises NotFound."""
        with self._record.write() as connection:
            found = connection.execute(
                select(versions.c.id).where(versions.c.document_id == document_id)
            ).all()
            if not found:
                raise _gone()
            connection.execute(
                jobs.delete().where(jobs.c.version_id.in_([row.id for row in found]))
            )
            self._remove(connection, document_id)
            return tuple(row.id for row in found)

    def _remove(self, connection: Connection, document_id: str) -> None:
        digests = (
            connection.execute(
                select(versions.c.digest).where(versions.c.document_id == document_id)
            )
            .scalars()
            .all()
        )
        connection.execute(documents.delete().where(documents.c.id == document_id))
        for digest in digests:
            still_used = connection.execute(
                select(versions.c.id).where(versions.c.digest == digest).limit(1)
            ).first()
            if still_used is None:
                drop_original(self._settings.originals_dir, digest)


def _same_bytes(
    connection: Connection, digest: str, department_id: str
) -> Row[Any, Any, Any] | None:
    return connection.execute(
        select(versions.c.document_id, versions.c.id, versions.c.number)
        .select_from(versions.join(documents))
        .where(
            versions.c.digest == digest,
            versions.c.state.in_(LIVE_STATES),
            documents.c.department_id == department_id,
        )
    ).first()


def _version(connection: Connection, version_id: str) -> Row[Any]:
    version = connection.execute(select(versions).where(versions.c.id == version_id)).one_or_none()
    if version is None:
        raise _gone()
    return version


def _passage_row(version_id: str, passage: NewPassage) -> dict[str, object]:
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


def _end_job(
    connection: Connection,
    job_id: str,
    state: JobState,
    error: JobError | None,
    **counts: int,
) -> None:
    connection.execute(
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


def _gone() -> NotFound:
    return NotFound("This document is not here any more.", "It may have been removed.")
