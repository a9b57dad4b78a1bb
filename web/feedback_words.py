"""Feedback and gaps in the words of the pages. Pure."""

from collections.abc import Mapping

from governance.feedback import FeedbackState, Reason
from governance.gaps import GapState
from governance.retention_rules import RetentionMode

REASON_NAMES: Mapping[Reason, str] = {
    Reason.WRONG: "The answer is wrong",
    Reason.INCOMPLETE: "Something is missing",
    Reason.OUTDATED: "It is out of date",
    Reason.WRONG_POLICY: "It cites the wrong policy",
    Reason.HARD_TO_UNDERSTAND: "It is hard to understand",
    Reason.OTHER: "Something else",
}
FEEDBACK_STATES: Mapping[FeedbackState, str] = {
    FeedbackState.NEW: "Sent",
    FeedbackState.SEEN: "Seen",
    FeedbackState.FIXED: "Fixed",
    FeedbackState.DECLINED: "Declined",
}
GAP_STATES: Mapping[GapState, str] = {
    GapState.OPEN: "Open",
    GapState.ANSWERED: "Answered",
    GapState.DECLINED: "Declined",
}
# What goes to the editors with a report, said before it is sent.
_MASKED = "Known names and numbers are blacked out, and the text is deleted when its time is over."
SENT: Mapping[RetentionMode, str] = {
    RetentionMode.NONE: "Your department keeps no text: your words are not sent, only which "
    "policies were found.",
    RetentionMode.METADATA: f"Your question is sent with it. {_MASKED}",
    RetentionMode.MASKED: f"Your question is sent with it. {_MASKED}",
    RetentionMode.FULL: "Your question is sent with it, as you wrote it. The text is deleted when "
    "its time is over.",
}
