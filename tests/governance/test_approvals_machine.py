"""GOV-9 by chance: people propose, approve, withdraw and revoke in any order, and time passes.

`make prove` sets GOV_9_STEPS to 20,000.
"""

import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from governance.approval_rules import TRANSITIONS, ApprovalState, StepKind, person_of
from governance.approvals import ApprovalStore
from governance.config import GovernanceSettings
from governance.data_classes import DataClass, highest
from governance.errors import GovernanceError
from governance.evaluation_reports import ReportStore
from governance.events import Actor
from governance.model_guard import AskedBy, ModelGuard, NamedModel
from governance.record.database import open_record
from governance.testing_approvals import ANNA, BEN, BROUGHT, CLEO, DORA, NOW, proposal, recorded

STEPS = int(os.environ.get("GOV_9_STEPS", "400"))
STEPS_EACH = 50
OWNER = Actor("local", "owner", "socket")
PROGRAM = Actor("runtime", "local", "none")
ACTORS = st.sampled_from([ANNA, BEN, CLEO, DORA, OWNER, PROGRAM])


class Approvals(RuleBasedStateMachine):
    """A record on disk, and what a plain account of the same acts says."""

    made = Bundle("made")
    # A record with the newest schema and nothing in it.
    start = Path()

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="lamplight-approvals-"))
        shutil.copy(self.start, self.folder / "record.db")
        governance = GovernanceSettings(self.folder)
        self.record = open_record(governance)
        self.store = ApprovalStore(self.record, governance)
        self.guard = ModelGuard(self.record, governance, self.store)
        self.now = NOW
        # By id: who proposed, who approved, and the last state that was seen.
        self.proposers: dict[str, str] = {}
        self.approvers: dict[str, list[str]] = {}
        self.seen: dict[str, ApprovalState] = {}

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.record.close()
        shutil.rmtree(self.folder)

    @initialize(target=made)
    def begin(self) -> str:
        return self._propose(ANNA, DataClass.CONFIDENTIAL, 10)

    @rule(
        target=made,
        actor=st.sampled_from([ANNA, BEN, CLEO, DORA, OWNER]),
        data_class=st.sampled_from([DataClass.PUBLIC, DataClass.INTERNAL, DataClass.CONFIDENTIAL]),
        days=st.integers(1, 20),
    )
    def propose(self, actor: Actor, data_class: DataClass, days: int) -> str:
        return self._propose(actor, data_class, days)

    @rule(one=made, actor=ACTORS, kind=st.sampled_from(StepKind))
    def step(self, one: str, actor: Actor, kind: StepKind) -> None:
        before = self.store.approval(one)
        acts = {
            StepKind.APPROVE: self.store.approve,
            StepKind.WITHDRAW: self.store.withdraw,
            StepKind.REVOKE: self.store.revoke,
        }
        try:
            acts[kind](actor, one, "By chance", self.now)
        except GovernanceError:
            assert self.store.approval(one) == before
            return
        if kind is StepKind.APPROVE:
            self.approvers[one].append(person_of(actor))

    @rule(hours=st.integers(1, 200))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @invariant()
    def nobody_approves_their_own_and_nobody_twice(self) -> None:
        for approval in self.store.approvals():
            approvers = self.approvers[approval.id]
            assert list(approval.approvers) == approvers
            assert self.proposers[approval.id] not in approvers
            assert len(set(approvers)) == len(approvers)
            if approval.counts(self.now):
                needed = 2 if DataClass.CONFIDENTIAL in approval.proposal.data_classes else 1
                assert len(approvers) >= needed
            before, state = self.seen[approval.id], approval.state(self.now)
            assert state is before or state in TRANSITIONS[before]
            self.seen[approval.id] = state

    @invariant()
    def a_model_works_only_by_an_approval_that_counts(self) -> None:
        model = NamedModel("brought", BROUGHT, pinned=False)
        allowed = self.guard.ask(model, AskedBy(ANNA, None, "test"), self.now).allowed
        counting = [
            one
            for one in self.store.approvals()
            if one.counts(self.now) and highest(one.proposal.data_classes).level >= 1
        ]
        assert allowed is bool(counting)

    def _propose(self, actor: Actor, data_class: DataClass, days: int) -> str:
        ends = self.now + timedelta(days=days)
        shown = (recorded(ReportStore(self.record), now=self.now),)
        wanted = proposal(data_class, not_before=self.now, expires_at=ends, report_digests=shown)
        one = self.store.propose(actor, wanted, self.now)
        self.proposers[one.id], self.approvers[one.id] = person_of(actor), []
        self.seen[one.id] = ApprovalState.PROPOSED
        return one.id


def test_gov_9_no_order_of_acts_lets_one_person_approve(migrated_file: Path) -> None:
    """The proposer never approves, nobody twice, and a model works only by what counts."""
    Approvals.start = migrated_file
    run_state_machine_as_test(
        Approvals,
        settings=settings(
            max_examples=max(1, STEPS // STEPS_EACH),
            stateful_step_count=STEPS_EACH,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
