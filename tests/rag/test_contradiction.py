"""Two sentences that say the same of the same thing with another amount are told."""

import pytest

from rag.contradiction import counts_something, differences

HERE = "The nurse in charge checks the temperature of the medicine refrigerator every 30 minutes."


@pytest.mark.parametrize(
    ("here", "there", "said"),
    [
        (HERE, HERE.replace("30", "60"), ("30 minutes", "60 minutes")),
        (HERE, HERE.replace("30 minutes", "2 hours"), ("30 minutes", "2 hours")),
        (
            "Give at most 5 mg of morphine by mouth in a day.",
            "In a day give at most 10 mg morphine by mouth.",
            ("5 milligrams", "10 milligrams"),
        ),
        ("| Morphine | 5 mg |", "| Morphine | 10 mg |", ("5 milligrams", "10 milligrams")),
    ],
)
def test_rag_4_another_amount_is_told(here: str, there: str, said: tuple[str, str]) -> None:
    """In words, with both sentences."""
    (found,) = differences(f"Read this first.\n\n{here}", f"{there}\n\nRead this last.")
    assert (found.amount_here, found.amount_there) == said
    assert (found.here, found.there) == (here, there)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (HERE, HERE),
        (HERE, HERE.replace("30 minutes", "half hour")),
        (HERE.replace("30", "60"), HERE.replace("30 minutes", "1 hour")),
        (HERE, "Children under 12 stay for 60 minutes at most."),
        (HERE, "The temperature was 30 degrees."),
        ("| Morphine | 5 mg |", "| Codeine | 10 mg |"),
        ("Form 12 has 3 pages.", "Form 12 has 4 pages."),
        (HERE, f"{HERE} {HERE.replace('30', '60')}"),
        ("Slab 1 of 208, 0 %, 230 mm, 84 %, 0.9 mm, 2200 s", "Slab 1 of 192, 9 %, 1 mm, 2 s"),
    ],
)
def test_what_agrees_or_is_about_another_thing_is_no_difference(here: str, there: str) -> None:
    """The same in another measure, another subject, numbers without a unit, lists of settings."""
    assert differences(here, there) == ()


def test_texts_without_amounts_need_not_be_compared() -> None:
    """Headings and plain sentences."""
    assert counts_something(HERE)
    assert not counts_something("# Within 30 minutes\n\nWash your hands.")
