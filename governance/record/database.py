"""Opens the record and gives its transactions: `read()` shares, `write()` takes the lock."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError

from governance.audit.log import AuditLog
from governance.config import GovernanceSettings
from governance.errors import RecordUnusable, TrailBlocked
from governance.events import SYSTEM, Action, Event
from governance.record.blocked import why_blocked
from governance.record.postgresql import check_server, postgresql_engine, postgresql_jobs_engine
from governance.record.schema import migrate, revision
from governance.record.sqlite import sqlite_engine, sqlite_jobs_engine

JOBS_BUSY_TIMEOUT_S = 30.0


class Record:
    """The system of record; everything else that Lamplight keeps can be rebuilt from it."""

    def __init__(self, engine: Engine, trail: AuditLog | None = None) -> None:
        self.engine = engine
        self.trail = trail or AuditLog()
        # Acts that were refused since the trail could last be written; 0 while it can.
        self.refused = 0

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One snapshot for the length of the block; never waits for a writer."""
        with self.engine.connect() as connection:
            connection = connection.execution_options(reads_only=True)
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: all of the block or nothing; one writer at a time.

        The first that succeeds after others could not be recorded says so in the trail. Raises
        TrailBlocked.
        """
        try:
            with self.engine.begin() as connection:
                if self.refused:
                    facts = {"refused": self.refused}
                    self.trail.append(connection, Event(Action.AUDIT_RESUMED, SYSTEM, facts=facts))
                yield connection
        except DatabaseError as error:
            why = why_blocked(error)
            if why is None:
                raise
            self.refused += 1
            raise TrailBlocked(why) from error
        self.refused = 0

    def try_again(self) -> None:
        """Find out whether a trail that could not be written can be now."""
        before = self.refused
        if not before:
            return
        try:
            with self.write():
                pass
        except TrailBlocked:
            # The probe is no act, so it does not count as one that was refused.
            self.refused = before

    @cached_property
    def jobs_engine(self) -> Engine:
        """An engine on the same database for DBOS, which says BEGIN itself."""
        url = self.engine.url.render_as_string(hide_password=False)
        if self.engine.dialect.name == "sqlite":
            return sqlite_jobs_engine(url, JOBS_BUSY_TIMEOUT_S)
        return postgresql_jobs_engine(url)

    def close(self) -> None:
        """Give every connection back; SQLite's last one folds its log into the record."""
        if "jobs_engine" in self.__dict__:
            self.jobs_engine.dispose()
        self.engine.dispose()


def open_record(settings: GovernanceSettings) -> Record:
    """Open the record, refuse an unsafe engine by name, and bring the schema up to date.

    Raises RecordUnusable, NoSpace.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = _engine(settings)
    try:
        if engine.dialect.name == "postgresql":
            check_server(engine)
        migrate(engine)
    except DatabaseError as error:
        engine.dispose()
        raise RecordUnusable(
            f"The record at {engine.url.render_as_string()} cannot be opened: {error.orig}.",
            "Check that it is there, belongs to you and is not damaged, or restore a backup.",
        ) from error
    except BaseException:
        engine.dispose()
        raise
    return Record(engine)


def schema_version(record: Record) -> str:
    """The revision that the record's schema stands at."""
    return str(revision(record.engine))


def _engine(settings: GovernanceSettings) -> Engine:
    url = settings.record_url
    if url.startswith("sqlite"):
        return sqlite_engine(url, settings.busy_timeout_s)
    if url.startswith("postgresql"):
        return postgresql_engine(url, settings.busy_timeout_s)
    raise RecordUnusable(
        f"The record cannot be kept in {url.partition(':')[0]!r}.",
        "Set governance.database_url to a postgresql:// address, or leave it unset for SQLite.",
    )
