"""Documents whose file is gone from a watched folder: a person retires them, or keeps them.

A policy goes on answering until somebody has decided. Once it is retired or removed, or its file
has come back, there is nothing left to decide.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import ColumnElement, or_, select, update

from governance.clock import Clock, utc_now
from governance.errors import NotFound
from governance.events import Action, Actor, Event
from governance.record.database import Record
from governance.record.intake_tables import missing_files, watched_files
from governance.record.tables import versions
from governance.version_life import identity_of
from governance.versions import VersionState


@dataclass(frozen=True, slots=True)
class MissingFile:
    """A file that is gone; path: folder and path, as it was."""

    id: str
    document_id: str
    department_id: str
    path: str
    found_at: datetime


class MissingFiles:
    """What waits to be retired or kept."""

    def __init__(self, record: Record, clock: Clock = utc_now) -> None:
        self._record = record
        self._clock = clock

    def propose(self, actor: Actor, document_id: str, department_id: str, path: str) -> bool:
        """Ask whether a document is to be retired, unless another watched file is the same.

        Tells whether it is asked now. Twice is no error.
        """
        with self._record.write() as connection:
            living = select(versions.c.id).where(
                versions.c.document_id == document_id, _lives(self._clock())
            )
            copies = select(watched_files.c.path).where(
                watched_files.c.document_id == document_id, watched_files.c.missing_looks == 0
            )
            asked = select(missing_files.c.id).where(
                missing_files.c.document_id == document_id, missing_files.c.settled_at.is_(None)
            )
            if connection.execute(living.limit(1)).first() is None:
                return False
            if any(connection.execute(one.limit(1)).first() for one in (copies, asked)):
                return False
            connection.execute(
                missing_files.insert().values(
                    id=str(uuid4()),
                    document_id=document_id,
                    department_id=department_id,
                    path=path,
                    found_at=self._clock(),
                )
            )
            event = Event(
                Action.FILE_MISSED,
                actor,
                department_id=department_id,
                object_type="document",
                object_id=document_id,
            )
            self._record.trail.append(connection, event)
            return True

    def open(self, department_ids: Collection[str]) -> tuple[MissingFile, ...]:
        """What waits in some departments, oldest first; what is over by itself is not in it."""
        living = select(versions.c.document_id).where(_lives(self._clock()))
        query = (
            select(
                missing_files.c.id,
                missing_files.c.document_id,
                missing_files.c.department_id,
                missing_files.c.path,
                missing_files.c.found_at,
            )
            .where(
                missing_files.c.department_id.in_(department_ids),
                missing_files.c.settled_at.is_(None),
                missing_files.c.document_id.in_(living),
            )
            .order_by(missing_files.c.found_at, missing_files.c.id)
        )
        with self._record.read() as connection:
            return tuple(MissingFile(*row) for row in connection.execute(query))

    def one(self, missing_id: str) -> MissingFile:
        """One that waits. Raises NotFound."""
        query = select(
            missing_files.c.id,
            missing_files.c.document_id,
            missing_files.c.department_id,
            missing_files.c.path,
            missing_files.c.found_at,
        ).where(missing_files.c.id == missing_id, missing_files.c.settled_at.is_(None))
        with self._record.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFound("This was decided already.", "Reload the list of what waits for review.")
        return MissingFile(*row)

    def keep(self, actor: Actor, missing_id: str) -> None:
        """The policy stays in force without its file. Raises NotFound."""
        waiting = self.one(missing_id)
        with self._record.write() as connection:
            settled = connection.execute(
                update(missing_files)
                .where(missing_files.c.id == missing_id, missing_files.c.settled_at.is_(None))
                .values(settled_at=self._clock(), settled_as="kept", settled_by=identity_of(actor))
            )
            if not settled.rowcount:
                return
            event = Event(
                Action.DOCUMENT_KEPT,
                actor,
                department_id=waiting.department_id,
                object_type="document",
                object_id=waiting.document_id,
            )
            self._record.trail.append(connection, event)

    def returned(self, document_ids: Collection[str]) -> None:
        """The files of these documents are there again."""
        if not document_ids:
            return
        with self._record.write() as connection:
            connection.execute(
                update(missing_files)
                .where(
                    missing_files.c.document_id.in_(document_ids),
                    missing_files.c.settled_at.is_(None),
                )
                .values(settled_at=self._clock(), settled_as="returned")
            )


def _lives(now: datetime) -> ColumnElement[bool]:
    """Versions that answer, or may come to."""
    coming = versions.c.state.in_((VersionState.DRAFT, VersionState.SUBMITTED))
    answering = (versions.c.state == VersionState.APPROVED) & or_(
        versions.c.in_force_until.is_(None), versions.c.in_force_until > now
    )
    return coming | answering
