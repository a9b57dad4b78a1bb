"""PostgreSQL as the record needs it: new enough, and with every commit on the disk.

Writers queue for one advisory lock, as they do for SQLite's, so that a decision made inside a
transaction still holds when it commits, on both databases alike.
"""

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

from governance.errors import RecordUnusable

OLDEST_MAJOR = 15
# Any constant will do; it must only be ours within the database.
WRITER_LOCK = 0x4C414D50
# `off` answers before the commit is on the disk; every other value of synchronous_commit waits.
UNSAFE_SETTINGS: tuple[tuple[str, str], ...] = (
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("synchronous_commit", "off"),
)


def postgresql_engine(url: str, busy_timeout_s: float) -> Engine:
    """An engine whose writers queue for the lock and whose readers see one snapshot."""
    engine = postgresql_jobs_engine(url)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.execute(f"SET lock_timeout = {int(busy_timeout_s * 1000)}")
        connection.commit()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("reads_only", False):
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        else:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")

    return engine


def postgresql_jobs_engine(url: str) -> Engine:
    """An engine for DBOS, whose transactions must not wait for our writers."""
    return create_engine(url, pool_pre_ping=True)


def check_server(engine: Engine) -> None:
    """Ask the server for its version and settings. Raises RecordUnusable."""
    with engine.connect().execution_options(reads_only=True) as connection:
        found = {
            name: str(connection.exec_driver_sql(f"SHOW {name}").scalar_one())
            for name in ("server_version_num", *(name for name, _ in UNSAFE_SETTINGS))
        }
    check_server_version(int(found["server_version_num"]))
    check_durability(found)


def check_server_version(number: int) -> None:
    """Raise RecordUnusable for a PostgreSQL that is too old; number as in server_version_num."""
    if number < OLDEST_MAJOR * 10_000:
        raise RecordUnusable(
            f"PostgreSQL {number // 10_000} is too old; {OLDEST_MAJOR} or newer is needed.",
            "Upgrade the server, or leave governance.database_url unset to use SQLite.",
        )


def check_durability(settings: dict[str, str]) -> None:
    """Raise RecordUnusable for a server that can lose what it has acknowledged."""
    for name, unsafe in UNSAFE_SETTINGS:
        if settings[name] == unsafe:
            raise RecordUnusable(
                f"PostgreSQL runs with {name}={unsafe}: it can lose commits it acknowledged.",
                f"Set {name} = on for this server, database and user.",
            )
