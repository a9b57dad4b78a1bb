"""Which acts a reader is offered, and what the page says comes next."""

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from governance.policies import DocumentSummary
from governance.version_life import LifeStep
from governance.versions import Act, VersionState
from web.reviewing import OFFERED, Reader, acts_for, next_words, queue_of

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
EVERYTHING = frozenset(OFFERED)
EDITOR = Reader("edda", frozenset({Act.SUBMIT, Act.SEND_BACK, Act.RETRY}))
APPROVER = Reader("anna", frozenset({Act.APPROVE, Act.SEND_BACK, Act.FIX, Act.RECALL, Act.RETIRE}))
SUBMITTED = (LifeStep(Act.SUBMIT, "edda", "", NOW),)


def version(state: VersionState, **more: Any) -> DocumentSummary:
    values: dict[str, Any] = {field.name: None for field in fields(DocumentSummary)}
    given = {"state": state, "handed_in_by": "edda", "department": "Wards", "created_at": NOW}
    return DocumentSummary(**values | given | more)


@pytest.mark.parametrize(
    ("state", "reader", "acts"),
    [
        ("draft", EDITOR, [Act.SUBMIT]),
        ("draft", APPROVER, [Act.FIX]),
        ("submitted", EDITOR, [Act.SEND_BACK]),
        ("submitted", APPROVER, [Act.APPROVE, Act.SEND_BACK, Act.FIX]),
        ("approved", APPROVER, [Act.RECALL]),
        ("effective", APPROVER, [Act.RETIRE]),
        ("effective", EDITOR, []),
        ("superseded", APPROVER, []),
        ("retired", APPROVER, []),
        ("refused", EDITOR, [Act.RETRY]),
        ("loading", EDITOR, []),
    ],
)
def test_only_what_can_be_done_is_offered(state: str, reader: Reader, acts: list[Act]) -> None:
    """By the state, and by the role of the reader."""
    found = acts_for(version(VersionState(state)), SUBMITTED, reader, True)
    assert list(found) == acts


@pytest.mark.parametrize("act", [Act.CHANGE, Act.SUBMIT, Act.RETRY])
def test_whoever_had_a_hand_in_it_is_not_offered_to_approve(act: Act) -> None:
    """The page says why, and that somebody else must."""
    steps = (LifeStep(act, "anna", "", NOW),)
    waiting = version(VersionState.SUBMITTED)
    assert Act.APPROVE not in acts_for(waiting, steps, APPROVER, True)
    assert "somebody else must approve it" in next_words(waiting, steps, APPROVER)


def test_a_minor_fix_is_offered_only_beside_a_version_in_force() -> None:
    """Without one there is nothing to mend."""
    assert Act.FIX not in acts_for(version(VersionState.DRAFT), (), APPROVER, False)


@pytest.mark.parametrize("state", list(VersionState))
def test_every_state_says_what_comes_next(state: VersionState) -> None:
    """In a sentence, for everybody."""
    for reader in (EDITOR, APPROVER, Reader("nobody", frozenset())):
        assert next_words(version(state), SUBMITTED, reader).endswith(".")


def test_the_queue_holds_what_waits_and_what_is_overdue() -> None:
    """Drafts only of departments whose drafts the reader submits; the longest overdue first."""
    drafts = [version(VersionState.DRAFT), version(VersionState.DRAFT, department="Kitchen")]
    old = [version(VersionState.EFFECTIVE, review_due=date(2026, 2, day)) for day in (20, 10)]
    due_today = version(VersionState.EFFECTIVE, review_due=NOW.date())
    newer = version(VersionState.SUBMITTED, created_at=NOW + timedelta(hours=1))
    waiting = [version(VersionState.SUBMITTED), newer]
    found = queue_of([*drafts, *old, due_today, *waiting], NOW.date(), {"Wards"})
    assert found.to_submit == (drafts[0],)
    assert found.to_approve == (newer, waiting[0])
    assert found.overdue == (old[1], old[0])
    assert found.to_come == ()
