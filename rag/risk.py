"""How often answers are wrong, over how many are given: the risk-coverage curve. Pure.

A question is covered where it was answered with at least so much confidence. Its answer is wrong
where no citation of it is a hit, as any answer to an unanswerable question is. A run shows the
curve from its own threshold upwards; one that answered everything shows all of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag.statistics import Interval, share


@dataclass(frozen=True, slots=True)
class Point:
    """What a threshold would give. coverage, risk: shares of all questions and of the answered."""

    threshold: float
    coverage: Interval
    risk: Interval


def curve(items: Sequence[Mapping[str, Any]]) -> tuple[Point, ...]:
    """The curve of a result's items, one point for each confidence, the least strict first.

    Empty where no answer told its confidence.
    """
    answered = [
        (float(one["confidence"]), not one["citation_hits"])
        for one in items
        if one["status"] == "answered" and one.get("confidence") is not None
    ]
    points = []
    for threshold in sorted({confidence for confidence, _ in answered}):
        wrong = [is_wrong for confidence, is_wrong in answered if confidence >= threshold]
        points.append(
            Point(threshold, share(len(wrong), len(items)), share(sum(wrong), len(wrong)))
        )
    return tuple(points)


def rounded(points: Sequence[Point], steps: int) -> tuple[Point, ...]:
    """At most so many of the points, evenly over the coverage, both ends among them."""
    if len(points) <= steps:
        return tuple(points)
    return tuple(points[round(n * (len(points) - 1) / (steps - 1))] for n in range(steps))
