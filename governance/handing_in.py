"""Takes files in: as a new document, as the next version of one, or once more after a failure."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, select, update

from governance.clock import Clock, utc_now
from governance.events import Action, Actor, Event
from governance.jobs import JobState, Stage
from governance.loading_rows import gone, same_bytes, version_row
from governance.policies import Department
from governance.policy_fields import PolicyFields, policy_key, stored
from governance.record.database import Record
from governance.record.tables import documents, jobs, versions
from governance.version_life import (
    add_step,
    identity_of,
    inherited,
    next_number,
    spans_of,
)
from governance.versions import LIVE_STATES, Act, VersionState, check_transition, state_at


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that was accepted, with what its loader said about it; digest is SHA-256 in hex."""

    file_name: str
    digest: str
    media_type: str
    size_bytes: int
    fields: PolicyFields = field(default_factory=PolicyFields)


@dataclass(frozen=True, slots=True)
class Registered:
    """Where an accepted file stands in the record; a duplicate has no job of its own."""

    document_id: str
    version_id: str
    version: int
    job_id: str | None


class HandIns:
    """The record's side of handing files in."""

    def __init__(self, record: Record, clock: Clock = utc_now) -> None:
        self._record = record
        self._clock = clock

    def register(
        self,
        actor: Actor,
        file: NewFile,
        department: Department,
        keep: Callable[[], object] = lambda: None,
        *,
        replaces: str | None = None,
        override_reason: str | None = None,
    ) -> Registered:
        """Take a file in, or name the version that already holds the same bytes.

        keep: stores the bytes unless they lie there; called while nobody else can remove them.
        replaces: the id of the document that this is the next version of; without it, the one in
        force under the number that `file` states, if there is one. Whoever names it may bring back
        the bytes of a version that is over. Raises NotFound, InvalidName.
        override_reason: why it goes into force at once, without a second person.
        """
        with self._record.write() as connection:
            keep()
            known = same_bytes(connection, file.digest, department.id)
            if known is not None and known.state in (VersionState.REFUSED, VersionState.FAILED):
                return self._again(connection, actor, known.id, override_reason)
            over = known is not None and self._is_over(connection, known)
            if known is not None and not (over and replaces):
                return Registered(known.document_id, known.id, known.number, None)
            document_id = replaces or _known_number(connection, file.fields, department.id)
            taken = self._take_in(
                connection, actor, file, department.id, document_id, override_reason
            )
            self._note(
                connection,
                Action.DOCUMENT_HANDED_IN,
                actor,
                department.id,
                taken,
                file.digest,
                size_bytes=file.size_bytes,
            )
            return taken

    def retry(self, actor: Actor, version_id: str) -> Registered:
        """Try a refused or failed version again. Raises NotFound, IllegalTransition."""
        with self._record.write() as connection:
            return self._again(connection, actor, version_id, None)

    def _is_over(self, connection: Connection, known: Row[Any, Any, Any, Any]) -> bool:
        """Whether a version will never be in force again."""
        span = spans_of(connection, known.document_id).get(known.number)
        state = state_at(VersionState(known.state), span, self._clock())
        return state in (VersionState.SUPERSEDED, VersionState.RETIRED)

    def _again(
        self, connection: Connection, actor: Actor, version_id: str, override_reason: str | None
    ) -> Registered:
        row = version_row(connection, version_id)
        check_transition(Act.RETRY, VersionState(row.state))
        department_id = connection.execute(
            select(documents.c.department_id).where(documents.c.id == row.document_id)
        ).scalar_one()
        connection.execute(
            update(versions)
            .where(versions.c.id == version_id)
            .values(state=VersionState.LOADING, handed_in_by=identity_of(actor))
        )
        # The job that ended badly is over with this one.
        connection.execute(jobs.delete().where(jobs.c.version_id == version_id))
        now = self._clock()
        add_step(connection, version_id, Act.RETRY, identity_of(actor), "", now)
        job_id = _new_job(
            connection, actor, department_id, version_id, row.file_name, override_reason, now
        )
        taken = Registered(row.document_id, version_id, row.number, job_id)
        self._note(connection, Action.JOB_RETRIED, actor, department_id, taken, row.digest)
        return taken

    def _take_in(
        self,
        connection: Connection,
        actor: Actor,
        file: NewFile,
        department_id: str,
        document_id: str | None,
        override_reason: str | None,
    ) -> Registered:
        now, version_id = self._clock(), str(uuid4())
        if document_id is None:
            document_id = str(uuid4())
            connection.execute(
                documents.insert().values(
                    id=document_id, department_id=department_id, created_at=now
                )
            )
        number = _next_number(connection, document_id, department_id)
        fields = stored(file.fields)
        fields |= inherited(connection, document_id, fields)
        connection.execute(
            versions.insert().values(
                id=version_id,
                document_id=document_id,
                number=number,
                state=VersionState.LOADING,
                digest=file.digest,
                media_type=file.media_type,
                size_bytes=file.size_bytes,
                page_count=0,
                file_name=file.file_name,
                handed_in_by=identity_of(actor),
                created_at=now,
                **fields,
            )
        )
        job_id = _new_job(
            connection, actor, department_id, version_id, file.file_name, override_reason, now
        )
        return Registered(document_id, version_id, number, job_id)

    def _note(
        self,
        connection: Connection,
        action: Action,
        actor: Actor,
        department_id: str,
        taken: Registered,
        digest: str,
        **facts: int,
    ) -> None:
        event = Event(
            action,
            actor,
            department_id=department_id,
            object_type="document",
            object_id=taken.document_id,
            digest=digest,
            facts={"version": taken.version, **facts},
        )
        self._record.trail.append(connection, event)


def _known_number(connection: Connection, fields: PolicyFields, department_id: str) -> str | None:
    """The document of a department that has this number now; None if it is a new one."""
    key = policy_key(fields.policy_number)
    if key is None:
        return None
    return connection.execute(
        select(versions.c.document_id)
        .select_from(versions.join(documents))
        .where(
            versions.c.policy_key == key,
            versions.c.state.in_(LIVE_STATES),
            documents.c.department_id == department_id,
        )
        .order_by(versions.c.created_at.desc())
        .limit(1)
    ).scalar_one_or_none()


def _next_number(connection: Connection, document_id: str, department_id: str) -> int:
    """The number of the next version of a document of this department. Raises NotFound."""
    owner = connection.execute(
        select(documents.c.department_id).where(documents.c.id == document_id)
    ).scalar_one_or_none()
    if owner != department_id:
        raise gone()
    return next_number(connection, document_id)


def _new_job(
    connection: Connection,
    actor: Actor,
    department_id: str,
    version_id: str,
    file_name: str,
    override_reason: str | None,
    now: datetime,
) -> str:
    job_id = str(uuid4())
    connection.execute(
        jobs.insert().values(
            id=job_id,
            department_id=department_id,
            version_id=version_id,
            file_name=file_name,
            state=JobState.QUEUED,
            stage=Stage.WAITING,
            done=0,
            total=0,
            actor=json.dumps(asdict(actor)),
            override_reason=override_reason,
            created_at=now,
            updated_at=now,
        )
    )
    return job_id
