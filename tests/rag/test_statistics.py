"""Intervals of figures, against values computed elsewhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluate import percentile
from rag.statistics import NOTHING, Interval, mean, quantile, share


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        # R 4.3, prop.test(..., correct = FALSE)$conf.int
        (15, 20, 0.5313, 0.8881),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_wilsons_interval(hits: int, n: int, low: float, high: float) -> None:
    """Known values, also at the ends."""
    found = share(hits, n)
    assert found.low == pytest.approx(low, abs=2e-4)
    assert found.high == pytest.approx(high, abs=2e-4)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_share(both: tuple[int, int]) -> None:
    """And stays within 0 and 1."""
    found = share(*both)
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1


def test_of_nothing_there_is_no_figure() -> None:
    """Neither 0 nor 1."""
    assert share(0, 0) == mean([]) == quantile([], 0.5) == NOTHING


def test_a_few_values_have_no_interval() -> None:
    """Resampling one value would be sure of it; 6 hold a median, 59 the 95th of 100."""
    assert mean([5.0]) == quantile([5.0], 0.5) == Interval(5.0, None, None, 1)
    for share_below, needed in ((0.5, 6), (0.95, 59)):
        assert quantile([1.0] * (needed - 1), share_below).low is None
        assert quantile([1.0] * needed, share_below).low == 1.0


@pytest.mark.parametrize("share_below", [0.5, 0.95])
@pytest.mark.parametrize("n", [1, 2, 20, 21, 100])
def test_a_quantile_is_the_one_of_the_results(n: int, share_below: float) -> None:
    """Report and results.json lie in one folder and must agree."""
    values = [float(one) for one in range(n)]
    assert quantile(values, share_below).value == percentile(values, share_below)


def test_the_bootstrap_says_the_same_every_time() -> None:
    """And is about as wide as theory says: 1.96 standard errors on each side."""
    values = [float(n % 10) for n in range(100)]
    found = mean(values)
    assert found == mean(values)
    assert found.value == 4.5
    assert found.low == pytest.approx(4.5 - 0.563, abs=0.12)
    assert found.high == pytest.approx(4.5 + 0.563, abs=0.12)


def test_more_questions_make_a_figure_surer() -> None:
    """Four times as many, half as wide."""
    few, many = (share(n * 3 // 4, n) for n in (40, 160))
    assert few.low is not None
    assert few.high is not None
    assert many.low is not None
    assert many.high is not None
    assert (few.high - few.low) / (many.high - many.low) == pytest.approx(2, abs=0.2)
