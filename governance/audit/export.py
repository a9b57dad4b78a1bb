"""Gives the trail out as JSON lines: whole, or as the log of access that PHIPA s. 10.1 asks for.

The individual whom the information is about is named only where the event carries it, and then by
the pseudonym under `individual` in its facts.
"""

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, select

from governance.record.trail_tables import audit_leaves

# Acts by which somebody came to see, use or change information.
INFORMATION = ("document", "question", "policies", "model.used", "body", "backup", "emergency")


class Profile(StrEnum):
    """What an export is for."""

    FULL = "full"
    PHIPA = "phipa"


def export(
    connection: Connection, profile: Profile, departments: tuple[str, ...] | None
) -> Iterator[str]:
    """The events of these departments (None: all, and of none), oldest first, a line each."""
    leaf = audit_leaves.c
    wanted = select(leaf.body).order_by(leaf.seq)
    if departments is not None:
        wanted = wanted.where(leaf.department_id.in_(departments))
    with connection.execute(wanted, execution_options={"yield_per": 1000}) as rows:
        for body in rows.scalars():
            line = body if profile is Profile.FULL else _phipa_line(body)
            if line is not None:
                yield line


def _phipa_line(body: str) -> str | None:
    access = phipa(json.loads(body))
    return None if access is None else json.dumps(access, ensure_ascii=False)


def phipa(body: dict[str, Any]) -> dict[str, str | None] | None:
    """The five columns of one event; None where it touched no information."""
    action = str(body["action"])
    if not action.startswith(INFORMATION):
        return None
    actor, thing = body["actor"], body["object"]
    individual = body["facts"].get("individual")
    return {
        "information_type": thing["type"] or action.partition(".")[0],
        "date_time": body["ts"],
        "person": f"{actor['iss']}|{actor['sub']}",
        "act": f"{action} {body['outcome']}",
        "individual": None if individual is None else str(individual),
    }
