"""Watched folders of departments, and what is remembered of their files between two looks.

Who looks, and what is concluded, stands in `ingest/`; here it is written down. A folder belongs to
one department, and everything that comes out of it is that department's.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, func, select, update

from governance.clock import Clock, utc_now
from governance.errors import IllegalTransition, NotFound
from governance.events import Action, Actor, Event
from governance.record.database import Record
from governance.record.intake_tables import watched_files, watched_folders
from governance.record.tables import departments
from governance.version_life import identity_of


@dataclass(frozen=True, slots=True)
class WatchedFolder:
    """A folder with what the last look at it found.

    problem, hint: why nothing was concluded, and what to do. asks: so many files are gone that a
    person has to confirm it. unread: paths that could not be looked at. files: known by now.
    """

    id: str
    department_id: str
    department: str
    path: str
    added_by: str
    added_at: datetime
    looked_at: datetime | None
    problem: str
    hint: str
    asks: bool
    confirmed_by: str | None
    unread: int
    files: int


@dataclass(frozen=True, slots=True)
class WatchedFile:
    """What is remembered of a file; size_bytes to missing_looks as in `ingest/watching.py`.

    document_id: what it was handed in as. found: `new`, `changed`, `moved`, `known`, `refused`, or
    empty while it was only seen. problem, hint: why it could not be taken in.
    """

    path: str
    size_bytes: int
    modified_ns: int
    digest: str = ""
    is_read: bool = False
    missing_looks: int = 0
    document_id: str | None = None
    found: str = ""
    found_at: datetime | None = None
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class LookedAt:
    """The end of one look. confirmation_over: what a person has confirmed is concluded."""

    at: datetime
    problem: str = ""
    hint: str = ""
    asks: bool = False
    unread: int = 0
    confirmation_over: bool = False


_COLUMNS = tuple(field.name for field in fields(WatchedFile))


class WatchedFolders:
    """The record's side of watching; each method is one transaction."""

    def __init__(self, record: Record, clock: Clock = utc_now) -> None:
        self._record = record
        self._clock = clock

    def add(self, actor: Actor, department_id: str, path: str) -> WatchedFolder:
        """Watch a folder for a department; one that is watched already is given as it is."""
        with self._record.write() as connection:
            known = connection.execute(
                select(watched_folders.c.id).where(
                    watched_folders.c.department_id == department_id,
                    watched_folders.c.path == path,
                )
            ).scalar_one_or_none()
            if known is None:
                known = str(uuid4())
                connection.execute(
                    watched_folders.insert().values(
                        id=known,
                        department_id=department_id,
                        path=path,
                        added_by=identity_of(actor),
                        added_at=self._clock(),
                        asks=False,
                    )
                )
                self._note(connection, Action.FOLDER_WATCHED, actor, department_id, known, path)
        return self.folder(known)

    def remove(self, actor: Actor, folder_id: str) -> None:
        """Watch a folder no longer; what came out of it stays. Raises NotFound."""
        with self._record.write() as connection:
            row = _folder_row(connection, folder_id)
            connection.execute(watched_files.delete().where(watched_files.c.folder_id == row.id))
            connection.execute(watched_folders.delete().where(watched_folders.c.id == row.id))
            self._note(
                connection, Action.FOLDER_UNWATCHED, actor, row.department_id, row.id, row.path
            )

    def confirm(self, actor: Actor, folder_id: str) -> None:
        """Say that so many files were removed on purpose. Raises NotFound, IllegalTransition."""
        with self._record.write() as connection:
            row = _folder_row(connection, folder_id)
            if not row.asks:
                raise IllegalTransition(
                    "There is nothing to confirm about this folder.", "Reload the page."
                )
            connection.execute(
                update(watched_folders)
                .where(watched_folders.c.id == row.id)
                .values(confirmed_by=identity_of(actor), asks=False)
            )
            self._note(
                connection, Action.FOLDER_CONFIRMED, actor, row.department_id, row.id, row.path
            )

    def folder(self, folder_id: str) -> WatchedFolder:
        """One folder. Raises NotFound."""
        with self._record.read() as connection:
            return _folder(_folder_row(connection, folder_id))

    def folders(self, department_ids: Collection[str] | None = None) -> tuple[WatchedFolder, ...]:
        """The folders of some departments, or all, by department and path."""
        query = _folders().order_by(departments.c.name, watched_folders.c.path)
        if department_ids is not None:
            query = query.where(watched_folders.c.department_id.in_(department_ids))
        with self._record.read() as connection:
            return tuple(_folder(row) for row in connection.execute(query))

    def files(self, folder_id: str) -> dict[str, WatchedFile]:
        """What is remembered of a folder's files, by path below it."""
        query = select(*(watched_files.c[name] for name in _COLUMNS)).where(
            watched_files.c.folder_id == folder_id
        )
        with self._record.read() as connection:
            rows = connection.execute(query.order_by(watched_files.c.path))
            return {row.path: WatchedFile(*row) for row in rows}

    def recent(self, folder_id: str, limit: int) -> tuple[WatchedFile, ...]:
        """The files that something was last found of: those in trouble first, then the newest."""
        query = (
            select(*(watched_files.c[name] for name in _COLUMNS))
            .where(watched_files.c.folder_id == folder_id, watched_files.c.found != "")
            .order_by(
                (watched_files.c.problem == ""),
                watched_files.c.found_at.desc(),
                watched_files.c.path,
            )
            .limit(limit)
        )
        with self._record.read() as connection:
            return tuple(WatchedFile(*row) for row in connection.execute(query))

    def save(
        self,
        folder_id: str,
        looked: LookedAt,
        before: Mapping[str, WatchedFile] | None = None,
        after: Mapping[str, WatchedFile] | None = None,
    ) -> None:
        """Write down a look, unless the folder is watched no longer.

        before, after: what was and is to be remembered; only what differs is written.
        """
        old, new = before or {}, after or {}
        with self._record.write() as connection:
            values: dict[str, Any] = {
                "looked_at": looked.at,
                "problem": looked.problem,
                "hint": looked.hint,
                "asks": looked.asks,
                "unread": looked.unread,
            }
            if looked.confirmation_over:
                values["confirmed_by"] = None
            found = connection.execute(
                update(watched_folders).where(watched_folders.c.id == folder_id).values(values)
            )
            if not found.rowcount:
                return
            different = [path for path in old if new.get(path) != old[path]]
            for path in different:
                connection.execute(
                    watched_files.delete().where(
                        watched_files.c.folder_id == folder_id,
                        watched_files.c.path_digest == _path_digest(path),
                    )
                )
            for path, file in new.items():
                if old.get(path) != file:
                    connection.execute(watched_files.insert().values(_file_row(folder_id, file)))

    def _note(
        self,
        connection: Connection,
        action: Action,
        actor: Actor,
        department_id: str,
        folder_id: str,
        path: str,
    ) -> None:
        event = Event(
            action,
            actor,
            department_id=department_id,
            object_type="folder",
            object_id=folder_id,
            facts={"path": path},
        )
        self._record.trail.append(connection, event)


def _folders() -> Any:
    counted = (
        select(func.count())
        .select_from(watched_files)
        .where(watched_files.c.folder_id == watched_folders.c.id)
        .scalar_subquery()
    )
    return select(
        watched_folders, departments.c.name.label("department"), counted.label("files")
    ).join_from(watched_folders, departments)


def _folder_row(connection: Connection, folder_id: str) -> Row[Any]:
    query = _folders().where(watched_folders.c.id == folder_id)
    row: Row[Any] | None = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("This folder is not watched.", "Reload the list of watched folders.")
    return row


def _folder(row: Row[Any]) -> WatchedFolder:
    return WatchedFolder(
        **{field.name: row._mapping[field.name] for field in fields(WatchedFolder)}
    )


def _file_row(folder_id: str, file: WatchedFile) -> dict[str, Any]:
    values = {name: getattr(file, name) for name in _COLUMNS}
    return {"folder_id": folder_id, "path_digest": _path_digest(file.path), **values}


def _path_digest(path: str) -> str:
    return sha256(path.encode()).hexdigest()
