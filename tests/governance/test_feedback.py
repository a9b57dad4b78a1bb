"""Feedback: given, changed, settled, counted."""

from datetime import date

import pytest

from governance.config import GovernanceSettings
from governance.errors import IllegalTransition, InvalidReport, NotFound
from governance.feedback import FeedbackState, Reason, Verdict, Week
from governance.people import Person
from governance.policies import Department
from governance.questions import QuestionStatus
from governance.record.database import Record
from governance.report_texts import Words
from governance.secrets import Secrets
from governance.testing_feedback import Reports, actor_of_person, reports_of
from governance.testing_retention import ANNA, DAY, NOW, actions

UP, DOWN = Verdict.UP, Verdict.DOWN
WORDS = Words("How long?", "28 days.", "It is 14 days for Mr Smith.")


@pytest.fixture
def reports(record: Record, secrets: Secrets, settings: GovernanceSettings) -> Reports:
    return reports_of(record, secrets, settings)


def give(
    reports: Reports,
    person: Person,
    place: Department,
    asked: str,
    verdict: Verdict = DOWN,
    reason: Reason | None = Reason.WRONG,
) -> str:
    """Say something of the answer to this question; gives the feedback's id."""
    actor = actor_of_person(person)
    return reports.feedback.give(actor, asked, [place.id], verdict, reason, WORDS, NOW)


def test_a_thumb_down_is_seen_fixed_and_answered(
    reports: Reports, ada: Person, demo: Department, record: Record
) -> None:
    """From new to fixed, masked, with a reply that its person reads."""
    feedback_id = give(reports, ada, demo, reports.asked(ada, demo))
    (one,) = reports.feedback.feedback([demo.id], FeedbackState.NEW)
    assert one.words == Words("How long?", "28 days.", "It is 14 days for Mr [name].")
    settle, places = reports.feedback.settle, [demo.id]
    settle(ANNA, feedback_id, places, FeedbackState.SEEN, "", NOW)
    settle(ANNA, feedback_id, places, FeedbackState.FIXED, "It says 14 days now.", NOW + DAY)
    (mine,) = reports.feedback.of_person(ada.id)
    assert (mine.state, mine.reply) == (FeedbackState.FIXED, "It says 14 days now.")
    assert (mine.by, mine.at) == (ANNA.person_id, NOW + DAY)
    assert actions(record, "feedback.") == ["feedback.given", *["feedback.settled"] * 2]


def test_a_thumb_can_be_changed_and_stays_one(
    reports: Reports, ada: Person, demo: Department
) -> None:
    """Up, nothing is kept of its words; down again, it is new again."""
    asked = reports.asked(ada, demo)
    first = give(reports, ada, demo, asked)
    reports.feedback.settle(ANNA, first, [demo.id], FeedbackState.DECLINED, "No.", NOW)
    assert give(reports, ada, demo, asked, UP, None) == first
    assert reports.feedback.feedback([demo.id]) == ()
    given = reports.feedback.of_question(asked)
    assert given is not None
    assert (given.verdict, given.words, given.reason) == (UP, None, None)
    give(reports, ada, demo, asked, DOWN, Reason.OUTDATED)
    (again,) = reports.feedback.feedback([demo.id])
    assert (again.id, again.state, again.reply) == (first, FeedbackState.NEW, None)


def test_what_is_no_feedback_is_refused(reports: Reports, ada: Person, demo: Department) -> None:
    """A thumb down without a reason, another's question, a question without an answer."""
    asked, actor = reports.asked(ada, demo), actor_of_person(ada)
    give_it = reports.feedback.give
    with pytest.raises(InvalidReport):
        give_it(actor, asked, [demo.id], DOWN, None, WORDS, NOW)
    with pytest.raises(InvalidReport):
        give_it(actor, asked, [demo.id], UP, None, Words("", "", "x" * 501), NOW)
    with pytest.raises(NotFound):
        give_it(ANNA, asked, [demo.id], UP, None, WORDS, NOW)
    with pytest.raises(NotFound):
        give_it(actor, asked, [], UP, None, WORDS, NOW)
    nothing = reports.asked(ada, demo, QuestionStatus.NOT_FOUND)
    with pytest.raises(IllegalTransition):
        give_it(actor, nothing, [demo.id], UP, None, WORDS, NOW)
    assert reports.feedback.of_person(ada.id) == ()


def test_states_go_forward_and_settling_needs_a_reply(
    reports: Reports, ada: Person, demo: Department
) -> None:
    """A refusal leaves the state as it was."""
    feedback_id, settle = (
        give(reports, ada, demo, reports.asked(ada, demo)),
        reports.feedback.settle,
    )
    with pytest.raises(InvalidReport):
        settle(ANNA, feedback_id, [demo.id], FeedbackState.FIXED, " ", NOW)
    with pytest.raises(NotFound):
        settle(ANNA, feedback_id, [], FeedbackState.SEEN, "", NOW)
    with pytest.raises(IllegalTransition):
        settle(ANNA, feedback_id, [demo.id], FeedbackState.NEW, "", NOW)
    assert reports.feedback.one(feedback_id, [demo.id]).state is FeedbackState.NEW
    with pytest.raises(NotFound):
        reports.feedback.one(feedback_id, [])


def test_counts_are_by_week_reason_and_state(
    reports: Reports, ada: Person, demo: Department
) -> None:
    """Weeks begin on Monday; what lies outside the time is not counted."""
    actor = actor_of_person(ada)
    for days, verdict, reason in ((0, DOWN, Reason.WRONG), (1, UP, None), (6, UP, None)):
        asked, at = reports.asked(ada, demo), NOW + days * DAY
        reports.feedback.give(actor, asked, [demo.id], verdict, reason, WORDS, at)
    counts = reports.feedback.counts(demo.id, NOW, NOW + 7 * DAY)
    assert (counts.up, counts.down, counts.reasons) == (2, 1, {Reason.WRONG: 1})
    assert counts.states == {FeedbackState.NEW: 1}
    assert counts.weeks == (Week(date(2026, 5, 11), 1, 1), Week(date(2026, 5, 18), 1, 0))
    assert reports.feedback.counts(demo.id, NOW + 7 * DAY, NOW + 9 * DAY).weeks == ()
