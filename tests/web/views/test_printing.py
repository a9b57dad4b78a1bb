"""Which pages are printed at once."""

import pytest

from web.views.printing import chosen


@pytest.mark.parametrize(
    ("asked", "printed"),
    [
        ((None, None), (1, 40)),
        ((3, 5), (3, 5)),
        ((60, None), (60, 99)),
        ((90, 999), (90, 100)),
        ((0, 0), (1, 40)),
        ((999, 1), (100, 100)),
        ((7, 3), (7, 7)),
    ],
)
def test_no_more_pages_are_printed_than_asked_for_or_bearable(
    asked: tuple[int | None, int | None], printed: tuple[int, int]
) -> None:
    """Of a hundred, forty at once."""
    assert chosen(100, *asked, most=40) == printed
