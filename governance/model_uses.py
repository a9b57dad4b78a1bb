"""Counts which digests answered and for whom, in the transaction that records the answer."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, update

from governance.record.model_tables import model_uses

MAX_MODEL_CHARS = 200


@dataclass(frozen=True, slots=True)
class ModelUse:
    """A model answered. department_id: None where no department was named."""

    digest: str
    model: str
    department_id: str | None
    at: datetime


def note_use(connection: Connection, use: ModelUse) -> None:
    """Count one use."""
    place, name = use.department_id or "", use.model[:MAX_MODEL_CHARS]
    this = (model_uses.c.digest == use.digest) & (model_uses.c.department_id == place)
    counted = update(model_uses).where(this)
    counted = counted.values(uses=model_uses.c.uses + 1, last_at=use.at, model=name)
    if connection.execute(counted).rowcount == 0:
        connection.execute(
            model_uses.insert().values(
                digest=use.digest,
                department_id=place,
                model=name,
                uses=1,
                first_at=use.at,
                last_at=use.at,
            )
        )
