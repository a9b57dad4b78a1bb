"""Approvals in a real record: every step with its event, no row ever changed."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DatabaseError

from governance.approval_rules import ApprovalState, StepKind
from governance.approvals import ApprovalStore
from governance.audit.log import AuditLog
from governance.config import GovernanceSettings
from governance.data_classes import DataClass
from governance.department_classes import ClassStore
from governance.dossier import Origin
from governance.errors import (
    IllegalTransition,
    InvalidApproval,
    ModelNotApproved,
    NotFound,
    SecondPersonNeeded,
    UnknownDepartment,
)
from governance.evaluation_reports import ReportStore
from governance.inventory import InstalledModel, Inventory
from governance.model_blocks import BlockStore
from governance.model_guard import AskedBy, ModelGuard, NamedModel
from governance.model_uses import ModelUse, note_use
from governance.policies import Department
from governance.record.database import Record
from governance.record.model_tables import approval_steps, approvals
from governance.record.trail_tables import audit_leaves
from governance.testing_approvals import ANNA, BEN, BROUGHT, CLEO, NOW, approved, proposal, recorded
from governance.testing_retention import OWNER, actions

MODEL = NamedModel("brought", BROUGHT, pinned=False)
PINNED = NamedModel("chat", "a" * 64, pinned=True)


@pytest.fixture
def store(record: Record, settings: GovernanceSettings) -> ApprovalStore:
    return ApprovalStore(record, settings)


@pytest.fixture
def blocks(record: Record) -> BlockStore:
    return BlockStore(record)


@pytest.fixture
def classes(record: Record, settings: GovernanceSettings) -> ClassStore:
    return ClassStore(record, settings)


@pytest.fixture
def guard(record: Record, settings: GovernanceSettings, store: ApprovalStore) -> ModelGuard:
    return ModelGuard(record, settings, store)


def told(record: Record) -> list[str]:
    """The acts about models."""
    kinds = ("approval", "model", "data_class")
    return [one for kind in kinds for one in actions(record, f"{kind}.")]


def test_apr_1_a_life_is_written_down_step_by_step(record: Record, store: ApprovalStore) -> None:
    """Proposed, approved by one other, revoked; each with its event and its reason."""
    made = store.propose(ANNA, proposal(report_digests=("e" * 64,)), NOW)
    assert store.approval(made.id) == made
    assert made.state(NOW) is ApprovalState.PROPOSED
    after = store.approve(BEN, made.id, " I read it ", NOW)
    assert after.state(NOW) is ApprovalState.APPROVED
    assert store.revoke(CLEO, made.id, "It failed a test", NOW).steps[1].reason == (
        "It failed a test"
    )
    assert told(record) == ["approval.proposed", "approval.given", "approval.revoked"]
    assert store.approvals(BROUGHT) == (store.approval(made.id),)
    assert store.approvals("d" * 64) == ()


def test_gov_9_above_internal_it_takes_two_others(record: Record, store: ApprovalStore) -> None:
    """Neither of whom proposed; the owner of the data directory is one of them."""
    shown = (recorded(ReportStore(record)),)
    made = store.propose(ANNA, proposal(DataClass.CONFIDENTIAL, report_digests=shown), NOW)
    with pytest.raises(SecondPersonNeeded):
        store.approve(ANNA, made.id, "Mine", NOW)
    assert store.approve(BEN, made.id, "Good", NOW).state(NOW) is ApprovalState.PROPOSED
    with pytest.raises(SecondPersonNeeded):
        store.approve(BEN, made.id, "Good", NOW)
    assert store.approve(OWNER, made.id, "Good", NOW).state(NOW) is ApprovalState.APPROVED


def test_a_refused_step_changes_and_records_nothing(record: Record, store: ApprovalStore) -> None:
    """Neither a row nor an event."""
    made = approved(store)
    before = told(record)
    with pytest.raises(IllegalTransition):
        store.withdraw(ANNA, made.id, "Late", NOW)
    with pytest.raises(InvalidApproval):
        store.revoke(BEN, made.id, " ", NOW)
    with pytest.raises(NotFound):
        store.approve(BEN, "nobody", "why", NOW)
    with pytest.raises(InvalidApproval):
        store.propose(ANNA, proposal(purposes=""), NOW)
    with pytest.raises(UnknownDepartment):
        store.propose(ANNA, proposal(department_ids=("nowhere",)), NOW)
    assert store.approvals() == (made,)
    assert told(record) == before


def test_aud_5_a_step_without_its_event_does_not_happen(
    record: Record, store: ApprovalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trail that cannot be written takes the step back."""
    made = store.propose(ANNA, proposal(), NOW)

    def full(*_: object) -> int:
        raise OSError("no space")

    monkeypatch.setattr(AuditLog, "append", full)
    with pytest.raises(OSError, match="no space"):
        store.approve(BEN, made.id, "Good", NOW)
    assert store.approval(made.id).steps == ()


@pytest.mark.parametrize("table", [approvals, approval_steps], ids=lambda one: str(one.name))
def test_apr_1_the_database_itself_refuses_to_change_a_row(
    record: Record, store: ApprovalStore, table: object
) -> None:
    """Neither changed nor removed, whoever asks."""
    approved(store)
    assert table in (approvals, approval_steps)
    for change in (update(table).values(reason="x"), delete(table)):  # type: ignore[arg-type]
        with pytest.raises(DatabaseError, match="never changed"), record.write() as connection:
            connection.execute(change)


def test_apr_2_a_refusal_is_recorded_with_class_and_digest(
    record: Record, store: ApprovalStore, guard: ModelGuard, demo: Department
) -> None:
    """And says what to do; once it is approved, the same request passes."""
    by = AskedBy(ANNA, demo.id, "POST /api/chat", "r-1")
    with pytest.raises(ModelNotApproved, match="Nobody has approved it for internal data") as no:
        guard.require(MODEL, by, NOW)
    assert "lamplight model propose" in no.value.hint
    assert told(record) == ["model.refused"]
    with record.read() as connection:
        query = select(audit_leaves.c.body).where(audit_leaves.c.action == "model.refused")
        body = connection.execute(query).scalar_one()
    assert BROUGHT in body
    assert '"data_class":"internal"' in body
    made = approved(store, department_ids=(demo.id,))
    guard.require(MODEL, by, NOW)
    assert guard.ask(MODEL, by, NOW).approval_id == made.id


@pytest.mark.parametrize(("seconds", "allowed"), [(-1, True), (0, False), (1, False)])
def test_apr_3_the_guard_knows_the_end_to_the_second(
    store: ApprovalStore, guard: ModelGuard, demo: Department, seconds: int, allowed: bool
) -> None:
    """As the record holds it."""
    end = approved(store).proposal.expires_at
    by = AskedBy(ANNA, demo.id, "test")
    assert guard.ask(MODEL, by, end + timedelta(seconds=seconds)).allowed is allowed


def test_gov_3_a_block_stops_at_once_and_is_lifted_with_a_reason(
    record: Record, guard: ModelGuard, blocks: BlockStore, demo: Department
) -> None:
    """It outlives a restart: it stands in the record."""
    by = AskedBy(ANNA, demo.id, "test")
    made = blocks.block(BEN, None, demo.id, "An incident", NOW)
    assert not guard.ask(PINNED, by, NOW).allowed
    assert guard.ask(PINNED, AskedBy(ANNA, None, "test"), NOW).allowed
    assert blocks.blocks() == (made,)
    blocks.lift(CLEO, made.id, "It was nothing", NOW)
    assert guard.ask(PINNED, by, NOW).allowed
    assert blocks.blocks() == ()
    with pytest.raises(IllegalTransition):
        blocks.lift(CLEO, made.id, "Again", NOW)
    with pytest.raises(NotFound):
        blocks.lift(CLEO, "none", "why", NOW)
    assert told(record) == ["model.blocked", "model.unblocked"]


def test_a_department_of_a_higher_class_needs_more(
    record: Record, guard: ModelGuard, classes: ClassStore, store: ApprovalStore, demo: Department
) -> None:
    """The catalogue is not enough any more; neither is it for whoever works for all."""
    by = AskedBy(ANNA, demo.id, "test")
    assert guard.ask(PINNED, by, NOW).allowed
    classes.set_class(BEN, demo.id, DataClass.CONFIDENTIAL, "Plans for emergencies")
    classes.set_class(BEN, demo.id, DataClass.CONFIDENTIAL, "The same again")
    assert classes.classes() == {demo.id: DataClass.CONFIDENTIAL}
    assert not guard.ask(PINNED, by, NOW).allowed
    assert guard.ask(PINNED, AskedBy(ANNA, None, "test"), NOW).allowed
    assert not guard.ask(PINNED, AskedBy(ANNA, None, "test", for_all=True), NOW).allowed
    approved(store, DataClass.CONFIDENTIAL, digest=PINNED.digest)
    assert guard.ask(PINNED, by, NOW).allowed
    assert told(record).count("data_class.changed") == 1


def test_a_class_that_is_off_cannot_be_set(classes: ClassStore, demo: Department) -> None:
    """And an unknown department is none."""
    with pytest.raises(InvalidApproval):
        classes.set_class(BEN, demo.id, DataClass.PHI, "Patients")
    with pytest.raises(UnknownDepartment):
        classes.set_class(BEN, "none", DataClass.PUBLIC, "why")
    assert classes.classes() == {}


class Shelf:
    """One installed model."""

    def find(self, name: str, *, embeds: bool = False) -> NamedModel | None:
        return PINNED if name == "chat" and not embeds else None

    def installed(self) -> tuple[InstalledModel, ...]:
        return (InstalledModel(PINNED.digest, ("chat",), True, "MIT", 7),)

    def origin(self, digest: str) -> Origin:
        return Origin()


def test_gov_1_every_digest_that_answered_is_in_the_inventory(
    record: Record, store: ApprovalStore, blocks: BlockStore, demo: Department
) -> None:
    """Installed, used or proposed: each once, with its owner, its uses and its last use."""
    with record.write() as connection:
        for hours, place in ((0, demo.id), (1, demo.id), (2, None)):
            at = NOW + timedelta(hours=hours)
            note_use(connection, ModelUse("e" * 64, "gone", place, at))
    made = approved(store)
    inventory = Inventory(record, store, blocks, Shelf())
    found = {one.name: one for one in inventory.models()}
    assert set(found) == {"chat", "gone", "brought"}
    assert (found["gone"].uses, found["gone"].installed) == (3, None)
    assert found["gone"].last_used_at == NOW + timedelta(hours=2)
    assert found["brought"].owner == made.proposed_by
    assert found["chat"].pinned
    assert inventory.named("chat").digest == PINNED.digest
    with pytest.raises(NotFound):
        inventory.named("nothing")


def test_the_steps_are_three(store: ApprovalStore) -> None:
    """A proposal that is withdrawn never counts."""
    made = store.propose(ANNA, proposal(), NOW)
    after = store.withdraw(ANNA, made.id, "A mistake", NOW)
    assert [step.kind for step in after.steps] == [StepKind.WITHDRAW]
    assert not after.counts(NOW)
