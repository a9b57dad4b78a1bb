"""Who does jobs, and whether they still live: each holds a lock for as long as it does.

A process that dies, however it dies, loses its connection to PostgreSQL and with it the lock; then
others take its jobs over. One that only lost the connection goes on for a while without knowing
that: what it still wants to write is refused, because its lock is asked for inside each
transaction.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import uuid4

from sqlalchemy import Connection, Engine, event

from governance.config import GovernanceSettings
from governance.record.advisory import (
    EXECUTOR,
    is_held_by,
    key_of,
    lives,
    locks_engine,
    session_of,
    try_to_take,
)
from governance.record.database import Record

# Of whoever works in this thread: the executor's id and the session that holds its lock.
_working: ContextVar[tuple[str, int] | None] = ContextVar("working", default=None)


class Displaced(BaseException):
    """Others may have taken this job over: no error of the job, which goes on there."""


class Executor:
    """This process as one that does jobs, under an id that no other had or will have."""

    def __init__(self, engine: Engine, record: Record) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._session = 0
        self.id = ""
        event.listen(record.engine, "begin", _refuse_displaced)

    def begin(self) -> str:
        """Take a new id and hold its lock."""
        self.end()
        connection = self._engine.connect()
        fresh = f"worker-{uuid4()}"
        assert try_to_take(connection, EXECUTOR, key_of(fresh))
        self._session = session_of(connection)
        self._connection, self.id = connection, fresh
        return fresh

    def lives(self) -> bool:
        """Whether others still see that we live; the server hears from us by this, too."""
        return self._connection is not None and lives(self._connection)

    def end(self) -> None:
        """Give the lock back: what is still open under our id is for others."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def dead(self, executor_id: str) -> Iterator[bool]:
        """Whether an executor is gone; for the length of the block nobody else finds it so."""
        with self._engine.connect() as connection:
            yield try_to_take(connection, EXECUTOR, key_of(executor_id))

    @contextmanager
    def working(self) -> Iterator[None]:
        """Refuse to write in this thread once our lock is gone. Raises Displaced from writes."""
        token = _working.set((self.id, self._session))
        try:
            yield
        finally:
            _working.reset(token)


def executor_of(record: Record, settings: GovernanceSettings) -> Executor | None:
    """This process among many; None for SQLite, where one process does all jobs."""
    engine = locks_engine(record, settings.busy_timeout_s)
    return None if engine is None else Executor(engine, record)


def _refuse_displaced(connection: Connection) -> None:
    """Ask inside a transaction that writes whether whoever works here still holds its lock."""
    working = _working.get()
    if working is None or connection.get_execution_options().get("reads_only", False):
        return
    executor_id, session = working
    if not is_held_by(connection, EXECUTOR, key_of(executor_id), session):
        raise Displaced
