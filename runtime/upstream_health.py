"""Which of a model's servers get requests. Pure.

A server is looked at before it gets any, and again at every interval.

    UNSEEN    not looked at yet
    WELL      it answers and lists the model: it gets requests
    ILL       it failed too often in a row: none until a look succeeds
    STRANGER  it answers, but not with the model that was pinned: none until it does

One that has been well is allowed some failures in a row, so that a lost packet does not empty it;
one that has not is ill at its first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """The state of a server."""

    UNSEEN = "unseen"
    WELL = "well"
    ILL = "ill"
    STRANGER = "stranger"


class Found(StrEnum):
    """What a look at a server, or a request to it, has shown."""

    GOOD = "good"
    FAILED = "failed"
    OTHER_MODEL = "other model"


@dataclass(slots=True, eq=False)
class Server:
    """One server. outstanding: requests at it; looked_at_s: on the clock, None for never."""

    url: str
    health: Health = Health.UNSEEN
    failures: int = 0
    outstanding: int = 0
    looked_at_s: float | None = None

    def note(self, found: Found, allowed: int) -> None:
        """Take in what was found; allowed: failures in a row that end its requests."""
        if found is Found.GOOD:
            self.health, self.failures = Health.WELL, 0
            return
        self.failures += 1
        if found is Found.OTHER_MODEL:
            self.health = Health.STRANGER
        elif self.health is not Health.WELL or self.failures >= allowed:
            self.health = Health.ILL


def best(servers: Iterable[Server], limit: int) -> Server | None:
    """The well server with the fewest outstanding requests and room for one; None if none has."""
    free = [one for one in servers if one.health is Health.WELL and one.outstanding < limit]
    return min(free, key=lambda one: one.outstanding, default=None)
