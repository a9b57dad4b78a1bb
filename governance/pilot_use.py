"""How much a department uses what it has: counts alone, of the days before a moment."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import distinct, func, select

from governance.questions import QuestionStatus
from governance.record.database import Record
from governance.record.feedback_tables import feedback
from governance.record.use_tables import questions

DAYS = 28  # four whole weeks, so that no weekday counts more than another


@dataclass(frozen=True, slots=True)
class Use:
    """What people asked within so many days, and what they said of the answers."""

    days: int
    questions: int
    people: int
    answered: int
    helped: int
    did_not_help: int

    @property
    def questions_a_week(self) -> float:
        """Questions of seven days."""
        return 7 * self.questions / self.days


class PilotUse:
    """Counts questions and feedback of one record."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def before(self, department_id: str, end: datetime, days: int = DAYS) -> Use:
        """The use of a department in the days before a moment."""
        begin = end - timedelta(days=days)
        asked = questions.c
        mine = (asked.department_id == department_id, asked.asked_at >= begin, asked.asked_at < end)
        counts = select(
            func.count(),
            func.count(distinct(asked.person_id)),
            func.count().filter(asked.status == QuestionStatus.ANSWERED),
        ).where(*mine)
        given = feedback.c
        said = select(
            func.count().filter(given.verdict == "up"),
            func.count().filter(given.verdict == "down"),
        ).where(given.department_id == department_id, given.given_at >= begin, given.given_at < end)
        with self._record.read() as connection:
            total, people, answered = connection.execute(counts).one()
            up, down = connection.execute(said).one()
        return Use(days, total, people, answered, up, down)
