"""APR-5: when what an approval was decided on changes, the model must be approved anew."""

from dataclasses import replace
from datetime import timedelta

import pytest

from governance.approvals import ApprovalStore
from governance.basis import Trigger, breaking_part, changed
from governance.config import GovernanceSettings
from governance.errors import ModelNotApproved
from governance.model_guard import AskedBy, ModelGuard, NamedModel
from governance.record.database import Record
from governance.testing_approvals import ANNA, BROUGHT, NOW, approved, proposal
from governance.testing_trail import events_of

THEN = {str(one): f"{one} then" for one in Trigger}
BY = AskedBy(ANNA, None, "test")
MODEL = NamedModel("brought", BROUGHT, pinned=False)


@pytest.fixture
def now() -> dict[str, str]:
    """What holds now; a test changes it."""
    return dict(THEN)


@pytest.fixture
def store(record: Record, settings: GovernanceSettings) -> ApprovalStore:
    return ApprovalStore(record, settings)


@pytest.fixture
def guard(
    record: Record, settings: GovernanceSettings, store: ApprovalStore, now: dict[str, str]
) -> ModelGuard:
    approved(store, dossier=replace(proposal().dossier, basis=THEN))
    return ModelGuard(record, settings, store, lambda: now)


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        (Trigger.RUNTIME, "the version of the runtime"),
        (Trigger.RETRIEVAL, "the settings of the search"),
        (Trigger.EMBEDDING, "the embedding model"),
        (Trigger.SUITE, "the questions of the evaluation"),
    ],
)
def test_apr_5_each_trigger_ends_an_approval_until_the_next(
    record: Record,
    store: ApprovalStore,
    guard: ModelGuard,
    now: dict[str, str],
    trigger: Trigger,
    words: str,
) -> None:
    """Refused with what changed; put back, or approved anew, it works again."""
    guard.require(MODEL, BY, NOW)
    now[trigger] = "another"
    with pytest.raises(ModelNotApproved, match=f"Since its approval {words} changed"):
        guard.require(MODEL, BY, NOW)
    [event] = events_of(record, "model.refused")
    assert words in event["reason"]
    assert event["facts"]["policy"] == "2"
    approved(store, dossier=replace(proposal().dossier, basis=dict(now)))
    guard.require(MODEL, BY, NOW)


@pytest.mark.parametrize("part", ["file", "template", "quantization", "tokenizer", "adapter"])
def test_apr_5_another_part_of_the_model_is_another_digest(guard: ModelGuard, part: str) -> None:
    """The manifest names each by its digest; see also tests/lamplight/test_model_origin.py."""
    other = NamedModel("brought", (part.encode().hex() * 32)[:64], pinned=False)
    with pytest.raises(ModelNotApproved, match="Nobody has approved it"):
        guard.require(other, BY, NOW)


def test_apr_5_what_was_not_known_is_not_compared(guard: ModelGuard, now: dict[str, str]) -> None:
    """Neither then nor now."""
    now.clear()
    assert guard.ask(MODEL, BY, NOW).allowed
    assert changed({}, THEN) == changed(THEN, {}) == changed(THEN, THEN) == ()
    assert changed({"runtime": "1"}, {"runtime": "2", "suite": "3"}) == (Trigger.RUNTIME,)


def test_an_approval_that_has_ended_says_so_and_not_what_changed(
    guard: ModelGuard, now: dict[str, str]
) -> None:
    """Proposing it anew is what helps in either case."""
    now[Trigger.RETRIEVAL] = "another"
    assert guard.ask(MODEL, BY, NOW + timedelta(days=30)).reason == "Its approval has expired."


@pytest.mark.parametrize(
    ("version", "part"), [("1.4.2", "1"), ("0.3.16", "0.3"), ("12", "12"), ("0.0.9", "0.0")]
)
def test_the_part_of_a_version_that_breaks(version: str, part: str) -> None:
    """The first number; where that is 0, the second with it."""
    assert breaking_part(version) == part
