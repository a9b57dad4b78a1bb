"""Whether a model may see data: blocks, the catalogue, approvals."""

from dataclasses import replace
from datetime import timedelta

import pytest

from governance.approval_rules import Approval, Step, StepKind
from governance.data_classes import DataClass, up_to
from governance.model_rules import ModelBlock, ModelRequest, Verdict, verdict
from governance.testing_approvals import BROUGHT, NOW, SECOND, proposal

USUAL = up_to(DataClass.CONFIDENTIAL)
BY_BEN = Step(StepKind.APPROVE, "ben", "why", NOW)
BY_CLEO = Step(StepKind.APPROVE, "cleo", "why", NOW)
HERE, THERE = "pharmacy", "catering"
GIVEN = Approval("a", proposal(department_ids=(HERE,)), "anna", NOW, (BY_BEN,))
ASKED = ModelRequest(BROUGHT, "brought", False, DataClass.INTERNAL, HERE)


def decided(request: ModelRequest, *blocks: ModelBlock) -> Verdict:
    return verdict(request, [GIVEN], blocks, USUAL, NOW)


def test_apr_2_without_an_approval_nothing_is_allowed() -> None:
    """By digest: the name does not matter."""
    assert decided(ASKED).approval_id == "a"
    other = decided(replace(ASKED, digest="d" * 64))
    assert not other.allowed
    assert "lamplight model propose" in other.hint


@pytest.mark.parametrize("place", [THERE, None])
def test_apr_2_an_approval_holds_in_its_departments_alone(place: str | None) -> None:
    """A request of no department needs one for all."""
    assert not decided(replace(ASKED, department_id=place)).allowed
    everywhere = replace(GIVEN, proposal=proposal())
    asked = replace(ASKED, department_id=place)
    assert verdict(asked, [everywhere], (), USUAL, NOW).allowed


def test_apr_4_an_approval_holds_for_its_classes_alone() -> None:
    """Up to internal is not confidential."""
    assert decided(replace(ASKED, data_class=DataClass.PUBLIC)).allowed
    assert not decided(replace(ASKED, data_class=DataClass.CONFIDENTIAL)).allowed


@pytest.mark.parametrize(("data_class", "allowed"), [(one, one.level <= 1) for one in DataClass])
def test_the_catalogue_approves_for_public_and_internal(
    data_class: DataClass, allowed: bool
) -> None:
    """Without anybody; for more it needs people like any other model."""
    asked = replace(ASKED, pinned=True, data_class=data_class, department_id=None)
    assert verdict(asked, (), (), tuple(DataClass), NOW).allowed is allowed


def test_a_class_that_was_switched_off_stops_what_was_approved_for_it() -> None:
    """Whatever the approval says."""
    phi = Approval("p", proposal(DataClass.PHI), "anna", NOW, (BY_BEN, BY_CLEO))
    asked = replace(ASKED, data_class=DataClass.PHI)
    assert verdict(asked, [phi], (), tuple(DataClass), NOW).allowed
    assert not verdict(asked, [phi], (), USUAL, NOW).allowed


@pytest.mark.parametrize(
    ("digest", "place", "stops"),
    [
        (None, None, True),
        (BROUGHT, None, True),
        (None, HERE, True),
        (BROUGHT, HERE, True),
        ("d" * 64, None, False),
        (BROUGHT, THERE, False),
        (None, THERE, False),
    ],
)
def test_gov_3_a_block_stops_a_model_a_department_or_everything(
    digest: str | None, place: str | None, stops: bool
) -> None:
    """Over approvals, and over the catalogue."""
    block = ModelBlock("b", digest, place, "why", "ben", NOW)
    assert decided(ASKED, block).allowed is not stops
    assert decided(replace(ASKED, pinned=True), block).allowed is not stops


@pytest.mark.parametrize(
    ("approval", "says"),
    [
        (replace(GIVEN, steps=()), "waits for another person"),
        (replace(GIVEN, steps=(BY_BEN, replace(BY_BEN, kind=StepKind.REVOKE))), "was revoked"),
        (replace(GIVEN, proposal=replace(GIVEN.proposal, expires_at=NOW)), "has expired"),
        (replace(GIVEN, proposal=replace(GIVEN.proposal, not_before=NOW + SECOND)), "not count"),
        (replace(GIVEN, proposal=replace(GIVEN.proposal, department_ids=(THERE,))), "data here"),
    ],
)
def test_a_refusal_says_what_is_missing(approval: Approval, says: str) -> None:
    """Of the approval that comes nearest."""
    assert says in verdict(ASKED, [approval], (), USUAL, NOW).reason


def test_apr_3_an_approval_ends_to_the_second_for_a_request() -> None:
    """At -1 s, 0 and +1 s."""
    end = NOW + timedelta(days=10)
    found = [verdict(ASKED, [GIVEN], (), USUAL, end + s * SECOND).allowed for s in (-1, 0, 1)]
    assert found == [True, False, False]
