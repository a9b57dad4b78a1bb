"""Remembers which documents' passages in the index may not be what the record says.

A debt is noted before the index is touched and struck out once both agree. Whatever ends the
process in between leaves the debt, and the next start pays it for that document alone.
"""

from sqlalchemy import Connection, select, update

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

    def asks_rewrite(self, document_id: str) -> bool:
        """Whether words of this document have changed, so that its passages are written again."""
        query = select(index_debts.c.rewrite).where(index_debts.c.document_id == document_id)
        with self._record.read() as connection:
            return bool(connection.execute(query).scalar_one_or_none())

    def strike_out(self, document_id: str) -> None:
        """The index holds what the record says of this document."""
        with self._record.write() as connection:
            connection.execute(index_debts.delete().where(index_debts.c.document_id == document_id))


def note_debt(
    connection: Connection, document_id: str, clock: Clock, *, rewrite: bool = False
) -> None:
    """Note a debt in the caller's transaction; rewrite: the words themselves have changed."""
    known = connection.execute(
        select(index_debts.c.document_id).where(index_debts.c.document_id == document_id)
    ).first()
    if known is None:
        connection.execute(
            index_debts.insert().values(
                document_id=document_id, created_at=clock(), rewrite=rewrite
            )
        )
    elif rewrite:
        connection.execute(
            update(index_debts).where(index_debts.c.document_id == document_id).values(rewrite=True)
        )
