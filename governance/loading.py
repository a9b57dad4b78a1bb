"""Writes what loading a file does to the record; each method is one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, func, select, update

from governance.clock import Clock, utc_now
from governance.config import GovernanceSettings
from governance.events import Action, Actor, Event
from governance.handing_in import NewFile
from governance.jobs import JobError, JobState
from governance.loading_rows import NewPassage, end_job, handed_in_by, passage_row, version_row
from governance.page_checks import PageCheck, accept, replace_checks
from governance.policy_fields import PolicyFields
from governance.proposals import Proposal, replace_proposals
from governance.record.database import Record
from governance.record.tables import departments, documents, jobs, pages, passages, versions
from governance.version_life import identity_of, perform
from governance.versions import Act, Span, VersionState, check_transition

# Versions whose passages stand in the index, whatever the time they are in force.
INDEXED_STATES = (
    VersionState.DRAFT,
    VersionState.SUBMITTED,
    VersionState.APPROVED,
    VersionState.RETIRED,
)


@dataclass(frozen=True, slots=True)
class IndexedPassage:
    """What the index needs to know of a passage."""

    passage_id: str
    document_id: str
    version_id: str
    department: str
    embed_text: str
    vector: list[float]


@dataclass(frozen=True, slots=True)
class IndexedVersion:
    """What the index must hold of a version: how many passages, and when they are in force."""

    version_id: str
    passages: int
    span: Span | None


class LoadingStore:
    """The record's side of loading: read, embed, finish, or end with a reason."""

    def __init__(
        self, record: Record, settings: GovernanceSettings, clock: Clock = utc_now
    ) -> None:
        self._record = record
        self._zone = settings.time_zone
        self._clock = clock

    def file_of(self, version_id: str) -> NewFile:
        """The file of a version. Raises NotFound."""
        with self._record.read() as connection:
            row = version_row(connection, version_id)
        fields = PolicyFields(title=row.title)
        return NewFile(row.file_name, row.digest, row.media_type, row.size_bytes, fields)

    def save_text(
        self,
        version_id: str,
        title: str,
        page_texts: Sequence[str],
        new_passages: Sequence[NewPassage],
        found: Sequence[PageCheck] = (),
        proposed: Sequence[Proposal] = (),
    ) -> None:
        """Store what was read from the file, in place of an earlier attempt. Raises NotFound.

        found: what a person should look at. proposed: what the file says about its policy.
        """
        with self._record.write() as connection:
            version_row(connection, version_id)
            _drop_text(connection, version_id)
            replace_checks(connection, version_id, found)
            replace_proposals(connection, version_id, proposed)
            connection.execute(
                update(versions)
                .where(versions.c.id == version_id)
                .values(page_count=len(page_texts), title=title)
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

    def embedded_by(self) -> frozenset[str]:
        """The models whose vectors passages have."""
        query = select(passages.c.embed_model).where(passages.c.vector.is_not(None)).distinct()
        with self._record.read() as connection:
            return frozenset(connection.execute(query).scalars())

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

    def to_be_indexed(self, document_id: str | None = None) -> tuple[IndexedVersion, ...]:
        """What the index must hold, and nothing else: of one document, or of all.

        Drafts and versions that are over are in it, too: in force at no time, or no longer.
        """
        query = (
            select(
                versions.c.id,
                versions.c.in_force_from,
                versions.c.in_force_until,
                func.count(passages.c.id).label("passages"),
            )
            .select_from(versions.join(passages))
            .where(versions.c.state.in_(INDEXED_STATES))
            .group_by(versions.c.id, versions.c.in_force_from, versions.c.in_force_until)
            .order_by(func.min(versions.c.created_at), versions.c.id)
        )
        if document_id is not None:
            query = query.where(versions.c.document_id == document_id)
        with self._record.read() as connection:
            return tuple(
                IndexedVersion(
                    row.id,
                    row.passages,
                    Span(row.in_force_from, row.in_force_until) if row.in_force_from else None,
                )
                for row in connection.execute(query)
            )

    def loading_versions(self) -> frozenset[str]:
        """The versions that somebody may be putting into the index at this moment."""
        query = select(versions.c.id).where(versions.c.state == VersionState.LOADING)
        with self._record.read() as connection:
            return frozenset(connection.execute(query).scalars())

    def document_of(self, version_id: str) -> str:
        """The id of the document that a version belongs to. Raises NotFound."""
        with self._record.read() as connection:
            return str(version_row(connection, version_id).document_id)

    def goes_into_force(self, job_id: str) -> bool:
        """Whether the version of a job is put in force without a second person."""
        query = select(jobs.c.override_reason).where(jobs.c.id == job_id)
        with self._record.read() as connection:
            return connection.execute(query).scalar_one_or_none() is not None

    def finish(self, version_id: str, job_id: str) -> None:
        """Make a version a draft and end its job, in one step; twice is no error.

        Where its job says why, the version is put in force in the same step, as an override.
        """
        with self._record.write() as connection:
            version = version_row(connection, version_id)
            if version.state != VersionState.LOADING:
                return
            now = self._clock()
            total = _count_passages(connection, version_id)
            reason = connection.execute(
                select(jobs.c.override_reason).where(jobs.c.id == job_id)
            ).scalar_one_or_none()
            end_job(connection, job_id, JobState.LOADED, None, done=total, total=total)
            actor, department_id = handed_in_by(connection, job_id)
            done = [Action.VERSION_LOADED]
            connection.execute(
                update(versions)
                .where(versions.c.id == version_id)
                .values(state=check_transition(Act.FINISH, VersionState.LOADING))
            )
            if reason is not None:
                who = identity_of(actor)
                accept(connection, version_id, who, now)
                version = version_row(connection, version_id)
                perform(connection, Act.OVERRIDE, version, who, reason, now, self._zone)
                done.append(Action.VERSION_OVERRIDDEN)
            for action in done:
                self._note(
                    connection,
                    action,
                    actor,
                    department_id,
                    version.document_id,
                    digest=version.digest,
                    reason=reason if action is Action.VERSION_OVERRIDDEN else None,
                    facts={"version": version.number, "passages": total},
                )

    def abandon(self, version_id: str, job_id: str, state: JobState, error: JobError) -> None:
        """End a job whose file could not be loaded: the reason stays, what was read goes.

        The version and its bytes stay, so that it can be tried again.
        """
        with self._record.write() as connection:
            ended = end_job(connection, job_id, state, error)
            version = connection.execute(
                select(versions).where(versions.c.id == version_id)
            ).one_or_none()
            if version is None or version.state != VersionState.LOADING:
                return
            act = Act.REFUSE if state is JobState.REFUSED else Act.FAIL
            _drop_text(connection, version_id)
            replace_checks(connection, version_id, ())
            connection.execute(
                update(versions)
                .where(versions.c.id == version_id)
                .values(state=check_transition(act, VersionState.LOADING), page_count=0)
            )
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


def _drop_text(connection: Connection, version_id: str) -> None:
    connection.execute(pages.delete().where(pages.c.version_id == version_id))
    connection.execute(passages.delete().where(passages.c.version_id == version_id))


def _count_passages(connection: Connection, version_id: str) -> int:
    return connection.execute(
        select(func.count()).where(passages.c.version_id == version_id)
    ).scalar_one()
