"""Keeps summaries of `lamplight eval` that approvals cite, by the digest of their text (APR-6).

The figures are kept, the texts of questions and answers are not. What is here was asked by the
person who recorded it: it says that this file was shown, and which models and questions it is
about. Whether its figures are good enough is for the approvers to read.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from governance.approval_rules import Proposal, person_of
from governance.config import GovernanceSettings
from governance.data_classes import DataClass, highest
from governance.dossier import DIGEST
from governance.errors import InvalidApproval
from governance.events import Action, Actor, Event
from governance.record.database import Record
from governance.record.model_tables import evaluation_reports

MAX_REPORT_BYTES = 64 * 1024
MAX_MODELS = 20
FIGURES = ("n", "retrieval", "answers", "abstention")


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """One recorded result. figures: numbers by group and name."""

    digest: str
    suite_digest: str
    model_digests: tuple[str, ...]
    figures: Mapping[str, Any]
    recorded_by: str
    recorded_at: datetime


class ReportStore:
    """The reports of one record; none is ever changed or removed."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def record(self, actor: Actor, content: bytes, now: datetime) -> EvaluationReport:
        """Keep a result file; the same file again is the same report. Raises InvalidApproval."""
        made = read_report(content, person_of(actor), now)
        with self._record.write() as connection:
            known = found_within(connection, (made.digest,))
            if known:
                return known[0]
            connection.execute(
                evaluation_reports.insert().values(
                    digest=made.digest,
                    suite_digest=made.suite_digest,
                    model_digests=" ".join(made.model_digests),
                    figures=json.dumps(made.figures, sort_keys=True),
                    recorded_by=made.recorded_by,
                    recorded_at=now,
                )
            )
            self._record.trail.append(connection, _event(actor, made))
        return made

    def found(self, digests: Sequence[str]) -> tuple[EvaluationReport, ...]:
        """Those of these digests that are recorded."""
        with self._record.read() as connection:
            return found_within(connection, digests)


def found_within(connection: Connection, digests: Sequence[str]) -> tuple[EvaluationReport, ...]:
    """The same inside the caller's transaction."""
    query = select(evaluation_reports).where(evaluation_reports.c.digest.in_(digests))
    return tuple(_report(row) for row in connection.execute(query)) if digests else ()


def read_report(content: bytes, recorded_by: str, now: datetime) -> EvaluationReport:
    """What a result file says. Raises InvalidApproval."""
    try:
        if len(content) > MAX_REPORT_BYTES:
            raise ValueError("too large")
        told = json.loads(content)
        models = tuple(sorted(set(told["config"]["model_digests"].values())))
        suite = told["config"]["suite_digest"]
        figures = {name: told[name] for name in FIGURES}
        if not 0 < len(models) <= MAX_MODELS or not all(map(DIGEST.fullmatch, (*models, suite))):
            raise ValueError("no digests")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidApproval(
            "reports",
            "This is no result of an evaluation.",
            "Run `lamplight eval QUESTIONS --record`.",
        ) from error
    digest = hashlib.sha256(content).hexdigest()
    return EvaluationReport(digest, suite, models, figures, recorded_by, now)


def check_evidence(
    wanted: Proposal,
    reports: Sequence[EvaluationReport],
    settings: GovernanceSettings,
    now: datetime,
) -> None:
    """Raise InvalidApproval where a proposal above `internal` cites no fitting report."""
    if highest(wanted.data_classes).level <= DataClass.INTERNAL.level:
        return
    oldest = now - timedelta(days=settings.evaluation_valid_days)
    suite = settings.evaluation_suite
    fitting = [
        one
        for one in reports
        if wanted.digest in one.model_digests
        and one.recorded_at > oldest
        and suite in ("", one.suite_digest)
    ]
    if not fitting:
        raise InvalidApproval(
            "reports",
            "Above internal data a recorded evaluation of this very model is needed.",
            "Run `lamplight eval QUESTIONS --record` and give the digest that it prints; it counts "
            f"for {settings.evaluation_valid_days} days.",
        )


def _report(row: Row[tuple[object, ...]]) -> EvaluationReport:
    return EvaluationReport(
        row.digest,
        row.suite_digest,
        tuple(row.model_digests.split()),
        json.loads(row.figures),
        row.recorded_by,
        row.recorded_at,
    )


def _event(actor: Actor, made: EvaluationReport) -> Event:
    return Event(
        Action.EVALUATION_RECORDED,
        actor,
        None,
        "report",
        made.digest,
        made.digest,
        facts={"suite": made.suite_digest, "models": list(made.model_digests)},
    )
