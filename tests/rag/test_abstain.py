"""Whether what was found can answer at all."""

from dataclasses import replace

import pytest

from rag.abstain import Evidence, confidence, weigh_evidence
from rag.check import gather

TEXT = "Multi-dose vials must be discarded 28 days after first puncture."


def evidence(question: str, text: str = TEXT, similarity: float | None = 0.5) -> Evidence:
    return weigh_evidence(question, gather(question, [(text, "Storage")]), (similarity,))


def test_a_question_in_the_passages_words_is_strong() -> None:
    """Shared rare words and nearness of meaning both count."""
    assert confidence(evidence("When must vials be discarded?")) > confidence(
        evidence("Who won the chess olympiad?")
    )


def test_nearness_of_meaning_counts() -> None:
    """Of two questions with the same words the nearer one is stronger."""
    near, far = (evidence("vial disposal?", similarity=value) for value in (0.8, 0.1))
    assert confidence(near) > confidence(far)


@pytest.mark.parametrize("similarity", [0.5, None])
def test_the_models_own_chance_counts(similarity: float | None) -> None:
    """Between equal evidence its Yes or No decides, with a vector or without one."""
    known = evidence("When must vials be discarded?", similarity=similarity)
    yes, no = (replace(known, chance=odds) for odds in (2.0, -2.0))
    assert confidence(yes) > 0.7 > confidence(no)


def test_without_a_vector_words_decide() -> None:
    """With the runtime down the same threshold must still make sense."""
    assert confidence(evidence("When must vials be discarded?", similarity=None)) > 0.7
    assert confidence(evidence("chess olympiad", similarity=None)) < 0.3


def test_nothing_found_is_no_evidence() -> None:
    """No passages, hardly a chance."""
    assert confidence(weigh_evidence("vials?", gather("vials?", []), ())) < 0.3


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
    found = evidence(question)
    assert found.unknown_name is unknown
    assert confidence(replace(found, unknown_name=True)) < confidence(
        replace(found, unknown_name=False)
    )
