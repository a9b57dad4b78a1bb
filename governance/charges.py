"""What becomes of a reservation, written in the transaction of the event that says why.

An event of use without its charge would be use for nothing, and a charge without its event one that
nobody can explain; so whoever writes the event passes its connection on.
"""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, update

from governance.limits import MAX_LIMIT
from governance.record.use_tables import usage


class State(StrEnum):
    """What became of a reservation."""

    RESERVED = "reserved"
    SETTLED = "settled"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Charge:
    """How a reservation ends. tokens: what the request took; None gives its room back."""

    reservation_id: str
    tokens: int | None


def close(connection: Connection, charge: Charge) -> bool:
    """End a reservation; False, and nothing is changed, where it had ended already."""
    if charge.tokens is None:
        end = {"state": State.RELEASED, "requests": 0, "tokens": 0}
    else:
        end = {"state": State.SETTLED, "tokens": bounded(charge.tokens)}
    still = (usage.c.id == charge.reservation_id, usage.c.state == State.RESERVED)
    return connection.execute(update(usage).where(*still).values(end)).rowcount > 0


def bounded(tokens: int) -> int:
    """No less than none, no more than the record can hold."""
    return min(max(0, tokens), MAX_LIMIT)
