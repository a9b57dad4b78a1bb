"""Whether a model may see data now: blocks first, then the catalogue, then approvals.

Pure. A block stops a model, a department or everything (GOV-3) whatever is approved. A model of the
catalogue whose digest is pinned is approved for public and internal data without anybody; for any
other data, and for any other model, an approval must count at this moment (APR-2, APR-3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from governance.approval_rules import Approval, ApprovalState
from governance.basis import Basis, change_words, changed
from governance.data_classes import PRE_APPROVED, DataClass

HOW = (
    "Whoever proposes models can propose it on the page Models, or with `lamplight model propose`; "
    "another person approves it."
)
# Of these rules; it stands in each event of a refusal, so that one can be read by its own rules.
POLICY_VERSION = "2"
BLOCKED = "Whoever approves models can lift the block on the page Models."


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """A model by its digest, asked to see data of a class for a department, or for none.

    pinned: it is exactly what the catalogue names.
    """

    digest: str
    model: str
    pinned: bool
    data_class: DataClass
    department_id: str | None


@dataclass(frozen=True, slots=True)
class ModelBlock:
    """A stop with its reason. digest: None is every model; department_id: None is everywhere."""

    id: str
    digest: str | None
    department_id: str | None
    reason: str
    set_by: str
    set_at: datetime

    def stops(self, request: ModelRequest) -> bool:
        """Whether this request is stopped."""
        return self.digest in (None, request.digest) and self.department_id in (
            None,
            request.department_id,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a model may work, and why. approval_id: what allows it; None for the catalogue."""

    allowed: bool
    reason: str
    hint: str = ""
    approval_id: str | None = None


def verdict(
    request: ModelRequest,
    approvals: Sequence[Approval],
    blocks: Sequence[ModelBlock],
    enabled: Sequence[DataClass],
    now: datetime,
    basis: Basis | None = None,
) -> Verdict:
    """Decide one request.

    approvals: those of its digest; blocks: those that are not lifted; basis: what holds now.
    """
    basis = basis or {}
    if any(block.stops(request) for block in blocks):
        return Verdict(False, "It is blocked here.", BLOCKED)
    if request.data_class not in enabled:
        return Verdict(False, f"Data of class {request.data_class} is switched off here.", HOW)
    if request.pinned and request.data_class in PRE_APPROVED:
        return Verdict(True, "The catalogue names this digest.")
    for approval in approvals:
        fits = approval.proposal.digest == request.digest and is_valid(approval, now, basis)
        if fits and approval.covers(request.data_class, request.department_id):
            return Verdict(True, "It is approved.", approval_id=approval.id)
    return Verdict(False, _why(request, approvals, now, basis), HOW)


def is_valid(approval: Approval, now: datetime, basis: Basis) -> bool:
    """Whether it counts at this moment, and what it was decided on still holds (APR-5)."""
    return approval.counts(now) and not changed(approval.proposal.dossier.basis, basis)


def _why(request: ModelRequest, approvals: Sequence[Approval], now: datetime, basis: Basis) -> str:
    """What is missing, from the approval that comes nearest."""
    for one in approvals:
        differs = changed(one.proposal.dossier.basis, basis)
        if differs and one.counts(now) and one.covers(request.data_class, request.department_id):
            return f"Since its approval {change_words(differs)} changed."
    near = [one for one in approvals if one.covers(request.data_class, request.department_id)]
    states = {one.state(now) for one in near}
    if ApprovalState.APPROVED in states:
        return "Its approval does not count yet."
    if ApprovalState.PROPOSED in states:
        return "Its approval waits for another person."
    if ApprovalState.REVOKED in states:
        return "Its approval was revoked."
    if ApprovalState.EXPIRED in states:
        return "Its approval has expired."
    if any(is_valid(one, now, basis) for one in approvals):
        return f"It is not approved for {request.data_class} data here."
    return f"Nobody has approved it for {request.data_class} data."
