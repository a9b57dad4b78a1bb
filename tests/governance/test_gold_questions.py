"""Gold questions: saved with evidence that is there, flagged when it changed, kept with history."""

import pytest

from governance.errors import InvalidEvaluation, NotFound
from governance.events import SYSTEM
from governance.gold_drafts import GoldDraft, Place, holds
from governance.gold_questions import GoldQuestions, suite_digest
from governance.policies import Department, PolicyStore
from governance.record.database import Record
from governance.testing_retention import ANNA, NOW, actions

UNANSWERED = GoldDraft("Who may sing?", answerable=False)


@pytest.fixture
def gold(record: Record) -> GoldQuestions:
    return GoldQuestions(record)


def test_a_question_is_added_changed_and_retired(
    gold: GoldQuestions, demo: Department, record: Record
) -> None:
    """Each step stands in its history and in the trail, and a retired one is asked no more."""
    (gold_id,) = gold.save(ANNA, demo.id, [UNANSWERED], NOW)
    before = suite_digest(gold.listed(demo.id, NOW))
    gold.save(ANNA, demo.id, [GoldDraft("Who may  dance?", answerable=False)], NOW, gold_id)
    (found,) = gold.listed(demo.id, NOW)
    assert (found.id, found.question) == (gold_id, "Who may dance?")
    assert suite_digest([found]) != before
    gold.retire(ANNA, demo.id, gold_id, NOW)
    assert gold.listed(demo.id, NOW) == ()
    assert not gold.one(demo.id, gold_id, NOW).is_active
    assert [one["act"] for one in gold.changes(gold_id)] == ["added", "changed", "retired"]
    assert actions(record, "gold_question.") == [
        *["gold_question.saved"] * 2,
        "gold_question.retired",
    ]


def test_a_key_that_is_known_changes_its_question(gold: GoldQuestions, demo: Department) -> None:
    """An import that is repeated adds nothing twice."""
    first = gold.save(ANNA, demo.id, [GoldDraft("One?", False, key="q1")], NOW)
    assert gold.save(ANNA, demo.id, [GoldDraft("Two?", False, key="q1")], NOW) == first
    assert [one.question for one in gold.listed(demo.id, NOW)] == ["Two?"]


@pytest.mark.parametrize(
    "draft",
    [
        GoldDraft(" ", answerable=False),
        GoldDraft("x" * 2_001, answerable=False),
        GoldDraft("What?", answerable=True),
        GoldDraft("What?", answerable=True, places=(Place("none.pdf", "words"),)),
        GoldDraft("What?", answerable=False, answer_type="song"),
        GoldDraft("What?", answerable=False, answers=("x" * 10_001,)),
        GoldDraft("What?", answerable=False, key="k" * 81),
    ],
)
def test_what_cannot_be_measured_is_refused(
    gold: GoldQuestions, demo: Department, draft: GoldDraft
) -> None:
    """All of an import or nothing: the good question before it is not kept either."""
    with pytest.raises(InvalidEvaluation):
        gold.save(ANNA, demo.id, [UNANSWERED, draft], NOW)
    assert gold.listed(demo.id, NOW) == ()


def test_questions_stay_in_their_department(
    gold: GoldQuestions, demo: Department, policies: PolicyStore
) -> None:
    """Another one neither lists, changes nor retires them."""
    other = policies.create_department(SYSTEM, "other")
    (gold_id,) = gold.save(ANNA, demo.id, [UNANSWERED], NOW)
    assert gold.listed(other.id, NOW) == ()
    with pytest.raises(NotFound):
        gold.save(ANNA, other.id, [UNANSWERED], NOW, gold_id)
    with pytest.raises(NotFound):
        gold.retire(ANNA, other.id, gold_id, NOW)
    with pytest.raises(NotFound):
        gold.one(other.id, gold_id, NOW)


def test_evidence_is_compared_without_case_space_and_hyphens() -> None:
    """A line end may have made or taken any of them; nothing at all is no evidence."""
    assert holds("Discard multi-\ndose  vials", "multidose VIALS")
    assert not holds("Discard vials", "Keep vials")
    assert not holds("Discard vials", " - ")
