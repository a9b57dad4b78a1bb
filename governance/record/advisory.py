"""Locks between processes on PostgreSQL, each held by a connection of its own.

A lock ends with its connection, so whoever dies gives it back, whatever it died of. A pooler that
shares connections between sessions (pgbouncer's transaction mode) would break that.
"""

from zlib import crc32

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from governance.record.database import Record

# A machine that vanishes says nothing: after some 25 s without a sign its locks are given back.
KEEPALIVE = {"tcp_keepalives_idle": 10, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 3}
# ... and after as long without an answer we know that we have none.
ANSWER_WITHIN_MS = 25_000
# What is locked. Any constants will do; they must only be ours within the database.
STARTING, WHOLE_INDEX, DOCUMENT, EXECUTOR, EVALUATION = (0x4C414D51 + number for number in range(5))


class NotGiven(Exception):
    """Somebody else had the lock for as long as we were ready to wait."""


def locks_engine(record: Record, wait_s: float) -> Engine | None:
    """Connections for locks; None for SQLite, where one process works alone.

    wait_s: how long a lock is waited for.
    """
    if record.engine.dialect.name != "postgresql":
        return None
    engine = create_engine(
        record.engine.url,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={"tcp_user_timeout": ANSWER_WITHIN_MS},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: object, _record: object) -> None:
        with connection.cursor() as cursor:  # type: ignore[attr-defined]
            cursor.execute(f"SET lock_timeout = {int(wait_s * 1000)}")
            for name, value in KEEPALIVE.items():
                cursor.execute(f"SET {name} = {value}")

    return engine


def key_of(name: str) -> int:
    """A name as PostgreSQL takes it: 32 bits with a sign. Two names may share one."""
    return crc32(name.encode()) - 2**31


def take(connection: Connection, kind: int, key: int, *, shared: bool = False) -> None:
    """Take a lock for as long as the connection lasts. Raises NotGiven."""
    function = "pg_advisory_lock_shared" if shared else "pg_advisory_lock"
    try:
        connection.execute(text(f"SELECT {function}(:kind, :key)"), {"kind": kind, "key": key})
    except DatabaseError as error:
        if getattr(error.orig, "sqlstate", None) == "55P03":  # lock_not_available
            raise NotGiven from error
        raise


def try_to_take(connection: Connection, kind: int, key: int) -> bool:
    """Take a lock at once or not at all."""
    asked = text("SELECT pg_try_advisory_lock(:kind, :key)")
    return bool(connection.execute(asked, {"kind": kind, "key": key}).scalar_one())


def lives(connection: Connection) -> bool:
    """Whether the connection, and with it its locks, is still there."""
    try:
        # One that was lost would be opened anew, without its locks.
        return not connection.invalidated and bool(connection.execute(text("SELECT 1")))
    except SQLAlchemyError:
        return False


def session_of(connection: Connection) -> int:
    """The number under which the server knows the connection."""
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def is_held_by(connection: Connection, kind: int, key: int, session: int) -> bool:
    """Whether that connection holds the lock at this moment."""
    asked = text(
        "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = :session "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
        "AND classid = CAST(CAST(:kind AS bigint) AS oid) "
        "AND objid = CAST(CAST(:key AS bigint) AS oid)"
    )
    values = {"kind": kind, "key": key % 2**32, "session": session}
    return connection.execute(asked, values).first() is not None
