"""What a person should look at before a version is relied on, and who has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from governance.record.document_tables import page_checks


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
                for number, one in enumerate(found, 1)
            ],
        )


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
