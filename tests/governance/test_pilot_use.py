"""What is counted of a department's use, and of which days."""

from governance.config import GovernanceSettings
from governance.feedback import Reason, Verdict
from governance.people import Person
from governance.pilot_use import DAYS, PilotUse, Use
from governance.policies import Department
from governance.questions import QuestionStatus
from governance.record.database import Record
from governance.report_texts import Words
from governance.secrets import Secrets
from governance.testing_feedback import actor_of_person, reports_of
from governance.testing_retention import DAY, NOW

WORDS = Words("How long?", "28 days.", "")


def test_questions_people_and_thumbs_of_four_weeks_are_counted(
    record: Record, secrets: Secrets, settings: GovernanceSettings, ada: Person, demo: Department
) -> None:
    """What was asked before them, or after their end, or elsewhere is not in them."""
    reports = reports_of(record, secrets, settings)
    answered = [reports.asked(ada, demo) for _ in range(3)]
    reports.asked(ada, demo, QuestionStatus.NOT_FOUND)
    for question, verdict in zip(answered, (Verdict.UP, Verdict.DOWN), strict=False):
        reason = Reason.WRONG if verdict is Verdict.DOWN else None
        reports.feedback.give(
            actor_of_person(ada), question, [demo.id], verdict, reason, WORDS, NOW
        )
    use = PilotUse(record)
    counted = use.before(demo.id, NOW + DAY)
    assert counted == Use(DAYS, questions=4, people=1, answered=3, helped=1, did_not_help=1)
    assert counted.questions_a_week == 1.0
    nothing = Use(DAYS, 0, 0, 0, 0, 0)
    assert use.before(demo.id, NOW) == nothing
    assert use.before(demo.id, NOW + (DAYS + 1) * DAY) == nothing
    assert use.before("elsewhere", NOW + DAY) == nothing
