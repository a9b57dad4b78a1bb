"""What is said of an answer, in words."""

import pytest

from web.answer_words import sure_words


@pytest.mark.parametrize(
    ("confidence", "words"), [(0.99, "About 9 of 10"), (0.83, "About 8 of 10"), (0.71, "About 7")]
)
def test_how_sure_it_is_stands_in_whole_numbers(confidence: float, words: str) -> None:
    """As how many of ten, and never ten."""
    assert (sure_words(confidence) or "").startswith(words)


@pytest.mark.parametrize("confidence", [None, 0.3])
def test_an_unsure_answer_boasts_of_nothing(confidence: float | None) -> None:
    """Nor one whose confidence nobody told."""
    assert sure_words(confidence) is None
