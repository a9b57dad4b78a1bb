"""The words that come with feedback and with reports of gaps: sealed, opened, purged.

Whoever reports hands their words in for others to read, so they are kept where the department keeps
no text of questions, too: masked, unless it keeps full text, and no longer than it keeps any text.
Where the mode is `none`, no word is kept. Legal holds stop the purge as they do for questions.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, delete, or_, select, update

from governance.config import GovernanceSettings
from governance.errors import InvalidReport, NotFound
from governance.events import SYSTEM, Action, Actor, Event
from governance.masking import mask
from governance.record.database import Record
from governance.record.feedback_tables import gap_reports, gaps, report_texts
from governance.record.tables import departments, versions
from governance.record.use_tables import question_bodies, questions
from governance.retention import RetentionStore
from governance.retention_rules import RetentionMode, RetentionRule, longest_days
from governance.vault import Sealed, Vault, forget_deleted

PURGE_BATCH = 100
MAX_COMMENT_CHARS = 500
MAX_REPLY_CHARS = 1_000
# More of a question or an answer than any page shows is not kept.
MAX_TEXT_CHARS = 20_000


@dataclass(frozen=True, slots=True)
class Words:
    """What a reader handed in; repr shows none of it."""

    question: str = field(default="", repr=False)
    answer: str = field(default="", repr=False)
    comment: str = field(default="", repr=False)
    masked: bool = True


class ReportTexts:
    """Keeps the words of reports inside the caller's transaction, and destroys them in time."""

    def __init__(
        self, record: Record, vault: Vault, retention: RetentionStore, settings: GovernanceSettings
    ) -> None:
        self._record = record
        self._vault = vault
        self._retention = retention
        self._settings = settings

    def keep(
        self,
        connection: Connection,
        report_id: str,
        question: RowMapping,
        words: Words,
        now: datetime,
    ) -> bool:
        """Seal the words of a report in place of earlier ones; False where none are kept."""
        self.drop(connection, [report_id])
        place = question["department_id"]
        rule = self._retention.rule_within(connection, place, now)
        if rule.mode is RetentionMode.NONE:
            return False
        masked = rule.mode is not RetentionMode.FULL
        shown = mask if masked else str
        kept = {
            "question": shown(words.question[:MAX_TEXT_CHARS]),
            "answer": shown(words.answer[:MAX_TEXT_CHARS]),
            "comment": shown(words.comment),
        }
        packed = json.dumps(kept).encode()
        sealed = self._vault.seal_text(connection, place, _bound(report_id, masked), packed, now)
        connection.execute(
            report_texts.insert().values(
                report_id=report_id,
                question_id=question["id"],
                department_id=place,
                wrapped_key=sealed.wrapped_key,
                nonce=sealed.nonce,
                ciphertext=sealed.ciphertext,
                masked=masked,
                kept_at=now,
            )
        )
        return True

    def drop(self, connection: Connection, report_ids: Sequence[str]) -> None:
        """Destroy what is kept of these reports."""
        connection.execute(delete(report_texts).where(report_texts.c.report_id.in_(report_ids)))

    def open(self, connection: Connection, report_ids: Collection[str]) -> Mapping[str, Words]:
        """What is still kept of these reports. Raises VaultDamaged."""
        rows = connection.execute(
            select(report_texts).where(report_texts.c.report_id.in_(report_ids))
        ).all()
        found = {}
        for row in rows:
            sealed = Sealed(row.wrapped_key, row.nonce, row.ciphertext)
            bound = _bound(row.report_id, row.masked)
            kept = json.loads(self._vault.open_text(connection, row.department_id, bound, sealed))
            found[row.report_id] = Words(**kept, masked=row.masked)
        return found

    def purge(self, now: datetime) -> int:
        """Destroy all words whose time is over and that nothing holds; gives how many reports."""
        with self._record.read() as connection:
            places = connection.execute(select(departments.c.id)).scalars().all()
        purged = 0
        for place in places:
            while count := self._purge_batch(place, now):
                purged += count
        forget_deleted(self._record.engine)
        return purged

    def _purge_batch(self, department_id: str, now: datetime) -> int:
        with self._record.write() as connection:
            rule = self._retention.rule_within(connection, department_id, now)
            if rule.legal_hold:
                return 0
            due = self._due(connection, rule, now)
            if not due:
                return 0
            self.drop(connection, due)
            _unfold(connection, due)
            event = Event(
                Action.BODY_PURGED,
                SYSTEM,
                department_id,
                "department",
                department_id,
                facts={"bodies": len(due), "reports": list(due)},
            )
            self._record.trail.append(connection, event)
            return len(due)

    def _due(self, connection: Connection, rule: RetentionRule, now: datetime) -> Sequence[str]:
        """By the rule of now, not of then: a time that was made longer or shorter holds at once."""
        over = [
            and_(
                report_texts.c.masked == masked,
                report_texts.c.kept_at <= now - timedelta(days=self._days(rule, masked=masked)),
            )
            for masked in (True, False)
        ]
        held = select(question_bodies.c.question_id).where(question_bodies.c.held)
        query = (
            select(report_texts.c.report_id)
            .where(
                report_texts.c.department_id == rule.department_id,
                or_(*over),
                report_texts.c.question_id.not_in(held),
            )
            .order_by(report_texts.c.kept_at, report_texts.c.report_id)
            .limit(PURGE_BATCH)
        )
        return connection.execute(query).scalars().all()

    def _days(self, rule: RetentionRule, *, masked: bool) -> int:
        return min(rule.days, longest_days(self._settings, masked=masked))


def question_of(
    connection: Connection, actor: Actor, question_id: str, department_ids: Collection[str]
) -> RowMapping:
    """The row of a question that this person asked in one of these departments. Raises NotFound."""
    row = (
        connection.execute(
            select(questions).where(
                questions.c.id == question_id,
                questions.c.department_id.in_(department_ids),
                questions.c.person_id.is_not(None),
                questions.c.person_id == actor.person_id,
            )
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFound(
            "You have not asked such a question.", "Report what you asked yourself, by its id."
        )
    return row


def policies_of(connection: Connection, question: RowMapping) -> tuple[str, ...]:
    """The documents whose passages a question found, nearest first, each once."""
    details: Mapping[str, Any] = json.loads(question["details"])
    ids = [str(one["version_id"]) for one in details.get("passages", ())]
    rows = connection.execute(
        select(versions.c.id, versions.c.document_id).where(versions.c.id.in_(ids))
    ).all()
    documents = {row.id: str(row.document_id) for row in rows}
    return tuple(dict.fromkeys(documents[one] for one in ids if one in documents))


def bounded(text: str, limit: int, name: str) -> str:
    """The text without blanks around it. Raises InvalidReport where it is too long."""
    text = text.replace("\x00", "").strip()
    if len(text) > limit:
        raise InvalidReport(
            f"{name} has {len(text)} characters; the limit is {limit}.", "Shorten it."
        )
    return text


def _bound(report_id: str, masked: bool) -> tuple[str, ...]:
    return ("report", report_id, "masked" if masked else "full")


def _unfold(connection: Connection, report_ids: Sequence[str]) -> None:
    """Where no word of a gap is left, nothing may tell any more whether a text is its question."""
    of_gap = select(gap_reports.c.gap_id).where(gap_reports.c.id.in_(report_ids))
    kept = (
        select(gap_reports.c.gap_id)
        .join(report_texts, report_texts.c.report_id == gap_reports.c.id)
        .where(gap_reports.c.gap_id == gaps.c.id)
    )
    connection.execute(update(gaps).where(gaps.c.id.in_(of_gap), ~kept.exists()).values(fold=None))
