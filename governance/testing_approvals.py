"""For tests: four people, a proposal, and one that they have approved."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from governance.approval_rules import Approval, Proposal
from governance.approvals import ApprovalStore
from governance.data_classes import DataClass, up_to
from governance.dossier import Dossier, Origin
from governance.evaluation_reports import ReportStore
from governance.events import Actor
from governance.risks import Risk, RiskScore

NOW = datetime(2026, 5, 12, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ANNA, BEN, CLEO, DORA = (
    Actor("local", name, "password", person_id=f"{number}" * 8 + "-1111-4111-8111-111111111111")
    for number, name in enumerate(("anna", "ben", "cleo", "dora"), 1)
)
BROUGHT = "c" * 64


def scored() -> tuple[RiskScore, ...]:
    """Every risk, as unlikely as can be."""
    return tuple(RiskScore(one, 1, 2, "The passages are shown beside the answer") for one in Risk)


def recorded(store: ReportStore, digest: str = BROUGHT, now: datetime = NOW) -> str:
    """A recorded evaluation of a model, by its digest."""
    config = {"model_digests": {"brought": digest}, "suite_digest": "5" * 64}
    told = {"n": 200, "retrieval": None, "answers": {"f1": 0.9}, "abstention": None}
    content = json.dumps({**told, "config": config, "at": now.isoformat()})
    return store.record(ANNA, content.encode(), now).digest


def proposal(highest: DataClass = DataClass.INTERNAL, **changes: Any) -> Proposal:
    """A proposal for ten days that breaks no rule, but for what is changed."""
    made = Proposal(
        digest=BROUGHT,
        model="brought",
        data_classes=up_to(highest),
        department_ids=None,
        purposes="Answers from the policies",
        evidence="200 questions of the ward, 96 % right",
        reason="The catalogue has no such model",
        not_before=NOW,
        expires_at=NOW + timedelta(days=10),
        dossier=Dossier(scored(), "No names of patients", Origin(publisher="Us", licence="MIT")),
        pia_document="PIA-2026-014" if highest.level >= DataClass.CONFIDENTIAL.level else None,
    )
    return replace(made, **changes)


def approved(
    store: ApprovalStore,
    highest: DataClass = DataClass.INTERNAL,
    now: datetime = NOW,
    **changes: Any,
) -> Approval:
    """One that Anna proposed and as many others as are needed have approved."""
    ends = {"not_before": now, "expires_at": now + timedelta(days=10)} | changes
    if highest.level > DataClass.INTERNAL.level:
        reports = ReportStore(store._record)
        ends = {"report_digests": (recorded(reports, ends.get("digest", BROUGHT), now),)} | ends
    made = store.propose(ANNA, proposal(highest, **ends), now)
    for actor in (BEN, CLEO)[: made.needed]:
        made = store.approve(actor, made.id, "I read the evidence", now)
    return made
