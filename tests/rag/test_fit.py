"""Which unit of the passages fits a question best."""

import pytest

from rag.check import gather
from rag.fit import best_units, fits, says_something

TEXT = (
    "Incidents are reported to learn from them. Reports are made within 24 hours. "
    "The fridge is kept at 5 °C. Write 2 copies."
)
TABLE = "| Item | Points |\n| --- | --- |\n| A fall | 3 |"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How quickly are incidents reported?", 1),
        ("When is the report made?", 1),
        ("At what temperature is it kept?", 2),
        ("How many copies are there?", 3),
        ("Why are incidents reported?", 0),
    ],
)
def test_a_figure_of_the_kind_that_is_asked_for_counts(question: str, expected: int) -> None:
    """How quickly asks for a time, at what temperature for degrees, why for neither."""
    (fit,) = fits(gather(question, [(TEXT, "Handbook")]))
    assert fit.index(max(fit)) == expected


def test_words_that_stand_together_count() -> None:
    """Of two units with the same words the one in the question's order fits better."""
    text = "The hand may touch the rub. The hand rub is here."
    (fit,) = fits(gather("Where is the hand rub?", [(text, "Handbook")]))
    assert fit[1] > fit[0]


def test_header_and_rule_say_nothing_alone() -> None:
    """Only a row that knows its columns can be read or quoted; a lone row can, too."""
    (source,) = gather("points?", [(TABLE, "Falls")]).all
    assert [says_something(source, n) for n in range(3)] == [False, False, True]
    (alone,) = gather("points?", [("| A fall | 3 |", "Falls")]).all
    assert says_something(alone, 0)


def test_no_passages_have_no_best_unit() -> None:
    """Nothing found, nothing to quote; a question and a lead-in are no answers."""
    assert best_units(gather("falls?", [])) is None
    assert best_units(gather("falls?", [("Any falls? The falls are:", "Falls")])) is None


def test_a_long_list_is_not_quoted_whole() -> None:
    """A list of many items would bury the one that answers."""
    text = "\n".join(f"- Item {name} goes in" for name in "ABCDEFGHIJKL")
    found = best_units(gather("Where does item C go?", [(text, "List")]))
    assert found is not None
    assert len(found[1]) == 1
