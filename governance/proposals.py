"""What a file says about its policy, with the line it was read from; a person confirms it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from governance.record.document_tables import proposed_fields


@dataclass(frozen=True, slots=True)
class Proposal:
    """One field as the file states it. name: of `PolicyFields`; value: of a date, in ISO form.

    page: from 1; 0 where the quote is no line of a page but the file's own title or name.
    """

    name: str
    value: str
    page: int
    quote: str


def replace_proposals(
    connection: Connection, version_id: str, proposed: Sequence[Proposal]
) -> None:
    """Store what was read, in place of what an earlier reading gave."""
    connection.execute(proposed_fields.delete().where(proposed_fields.c.version_id == version_id))
    for one in proposed:
        connection.execute(
            proposed_fields.insert().values(
                version_id=version_id,
                name=one.name,
                value=one.value,
                page=one.page,
                quote=one.quote,
            )
        )


def proposals_of(connection: Connection, version_id: str) -> tuple[Proposal, ...]:
    """What the file of a version states, by the name of the field."""
    rows = connection.execute(
        select(proposed_fields)
        .where(proposed_fields.c.version_id == version_id)
        .order_by(proposed_fields.c.name)
    )
    return tuple(Proposal(row.name, row.value, row.page, row.quote) for row in rows)
