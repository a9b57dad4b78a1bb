"""What an approval of a model is, how it lives, and when it lets a model see data.

Pure. Somebody proposes that the model of one digest may see some classes of data, in some
departments or all, from a day to a day at most a year later. Up to `internal` one other person
approves; above it two, neither of whom proposed (GOV-9). From `confidential` on the proposal names
the document of its privacy impact assessment (CAN-5). Its dossier scores the risks (GOV-2).

    proposed   approved by too few; the proposer, or whoever decides, may withdraw it
    approved   counts from `not_before` until just before `expires_at`; may be revoked
    withdrawn, revoked, expired   for good: whoever wants it again proposes it anew

What was proposed never changes; each act of a person is a step of its own, and the state follows
from the steps and the time. The digest is that of the manifest, which names the file, template,
parameters, system text and adapters by theirs: changing any of them is another model. What else
ends an approval when it changes is in governance/basis.py (APR-5).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from governance.data_classes import DataClass, highest
from governance.dossier import DIGEST, Dossier, check_dossier
from governance.errors import IllegalTransition, InvalidApproval, SecondPersonNeeded
from governance.events import Actor

LONGEST = timedelta(days=365)
MAX_TEXT_CHARS = 4000
MAX_REASON_CHARS = 500
MAX_PIA_CHARS = 120
MAX_REPORTS = 20


class ApprovalState(StrEnum):
    """Where an approval stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    EXPIRED = "expired"


TRANSITIONS: Mapping[ApprovalState, frozenset[ApprovalState]] = {
    ApprovalState.PROPOSED: frozenset(
        {ApprovalState.APPROVED, ApprovalState.WITHDRAWN, ApprovalState.EXPIRED}
    ),
    ApprovalState.APPROVED: frozenset({ApprovalState.REVOKED, ApprovalState.EXPIRED}),
    ApprovalState.WITHDRAWN: frozenset(),
    ApprovalState.REVOKED: frozenset(),
    ApprovalState.EXPIRED: frozenset(),
}


class StepKind(StrEnum):
    """What a person did about a proposal."""

    APPROVE = "approve"
    WITHDRAW = "withdraw"
    REVOKE = "revoke"


# From which state a step is taken; the same state may follow while approvers are missing.
STEPS: Mapping[StepKind, ApprovalState] = {
    StepKind.APPROVE: ApprovalState.PROPOSED,
    StepKind.WITHDRAW: ApprovalState.PROPOSED,
    StepKind.REVOKE: ApprovalState.APPROVED,
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """What somebody asks for. digest: of the manifest, in hex; department_ids: None is all."""

    digest: str
    model: str
    data_classes: tuple[DataClass, ...]
    department_ids: tuple[str, ...] | None
    purposes: str
    evidence: str
    reason: str
    not_before: datetime
    expires_at: datetime
    report_digests: tuple[str, ...] = ()
    pia_document: str | None = None
    dossier: Dossier = field(default_factory=Dossier)


@dataclass(frozen=True, slots=True)
class Step:
    """What one person did, and why."""

    kind: StepKind
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Approval:
    """A proposal with what became of it. proposed_by, Step.by: of `person_of`."""

    id: str
    proposal: Proposal
    proposed_by: str
    created_at: datetime
    steps: tuple[Step, ...] = ()

    @property
    def approvers(self) -> tuple[str, ...]:
        """Who approved, in order."""
        return tuple(step.by for step in self.steps if step.kind is StepKind.APPROVE)

    @property
    def needed(self) -> int:
        """How many must approve."""
        return approvers_needed(self.proposal.data_classes)

    def state(self, now: datetime) -> ApprovalState:
        """Where it stands at this moment."""
        for step in self.steps:
            if step.kind is StepKind.WITHDRAW:
                return ApprovalState.WITHDRAWN
            if step.kind is StepKind.REVOKE:
                return ApprovalState.REVOKED
        if now >= self.proposal.expires_at:
            return ApprovalState.EXPIRED
        enough = len(self.approvers) >= self.needed
        return ApprovalState.APPROVED if enough else ApprovalState.PROPOSED

    def counts(self, now: datetime) -> bool:
        """Whether it lets a model work at this moment."""
        return self.state(now) is ApprovalState.APPROVED and self.proposal.not_before <= now

    def covers(self, data_class: DataClass, department_id: str | None) -> bool:
        """Whether it is about this data; a request of no department needs one for all."""
        places = self.proposal.department_ids
        return data_class in self.proposal.data_classes and (
            places is None or department_id in places
        )


def approvers_needed(classes: Sequence[DataClass]) -> int:
    """One up to `internal`, two above."""
    return 1 if highest(classes).level <= DataClass.INTERNAL.level else 2


def person_of(actor: Actor) -> str:
    """Whose act it is: a person, or the owner of the data directory; a program is neither.

    Raises SecondPersonNeeded.
    """
    if actor.person_id is not None:
        return actor.person_id
    if actor.auth == "socket":
        return actor.id
    raise SecondPersonNeeded(
        "What models may see is decided by people: this caller is none.",
        "Sign in as somebody who may propose or approve models.",
    )


def check_proposal(wanted: Proposal, now: datetime, enabled: Sequence[DataClass]) -> None:
    """Raise InvalidApproval, naming the field, for what cannot be proposed."""
    _check_texts(wanted)
    if not wanted.data_classes:
        raise InvalidApproval("data_class", "No class of data is named.", "Choose at least one.")
    off = [one for one in wanted.data_classes if one not in enabled]
    if off:
        raise InvalidApproval(
            "data_class",
            f"Data of class {off[0]} is switched off here.",
            f"Whoever runs this server can allow it: governance.allow_{off[0].replace('-', '_')}.",
        )
    if highest(wanted.data_classes).level >= DataClass.CONFIDENTIAL.level:
        _check_pia(wanted.pia_document)
    if wanted.department_ids == ():
        raise InvalidApproval("department", "No department is named.", "Name one, or take all.")
    if wanted.expires_at <= max(wanted.not_before, now):
        raise InvalidApproval(
            "expires", "It would end before it begins.", "Choose a later last day."
        )
    if wanted.expires_at - max(wanted.not_before, now) > LONGEST:
        raise InvalidApproval(
            "expires",
            f"An approval lasts {LONGEST.days} days at most.",
            "Choose an earlier last day, and propose it again in time.",
        )
    check_dossier(wanted.dossier)


def check_step(approval: Approval, kind: StepKind, by: str, now: datetime) -> None:
    """Raise IllegalTransition or SecondPersonNeeded for a step that cannot be taken."""
    state = approval.state(now)
    if state is not STEPS[kind]:
        raise IllegalTransition(
            f"You cannot {kind} what is {state}.",
            "Reload the page to see its present state. What has ended is proposed anew.",
        )
    if kind is not StepKind.APPROVE:
        return
    if by == approval.proposed_by:
        raise SecondPersonNeeded(
            "Nobody can approve their own proposal.", "Ask another person who approves models."
        )
    if by in approval.approvers:
        raise SecondPersonNeeded(
            "You have approved this already; it needs another person.",
            "Ask a further person who approves models.",
        )


def check_reason(reason: str) -> str:
    """A reason without blanks around it. Raises InvalidApproval."""
    reason = reason.strip()
    if not 0 < len(reason) <= MAX_REASON_CHARS:
        raise InvalidApproval(
            "reason", "Say why.", f"Write 1 to {MAX_REASON_CHARS} characters; name no patient."
        )
    return reason


def _check_texts(wanted: Proposal) -> None:
    if not DIGEST.fullmatch(wanted.digest):
        raise InvalidApproval("model", "This is no digest of a model.", "Name an installed model.")
    check_reason(wanted.reason)
    for name, text in (("purposes", wanted.purposes), ("evidence", wanted.evidence)):
        if not 0 < len(text.strip()) <= MAX_TEXT_CHARS:
            raise InvalidApproval(
                name,
                "Say what it is for." if name == "purposes" else "Say what speaks for it.",
                f"Write 1 to {MAX_TEXT_CHARS} characters.",
            )
    wrong = [one for one in wanted.report_digests if not DIGEST.fullmatch(one)]
    if wrong or len(wanted.report_digests) > MAX_REPORTS:
        raise InvalidApproval(
            "reports",
            "This is no list of report digests.",
            f"Write up to {MAX_REPORTS} SHA-256 digests of 64 hex digits, with blanks between.",
        )


def _check_pia(document: str | None) -> None:
    if document is None or not 0 < len(document.strip()) <= MAX_PIA_CHARS:
        raise InvalidApproval(
            "pia",
            "From `confidential` on, a privacy impact assessment is needed.",
            "Name the document of it, for example PIA-2026-014.",
        )
