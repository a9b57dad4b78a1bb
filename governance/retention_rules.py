"""How much of a question's text a department keeps, for how long, and who may change that.

Pure. Modes, from least to most text:

- `none`: nothing of the text, nor its length;
- `metadata` (the default): passages, model, checks and timings, no text;
- `masked`: the text after plain masking rules, encrypted; it is not safe text;
- `full`: the text, encrypted.

A longer time, or a mode that keeps less, takes effect at once: nobody loses what was promised to be
kept, and nothing more is kept. A mode that keeps more needs a second person. So does a shorter
time, because it destroys evidence: it waits 7 more days after the second person agreed, in which it
can be withdrawn or a legal hold set. A legal hold stops every purge for as long as it lasts.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from governance.config import GovernanceSettings
from governance.errors import IllegalTransition, InvalidRetention, SecondPersonNeeded
from governance.events import Actor

NOTICE = timedelta(days=7)


class RetentionMode(StrEnum):
    """What is kept of the text of questions and answers."""

    NONE = "none"
    METADATA = "metadata"
    MASKED = "masked"
    FULL = "full"

    @property
    def keeps_text(self) -> bool:
        """Whether question and answer are kept at all."""
        return self in (RetentionMode.MASKED, RetentionMode.FULL)


_BY_TEXT = (
    RetentionMode.NONE,
    RetentionMode.METADATA,
    RetentionMode.MASKED,
    RetentionMode.FULL,
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that waits for a second person or for its notice to pass."""

    mode: RetentionMode
    days: int
    proposed_by: str
    agreed_by: str | None = None
    takes_effect_at: datetime | None = None

    def due(self, now: datetime) -> bool:
        """Whether it was agreed to and its notice has passed."""
        return self.takes_effect_at is not None and self.takes_effect_at <= now


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """What holds in a department now, and what may hold later."""

    department_id: str
    mode: RetentionMode
    days: int
    legal_hold: bool = False
    proposal: Proposal | None = None

    def kept_until(self, asked_at: datetime) -> datetime:
        """When the text of a question asked then is due to be destroyed."""
        return asked_at + timedelta(days=self.days)

    def as_of(self, now: datetime) -> "RetentionRule":
        """The rule with a change that is due, though nothing has written it yet."""
        if self.proposal is None or not self.proposal.due(now):
            return self
        return replace(self, mode=self.proposal.mode, days=self.proposal.days, proposal=None)

    def open_proposal(self, mode: RetentionMode, days: int) -> Proposal:
        """The proposal that waits for a second person. Raises IllegalTransition for another."""
        proposal = self.proposal
        if proposal is None or proposal.agreed_by is not None:
            raise no_proposal()
        if (proposal.mode, proposal.days) != (mode, days):
            raise IllegalTransition(
                "The proposal has changed since it was read.", "Read the new one, then decide."
            )
        return proposal


def is_shorter(rule: RetentionRule, days: int) -> bool:
    """Whether text would be destroyed earlier than now."""
    return days < rule.days


def keeps_more(rule: RetentionRule, mode: RetentionMode) -> bool:
    """Whether more text would be kept than now."""
    return _BY_TEXT.index(mode) > _BY_TEXT.index(rule.mode) and mode.keeps_text


def needs_second_person(rule: RetentionRule, mode: RetentionMode, days: int) -> bool:
    """Whether one person alone cannot make this change."""
    return is_shorter(rule, days) or keeps_more(rule, mode)


def effective_from(rule: RetentionRule, days: int, agreed_at: datetime) -> datetime:
    """When a change that was agreed to takes effect."""
    return agreed_at + NOTICE if is_shorter(rule, days) else agreed_at


def longest_days(settings: GovernanceSettings, *, masked: bool) -> int:
    """The longest that text may be kept here, in days; unmasked text less long."""
    return settings.max_masked_days if masked else settings.max_full_days


def check_days(settings: GovernanceSettings, mode: RetentionMode, days: int) -> None:
    """Raise InvalidRetention for a time that this mode does not allow."""
    longest = longest_days(settings, masked=mode is not RetentionMode.FULL)
    if not 1 <= days <= longest:
        raise InvalidRetention(
            f"In mode {mode}, text cannot be kept for {days} days.",
            f"Choose 1 to {longest} days.",
        )


def person_behind(actor: Actor) -> str:
    """Whose act it is; the owner of the data directory is a person, a program is none.

    Raises SecondPersonNeeded.
    """
    if actor.person_id is not None:
        return actor.person_id
    if actor.auth == "socket":
        return actor.id
    raise SecondPersonNeeded(
        "A change of retention must be somebody's: this caller is no person.",
        "Sign in as a person who may manage retention.",
    )


def no_proposal() -> IllegalTransition:
    """What to say where nothing waits to be agreed to or withdrawn."""
    return IllegalTransition(
        "No proposal waits here.", "It may have been withdrawn, or have taken effect already."
    )
