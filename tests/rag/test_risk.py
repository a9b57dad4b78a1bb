"""The risk-coverage curve against one that was counted by hand."""

from typing import Any

from rag.risk import curve, rounded


def item(confidence: float | None, hits: int, status: str = "answered") -> dict[str, Any]:
    return {"confidence": confidence, "citation_hits": hits, "status": status}


ITEMS = [item(0.9, 1), item(0.8, 0), item(0.7, 2), item(0.2, 0, "not_found"), item(None, 1)]


def test_the_curve_is_what_stricter_thresholds_would_give() -> None:
    """Coverage of all five questions, risk of those answered: none, one of two, one of three."""
    points = curve(ITEMS)
    assert [one.threshold for one in points] == [0.7, 0.8, 0.9]
    assert [one.coverage.value for one in points] == [3 / 5, 2 / 5, 1 / 5]
    assert [one.risk.value for one in points] == [1 / 3, 1 / 2, 0.0]
    assert [one.risk.n for one in points] == [3, 2, 1]


def test_answers_that_tell_no_confidence_give_no_curve() -> None:
    """Of another server, or of a run from before it was told."""
    assert curve([item(None, 1), {"citation_hits": 1, "status": "answered"}]) == ()


def test_a_long_curve_is_shown_by_a_few_of_its_points() -> None:
    """Both ends among them."""
    points = curve([item(n / 100, 1) for n in range(100)])
    shown = rounded(points, 5)
    assert [one.threshold for one in shown] == [0.0, 0.25, 0.5, 0.74, 0.99]
    assert rounded(points[:3], 5) == points[:3]
