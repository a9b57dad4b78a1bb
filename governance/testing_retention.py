"""For tests: two persons who agree on what is kept, and what the record then holds."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from governance.events import Actor
from governance.policies import Department
from governance.record.database import Record
from governance.record.trail_tables import audit_leaves
from governance.record.use_tables import question_bodies
from governance.retention import RetentionStore
from governance.retention_rules import RetentionMode

NOW = datetime(2026, 5, 12, 9, tzinfo=UTC)
DAY = timedelta(days=1)
ANNA = Actor("local", "anna", "password", person_id="11111111-1111-4111-8111-111111111111")
BEN = Actor("local", "ben", "password", person_id="22222222-2222-4222-8222-222222222222")
OWNER = Actor("local", "owner", "socket")


def keep(
    retention: RetentionStore, department: Department, mode: RetentionMode, days: int = 30
) -> None:
    """Have both of them agree to this rule."""
    retention.propose(ANNA, department.id, mode, days, NOW)
    retention.agree(BEN, department.id, mode, days, NOW)


def actions(record: Record, start: str) -> list[str]:
    """What was recorded, of the acts that begin so."""
    with record.read() as connection:
        query = select(audit_leaves.c.action).order_by(audit_leaves.c.seq)
        return [
            action for action in connection.execute(query).scalars() if action.startswith(start)
        ]


def bodies(record: Record) -> int:
    """How many questions are kept with their text."""
    with record.read() as connection:
        return len(connection.execute(select(question_bodies)).all())
