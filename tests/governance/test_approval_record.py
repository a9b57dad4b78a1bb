"""APR-1: what an approval records is whole, fits its schema, and never changes."""

from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from governance.approval_record import SCHEMA, proposal_digest, proposal_json
from governance.approval_rules import LONGEST, check_proposal
from governance.approvals import ApprovalStore
from governance.config import GovernanceSettings
from governance.data_classes import DataClass, up_to
from governance.dossier import Dossier, Origin
from governance.errors import InvalidApproval
from governance.evaluation_reports import ReportStore
from governance.record.database import Record
from governance.testing_approvals import ANNA, NOW, approved, proposal, recorded, scored
from governance.testing_trail import events_of

ORIGIN = Origin("1" * 64, "2" * 64, "3" * 64, "Q4_K_M", "A maker", "MIT", "4" * 64)
WHOLE = Dossier(scored(), "A weekly look", ORIGIN, {"retrieval": "5", "runtime": "1 0.3"})


@pytest.fixture
def store(record: Record, settings: GovernanceSettings) -> ApprovalStore:
    return ApprovalStore(record, settings)


def faults(document: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(document)]


@pytest.mark.parametrize("highest", [DataClass.PUBLIC, DataClass.INTERNAL, DataClass.CONFIDENTIAL])
def test_apr_1_gov_2_what_the_record_holds_fits_the_schema(
    store: ApprovalStore, highest: DataClass
) -> None:
    """Read back from its row, with every part of it as it was proposed."""
    made = approved(store, highest, dossier=WHOLE)
    read = store.approval(made.id).proposal
    assert read.dossier == WHOLE
    assert faults(proposal_json(read)) == []


@pytest.mark.parametrize("part", SCHEMA["required"])
def test_apr_1_gov_2_the_schema_lacks_nothing(part: str) -> None:
    """A document without one of its parts does not fit, and neither does one with more."""
    whole = proposal_json(proposal(dossier=WHOLE))
    assert faults(whole) == []
    assert faults({name: value for name, value in whole.items() if name != part})
    assert faults({**whole, "more": 1})


def test_gov_2_the_schema_knows_every_risk() -> None:
    """With a score missing, out of its scale or without a remedy it does not fit."""
    whole = proposal_json(proposal(dossier=WHOLE))
    first, *others = whole["risks"]
    for wrong in (
        others,
        [{**first, "impact": 4}, *others],
        [{**first, "mitigation": ""}, *others],
    ):
        assert faults({**whole, "risks": wrong})


@pytest.mark.parametrize(
    "changes",
    [
        {"purposes": "Something else"},
        {"expires_at": NOW + LONGEST},
        {"dossier": replace(WHOLE, conditions="None")},
        {"dossier": replace(WHOLE, origin=replace(ORIGIN, licence="GPL"))},
        {"dossier": replace(WHOLE, risks=scored()[::-1][:6])},
    ],
)
def test_apr_1_any_change_is_another_proposal(changes: dict[str, Any]) -> None:
    """Its digest, which stands in the trail, says so."""
    before = proposal(dossier=WHOLE)
    assert proposal_digest(before) != proposal_digest(replace(before, **changes))
    assert proposal_digest(before) == proposal_digest(replace(before))


def test_apr_1_the_trail_names_what_was_proposed(record: Record, store: ApprovalStore) -> None:
    """By a digest of all of it, in the event of the proposal and of each step."""
    made = approved(store, dossier=WHOLE)
    for action in ("approval.proposed", "approval.given"):
        [event] = events_of(record, action)
        assert event["facts"]["proposal_digest"] == proposal_digest(
            store.approval(made.id).proposal
        )
        assert "privacy 1x2" in event["facts"]["risks"]


@pytest.mark.parametrize(
    ("origin", "field"),
    [
        (replace(ORIGIN, publisher=" "), "publisher"),
        (replace(ORIGIN, licence=""), "licence"),
        (replace(ORIGIN, bom_digest="abc"), "bom"),
    ],
)
def test_apr_1_publisher_and_licence_are_named(origin: Origin, field: str) -> None:
    """A bill of materials is not asked for; one that is named has a digest."""
    wanted = proposal(dossier=replace(WHOLE, origin=origin))
    with pytest.raises(InvalidApproval) as no:
        check_proposal(wanted, NOW, up_to(DataClass.INTERNAL))
    assert no.value.field == field


def test_a_proposal_from_before_there_were_dossiers_is_read(
    record: Record, store: ApprovalStore
) -> None:
    """It has none, and what it allows goes on until it ends."""
    made = approved(store)
    copied = "INSERT INTO approvals SELECT 'old', digest, model, data_classes, department_ids, "
    copied += "purposes, evidence, report_digests, pia_document, reason, proposed_by, created_at, "
    copied += "not_before, expires_at, NULL FROM approvals WHERE id = :id"
    with record.write() as connection:
        connection.execute(text(copied), {"id": made.id})
    assert store.approval("old").proposal == replace(made.proposal, dossier=Dossier())


@pytest.mark.parametrize(
    ("digest", "days", "suite", "fits"),
    [
        ("c", 0, "", True),
        ("c", 179, "", True),
        ("c", 180, "", False),
        ("d", 0, "", False),
        ("c", 0, "5", True),
        ("c", 0, "6", False),
    ],
)
def test_apr_6_above_internal_a_recorded_evaluation_of_this_model_is_cited(
    record: Record,
    settings: GovernanceSettings,
    digest: str,
    days: int,
    suite: str,
    fits: bool,
) -> None:
    """Recorded here, of this very digest, not too old, and of the questions that are set."""
    store = ApprovalStore(record, replace(settings, evaluation_suite=suite * 64))
    at = NOW - LONGEST * (days / 365)
    shown = recorded(ReportStore(record), digest * 64, at)
    wanted = proposal(DataClass.CONFIDENTIAL, report_digests=(shown,))
    if fits:
        assert store.propose(ANNA, wanted, NOW)
        return
    with pytest.raises(InvalidApproval, match="recorded evaluation of this very model"):
        store.propose(ANNA, wanted, NOW)
    assert store.approvals() == ()


def test_apr_6_a_digest_that_nobody_recorded_is_no_evidence(store: ApprovalStore) -> None:
    """Nor is none; up to internal neither is asked for."""
    for digests in ((), ("e" * 64,)):
        with pytest.raises(InvalidApproval, match="recorded evaluation"):
            store.propose(ANNA, proposal(DataClass.CONFIDENTIAL, report_digests=digests), NOW)
        assert store.propose(ANNA, proposal(report_digests=digests), NOW)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"config": {"model_digests": {}}}', b"x" * 70_000]
)
def test_apr_6_what_is_no_result_is_not_recorded(record: Record, content: bytes) -> None:
    """And leaves no event."""
    with pytest.raises(InvalidApproval, match="no result of an evaluation"):
        ReportStore(record).record(ANNA, content, NOW)
    assert events_of(record, "evaluation.recorded") == []


def test_apr_6_a_report_is_recorded_once_and_never_changed(record: Record) -> None:
    """The same file again is the same report; the database refuses to touch it."""
    reports = ReportStore(record)
    digest = recorded(reports)
    assert recorded(reports) == digest
    assert [event["object"]["digest"] for event in events_of(record, "evaluation.recorded")] == [
        digest
    ]
    [found] = reports.found((digest, "0" * 64))
    assert found.figures["answers"] == {"f1": 0.9}
    for change in (
        "UPDATE evaluation_reports SET figures = '{}'",
        "DELETE FROM evaluation_reports",
    ):
        with pytest.raises(DatabaseError, match="never changed"), record.write() as connection:
            connection.execute(text(change))
