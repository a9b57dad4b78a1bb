"""How long a step takes, and what follows from it."""

import pytest

from runtime.pace import BUDGET_S, SIZES, Pace

# A 0.5B and a 1.5B model on one core with AVX-512, as measured: sixteen tokens are quicker than
# ten.
SMALL = Pace(((1, 20.7), (2, 76.2), (4, 107.5), (8, 131.9), (12, 162.6), (16, 164.4)))
LARGER = Pace(((1, 40.5), (2, 79.2), (4, 146.0), (8, 265.8), (12, 329.3), (16, 282.8)))


class Machine:
    """A processor of which we know how long it takes, and its clock."""

    def __init__(self, seconds: dict[int, float]) -> None:
        self.seconds = seconds
        self.now = 0.0
        self.tried: list[int] = []

    def compute(self, tokens: int) -> None:
        self.tried.append(tokens)
        self.now += self.seconds[tokens]

    def clock(self) -> float:
        return self.now


def test_every_size_is_tried_and_the_shortest_time_counts() -> None:
    """A machine that is busy for a moment does not spoil the figure."""
    machine = Machine(dict.fromkeys(SIZES, 0.02))
    machine.seconds[1] = 0.05  # the first time
    pace = Pace.measured(machine.compute, machine.clock)
    assert sorted(set(machine.tried)) == sorted(SIZES)
    assert [size for size, _ in pace.steps] == sorted(SIZES)
    assert pace.step_s(16) == pytest.approx(0.02)


def test_a_large_model_is_tried_for_a_bounded_time() -> None:
    """Two sizes are enough when each step takes long; the rest is taken for the larger one."""
    machine = Machine({size: BUDGET_S * size for size in SIZES})
    pace = Pace.measured(machine.compute, machine.clock)
    assert [size for size, _ in pace.steps] == [1, 16]
    assert pace.step_s(8) == pytest.approx(16 * BUDGET_S)


def test_between_and_beyond_what_was_measured() -> None:
    """As long as the next size that was measured; beyond the largest, so much for each token."""
    pace = Pace(((1, 1.0), (4, 4.0), (16, 8.0)))
    assert [pace.step_s(n) for n in (1, 2, 10, 16, 32)] == [1.0, 4.0, 8.0, 8.0, 16.0]


@pytest.mark.parametrize(
    ("pace", "tokens", "filled"),
    [
        (SMALL, 10, 16),
        (SMALL, 12, 16),
        (SMALL, 1, 1),
        (LARGER, 10, 16),
        (LARGER, 16, 16),
        (LARGER, 20, 20),
        (Pace.in_blocks(), 9, 12),
    ],
)
def test_a_step_is_filled_as_far_as_that_costs_nothing(
    pace: Pace, tokens: int, filled: int
) -> None:
    """Drafts may have what the processor computes in the same time anyway."""
    assert pace.filled(tokens) == filled
