"""Gold questions of a department: what is asked to measure answers, and what is known of them.

Evidence is looked for in the version in force when it is saved. When another version has come into
force since, the question should be looked at again. Nothing is ever overwritten without a trace:
each change keeps what the question became, but of the evidence the digest alone, for evidence is
words of a document and goes when the document is erased.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, func, select

from governance.errors import InvalidEvaluation, NotFound
from governance.evaluation_runs import Asked, digest_of
from governance.events import Action, Actor, Event
from governance.gold_drafts import MAX_PLACES, GoldDraft, Origin, Place, cleaned, expect, holds
from governance.record.database import Record
from governance.record.evaluation_tables import gold_changes, gold_places, gold_questions
from governance.record.tables import documents, passages, versions
from governance.version_life import identity_of

MAX_QUESTIONS = 2_000


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """One gold question. check_again: a document that answers it has changed or is gone."""

    id: str
    department_id: str
    key: str
    is_active: bool
    origin: Origin
    question: str
    answerable: bool
    answers: tuple[str, ...]
    answer_type: str
    places: tuple[Place, ...]
    added_by: str
    added_at: datetime
    changed_by: str
    changed_at: datetime

    @property
    def check_again(self) -> bool:
        """Whether somebody should look whether this still holds."""
        lost = self.answerable and not self.places
        return lost or any(place.changed for place in self.places)

    def asked(self) -> Asked:
        """As a run asks it."""
        return Asked(self.id, self.key, self.question, self.answerable)

    def as_line(self) -> dict[str, Any]:
        """As a line of a question file."""
        gold = [{"doc": one.doc, "evidence": one.evidence} for one in self.places]
        return {
            "id": self.key,
            "question": self.question,
            "answerable": self.answerable,
            "answers": list(self.answers),
            "answer_type": self.answer_type,
            "gold": gold,
        }


@dataclass(frozen=True, slots=True)
class _InForce:
    """A version in force."""

    id: str
    document_id: str
    file_name: str


class GoldQuestions:
    """The gold questions of one record."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def listed(
        self, department_id: str, now: datetime, *, retired: bool = False
    ) -> tuple[GoldQuestion, ...]:
        """The questions of a department by key; without `retired` only those that are asked."""
        table = gold_questions.c
        query = (
            select(gold_questions)
            .where(table.department_id == department_id)
            .order_by(table.added_at, table.key)
        )
        if not retired:
            query = query.where(table.state == "active")
        with self._record.read() as connection:
            in_force = _in_force(connection, department_id, now)
            places = _places(connection, department_id, in_force)
            rows = connection.execute(query).all()
        return tuple(_gold(row, places.get(row.id, ())) for row in rows)

    def one(self, department_id: str, gold_id: str, now: datetime) -> GoldQuestion:
        """One question. Raises NotFound."""
        for found in self.listed(department_id, now, retired=True):
            if found.id == gold_id:
                return found
        raise _gone()

    def save(
        self,
        actor: Actor,
        department_id: str,
        wanted: Sequence[GoldDraft],
        now: datetime,
        gold_id: str | None = None,
    ) -> tuple[str, ...]:
        """Add questions, or change one; all or none. Gives their ids.

        A draft whose key is in use changes that question. Raises InvalidEvaluation, NotFound.
        """
        drafts = [cleaned(draft) for draft in wanted]
        with self._record.write() as connection:
            in_force = _in_force(connection, department_id, now)
            ids = tuple(
                self._save(connection, actor, department_id, one, now, gold_id, in_force)
                for one in drafts
            )
            counted = select(func.count()).where(gold_questions.c.department_id == department_id)
            if connection.execute(counted).scalar_one() > MAX_QUESTIONS:
                raise InvalidEvaluation(
                    f"A department has {MAX_QUESTIONS:,} gold questions at most.",
                    "Import fewer questions.",
                )
            event = Event(
                Action.GOLD_QUESTION_SAVED,
                actor,
                department_id,
                "department",
                department_id,
                facts={"count": len(ids), "questions": list(ids[:MAX_PLACES])},
            )
            self._record.trail.append(connection, event)
        return ids

    def retire(self, actor: Actor, department_id: str, gold_id: str, now: datetime) -> None:
        """Ask this one no more; it stays with its history. Raises NotFound."""
        table = gold_questions.c
        with self._record.write() as connection:
            changed = connection.execute(
                gold_questions.update()
                .where(table.id == gold_id, table.department_id == department_id)
                .values(state="retired", changed_by=identity_of(actor), changed_at=now)
            )
            if changed.rowcount == 0:
                raise _gone()
            _note_change(connection, gold_id, "retired", {}, actor, now)
            event = Event(
                Action.GOLD_QUESTION_RETIRED, actor, department_id, "gold_question", gold_id
            )
            self._record.trail.append(connection, event)

    def changes(self, gold_id: str) -> tuple[Mapping[str, Any], ...]:
        """What was done to a question, in order: act, by, at, and what it became."""
        query = (
            select(gold_changes)
            .where(gold_changes.c.gold_id == gold_id)
            .order_by(gold_changes.c.number)
        )
        with self._record.read() as connection:
            return tuple(
                {"act": row.act, "by": row.by, "at": row.at, **json.loads(row.content)}
                for row in connection.execute(query)
            )

    def _save(
        self,
        connection: Connection,
        actor: Actor,
        department_id: str,
        draft: GoldDraft,
        now: datetime,
        gold_id: str | None,
        in_force: Mapping[str, _InForce],
    ) -> str:
        known = _known(connection, department_id, draft.key, gold_id)
        found = [_found(connection, place, in_force) for place in draft.places]
        who, made_id = identity_of(actor), known or str(uuid4())
        values = {
            "state": "active",
            "question": draft.question,
            "answerable": draft.answerable,
            "answers": json.dumps(draft.answers),
            "answer_type": draft.answer_type,
            "changed_by": who,
            "changed_at": now,
        }
        if known:
            connection.execute(
                gold_questions.update().where(gold_questions.c.id == known).values(values)
            )
            connection.execute(gold_places.delete().where(gold_places.c.gold_id == known))
        else:
            first: dict[str, Any] = {
                "id": made_id,
                "department_id": department_id,
                "origin": draft.origin,
            }
            first |= {"key": draft.key or made_id, "added_by": who, "added_at": now}
            connection.execute(gold_questions.insert().values(values | first))
        for number, place in enumerate(found, 1):
            row = {"gold_id": made_id, "number": number, **place}
            connection.execute(gold_places.insert().values(row))
        content = asdict(draft) | {"places": digest_of([asdict(one) for one in draft.places])}
        _note_change(connection, made_id, "changed" if known else "added", content, actor, now)
        return made_id


def suite_digest(questions: Sequence[GoldQuestion]) -> str:
    """SHA-256 of what is asked and what is known of it, in hex."""
    return digest_of([one.as_line() for one in questions])


def _known(connection: Connection, department_id: str, key: str, gold_id: str | None) -> str | None:
    """The id of the question that a draft changes; None makes a new one. Raises NotFound."""
    table = gold_questions.c
    query = select(table.id).where(table.department_id == department_id)
    if gold_id is not None:
        found = connection.execute(query.where(table.id == gold_id)).scalar()
        if found is None:
            raise _gone()
        return str(found)
    return connection.execute(query.where(table.key == key)).scalar() if key else None


def _found(
    connection: Connection, place: Place, in_force: Mapping[str, _InForce]
) -> dict[str, Any]:
    """The row of a place. Raises InvalidEvaluation where its words are not in the document."""
    named = [row for row in in_force.values() if row.file_name == place.doc]
    expect(
        bool(named),
        f"No policy in force comes from the file {place.doc!r}.",
        "Choose a policy that is in force, by the name of its file.",
    )
    for row in named:
        query = (
            select(passages.c.text)
            .where(passages.c.version_id == row.id)
            .order_by(passages.c.ordinal)
        )
        if holds("\n".join(connection.execute(query).scalars()), place.evidence):
            return {
                "document_id": row.document_id,
                "version_id": row.id,
                "evidence": place.evidence.strip(),
            }
    raise InvalidEvaluation(
        f"These words are not in {place.doc}: {' '.join(place.evidence.split())[:80]!r}.",
        "Copy them from the version that is in force, word for word.",
    )


def _in_force(connection: Connection, department_id: str, now: datetime) -> dict[str, _InForce]:
    """The version in force of each document: id, document and file name."""
    table = versions.c
    query = (
        select(table.id, table.document_id, table.file_name)
        .select_from(versions.join(documents))
        .where(
            documents.c.department_id == department_id,
            table.in_force_from <= now,
            table.in_force_until.is_(None) | (table.in_force_until > now),
        )
    )
    found = (_InForce(*row) for row in connection.execute(query))
    return {one.document_id: one for one in found}


def _places(
    connection: Connection, department_id: str, in_force: Mapping[str, _InForce]
) -> dict[str, tuple[Place, ...]]:
    query = (
        select(gold_places, versions.c.file_name)
        .select_from(
            gold_places.join(gold_questions).outerjoin(
                versions, versions.c.id == gold_places.c.version_id
            )
        )
        .where(gold_questions.c.department_id == department_id)
        .order_by(gold_places.c.gold_id, gold_places.c.number)
    )
    found: dict[str, tuple[Place, ...]] = {}
    for row in connection.execute(query):
        now = in_force.get(row.document_id)
        changed = now is None or now.id != row.version_id
        doc = row.file_name if now is None else now.file_name
        place = Place(doc or "", row.evidence, changed)
        found[row.gold_id] = (*found.get(row.gold_id, ()), place)
    return found


def _note_change(
    connection: Connection,
    gold_id: str,
    act: str,
    content: Mapping[str, Any],
    actor: Actor,
    now: datetime,
) -> None:
    counted = select(func.count()).where(gold_changes.c.gold_id == gold_id)
    connection.execute(
        gold_changes.insert().values(
            gold_id=gold_id,
            number=connection.execute(counted).scalar_one() + 1,
            act=act,
            content=json.dumps(content),
            by=identity_of(actor),
            at=now,
        )
    )


def _gold(row: Row[Any], places: tuple[Place, ...]) -> GoldQuestion:
    return GoldQuestion(
        row.id,
        row.department_id,
        row.key,
        row.state == "active",
        Origin(row.origin),
        row.question,
        row.answerable,
        tuple(json.loads(row.answers)),
        row.answer_type,
        places,
        row.added_by,
        row.added_at,
        row.changed_by,
        row.changed_at,
    )


def _gone() -> NotFound:
    return NotFound("There is no such gold question.", "Reload the list.")
