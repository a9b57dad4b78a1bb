"""How long people wait when more of them ask: a queue with several servers. Pure.

M/G/c by the approximation of Allen and Cunneen: Erlang's C for how often somebody waits, times how
much the lengths of answers vary. Questions are taken to come by chance (Poisson), which holds for
people who do not know of one another. `tests/rag/test_capacity.py` compares it with a simulation.
"""

from dataclasses import dataclass
from math import log

SECONDS_AN_HOUR = 3600
MAX_USERS = 5000
TAIL = 0.95


@dataclass(frozen=True, slots=True)
class Service:
    """What was measured: mean seconds of an answer, how they vary, and how many go on at once.

    variation: standard deviation over mean of the seconds.
    """

    mean_s: float
    variation: float
    at_once: int = 1


def busy(service: Service, users: int, questions_an_hour: float) -> float:
    """Return the share of the machine that so many people keep busy; 1 and more is too much."""
    arrivals = users * questions_an_hour / SECONDS_AN_HOUR
    return arrivals * service.mean_s / service.at_once


def wait_s(service: Service, users: int, questions_an_hour: float) -> float | None:
    """Return the mean seconds before an answer begins; None where the queue only grows."""
    load = busy(service, users, questions_an_hour)
    if load >= 1:
        return None
    spread = (1 + service.variation**2) / 2
    waits = waiting_share(load * service.at_once, service.at_once)
    return waits * service.mean_s / (service.at_once * (1 - load)) * spread


def wait_p95_s(service: Service, users: int, questions_an_hour: float) -> float | None:
    """Return the seconds that 95 of 100 wait at most, by the exponential tail of the wait."""
    mean = wait_s(service, users, questions_an_hour)
    if mean is None:
        return None
    waits = waiting_share(
        busy(service, users, questions_an_hour) * service.at_once, service.at_once
    )
    if waits <= 1 - TAIL:
        return 0.0
    return mean / waits * log(waits / (1 - TAIL))


def waiting_share(offered: float, servers: int) -> float:
    """Return Erlang's C: the share of those who find every server busy."""
    if offered >= servers:
        return 1.0
    blocked = 1.0  # Erlang's B, by its recurrence
    for count in range(1, servers + 1):
        blocked = offered * blocked / (count + offered * blocked)
    return blocked / (1 - offered / servers * (1 - blocked))


def most_users(service: Service, questions_an_hour: float, limit_s: float) -> int:
    """Return the most people of whom 95 in 100 wait no longer than a limit."""
    low, high = 0, MAX_USERS
    while low < high:
        middle = (low + high + 1) // 2
        waited = wait_p95_s(service, middle, questions_an_hour)
        fits = waited is not None and waited <= limit_s
        low, high = (middle, high) if fits else (low, middle - 1)
    return low
