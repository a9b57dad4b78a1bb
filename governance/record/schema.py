"""Brings the schema of a record up to date: forward only, all of it or nothing.

Every migration that a record has not seen runs in one transaction, so a process that is killed at
any moment leaves the old schema or the new one. A copy of a SQLite record is made first; whoever
runs PostgreSQL makes their own with pg_dump before they upgrade (docs/operations.md).
"""

from datetime import datetime, timedelta
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from governance.errors import RecordUnusable
from governance.record.snapshot import copy_sqlite

MIGRATIONS = Path(__file__).parent / "migrations"
COPY_SUFFIX = ".backup.db"
# Long enough to notice that an upgrade went wrong. What is purged meanwhile stays in the copy, so
# it must not stay for long.
COPY_KEPT = timedelta(days=7)


def migrate(engine: Engine, target: str = "head") -> None:
    """Run the migrations that this record has not seen. Raises RecordUnusable, NoSpace."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    known = revisions(config)
    wanted = known[-1] if target == "head" else target
    found = revision(engine)
    if found == wanted:
        return
    check_known(found, known)
    if found is not None and engine.dialect.name == "sqlite":
        keep_copy(engine, found)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, wanted)


def revision(engine: Engine) -> str | None:
    """The revision that the record's schema stands at; None for an empty database."""
    with engine.connect().execution_options(reads_only=True) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def revisions(config: Config) -> tuple[str, ...]:
    """Every revision that this program knows, oldest first."""
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    return tuple(script.revision for script in scripts)[::-1]


def check_known(found: str | None, known: tuple[str, ...]) -> None:
    """Raise RecordUnusable for a schema that a newer program has made."""
    if found is not None and found not in known:
        raise RecordUnusable(
            f"The record has schema {found}, which this Lamplight (up to {known[-1]}) "
            "does not know: a newer one has used it.",
            "Use the newer Lamplight, or restore a backup made by this one.",
        )


def keep_copy(engine: Engine, found: str) -> Path:
    """Copy a SQLite record beside itself, named with its revision. Raises NoSpace."""
    record = Path(str(engine.url.database))
    copy = record.with_name(f"{record.stem}-{found}{COPY_SUFFIX}")
    copy_sqlite(engine, copy)
    return copy


def drop_old_copies(data_dir: Path, now: datetime) -> int:
    """Remove the copies of past migrations that have served their time; gives how many."""
    oldest = (now - COPY_KEPT).timestamp()
    old = [path for path in data_dir.glob(f"*{COPY_SUFFIX}") if path.stat().st_mtime < oldest]
    for path in old:
        path.unlink()
    return len(old)
