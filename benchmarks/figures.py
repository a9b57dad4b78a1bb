"""How a series of measurements is told in two numbers."""

from collections.abc import Sequence
from statistics import median, quantiles


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile, rounded."""
    if len(values) < 2:
        return {"p50": round(values[0], 1), "p95": round(values[0], 1)} if values else {}
    return {
        "p50": round(median(values), 1),
        "p95": round(quantiles(values, n=20, method="inclusive")[-1], 1),
    }
