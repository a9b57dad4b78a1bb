"""The stores of feedback, gaps and abbreviations, made from the record in one call."""

from dataclasses import dataclass

from governance.abbreviations import AbbreviationStore
from governance.config import GovernanceSettings
from governance.feedback import FeedbackStore
from governance.gaps import GapStore
from governance.record.database import Record
from governance.report_texts import ReportTexts
from governance.retention import RetentionStore
from governance.secrets import Secrets
from governance.vault import Vault


@dataclass(frozen=True, slots=True)
class FeedbackParts:
    """What readers tell editors, and the words of a department; texts is what purges."""

    feedback: FeedbackStore
    gaps: GapStore
    texts: ReportTexts
    abbreviations: AbbreviationStore


def feedback_parts(
    record: Record, secrets: Secrets, settings: GovernanceSettings, abbreviations: AbbreviationStore
) -> FeedbackParts:
    """Build them; abbreviations are made before, for searches read them as well."""
    vault = Vault(secrets)
    texts = ReportTexts(record, vault, RetentionStore(record, vault, settings), settings)
    return FeedbackParts(
        FeedbackStore(record, texts), GapStore(record, texts, secrets), texts, abbreviations
    )
