"""Whether what was found can answer at all."""

import pytest

from rag.abstain import Evidence, enough, strength, weigh_evidence
from rag.check import gather

TEXT = "Multi-dose vials must be discarded 28 days after first puncture."


def evidence(question: str, text: str = TEXT, similarity: float | None = 0.5) -> Evidence:
    return weigh_evidence(question, gather(question, [(text, "Storage")]), (similarity,))


def test_a_question_in_the_passages_words_is_strong() -> None:
    """Shared rare words and nearness of meaning both count."""
    assert strength(evidence("When must vials be discarded?")) > strength(
        evidence("Who won the chess olympiad?")
    )


def test_nearness_of_meaning_counts() -> None:
    """Of two questions with the same words the nearer one is stronger."""
    near, far = (evidence("vial disposal?", similarity=value) for value in (0.8, 0.1))
    assert strength(near) > strength(far)


def test_without_a_vector_words_decide() -> None:
    """With the runtime down the same threshold must still make sense."""
    assert strength(evidence("When must vials be discarded?", similarity=None)) > 0.7
    assert strength(evidence("chess olympiad", similarity=None)) == 0.0


def test_nothing_found_is_no_evidence() -> None:
    """No passages, no answer, whatever the threshold."""
    nothing = weigh_evidence("vials?", gather("vials?", []), ())
    assert strength(nothing) == 0.0
    assert not enough(nothing, 0.01)


@pytest.mark.parametrize(
    ("question", "unknown"),
    [
        ("May vials stay 28 days?", False),
        ("May vials stay 30 days?", True),
        ("May vials stay in Cardiology?", True),
        ("May vials stay in Storage?", False),
    ],
)
def test_a_name_or_number_that_stands_nowhere_weakens(question: str, unknown: bool) -> None:
    """A question about something that no passage mentions is most likely not answered there."""
    assert evidence(question).unknown_name is unknown


@pytest.mark.parametrize(("threshold", "expected"), [(0.0, True), (0.99, False)])
def test_the_threshold_decides(threshold: float, expected: bool) -> None:
    """At zero everything goes to the model, near one almost nothing."""
    assert enough(evidence("vials in the corridor?"), threshold) is expected
