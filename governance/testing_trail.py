"""For tests: what the trail and the charges of a record say."""

import json
from typing import Any

from sqlalchemy import select

from governance.record.database import Record
from governance.record.trail_tables import audit_leaves
from governance.record.use_tables import usage


def events_of(record: Record, action: str) -> list[dict[str, Any]]:
    """The events of one action, oldest first."""
    wanted = select(audit_leaves.c.body).where(audit_leaves.c.action == action)
    wanted = wanted.order_by(audit_leaves.c.seq)
    with record.read() as connection:
        return [json.loads(body) for body in connection.scalars(wanted)]


def charges_of(record: Record) -> list[tuple[str, int]]:
    """State and tokens of every charge."""
    with record.read() as connection:
        rows = connection.execute(select(usage.c.state, usage.c.tokens))
        return [(str(row.state), int(row.tokens)) for row in rows]
