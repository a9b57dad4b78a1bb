"""What may be proposed, who may take which step, and when an approval counts."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from governance.approval_rules import (
    LONGEST,
    STEPS,
    TRANSITIONS,
    Approval,
    ApprovalState,
    Step,
    StepKind,
    check_proposal,
    check_step,
    person_of,
)
from governance.data_classes import DataClass, up_to
from governance.errors import IllegalTransition, InvalidApproval, SecondPersonNeeded
from governance.events import Actor
from governance.testing_approvals import NOW, SECOND, proposal

USUAL = up_to(DataClass.CONFIDENTIAL)


def made(highest: DataClass = DataClass.INTERNAL, **changes: Any) -> Approval:
    return Approval("a", proposal(highest, **changes), "anna", NOW)


def after(approval: Approval, *steps: tuple[StepKind, str]) -> Approval:
    taken = tuple(Step(kind, by, "why", NOW) for kind, by in steps)
    return replace(approval, steps=taken)


APPROVE, WITHDRAW, REVOKE = StepKind.APPROVE, StepKind.WITHDRAW, StepKind.REVOKE


@pytest.mark.parametrize(
    ("approval", "state"),
    [
        (made(), ApprovalState.PROPOSED),
        (after(made(), (APPROVE, "ben")), ApprovalState.APPROVED),
        (after(made(), (WITHDRAW, "anna")), ApprovalState.WITHDRAWN),
        (after(made(), (APPROVE, "ben"), (REVOKE, "ben")), ApprovalState.REVOKED),
        (after(made(DataClass.CONFIDENTIAL), (APPROVE, "ben")), ApprovalState.PROPOSED),
        (
            after(made(DataClass.CONFIDENTIAL), (APPROVE, "ben"), (APPROVE, "cleo")),
            ApprovalState.APPROVED,
        ),
        (made(expires_at=NOW), ApprovalState.EXPIRED),
    ],
)
def test_apr_1_the_state_follows_from_the_steps_and_the_time(
    approval: Approval, state: ApprovalState
) -> None:
    """One approver up to internal, two above."""
    assert approval.state(NOW) is state


@pytest.mark.parametrize(("seconds", "counts"), [(-1, True), (0, False), (1, False)])
def test_apr_3_an_approval_ends_to_the_second(seconds: int, counts: bool) -> None:
    """Good until just before its end."""
    approval = after(made(), (APPROVE, "ben"))
    now = approval.proposal.expires_at + seconds * SECOND
    assert approval.counts(now) is counts
    assert (approval.state(now) is ApprovalState.EXPIRED) is not counts


@pytest.mark.parametrize(("seconds", "counts"), [(-1, False), (0, True), (1, True)])
def test_apr_3_an_approval_begins_to_the_second(seconds: int, counts: bool) -> None:
    """Approved earlier, it counts from its first moment on."""
    approval = after(made(not_before=NOW + timedelta(days=1)), (APPROVE, "ben"))
    assert approval.state(NOW) is ApprovalState.APPROVED
    assert approval.counts(NOW + timedelta(days=1) + seconds * SECOND) is counts


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("model", {"digest": "brought"}),
        ("data_class", {"data_classes": ()}),
        ("data_class", {"data_classes": (DataClass.PHI,), "pia_document": "PIA-1"}),
        ("pia", {"data_classes": (DataClass.CONFIDENTIAL,)}),
        ("pia", {"data_classes": (DataClass.CONFIDENTIAL,), "pia_document": " "}),
        ("department", {"department_ids": ()}),
        ("purposes", {"purposes": " "}),
        ("evidence", {"evidence": ""}),
        ("reason", {"reason": " "}),
        ("reports", {"report_digests": ("abc",)}),
        ("expires", {"expires_at": NOW}),
        ("expires", {"not_before": NOW + timedelta(days=11)}),
        ("expires", {"expires_at": NOW + LONGEST + SECOND}),
        ("expires", {"not_before": NOW - timedelta(9), "expires_at": NOW + LONGEST + SECOND}),
    ],
)
def test_apr_1_can_5_what_cannot_be_proposed_is_refused_by_its_field(
    field: str, changes: dict[str, Any]
) -> None:
    """A year at most; from confidential on with a privacy impact assessment."""
    with pytest.raises(InvalidApproval) as refused:
        check_proposal(proposal(**changes), NOW, USUAL)
    assert refused.value.field == field
    assert refused.value.hint


def test_apr_1_a_proposal_of_exactly_a_year_is_taken() -> None:
    """And patient data is, where it is switched on."""
    check_proposal(proposal(expires_at=NOW + LONGEST), NOW, USUAL)
    check_proposal(proposal(DataClass.PHI), NOW, tuple(DataClass))


@pytest.mark.parametrize("kind", StepKind)
@pytest.mark.parametrize("state", ApprovalState)
def test_a_step_is_taken_from_its_own_state_alone(kind: StepKind, state: ApprovalState) -> None:
    """What has ended has ended; it is proposed anew."""
    approval = {
        ApprovalState.PROPOSED: made(),
        ApprovalState.APPROVED: after(made(), (APPROVE, "ben")),
        ApprovalState.WITHDRAWN: after(made(), (WITHDRAW, "ben")),
        ApprovalState.REVOKED: after(made(), (APPROVE, "ben"), (REVOKE, "ben")),
        ApprovalState.EXPIRED: made(expires_at=NOW),
    }[state]
    assert approval.state(NOW) is state
    if STEPS[kind] is state:
        check_step(approval, kind, "cleo", NOW)
    else:
        with pytest.raises(IllegalTransition):
            check_step(approval, kind, "cleo", NOW)


def test_every_end_is_an_end() -> None:
    """Nothing leads on from withdrawn, revoked or expired."""
    ends = {state for state, nexts in TRANSITIONS.items() if not nexts}
    assert ends == {ApprovalState.WITHDRAWN, ApprovalState.REVOKED, ApprovalState.EXPIRED}


def test_gov_9_the_proposer_never_approves_and_nobody_twice() -> None:
    """Two approvers are two people, and neither has proposed."""
    approval = after(made(DataClass.CONFIDENTIAL), (APPROVE, "ben"))
    for person in ("anna", "ben"):
        with pytest.raises(SecondPersonNeeded):
            check_step(approval, APPROVE, person, NOW)
    check_step(approval, APPROVE, "cleo", NOW)


def test_gov_9_a_program_without_a_person_is_nobody() -> None:
    """The owner of the data directory is one person."""
    assert person_of(Actor("local", "owner", "socket")) == "local|owner"
    with pytest.raises(SecondPersonNeeded):
        person_of(Actor("runtime", "local", "none"))
