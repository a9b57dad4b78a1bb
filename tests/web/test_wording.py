"""Dates, counts and pages in words."""

from datetime import date

import pytest

from web.wording import (
    count_words,
    date_words,
    list_words,
    name_words,
    pages_words,
    table_words,
)


@pytest.mark.parametrize("value", [date(2026, 3, 1), "2026-03-01", "2026-03-01T10:00:00+00:00"])
def test_a_date_is_written_as_people_say_it(value: date | str) -> None:
    """A date and an ISO string read alike."""
    assert date_words(value) == "1 March 2026"


def test_no_date_is_no_words() -> None:
    """Nothing stays nothing."""
    assert date_words(None) == ""


def test_counts_and_pages_agree_with_their_number() -> None:
    """One is singular, more are plural, thousands have a comma."""
    assert count_words(1, "current policy", "current policies") == "1 current policy"
    assert count_words(1204, "passage") == "1,204 passages"
    assert (pages_words(3, 3), pages_words(3, 5)) == ("page 3", "pages 3 to 5")


def test_a_number_is_not_said_twice() -> None:
    """A title that starts with the policy's number keeps only one of them."""
    assert name_words("PH-014", "PH-014 Vials") == "PH-014 Vials"
    assert name_words("PH-014", "Vials") == "PH-014 Vials"
    assert name_words(None, "Vials") == "Vials"


def test_a_table_row_loses_its_bars() -> None:
    """Rows become lines, the ruler goes, other text stays."""
    table = "Before | after\n| Hands | Product |\n| --- | :-: |\n| dirty | Soap |"
    assert table_words(table) == "Before | after\nHands · Product\ndirty · Soap"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("| Bag | 8 °C |", "Bag · 8 °C"),
        ("| Either \\| or | both |", "Either | or · both"),
        ("| Nothing | |", "Nothing"),
        ("| --- | --- |", ""),
        ("|---|:--:|", ""),
    ],
)
def test_a_row_alone_reads_as_a_line(row: str, words: str) -> None:
    """A quote may be one row, or start with the ruler."""
    assert table_words(row) == words


def test_a_list_reads_as_a_sentence() -> None:
    """The last two are joined by `and`."""
    assert list_words(["a", "b", "c"]) == "a, b and c"
