"""How sure a measured figure is: intervals for shares and means. Pure, and the same every time.

Shares: Wilson's score interval (Wilson 1927), which stays within 0 and 1 and holds for few
questions. Means: the percentile bootstrap (Efron 1979) with a fixed seed; it
knows too little of a few values, and gives no interval of them.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, sqrt

Z = 1.959963984540054  # of 95 %
RESAMPLES = 2000
SEED = 7
LEVEL = 0.95
MIN_VALUES = 10  # of a mean: resampled from fewer, intervals are too narrow


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % interval; n: questions behind it; None: too few of them."""

    value: float | None
    low: float | None
    high: float | None
    n: int


NOTHING = Interval(None, None, None, 0)


def share(hits: int, n: int) -> Interval:
    """Return a share with Wilson's interval."""
    if n == 0:
        return NOTHING
    p, zz = hits / n, Z * Z
    middle = (p + zz / (2 * n)) / (1 + zz / n)
    half = Z * sqrt(p * (1 - p) / n + zz / (4 * n * n)) / (1 + zz / n)
    return Interval(p, max(0.0, middle - half), min(1.0, middle + half), n)


def mean(values: Sequence[float]) -> Interval:
    """Return a mean with its bootstrap interval."""
    return _resampled(values, lambda sample: sum(sample) / len(sample), MIN_VALUES)


def quantile(values: Sequence[float], share_below: float) -> Interval:
    """Return a quantile (nearest rank) with its bootstrap interval."""
    needed = _values_for(share_below)
    return _resampled(values, lambda sample: _nearest_rank(sample, share_below), needed)


def _values_for(share_below: float) -> int:
    """Fewest values that hold the quantile between them with 95 %: 6 for a median, 59 for .95."""
    n = 1
    while share_below**n + (1 - share_below) ** n > 1 - LEVEL:
        n += 1
    return n


def _nearest_rank(sample: Sequence[float], share_below: float) -> float:
    ordered = sorted(sample)
    return ordered[max(0, ceil(share_below * len(ordered)) - 1)]


def _resampled(
    values: Sequence[float], figure: Callable[[Sequence[float]], float], needed: int
) -> Interval:
    if not values:
        return NOTHING
    if len(values) < needed:
        return Interval(figure(values), None, None, len(values))
    # Not for secrets: the same figures must give the same report.
    source = random.Random(SEED)  # noqa: S311
    found = sorted(figure(source.choices(values, k=len(values))) for _ in range(RESAMPLES))
    tail = (1 - LEVEL) / 2
    low, high = (_nearest_rank(found, at) for at in (tail, 1 - tail))
    return Interval(figure(values), low, high, len(values))
