"""Gaps: questions that no policy answers, reported by readers, settled by editors.

A gap is `open` until an editor answers it, with the policy that does or in words, or declines it
with a reason; `answered` and `declined` can be changed into one another. The same question of
another reader counts with the gap that is there, and that reader sees at once what was replied.
"""

import hashlib
import hmac
import json
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, RowMapping, Select, and_, func, select, update

from governance.errors import IllegalTransition, InvalidReport, NotFound
from governance.events import Action, Actor, Event
from governance.record.database import Record
from governance.record.feedback_tables import gap_reports, gaps
from governance.record.tables import documents
from governance.report_texts import (
    MAX_COMMENT_CHARS,
    MAX_REPLY_CHARS,
    ReportTexts,
    Words,
    bounded,
    policies_of,
    question_of,
)
from governance.secrets import Secrets
from governance.version_life import identity_of

MAX_LISTED = 200


class GapState(StrEnum):
    """Where a gap is."""

    OPEN = "open"
    ANSWERED = "answered"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Gap:
    """A question that no policy answers, with the words of its latest report that are still kept.

    policies: the nearest documents. document_id: the one that answers it. by: who settled it.
    """

    id: str
    department_id: str
    state: GapState
    count: int
    reported_at: datetime
    last_at: datetime
    policies: tuple[str, ...]
    words: Words | None
    notes: tuple[str, ...]
    document_id: str | None
    reply: str | None
    by: str | None
    at: datetime | None


class GapStore:
    """Reports, lists and settles gaps."""

    def __init__(self, record: Record, texts: ReportTexts, secrets: Secrets) -> None:
        self._record = record
        self._texts = texts
        self._secrets = secrets

    def report(
        self,
        actor: Actor,
        question_id: str,
        department_ids: Collection[str],
        question: str,
        note: str,
        now: datetime,
    ) -> Gap:
        """Report that a question of one's own found no answer; a second time changes nothing.

        department_ids: where the actor may ask.
        Raises NotFound, InvalidReport, IllegalTransition.
        """
        note = bounded(note, MAX_COMMENT_CHARS, "The note")
        with self._record.write() as connection:
            asked = question_of(connection, actor, question_id, department_ids)
            if asked["status"] != "not_found":
                raise IllegalTransition(
                    "This is no question that the policies should answer and do not.",
                    "Say what is wrong with an answer below it.",
                )
            known = connection.execute(
                select(gap_reports.c.gap_id).where(gap_reports.c.question_id == question_id)
            ).scalar_one_or_none()
            if known is None:
                known = self._add(connection, actor, asked, Words(question, "", note), now)
            return self._one(connection, known)

    def answer(
        self,
        actor: Actor,
        gap_id: str,
        department_ids: Collection[str],
        document_id: str | None,
        reply: str,
        now: datetime,
    ) -> None:
        """Say which policy answers it, or answer in words, or both. Raises NotFound, InvalidReport.

        department_ids: where the actor may settle gaps.
        """
        document_id = (document_id or "").replace("\x00", "")
        if not document_id and not reply.strip():
            raise InvalidReport(
                "Say which policy answers this, or answer in words.", "Choose a policy, or write."
            )
        self._settle(
            actor, gap_id, department_ids, GapState.ANSWERED, document_id or None, reply, now
        )

    def decline(
        self, actor: Actor, gap_id: str, department_ids: Collection[str], reply: str, now: datetime
    ) -> None:
        """Say why there will be no policy. Raises NotFound, InvalidReport."""
        if not reply.strip():
            raise InvalidReport(
                "Say why this is declined.", "Whoever reported it reads what you write."
            )
        self._settle(actor, gap_id, department_ids, GapState.DECLINED, None, reply, now)

    def gaps(
        self, department_ids: Collection[str], state: GapState | None = None
    ) -> tuple[Gap, ...]:
        """The gaps of some departments: the most reported first, then the latest."""
        query = (
            select(gaps)
            .where(gaps.c.department_id.in_(department_ids))
            .order_by(gaps.c.count.desc(), gaps.c.last_at.desc(), gaps.c.id)
            .limit(MAX_LISTED)
        )
        if state is not None:
            query = query.where(gaps.c.state == state)
        return self._list(query)

    def of_person(self, person_id: str) -> tuple[Gap, ...]:
        """What a person reported, each gap once, newest first, in the words of that person."""
        query = (
            select(gap_reports.c.id, gap_reports.c.gap_id)
            .where(gap_reports.c.person_id == person_id)
            .order_by(gap_reports.c.at.desc(), gap_reports.c.id)
            .limit(MAX_LISTED)
        )
        with self._record.read() as connection:
            latest: dict[str, str] = {}
            for row in connection.execute(query):
                latest.setdefault(row.gap_id, row.id)
            return tuple(self._one(connection, gap, report) for gap, report in latest.items())

    def of_question(self, question_id: str) -> Gap | None:
        """The gap that was reported with this question."""
        query = select(gap_reports.c.id, gap_reports.c.gap_id).where(
            gap_reports.c.question_id == question_id
        )
        with self._record.read() as connection:
            row = connection.execute(query).one_or_none()
            return None if row is None else self._one(connection, row.gap_id, row.id)

    def counts(
        self, department_id: str, since: datetime, until: datetime
    ) -> Mapping[GapState, int]:
        """How many gaps were first reported from `since` until before `until`, by state now."""
        query = (
            select(gaps.c.state, func.count())
            .where(
                gaps.c.department_id == department_id,
                gaps.c.reported_at >= since,
                gaps.c.reported_at < until,
            )
            .group_by(gaps.c.state)
        )
        with self._record.read() as connection:
            found = {str(state): int(count) for state, count in connection.execute(query)}
        return {state: found.get(state, 0) for state in GapState}

    def _add(
        self,
        connection: Connection,
        actor: Actor,
        asked: RowMapping,
        words: Words,
        now: datetime,
    ) -> str:
        report_id, place = str(uuid4()), asked["department_id"]
        kept = self._texts.keep(connection, report_id, asked, words, now)
        fold = self._fold(place, words.question) if kept else None
        gap_id = self._counted(connection, place, fold, now)
        if gap_id is None:
            gap_id = str(uuid4())
            connection.execute(
                gaps.insert().values(
                    id=gap_id,
                    department_id=place,
                    fold=fold,
                    state=GapState.OPEN,
                    count=1,
                    policies=json.dumps(policies_of(connection, asked)),
                    reported_at=now,
                    last_at=now,
                )
            )
        connection.execute(
            gap_reports.insert().values(
                id=report_id,
                gap_id=gap_id,
                question_id=asked["id"],
                person_id=actor.person_id,
                at=now,
            )
        )
        self._note(connection, Action.GAP_REPORTED, actor, place, gap_id)
        return gap_id

    def _counted(
        self, connection: Connection, department_id: str, fold: str | None, now: datetime
    ) -> str | None:
        """The gap of the same question, counted once more; None where there is none."""
        if fold is None:
            return None
        return connection.execute(
            update(gaps)
            .where(gaps.c.department_id == department_id, gaps.c.fold == fold)
            .values(count=gaps.c.count + 1, last_at=now)
            .returning(gaps.c.id)
        ).scalar_one_or_none()

    def _settle(
        self,
        actor: Actor,
        gap_id: str,
        department_ids: Collection[str],
        state: GapState,
        document_id: str | None,
        reply: str,
        now: datetime,
    ) -> None:
        reply = bounded(reply, MAX_REPLY_CHARS, "The reply")
        with self._record.write() as connection:
            row = connection.execute(
                select(gaps).where(gaps.c.id == gap_id, gaps.c.department_id.in_(department_ids))
            ).one_or_none()
            if row is None:
                raise NotFound("This gap is not here.", "Reload the list.")
            if document_id is not None:
                _expect_here(connection, document_id, row.department_id)
            connection.execute(
                update(gaps)
                .where(gaps.c.id == gap_id)
                .values(
                    state=state,
                    document_id=document_id,
                    reply=reply,
                    by=identity_of(actor),
                    at=now,
                )
            )
            facts = {"state": str(state), "document": document_id}
            self._note(connection, Action.GAP_SETTLED, actor, row.department_id, gap_id, facts)

    def _list(self, query: Select[Any]) -> tuple[Gap, ...]:
        with self._record.read() as connection:
            rows = connection.execute(query).all()
            return tuple(self._gap(connection, row) for row in rows)

    def _one(self, connection: Connection, gap_id: str, report_id: str | None = None) -> Gap:
        row = connection.execute(select(gaps).where(gaps.c.id == gap_id)).one()
        return self._gap(connection, row, report_id)

    def _gap(self, connection: Connection, row: Row[Any], report_id: str | None = None) -> Gap:
        """report_id: the one report whose words are shown; None shows the latest, and all notes."""
        reports = (
            select(gap_reports.c.id)
            .where(gap_reports.c.gap_id == row.id)
            .order_by(gap_reports.c.at.desc(), gap_reports.c.id)
            .limit(MAX_LISTED)
        )
        ids = [report_id] if report_id else connection.execute(reports).scalars().all()
        kept = self._texts.open(connection, ids)
        found = [kept[one] for one in ids if one in kept]
        return Gap(
            row.id,
            row.department_id,
            GapState(row.state),
            row._mapping["count"],  # `count` is a method of every row
            row.reported_at,
            row.last_at,
            tuple(json.loads(row.policies)),
            found[0] if found else None,
            tuple(dict.fromkeys(words.comment for words in found if words.comment)),
            row.document_id,
            row.reply,
            row.by,
            row.at,
        )

    def _fold(self, department_id: str, question: str) -> str:
        """The same for the same question; nobody without the platform's key can try texts."""
        message = json.dumps(["gap", department_id, folded(question)]).encode()
        return hmac.new(self._secrets.hmac_key(), message, hashlib.sha256).hexdigest()

    def _note(
        self,
        connection: Connection,
        action: Action,
        actor: Actor,
        department_id: str,
        gap_id: str,
        facts: Mapping[str, str | None] | None = None,
    ) -> None:
        event = Event(action, actor, department_id, "gap", gap_id, facts=dict(facts or {}))
        self._record.trail.append(connection, event)


def folded(question: str) -> str:
    """A question as it is compared: letters and digits in lower case, a blank between words."""
    text = unicodedata.normalize("NFKC", question).casefold()
    return " ".join("".join(char if char.isalnum() else " " for char in text).split())


def _expect_here(connection: Connection, document_id: str, department_id: str) -> None:
    found = connection.execute(
        select(documents.c.id).where(
            and_(documents.c.id == document_id, documents.c.department_id == department_id)
        )
    ).one_or_none()
    if found is None:
        raise NotFound("This policy is not here.", "Choose one of the department's policies.")
