"""The queue's formula, against Erlang's tables and a simulation."""

import random
from statistics import fmean

import pytest

from rag.capacity import Service, most_users, wait_p95_s, wait_s, waiting_share


@pytest.mark.parametrize(
    ("offered", "servers", "expected"), [(0.5, 1, 0.5), (1.0, 2, 1 / 3), (2.0, 3, 0.4444)]
)
def test_erlangs_c(offered: float, servers: int, expected: float) -> None:
    """Known values."""
    assert waiting_share(offered, servers) == pytest.approx(expected, abs=1e-4)


def simulated_waits_s(
    users: int, an_hour: float, seconds: list[float], servers: int
) -> tuple[float, float]:
    """Mean wait of 60,000 people who come by chance, first come, first served; and of 95 in 100."""
    source = random.Random(11)
    now, free, waits = 0.0, [0.0] * servers, []
    for _ in range(60_000):
        now += source.expovariate(users * an_hour / 3600)
        first = min(range(servers), key=free.__getitem__)
        start = max(now, free[first])
        waits.append(start - now)
        free[first] = start + source.choice(seconds)
    return fmean(waits), sorted(waits)[int(0.95 * len(waits))]


@pytest.mark.parametrize(("users", "servers"), [(40, 1), (80, 1), (96, 1), (150, 2)])
def test_the_formula_agrees_with_a_simulation(users: int, servers: int) -> None:
    """The mean within a tenth, the tail a little more, for answers of 2 to 8 seconds."""
    seconds = [2.0, 4.0, 5.0, 6.0, 8.0]
    service = Service(5.0, 2.0 / 5.0, servers)
    expected = wait_s(service, users, 6.0)
    tail = wait_p95_s(service, users, 6.0)
    assert simulated_waits_s(users, 6.0, seconds, servers) == (
        pytest.approx(expected, rel=0.1),
        pytest.approx(tail, rel=0.15),
    )


def test_more_than_the_machine_can_do_never_ends() -> None:
    """The queue grows without end, and says so."""
    assert wait_s(Service(10.0, 0.5), 100, 6.0) is None


def test_the_most_users_are_those_within_the_limit() -> None:
    """One more would wait too long."""
    service = Service(4.0, 0.5)
    most = most_users(service, 6.0, 10.0)
    within, beyond = (wait_p95_s(service, users, 6.0) for users in (most, most + 1))
    assert within is not None
    assert within <= 10.0
    assert beyond is None or beyond > 10.0
