"""What the review of a version shows: which acts its reader may do, and what comes next.

Pure. The table of acts is `governance/versions.py`; whether the reader is the right person is told
here as well, so that nobody presses a button to learn that it is not theirs.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from governance.policies import DocumentSummary
from governance.version_life import HANDS_ON, LifeStep
from governance.versions import TRANSITIONS, Act, VersionState

# In the order of the buttons; the first is what usually comes next.
OFFERED = (
    Act.SUBMIT,
    Act.APPROVE,
    Act.SEND_BACK,
    Act.FIX,
    Act.OVERRIDE,
    Act.RECALL,
    Act.RETIRE,
    Act.RETRY,
)
LABELS: Mapping[Act, str] = {
    Act.SUBMIT: "Submit for approval",
    Act.APPROVE: "Approve",
    Act.SEND_BACK: "Send back",
    Act.FIX: "Put in force as a minor fix",
    Act.OVERRIDE: "Put in force without a second person",
    Act.RECALL: "Recall the approval",
    Act.RETIRE: "Retire this policy",
    Act.RETRY: "Try to load it again",
}
MEANINGS: Mapping[Act, str] = {
    Act.SUBMIT: "Somebody else then approves it. Until then it answers nobody.",
    Act.APPROVE: "It is in force from its day on, at once if that has passed, in place of the "
    "version before.",
    Act.SEND_BACK: "It becomes a draft again, which can be changed.",
    Act.FIX: "For misprints and the like in a policy that is in force: no second person is needed. "
    "That it was a minor fix, and why, is recorded.",
    Act.OVERRIDE: "No second person is needed. Who did it, and why, is recorded.",
    Act.RECALL: "It becomes a draft again, and the version before goes on.",
    Act.RETIRE: "It answers nobody from now on and stays in the record. This cannot be undone.",
    Act.RETRY: "The same file is read once more.",
}
STEP_WORDS: Mapping[Act, str] = {
    Act.CHANGE: "changed what is stated",
    Act.SUBMIT: "submitted it for approval",
    Act.APPROVE: "approved it",
    Act.SEND_BACK: "sent it back",
    Act.FIX: "put it in force as a minor fix",
    Act.OVERRIDE: "put it in force without a second person",
    Act.RECALL: "recalled the approval",
    Act.RETIRE: "retired it",
    Act.RETRY: "tried to load it again",
}
# Acts behind a fold: they are not what usually comes next.
FOLDED = frozenset({Act.SEND_BACK, Act.FIX, Act.OVERRIDE, Act.RECALL, Act.RETIRE})


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever looks at a version. who: their id in the record; acts: what their role allows."""

    who: str
    acts: frozenset[Act]


def acts_for(
    version: DocumentSummary,
    steps: Sequence[LifeStep],
    reader: Reader,
    replaces_one: bool,
) -> tuple[Act, ...]:
    """The acts that the reader may do to a version now; replaces_one: another is in force."""
    return tuple(
        act
        for act in OFFERED
        if act in reader.acts
        and version.state in TRANSITIONS[act].sources
        and not (act is Act.APPROVE and had_a_hand(version, steps, reader.who))
        and not (act is Act.FIX and not replaces_one)
    )


def had_a_hand(version: DocumentSummary, steps: Sequence[LifeStep], who: str) -> bool:
    """Whether somebody handed a version in, changed or submitted it, and so cannot approve it."""
    return who == version.handed_in_by or any(
        step.by == who and step.act in HANDS_ON for step in steps
    )


def next_words(version: DocumentSummary, steps: Sequence[LifeStep], reader: Reader) -> str:
    """What happens next, in one sentence or two."""
    match version.state:
        case VersionState.LOADING:
            return "The file is being read."
        case VersionState.REFUSED | VersionState.FAILED:
            return "The file could not be read; the reason stands under Documents."
        case VersionState.DRAFT if Act.SUBMIT in reader.acts:
            return (
                "Check what is stated and the pages, then submit it. Until it is approved, it "
                "answers nobody."
            )
        case VersionState.DRAFT:
            return "An editor checks and submits it."
        case VersionState.SUBMITTED if Act.APPROVE not in reader.acts:
            return "It waits for an approver of the department."
        case VersionState.SUBMITTED if had_a_hand(version, steps, reader.who):
            return (
                "It waits for another approver: you handed it in, changed or submitted it, so "
                "somebody else must approve it."
            )
        case VersionState.SUBMITTED:
            return "It waits for you or another approver."
        case VersionState.APPROVED:
            return "It is approved and comes into force on its day; nobody has to do anything."
        case VersionState.EFFECTIVE:
            return "It answers questions now."
    return "It answers nobody any more and is kept for the record."


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits, by kind; each newest first."""

    to_approve: tuple[DocumentSummary, ...]
    to_submit: tuple[DocumentSummary, ...]
    to_come: tuple[DocumentSummary, ...]
    overdue: tuple[DocumentSummary, ...]


def queue_of(
    versions: Sequence[DocumentSummary], today: date, submitters: Collection[str]
) -> Queue:
    """What waits; submitters: departments whose drafts the reader may submit."""

    def of(state: VersionState) -> tuple[DocumentSummary, ...]:
        found = [one for one in versions if one.state is state]
        return tuple(sorted(found, key=lambda one: one.created_at, reverse=True))

    overdue = [
        one
        for one in versions
        if one.state is VersionState.EFFECTIVE
        and one.review_due is not None
        and one.review_due < today
    ]
    return Queue(
        of(VersionState.SUBMITTED),
        tuple(one for one in of(VersionState.DRAFT) if one.department in submitters),
        of(VersionState.APPROVED),
        tuple(sorted(overdue, key=lambda one: str(one.review_due))),
    )
