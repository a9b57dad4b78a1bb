"""SQLite as the record needs it: a safe version, a write-ahead log, each commit on the disk."""

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

from governance.errors import RecordUnusable

# SQLite 3.7.0 to 3.51.2 can lose a committed WAL transaction after a reset.
OLDEST_SAFE_SQLITE = (3, 51, 3)
# Each is set and read back: a pragma that SQLite cannot follow is ignored without a word.
# synchronous 2 is FULL: with NORMAL a power cut takes commits that were acknowledged.
# secure_delete: what was purged must not stay readable in free pages of the file.
PRAGMAS: tuple[tuple[str, str, str | int], ...] = (
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),
    ("foreign_keys", "ON", 1),
    ("secure_delete", "ON", 1),
)


def sqlite_engine(url: str, busy_timeout_s: float) -> Engine:
    """An engine that says BEGIN itself: writers queue for the lock, readers never wait."""
    engine = _engine(url, busy_timeout_s, isolation=None)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A read that turns into a write can fail with SQLITE_BUSY at once; taking the lock
        # first makes writers queue instead.
        reads_only = connection.get_execution_options().get("reads_only", False)
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")

    return engine


def sqlite_jobs_engine(url: str, busy_timeout_s: float) -> Engine:
    """An engine for DBOS, which counts on the driver to say BEGIN."""
    return _engine(url, busy_timeout_s, isolation="IMMEDIATE")


def check_sqlite_version(version: tuple[int, ...]) -> None:
    """Raise RecordUnusable for a SQLite that can lose committed transactions."""
    if version < OLDEST_SAFE_SQLITE:
        found, wanted = (".".join(map(str, v)) for v in (version, OLDEST_SAFE_SQLITE))
        raise RecordUnusable(
            f"SQLite {found} can lose committed data in WAL mode; {wanted} or newer is needed.",
            "Install the pinned dependencies again: make up.",
        )


def check_pragma(name: str, found: object, wanted: object) -> None:
    """Raise RecordUnusable for a setting that SQLite did not take on."""
    if found != wanted:
        raise RecordUnusable(
            f"SQLite keeps {name}={found} where {wanted} is needed: commits could be lost.",
            "Put the data directory on a local disk (not a network share or in memory).",
        )


def _engine(url: str, busy_timeout_s: float, isolation: str | None) -> Engine:
    # The interpreter's own SQLite is often in the range of the WAL-reset bug; this wheel is not.
    import sqlcipher3.dbapi2 as sqlite

    check_sqlite_version(sqlite.sqlite_version_info)
    engine = create_engine(url, module=sqlite, connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        # The driver's implicit transactions would leave DDL outside, so isolation is None for us.
        connection.isolation_level = isolation
        connection.execute(f"PRAGMA busy_timeout={int(busy_timeout_s * 1000)}")
        for name, value, wanted in PRAGMAS:
            connection.execute(f"PRAGMA {name}={value}")
            check_pragma(name, connection.execute(f"PRAGMA {name}").fetchone()[0], wanted)

    return engine
