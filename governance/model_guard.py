"""Asks, before a model works, whether it may; what it may not is recorded and told (APR-2).

The runtime asks at its gate and the platform before it calls: either alone would be enough.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from governance.approvals import ApprovalStore
from governance.basis import KnowsBasis, nothing_known
from governance.config import GovernanceSettings
from governance.data_classes import PRE_APPROVED, DataClass, enabled_classes
from governance.department_classes import class_within, highest_within
from governance.errors import ModelNotApproved
from governance.events import Action, Actor, Event
from governance.model_blocks import blocks_within
from governance.model_rules import POLICY_VERSION, ModelRequest, Verdict, verdict
from governance.record.database import Record


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model as it is asked for. digest: of its manifest; pinned: just as the catalogue has it."""

    name: str
    digest: str
    pinned: bool


@dataclass(frozen=True, slots=True)
class AskedBy:
    """Whom a model shall work for.

    department_id: None is no department in particular. for_all: it works for every department, so
    the highest class of any of them counts.
    """

    actor: Actor
    department_id: str | None
    endpoint: str
    request_id: str | None = None
    for_all: bool = False


class ModelGuard:
    """Lets models work, or says why not."""

    def __init__(
        self,
        record: Record,
        settings: GovernanceSettings,
        approvals: ApprovalStore,
        basis: KnowsBasis = nothing_known,
    ) -> None:
        self._record = record
        self._enabled = enabled_classes(settings)
        self._approvals = approvals
        self._basis = basis

    def ask(self, model: NamedModel, by: AskedBy, now: datetime) -> Verdict:
        """Whether this model may work for them at this moment."""
        with self._record.read() as connection:
            return self._decide(connection, model, by, now)[1]

    def require(self, model: NamedModel, by: AskedBy, now: datetime) -> None:
        """Let it work, or record the refusal. Raises ModelNotApproved, TrailBlocked."""
        with self._record.read() as connection:
            request, found = self._decide(connection, model, by, now)
        if found.allowed:
            return
        with self._record.write() as connection:
            self._record.trail.append(connection, _refused(request, by, found))
        raise ModelNotApproved(
            f"The model {model.name} may not be used here. {found.reason}", found.hint
        )

    def _decide(
        self, connection: Connection, model: NamedModel, by: AskedBy, now: datetime
    ) -> tuple[ModelRequest, Verdict]:
        data_class = _class_of(connection, by)
        request = ModelRequest(model.digest, model.name, model.pinned, data_class, by.department_id)
        # Asked before each answer: what the catalogue settles needs no look at approvals.
        settled = model.pinned and data_class in PRE_APPROVED
        given = () if settled else self._approvals.approvals_within(connection, model.digest)
        basis = {} if settled else self._basis()
        blocks = blocks_within(connection)
        return request, verdict(request, given, blocks, self._enabled, now, basis)


def _class_of(connection: Connection, by: AskedBy) -> DataClass:
    if by.for_all:
        return highest_within(connection)
    return class_within(connection, by.department_id)


def _refused(request: ModelRequest, by: AskedBy, found: Verdict) -> Event:
    return Event(
        Action.MODEL_REFUSED,
        by.actor,
        by.department_id,
        "model",
        request.model,
        request.digest,
        outcome="refused",
        reason=found.reason,
        request_id=by.request_id,
        facts={
            "data_class": str(request.data_class),
            "endpoint": by.endpoint,
            "policy": POLICY_VERSION,
        },
    )
