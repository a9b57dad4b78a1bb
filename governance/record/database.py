"""Opens the record and gives its transactions: `read()` shares, `write()` takes the lock."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError

from governance.config import GovernanceSettings
from governance.errors import RecordUnusable

# SQLite 3.7.0 to 3.51.2 can lose a committed WAL transaction after a reset.
OLDEST_SAFE_SQLITE = (3, 51, 3)
JOBS_BUSY_TIMEOUT_S = 30.0
MIGRATIONS = Path(__file__).parent / "migrations"


class Record:
    """The system of record; everything else that Lamplight keeps can be rebuilt from it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One snapshot for the length of the block; never waits for a writer."""
        with self.engine.connect() as connection:
            connection = connection.execution_options(reads_only=True)
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: all of the block or nothing."""
        with self.engine.begin() as connection:
            yield connection

    @cached_property
    def jobs_engine(self) -> Engine:
        """An engine on the same database for DBOS, which says BEGIN itself."""
        if self.engine.dialect.name != "sqlite":
            return self.engine
        return _sqlite_engine(str(self.engine.url), JOBS_BUSY_TIMEOUT_S, isolation="IMMEDIATE")

    def close(self) -> None:
        """Give every connection back; SQLite's last one folds its log into the record."""
        if "jobs_engine" in self.__dict__:
            self.jobs_engine.dispose()
        self.engine.dispose()


def open_record(settings: GovernanceSettings) -> Record:
    """Open the record, refuse an unsafe engine by name, and bring the schema up to date.

    Raises RecordUnusable.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    url = settings.record_url
    engine = (
        _sqlite_engine(url, settings.busy_timeout_s)
        if url.startswith("sqlite")
        else create_engine(url, pool_pre_ping=True)
    )
    try:
        migrate(engine)
    except DatabaseError as error:
        engine.dispose()
        raise RecordUnusable(
            f"The record at {engine.url.render_as_string()} cannot be opened: {error.orig}.",
            "Check that the file belongs to you and is not damaged, or restore a backup.",
        ) from error
    return Record(engine)


def migrate(engine: Engine) -> None:
    """Run the migrations that this record has not seen."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _sqlite_engine(url: str, busy_timeout_s: float, isolation: str | None = None) -> Engine:
    # The interpreter's own SQLite is often in the range of the WAL-reset bug; this wheel is not.
    import sqlcipher3.dbapi2 as sqlite

    check_sqlite_version(sqlite.sqlite_version_info)
    engine = create_engine(url, module=sqlite, connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        # The driver's implicit transactions would leave DDL outside, so the record says BEGIN
        # itself (isolation None); DBOS counts on the driver's.
        connection.isolation_level = isolation
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={int(busy_timeout_s * 1000)}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    if isolation is not None:
        return engine

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A read that turns into a write can fail with SQLITE_BUSY at once; taking the lock
        # first makes writers queue instead.
        reads_only = connection.get_execution_options().get("reads_only", False)
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")

    return engine


def check_sqlite_version(version: tuple[int, ...]) -> None:
    """Raise RecordUnusable for a SQLite that can lose committed transactions."""
    if version < OLDEST_SAFE_SQLITE:
        found, wanted = (".".join(map(str, v)) for v in (version, OLDEST_SAFE_SQLITE))
        raise RecordUnusable(
            f"SQLite {found} can lose committed data in WAL mode; {wanted} or newer is needed.",
            "Install the pinned dependencies again: make up.",
        )


def schema_version(record: Record) -> str:
    """The revision that the record's schema stands at."""
    with record.read() as connection:
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar())
