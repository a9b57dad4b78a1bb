"""Gaps: reported, counted, settled, and what their reporters see."""

import pytest

from governance.config import GovernanceSettings
from governance.errors import IllegalTransition, InvalidReport, NotFound
from governance.events import SYSTEM
from governance.gaps import GapState, folded
from governance.people import PeopleStore, Person
from governance.policies import Department, PolicyStore
from governance.questions import QuestionStatus
from governance.record.database import Record
from governance.retention import RetentionStore
from governance.retention_rules import RetentionMode
from governance.secrets import Secrets
from governance.testing_feedback import Reports, actor_of_person, reports_of
from governance.testing_retention import ANNA, DAY, NOW, actions, keep

NOT_FOUND = QuestionStatus.NOT_FOUND
WORDS = "May visitors bring a dog?"


@pytest.fixture
def reports(record: Record, secrets: Secrets, settings: GovernanceSettings) -> Reports:
    return reports_of(record, secrets, settings)


@pytest.fixture
def bob(people: PeopleStore) -> Person:
    return people.create(SYSTEM, "Bob", "bob")


def report(reports: Reports, person: Person, place: Department, words: str = WORDS) -> str:
    """Ask, find nothing and report it; gives the gap's id."""
    asked, actor = reports.asked(person, place, NOT_FOUND), actor_of_person(person)
    return reports.gaps.report(actor, asked, [place.id], words, "for room 12345", NOW).id


def test_a_report_reaches_the_list_and_its_answer_comes_back(
    reports: Reports, ada: Person, demo: Department, record: Record
) -> None:
    """Masked as by default, settled by somebody, seen by who reported it."""
    gap_id = report(reports, ada, demo)
    (gap,) = reports.gaps.gaps([demo.id], GapState.OPEN)
    assert gap.words is not None
    assert (gap.words.question, gap.notes) == (WORDS, ("for room [number]",))
    reports.gaps.answer(ANNA, gap_id, [demo.id], None, "No, only guide dogs.", NOW + DAY)
    (mine,) = reports.gaps.of_person(ada.id)
    assert (mine.state, mine.reply, mine.by) == (
        GapState.ANSWERED,
        "No, only guide dogs.",
        ANNA.person_id,
    )
    assert mine.at == NOW + DAY
    assert reports.gaps.gaps([demo.id], GapState.OPEN) == ()
    assert actions(record, "gap.") == ["gap.reported", "gap.settled"]
    assert reports.gaps.counts(demo.id, NOW, NOW + DAY)[GapState.ANSWERED] == 1


def test_the_same_question_is_counted_and_not_listed_twice(
    reports: Reports, ada: Person, bob: Person, demo: Department
) -> None:
    """Whatever its case and its marks; the second reader sees the reply at once."""
    first = report(reports, ada, demo)
    reports.gaps.decline(ANNA, first, [demo.id], "The house rules say so.", NOW)
    assert report(reports, bob, demo, "may VISITORS bring a dog") == first
    (gap,) = reports.gaps.gaps([demo.id])
    assert (gap.count, gap.state) == (2, GapState.DECLINED)
    assert reports.gaps.of_person(bob.id)[0].reply == "The house rules say so."
    assert report(reports, bob, demo, "May visitors bring a cat?") != first


def test_a_question_is_reported_once(reports: Reports, ada: Person, demo: Department) -> None:
    """Pressed twice, the button changes nothing more."""
    asked, actor = reports.asked(ada, demo, NOT_FOUND), actor_of_person(ada)
    for _ in range(2):
        gap = reports.gaps.report(actor, asked, [demo.id], WORDS, "", NOW)
        assert gap.count == 1


def test_one_reports_only_what_one_asked_and_what_was_not_found(
    reports: Reports, ada: Person, bob: Person, demo: Department
) -> None:
    """Another's question, another department and an answered one are refused."""
    asked = reports.asked(ada, demo, NOT_FOUND)
    with pytest.raises(NotFound):
        reports.gaps.report(actor_of_person(bob), asked, [demo.id], WORDS, "", NOW)
    with pytest.raises(NotFound):
        reports.gaps.report(actor_of_person(ada), asked, [], WORDS, "", NOW)
    answered = reports.asked(ada, demo)
    with pytest.raises(IllegalTransition):
        reports.gaps.report(actor_of_person(ada), answered, [demo.id], WORDS, "", NOW)
    with pytest.raises(InvalidReport):
        reports.gaps.report(actor_of_person(ada), asked, [demo.id], WORDS, "x" * 501, NOW)
    assert reports.gaps.gaps([demo.id]) == ()


def test_a_gap_is_settled_with_words_by_who_may(
    reports: Reports, ada: Person, demo: Department, policies: PolicyStore
) -> None:
    """No answer without a policy or words, no refusal without a reason, none from elsewhere."""
    gap_id = report(reports, ada, demo)
    other = policies.create_department(SYSTEM, "other")
    with pytest.raises(InvalidReport):
        reports.gaps.answer(ANNA, gap_id, [demo.id], None, " ", NOW)
    with pytest.raises(InvalidReport):
        reports.gaps.decline(ANNA, gap_id, [demo.id], "", NOW)
    with pytest.raises(NotFound):
        reports.gaps.decline(ANNA, gap_id, [other.id], "No.", NOW)
    with pytest.raises(NotFound):
        reports.gaps.answer(ANNA, gap_id, [demo.id], "no-such-document", "", NOW)
    assert reports.gaps.gaps([demo.id])[0].state is GapState.OPEN


def test_where_no_text_is_kept_a_gap_has_none(
    reports: Reports, ada: Person, demo: Department, retention: RetentionStore
) -> None:
    """Neither words nor anything that two reports could be compared by."""
    retention.propose(ANNA, demo.id, RetentionMode.NONE, 30, NOW)
    assert report(reports, ada, demo) != report(reports, ada, demo)
    assert [one.words for one in reports.gaps.gaps([demo.id])] == [None, None]


def test_after_the_purge_a_gap_is_no_longer_compared(
    reports: Reports, ada: Person, demo: Department, retention: RetentionStore
) -> None:
    """Its state and reply stay; its words are gone, and the same question is a new gap."""
    keep(retention, demo, RetentionMode.MASKED, 30)
    first = report(reports, ada, demo)
    assert reports.texts.purge(NOW + 31 * DAY) == 1
    assert reports.gaps.gaps([demo.id])[0].words is None
    assert report(reports, ada, demo) != first


def test_a_question_is_folded_to_its_words() -> None:
    """Case, marks, blanks and forms of letters make no difference."""
    assert folded("  Wie GROSS, bitte? ") == folded("wie groß bitte") == "wie gross bitte"
