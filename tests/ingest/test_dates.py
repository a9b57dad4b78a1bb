from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.dates import Order, date_of, dates_in, holds_unread, is_ambiguous, order_of, years_after

APRIL_3 = date(2026, 4, 3)


@pytest.mark.parametrize(
    "text",
    [
        "3 April 2026",
        "03 Apr 2026",
        "3rd April 2026",
        "3rd of April, 2026",
        "April 3, 2026",
        "Apr. 3 2026",
        "APRIL 3RD, 2026",
        "3-Apr-2026",
        "2026-04-03",
        "2026/04/03",
        "3.4.2026",
        "03.04.2026",
    ],
)
def test_a_date_is_read_in_all_its_usual_forms(text: str) -> None:
    """With the month's name, in ISO form, with dots, which put the day first."""
    assert date_of(text) == APRIL_3
    (found,) = dates_in(f"Effective: {text}, revised by the board.")
    assert (found.day, found.whole) == (APRIL_3, True)


@pytest.mark.parametrize("text", ["April 2026", "Apr 2026", "04/2026", "4/2026", "2026-04"])
def test_a_month_is_a_month(text: str) -> None:
    """It can mean its first day or its last; as a whole date it is none."""
    (found,) = dates_in(text)
    assert (found.day, found.last, found.whole) == (date(2026, 4, 1), date(2026, 4, 30), False)
    assert date_of(text) is None


def test_03_04_2026_is_not_guessed() -> None:
    """It is two dates, until another date of the text shows the order."""
    assert dates_in("03/04/2026") == ()
    assert is_ambiguous("03/04/2026")
    assert holds_unread("from 03/04/2026")
    assert date_of("03/04/2026", order_of(["Revised 25/12/2025."])) == date(2026, 4, 3)
    assert date_of("03/04/2026", order_of(["Revised 12/25/2025."])) == date(2026, 3, 4)


def test_two_orders_in_one_text_settle_nothing() -> None:
    """A document out of two programs shows both; then no date of it is guessed."""
    assert order_of(["25/12/2025", "12/25/2025"]) is None
    assert order_of(["03/04/2026", "05/05/2026", "31.12.2025", "no date"]) is None


def test_one_reading_needs_no_order() -> None:
    """A number above 12 is a day, and two equal numbers cannot be confused."""
    assert date_of("25/12/2025") == date_of("12/25/2025") == date(2025, 12, 25)
    assert date_of("05/05/2026") == date(2026, 5, 5)


def test_two_figures_of_a_year_are_read_only_behind_a_day() -> None:
    """6/15/21 has one reading; 26/04/03 may begin with its year."""
    assert date_of("6/15/21") == date(2021, 6, 15)
    assert date_of("26/04/03") is None
    assert date_of("26/04/03", Order.DAY_FIRST) == date(2003, 4, 26)


@pytest.mark.parametrize(
    "text",
    ["31/02/2026", "30 February 2026", "2026-13-01", "CIO 2150-2016-03", "version 3.4.2026.1",
     "FEB 2 6 2014", "1.2.3", "ISO 27001", "10/2/1", "Room 3 April Ward"],
)  # fmt: skip
def test_what_is_no_date_is_not_read_as_one(text: str) -> None:
    """Numbers of policies and versions, days that do not exist, letters torn apart by OCR."""
    assert dates_in(text) == ()


def test_dates_come_in_reading_order() -> None:
    """Each once, with its place in the text."""
    text = "Approved 2 May 2024, 2024-06-01 and June 2025"
    found = dates_in(text)
    assert [text[one.start : one.end] for one in found] == ["2 May 2024", "2024-06-01", "June 2025"]


@given(st.dates(date(1950, 1, 1), date(2069, 12, 31)))
def test_every_day_is_read_as_it_was_written(day: date) -> None:
    """In full, in ISO form, and in numbers once the order is known."""
    assert date_of(f"{day.day} {day:%B %Y}") == date_of(day.isoformat()) == day
    assert date_of(f"{day:%d/%m/%Y}", Order.DAY_FIRST) == day
    assert date_of(f"{day:%m/%d/%Y}", Order.MONTH_FIRST) == day
    assert date_of(f"{day:%d/%m/%Y}") in (None, day)


def test_years_after_a_leap_day_end_in_february() -> None:
    """Three years after 29 February is the 28th."""
    assert years_after(date(2024, 2, 29), 3) == date(2027, 2, 28)
    assert years_after(APRIL_3, 2) == date(2028, 4, 3)
