"""What a person should look at before a version is relied on, and who has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from governance.record.database import Record
from governance.record.document_tables import page_checks
from governance.record.tables import versions


@dataclass(frozen=True, slots=True)
class PageCheck:
    """One thing found on a page while the file was read.

    page: from 1. kind: of `ingest.document.FindingKind`. detail: in words for people, never hidden
    text itself. count: characters or lines, 0 where that says nothing.
    """

    page: int
    kind: str
    detail: str
    count: int = 0
    accepted_by: str | None = None
    accepted_at: datetime | None = None


def replace_checks(connection: Connection, version_id: str, found: Sequence[PageCheck]) -> None:
    """Store what was found, in place of what an earlier reading found."""
    connection.execute(page_checks.delete().where(page_checks.c.version_id == version_id))
    _insert(connection, version_id, found, 0)


def _insert(
    connection: Connection, version_id: str, found: Sequence[PageCheck], after: int
) -> None:
    if found:
        connection.execute(
            page_checks.insert(),
            [
                {
                    "version_id": version_id,
                    "number": number,
                    "page": one.page,
                    "kind": one.kind,
                    "detail": one.detail,
                    "count": one.count,
                }
                for number, one in enumerate(found, after + 1)
            ],
        )


class PageChecks:
    """Adds what is found in a version only once it is compared with others."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def report(self, version_id: str, kind: str, found: Sequence[PageCheck]) -> None:
        """Store the findings of one kind, in place of those of an earlier attempt.

        A version that is gone by now gets none.
        """
        of_version = page_checks.c.version_id == version_id
        with self._record.write() as connection:
            connection.execute(page_checks.delete().where(of_version, page_checks.c.kind == kind))
            there = select(func.count()).where(versions.c.id == version_id)
            if not found or not connection.execute(there).scalar_one():
                return
            highest = select(func.coalesce(func.max(page_checks.c.number), 0)).where(of_version)
            _insert(connection, version_id, found, connection.execute(highest).scalar_one())


def checks_of(connection: Connection, version_id: str) -> tuple[PageCheck, ...]:
    """Everything that was found in a version, by page."""
    rows = connection.execute(
        select(page_checks)
        .where(page_checks.c.version_id == version_id)
        .order_by(page_checks.c.page, page_checks.c.number)
    )
    return tuple(
        PageCheck(
            row.page, row.kind, row.detail, row._mapping["count"], row.accepted_by, row.accepted_at
        )
        for row in rows
    )


def count_open(connection: Connection, version_id: str) -> int:
    """How much nobody has looked at."""
    return connection.execute(
        select(func.count()).where(
            page_checks.c.version_id == version_id, page_checks.c.accepted_by.is_(None)
        )
    ).scalar_one()


def accept(connection: Connection, version_id: str, by: str, at: datetime) -> None:
    """Note who has looked at everything that was open."""
    connection.execute(
        update(page_checks)
        .where(page_checks.c.version_id == version_id, page_checks.c.accepted_by.is_(None))
        .values(accepted_by=by, accepted_at=at)
    )
