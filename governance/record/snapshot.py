"""Copies a record as it stands at one moment, while others go on writing."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, func, inspect, select
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateSchema, DropSchema

from governance.audit.log import AuditLog
from governance.errors import RecordNotCopied
from governance.originals import check_free_space
from governance.record.dump import dump, load_dump
from governance.record.tables import versions

SUFFIXES = {"sqlite": ".db", "postgresql": ".dump"}


@dataclass(frozen=True, slots=True)
class RecordCopy:
    """A copy, and what its moment held: the trail's length and root, the originals (SHA-256)."""

    path: Path
    trail_size: int
    trail_root: bytes
    originals: frozenset[str]


def copy_record(engine: Engine, destination: Path) -> RecordCopy:
    """Copy the record to a new file. Raises NoSpace, RecordNotCopied."""
    if engine.dialect.name == "sqlite":
        copy_sqlite(engine, destination)
        with read_sqlite_copy(destination) as connection:
            return _described(connection, destination)
    with engine.connect().execution_options(reads_only=True) as connection, connection.begin():
        snapshot = connection.execute(select(func.pg_export_snapshot())).scalar_one()
        dump(engine.url, destination, str(snapshot))
        sync(destination)
        return _described(connection, destination)


def fill_database(url: str, source: Path) -> None:
    """Put a copy into a PostgreSQL database that holds nothing yet. Raises RecordNotCopied."""
    engine = create_engine(url, poolclass=NullPool)
    if inspect(engine).get_table_names():
        raise RecordNotCopied(
            f"The database {engine.url.database} is not empty.",
            "Create an empty one and name it in LAMPLIGHT_DATABASE_URL.",
        )
    load_dump(engine.url, source)


def empty_database(url: str) -> None:
    """Take everything out of a PostgreSQL database that was empty before it was filled."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        for name in inspect(connection).get_schema_names():
            if name != "information_schema":
                connection.execute(DropSchema(name, cascade=True))
        connection.execute(CreateSchema("public"))


def copy_sqlite(engine: Engine, destination: Path) -> None:
    """Write a whole copy, durably, in place of an earlier one. Raises NoSpace.

    VACUUM INTO reads one snapshot and leaves free pages out, so nothing that was purged comes
    along; it does not sync what it writes, so we do.
    """
    source = Path(str(engine.url.database))
    check_free_space(destination.parent, source.stat().st_size)
    partial = destination.with_name(f".new-{destination.name}")
    partial.unlink(missing_ok=True)
    try:
        with engine.connect() as connection:
            # A driver's cursor, because VACUUM refuses to run inside a transaction.
            connection.connection.cursor().execute("VACUUM INTO ?", (str(partial),))
        sync(partial)
        partial.replace(destination)
        sync(destination.parent)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def read_sqlite_copy(path: Path) -> Iterator[Connection]:
    """Read a copy that nobody writes to, without touching it."""
    import sqlcipher3.dbapi2 as sqlite

    engine = create_engine(f"sqlite:///file:{quote(str(path))}?immutable=1&uri=true", module=sqlite)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def sync(path: Path) -> None:
    """Return when a file, or the list of a folder's files, is on the disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def trail_head(connection: Connection) -> tuple[int, bytes]:
    """How many leaves the audit trail has, and the RFC 6962 root over them."""
    trail = AuditLog()
    size = trail.size(connection)
    return size, trail.root(connection, size)


def originals_of(engine: Engine) -> frozenset[str]:
    """The digests of all uploaded files that the record names now."""
    with engine.connect().execution_options(reads_only=True) as connection:
        return _originals(connection)


def _described(connection: Connection, path: Path) -> RecordCopy:
    size, root = trail_head(connection)
    return RecordCopy(path, size, root, _originals(connection))


def _originals(connection: Connection) -> frozenset[str]:
    return frozenset(connection.execute(select(versions.c.digest).distinct()).scalars())
