"""Keeps blocks: the switch that stops a model, a department or everything at once (GOV-3)."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, Row, select, update

from governance.approval_rules import check_reason, person_of
from governance.errors import IllegalTransition, NotFound
from governance.events import Action, Actor, Event
from governance.model_rules import ModelBlock
from governance.people_rows import check_department
from governance.record.database import Record
from governance.record.model_tables import model_blocks

EVERYTHING = "everything"


class BlockStore:
    """The blocks of one record."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def block(
        self,
        actor: Actor,
        digest: str | None,
        department_id: str | None,
        reason: str,
        now: datetime,
    ) -> ModelBlock:
        """Stop a model, or with None every one; in a department, or with None everywhere.

        Raises InvalidApproval, UnknownDepartment, SecondPersonNeeded.
        """
        made = ModelBlock(
            str(uuid4()), digest, department_id, check_reason(reason), person_of(actor), now
        )
        with self._record.write() as connection:
            check_department(connection, department_id)
            connection.execute(
                model_blocks.insert().values(
                    id=made.id,
                    digest=digest,
                    department_id=department_id,
                    reason=made.reason,
                    set_by=made.set_by,
                    set_at=now,
                )
            )
            self._append(connection, Action.MODEL_BLOCKED, actor, made, made.reason)
        return made

    def lift(self, actor: Actor, block_id: str, reason: str, now: datetime) -> ModelBlock:
        """Let it work again. Raises NotFound, IllegalTransition, InvalidApproval."""
        by, reason = person_of(actor), check_reason(reason)
        with self._record.write() as connection:
            query = select(model_blocks).where(model_blocks.c.id == block_id)
            row = connection.execute(query).one_or_none()
            if row is None:
                raise NotFound("There is no such block.", "Go back to the list of models.")
            if row.lifted_at is not None:
                raise IllegalTransition("This block is lifted already.", "Reload the page.")
            connection.execute(
                update(model_blocks)
                .where(model_blocks.c.id == block_id)
                .values(lifted_by=by, lifted_at=now)
            )
            self._append(connection, Action.MODEL_UNBLOCKED, actor, _block(row), reason)
        return _block(row)

    def find(self, block_id: str) -> ModelBlock:
        """A block that holds. Raises NotFound."""
        for one in self.blocks():
            if one.id == block_id:
                return one
        raise NotFound("There is no such block.", "It may have been lifted already.")

    def blocks(self) -> tuple[ModelBlock, ...]:
        """What is blocked now, newest first."""
        with self._record.read() as connection:
            return blocks_within(connection)

    def _append(
        self, connection: Connection, action: Action, actor: Actor, block: ModelBlock, reason: str
    ) -> None:
        event = Event(
            action,
            actor,
            block.department_id,
            "model" if block.digest else "department" if block.department_id else "platform",
            block.digest or block.department_id or EVERYTHING,
            block.digest,
            reason=reason,
            facts={"block": block.id},
        )
        self._record.trail.append(connection, event)


def blocks_within(connection: Connection) -> tuple[ModelBlock, ...]:
    """The blocks that are not lifted, newest first."""
    query = (
        select(model_blocks)
        .where(model_blocks.c.lifted_at.is_(None))
        .order_by(model_blocks.c.set_at.desc(), model_blocks.c.id)
    )
    return tuple(_block(row) for row in connection.execute(query))


def _block(row: Row[tuple[object, ...]]) -> ModelBlock:
    return ModelBlock(row.id, row.digest, row.department_id, row.reason, row.set_by, row.set_at)
