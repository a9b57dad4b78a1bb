"""Follow-up questions: which need the conversation, and whose words may be used for them."""

import pytest

from rag.followup import stands_alone, told, understood
from rag.schema import Turn

EARLIER = (Turn("When must multi-dose vials be discarded?", "28 days after first puncture. [1]"),)


@pytest.mark.parametrize(
    ("question", "alone"),
    [
        ("When must multi-dose vials be discarded?", True),
        ("Who may enter the medicine store at night?", True),
        ("And on the children's ward?", False),
        ("What about eye drops?", False),
        ("Who checks it?", False),
        ("Why?", False),
    ],
)
def test_a_question_that_points_back_does_not_stand_alone(question: str, alone: bool) -> None:
    """Pronouns, beginnings that go on, and too few words lean on what was said."""
    assert stands_alone(question) is alone


def test_the_model_reads_the_conversation_without_markers() -> None:
    """Markers mean passages of another request."""
    text = told("And eye drops?", EARLIER)
    assert text.endswith("Question: And eye drops?")
    assert "28 days after first puncture." in text
    assert "[1]" not in text


def test_a_rewritten_question_in_the_conversations_words_is_used() -> None:
    """It may use all that was said before."""
    rewritten = "When must eye drops be discarded after first puncture?"
    assert understood(rewritten, "And eye drops?", EARLIER) == rewritten


@pytest.mark.parametrize(
    "rewritten",
    [
        "",
        "When must eye drops be discarded in Glasgow?",
        "When must eye drops be discarded after 14 days?",
        "When must multi-dose vials be discarded?",
        "x" * 500,
    ],
)
def test_a_rewritten_question_that_adds_or_loses_something_is_not(rewritten: str) -> None:
    """Then the last question stands before the new one, as they were asked."""
    expected = "When must multi-dose vials be discarded? And eye drops?"
    assert understood(rewritten, "And eye drops?", EARLIER) == expected
