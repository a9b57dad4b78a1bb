"""Classes of data and the standing of models, in words that a department uses. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from governance.approval_rules import Approval, ApprovalState
from governance.basis import Basis
from governance.data_classes import DataClass
from governance.inventory import InventoryModel
from governance.model_rules import is_valid

CLASS_NAMES: Mapping[DataClass, str] = {
    DataClass.PUBLIC: "Public",
    DataClass.INTERNAL: "Internal",
    DataClass.CONFIDENTIAL: "Confidential",
    DataClass.DEIDENTIFIED_PHI: "De-identified patient data",
    DataClass.PHI: "Patient data",
}
CLASS_MEANINGS: Mapping[DataClass, str] = {
    DataClass.PUBLIC: "Anybody outside may read it.",
    DataClass.INTERNAL: "For everybody who works here, such as most policies.",
    DataClass.CONFIDENTIAL: "For some who work here, such as plans for emergencies.",
    DataClass.DEIDENTIFIED_PHI: "About patients, without what says who they are.",
    DataClass.PHI: "About patients who can be recognised.",
}
STATE_NAMES: Mapping[ApprovalState, str] = {
    ApprovalState.PROPOSED: "Proposed",
    ApprovalState.APPROVED: "Approved",
    ApprovalState.WITHDRAWN: "Withdrawn",
    ApprovalState.REVOKED: "Revoked",
    ApprovalState.EXPIRED: "Expired",
}
STATE_COLOURS: Mapping[ApprovalState, str] = {
    ApprovalState.PROPOSED: "blue",
    ApprovalState.APPROVED: "green",
    ApprovalState.WITHDRAWN: "grey",
    ApprovalState.REVOKED: "red",
    ApprovalState.EXPIRED: "grey",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a model stands now, as one label. type: the same for programs."""

    type: str
    text: str
    colour: str


def class_words(data_class: DataClass | str) -> str:
    """A class as people call it."""
    return CLASS_NAMES[DataClass(data_class)]


def state_words(approval: Approval, now: datetime, basis: Basis) -> str:
    """An approval's state; one that waits for its first day, or must be renewed, says so."""
    state = approval.state(now)
    if _must_be_renewed(approval, now, basis):
        return "Approve again"
    if state is ApprovalState.APPROVED and not approval.counts(now):
        return "Approved, not begun"
    return STATE_NAMES[state]


def state_colour(approval: Approval, now: datetime, basis: Basis) -> str:
    """The colour of its label."""
    if _must_be_renewed(approval, now, basis):
        return "orange"
    return STATE_COLOURS[approval.state(now)]


def standing_of(model: InventoryModel, now: datetime, basis: Basis) -> Standing:
    """The one label of a model: what counts most of all that is known."""
    if any(block.department_id is None for block in model.blocks):
        return Standing("blocked", "Blocked", "red")
    if any(is_valid(one, now, basis) for one in model.approvals):
        return Standing("approved", "Approved", "green")
    if model.pinned:
        return Standing("catalogue", "In the catalogue", "green")
    if any(one.state(now) is ApprovalState.PROPOSED for one in model.approvals):
        return Standing("proposed", "Proposed", "blue")
    if any(_must_be_renewed(one, now, basis) for one in model.approvals):
        return Standing("renew", "Approve again", "orange")
    return Standing("not_approved", "Not approved", "grey")


def _must_be_renewed(approval: Approval, now: datetime, basis: Basis) -> bool:
    """Whether it would count, had nothing changed since (APR-5)."""
    return approval.counts(now) and not is_valid(approval, now, basis)
