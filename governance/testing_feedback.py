"""For tests: somebody who asked, and the stores of what they report."""

from dataclasses import dataclass
from datetime import datetime

from governance.config import GovernanceSettings
from governance.events import Actor
from governance.feedback import FeedbackStore
from governance.gaps import GapStore
from governance.people import Person
from governance.policies import Department
from governance.questions import AskedRecord, Channel, QuestionStatus, QuestionStore
from governance.record.database import Record
from governance.report_texts import ReportTexts
from governance.retention import RetentionStore
from governance.secrets import Secrets
from governance.testing_retention import NOW
from governance.vault import Vault


@dataclass(frozen=True, slots=True)
class Reports:
    """The stores over one record."""

    feedback: FeedbackStore
    gaps: GapStore
    texts: ReportTexts
    questions: QuestionStore

    def asked(
        self,
        person: Person,
        place: Department,
        status: QuestionStatus = QuestionStatus.ANSWERED,
        at: datetime = NOW,
    ) -> str:
        """A question of this person; gives its id."""
        record = AskedRecord(place.id, person.id, Channel.PAGE, status, "Q?", "A.")
        return self.questions.record_answer(actor_of_person(person), record, at)


def reports_of(record: Record, secrets: Secrets, settings: GovernanceSettings) -> Reports:
    """Build them."""
    vault = Vault(secrets)
    texts = ReportTexts(record, vault, RetentionStore(record, vault, settings), settings)
    return Reports(
        FeedbackStore(record, texts),
        GapStore(record, texts, secrets),
        texts,
        QuestionStore(record, secrets, settings),
    )


def actor_of_person(person: Person) -> Actor:
    """Somebody who signed in with a password."""
    return Actor(person.issuer, person.subject, "password", person.id)
