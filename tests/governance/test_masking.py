"""Masking by plain rules: what it takes out, what it leaves, and that it promises no safety."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance import masking
from governance.masking import mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Write to jane.o'neil+ward@trust.nhs.uk now", "Write to [e-mail] now"),
        ("Call +44 20 7946 0958 or (555) 123-4567", "Call [phone] or [phone]"),
        ("NHS number 943 476 5919, ref AB123456C", "NHS number [phone], ref [number]"),
        ("born 03/04/1961, seen 2024-05-12", "born [date], seen [date]"),
        ("on 12 May 2024 and June 3rd, 2024", "on [date] and [date]"),
        ("MRN 12, MRN: A7", "MRN [number], MRN: [number]"),
        ("Mr Smith and mrs de Vries asked Dr. Éloïse Müller", None),
        ("patient Jane O'Neil of ward 3", "patient [name] of ward 3"),
        ("Name: JOHN DOE", "Name: [name]"),
    ],
)
def test_what_points_to_a_person_is_masked(text: str, masked: str | None) -> None:
    """Addresses, numbers, dates and announced names give way to what they were."""
    if masked is not None:
        assert mask(text) == masked
    for name in ("Smith", "Éloïse", "Müller", "Jane", "Neil", "JOHN", "DOE"):
        assert name not in mask(text)


@pytest.mark.parametrize(
    "text",
    [
        "Can the patient have 5 mg of warfarin every 12 hours?",
        "What does section 4.2.1 say of 10 or 20 mg at 10:30?",
        "Which nurse checks the pump on ward 12?",
    ],
)
def test_an_ordinary_question_stays_as_it_is(text: str) -> None:
    """Doses, sections and roles are what a policy is asked about."""
    assert mask(text) == text


@given(st.text())
def test_no_long_number_and_no_address_survives(text: str) -> None:
    """Whatever the text: afterwards it has no four digits in a row."""
    assert re.search(r"\d{4}", mask(text)) is None


@given(
    st.lists(
        st.sampled_from(
            [
                "Mr ",
                "Dr. ",
                "patient ",
                "MRN ",
                "Ann",
                "O'Neil",
                " 12",
                "2024-05-12",
                "a@b.uk",
                "\n",
            ]
        )
    ).map("".join)
)
def test_masking_twice_changes_nothing_more(text: str) -> None:
    """What was put in is not itself taken for a name or a number."""
    assert mask(mask(text)) == mask(text)


def test_it_says_of_itself_that_it_is_not_enough() -> None:
    """A name that nothing announces stays, and the file says so."""
    assert mask("Does Ann need a fall bell?") == "Does Ann need a fall bell?"
    assert "NOT safe text" in str(masking.__doc__)
