"""Writes what loading a file does to the record; each method is one transaction."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import numpy as np
from sqlalchemy import Connection, func, select, update

from governance.config import GovernanceSettings
from governance.events import Action, Actor, Event
from governance.jobs import JobError, JobState, Stage
from governance.loading_rows import (
    NewPassage,
    end_job,
    gone,
    handed_in_by,
    passage_row,
    same_bytes,
    version_row,
)
from governance.original_drops import drop_unreferenced
from governance.policies import Department
from governance.record.database import Record
from governance.record.tables import departments, documents, jobs, pages, passages, versions
from governance.versions import VersionState, check_transition

__all__ = ["IndexedPassage", "LoadingStore", "NewFile", "NewPassage", "Registered"]


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

    def register(
        self,
        actor: Actor,
        file: NewFile,
        department: Department,
        keep: Callable[[], object] = lambda: None,
    ) -> Registered:
        """Take a file in, or name the version that already holds the same bytes.

        keep: stores the bytes unless they lie there; called while nobody else can remove them.
        """
        with self._record.write() as connection:
            keep()
            known = same_bytes(connection, file.digest, department.id)
            if known is not None:
                return Registered(known.document_id, known.id, known.number, None)
            taken = _take_in(connection, actor, file, department.id)
            self._note(
                connection,
                Action.DOCUMENT_HANDED_IN,
                actor,
                department.id,
                taken.document_id,
                digest=file.digest,
                facts={"version": taken.version, "size_bytes": file.size_bytes},
            )
            return taken

    def file_of(self, version_id: str) -> NewFile:
        """The file of a version. Raises NotFound."""
        with self._record.read() as connection:
            row = connection.execute(
                select(versions, documents.c.title, documents.c.file_name)
                .select_from(versions.join(documents))
                .where(versions.c.id == version_id)
            ).one_or_none()
        if row is None:
            raise gone()
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
            version = version_row(connection, version_id)
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
                passages.insert(), [passage_row(version_id, passage) for passage in new_passages]
            )

    def department_of(self, version_id: str) -> str | None:
        """The id of the department whose document this is; None once it is gone."""
        query = (
            select(documents.c.department_id)
            .join_from(documents, versions)
            .where(versions.c.id == version_id)
        )
        with self._record.read() as connection:
            return connection.execute(query).scalar_one_or_none()

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
            version = version_row(connection, version_id)
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
            end_job(connection, job_id, JobState.LOADED, None, done=total, total=total)
            actor, department_id = handed_in_by(connection, job_id)
            self._note(
                connection,
                Action.DOCUMENT_PUBLISHED,
                actor,
                department_id,
                version.document_id,
                digest=version.digest,
                facts={"version": version.number, "passages": total},
            )

    def abandon(self, version_id: str, job_id: str, state: JobState, error: JobError) -> None:
        """End a job without its version: the reason stays, the version's rows go.

        The document goes too unless it has another version.
        """
        with self._record.write() as connection:
            ended = end_job(connection, job_id, state, error)
            version = connection.execute(
                select(versions).where(versions.c.id == version_id)
            ).one_or_none()
            if version is None or version.state != VersionState.LOADING:
                return
            _remove_version(connection, version_id, version.document_id)
            if ended:
                actor, department_id = handed_in_by(connection, job_id)
                self._note(
                    connection,
                    Action.DOCUMENT_REFUSED,
                    actor,
                    department_id,
                    version.document_id,
                    digest=version.digest,
                    outcome=str(state),
                    facts={"error": error.type},
                )
        drop_unreferenced(self._record, self._settings, [version.digest])

    def delete(self, actor: Actor, document_id: str) -> tuple[str, ...]:
        """Remove a document with all it holds; gives the ids of its versions. Raises NotFound."""
        with self._record.write() as connection:
            found = connection.execute(
                select(versions.c.id, versions.c.digest, documents.c.department_id)
                .select_from(versions.join(documents))
                .where(versions.c.document_id == document_id)
            ).all()
            if not found:
                raise gone()
            connection.execute(
                jobs.delete().where(jobs.c.version_id.in_([row.id for row in found]))
            )
            connection.execute(documents.delete().where(documents.c.id == document_id))
            self._note(
                connection,
                Action.DOCUMENT_DELETED,
                actor,
                found[0].department_id,
                document_id,
                facts={"versions": len(found)},
            )
        drop_unreferenced(self._record, self._settings, {row.digest for row in found})
        return tuple(row.id for row in found)

    def _note(
        self,
        connection: Connection,
        action: Action,
        actor: Actor,
        department_id: str,
        document_id: str,
        **more: Any,
    ) -> None:
        event = Event(
            action,
            actor,
            department_id=department_id,
            object_type="document",
            object_id=document_id,
            **more,
        )
        self._record.trail.append(connection, event)


def _take_in(connection: Connection, actor: Actor, file: NewFile, department_id: str) -> Registered:
    """A new document with its first version, and the job that loads it."""
    document_id, version_id, job_id = str(uuid4()), str(uuid4()), str(uuid4())
    now = datetime.now(UTC)
    connection.execute(
        documents.insert().values(
            id=document_id,
            department_id=department_id,
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
            department_id=department_id,
            version_id=version_id,
            file_name=file.file_name,
            state=JobState.QUEUED,
            stage=Stage.WAITING,
            done=0,
            total=0,
            actor=json.dumps(asdict(actor)),
            created_at=now,
            updated_at=now,
        )
    )
    return Registered(document_id, version_id, 1, job_id)


def _remove_version(connection: Connection, version_id: str, document_id: str) -> None:
    connection.execute(versions.delete().where(versions.c.id == version_id))
    others = select(versions.c.id).where(versions.c.document_id == document_id)
    if connection.execute(others.limit(1)).first() is None:
        connection.execute(documents.delete().where(documents.c.id == document_id))
