"""Remembers which documents' passages in the index may not be what the record says.

A debt is noted before the index is touched and struck out once both agree. Whatever ends the
process in between leaves the debt, and the next start pays it for that document alone.
"""

from sqlalchemy import Connection, select

from governance.clock import Clock, utc_now
from governance.record.database import Record
from governance.record.document_tables import index_debts


class IndexDebts:
    """The list of debts."""

    def __init__(self, record: Record, clock: Clock = utc_now) -> None:
        self._record = record
        self._clock = clock

    def note(self, document_id: str) -> None:
        """Note a debt, durably; a second one for the same document is the first."""
        with self._record.write() as connection:
            note_debt(connection, document_id, self._clock)

    def open(self) -> tuple[str, ...]:
        """The documents that are owed, oldest debt first."""
        with self._record.read() as connection:
            rows = connection.execute(
                select(index_debts.c.document_id).order_by(
                    index_debts.c.created_at, index_debts.c.document_id
                )
            )
            return tuple(rows.scalars())

    def strike_out(self, document_id: str) -> None:
        """The index holds what the record says of this document."""
        with self._record.write() as connection:
            connection.execute(index_debts.delete().where(index_debts.c.document_id == document_id))


def note_debt(connection: Connection, document_id: str, clock: Clock) -> None:
    """Note a debt in the caller's transaction."""
    known = connection.execute(
        select(index_debts.c.document_id).where(index_debts.c.document_id == document_id)
    ).first()
    if known is None:
        connection.execute(index_debts.insert().values(document_id=document_id, created_at=clock()))
