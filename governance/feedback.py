"""What readers say of answers, and what came of it.

One thumb for each question, which its person can change. A thumb down is `new` until an editor has
`seen` it, and then `fixed` or `declined`, with a reply that its person reads; a thumb that its
person gives anew is `new` again. A thumb up asks nothing of anybody: it is only counted.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, RowMapping, Select, select, update

from governance.errors import IllegalTransition, InvalidReport, NotFound
from governance.events import Action, Actor, Event, Fact
from governance.record.database import Record
from governance.record.feedback_tables import feedback
from governance.report_texts import (
    MAX_COMMENT_CHARS,
    MAX_REPLY_CHARS,
    ReportTexts,
    Words,
    bounded,
    policies_of,
    question_of,
)
from governance.version_life import identity_of

MAX_LISTED = 200


class Verdict(StrEnum):
    """The thumb."""

    UP = "up"
    DOWN = "down"


class Reason(StrEnum):
    """What is wrong with an answer."""

    WRONG = "wrong"
    INCOMPLETE = "incomplete"
    OUTDATED = "outdated"
    WRONG_POLICY = "wrong_policy"
    HARD_TO_UNDERSTAND = "hard_to_understand"
    OTHER = "other"


class FeedbackState(StrEnum):
    """How far an editor is with it."""

    NEW = "new"
    SEEN = "seen"
    FIXED = "fixed"
    DECLINED = "declined"


SETTLED = (FeedbackState.FIXED, FeedbackState.DECLINED)
NEXT: Mapping[FeedbackState, tuple[FeedbackState, ...]] = {
    FeedbackState.NEW: (FeedbackState.SEEN, *SETTLED),
    FeedbackState.SEEN: SETTLED,
    FeedbackState.FIXED: (FeedbackState.DECLINED,),
    FeedbackState.DECLINED: (FeedbackState.FIXED,),
}


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody says of an answer; only `words` holds text, and only as long as it is kept.

    policies: the documents that the answer cites. by, at: who looked at it last.
    """

    id: str
    question_id: str
    department_id: str
    verdict: Verdict
    reason: Reason | None
    state: FeedbackState
    policies: tuple[str, ...]
    given_at: datetime
    words: Words | None
    by: str | None
    at: datetime | None
    reply: str | None


@dataclass(slots=True)
class Week:
    """Thumbs of one week, which begins on a Monday (UTC)."""

    monday: date
    up: int = 0
    down: int = 0


@dataclass(slots=True)
class Counts:
    """Thumbs of a department in a time; reasons and states are those of thumbs down."""

    up: int = 0
    down: int = 0
    reasons: dict[Reason, int] = field(default_factory=dict)
    states: dict[FeedbackState, int] = field(default_factory=dict)
    weeks: tuple[Week, ...] = ()


class FeedbackStore:
    """Takes, lists, settles and counts feedback."""

    def __init__(self, record: Record, texts: ReportTexts) -> None:
        self._record = record
        self._texts = texts

    def give(
        self,
        actor: Actor,
        question_id: str,
        department_ids: Collection[str],
        verdict: Verdict,
        reason: Reason | None,
        words: Words,
        now: datetime,
        cited: Sequence[str] | None = None,
    ) -> str:
        """Say what one thinks of the answer to one's own question, or say it anew; gives its id.

        department_ids: where the actor may ask. cited: the documents that the answer cites, where
        that is known; else all that were found.
        Raises NotFound, InvalidReport, IllegalTransition.
        """
        if verdict is Verdict.DOWN and reason is None:
            raise InvalidReport("Say what is wrong with the answer.", "Choose one of the reasons.")
        comment = bounded(words.comment, MAX_COMMENT_CHARS, "The comment")
        with self._record.write() as connection:
            asked = question_of(connection, actor, question_id, department_ids)
            if asked["status"] != "answered":
                raise IllegalTransition(
                    "This question has no answer to judge.", "Report it as a gap instead."
                )
            found = policies_of(connection, asked)
            chosen = [one for one in found if cited is None or one in cited] or list(found)
            reason = reason if verdict is Verdict.DOWN else None
            values = {
                "verdict": verdict,
                "reason": reason,
                "state": FeedbackState.NEW,
                "policies": json.dumps(chosen),
                "given_at": now,
                "by": None,
                "at": None,
                "reply": None,
            }
            feedback_id = _put(connection, actor, asked, values)
            if verdict is Verdict.DOWN:
                words = Words(words.question, words.answer, comment)
                self._texts.keep(connection, feedback_id, asked, words, now)
            else:
                # Nothing is to be done about it, so nobody needs its words.
                self._texts.drop(connection, [feedback_id])
            facts: dict[str, Fact] = {"verdict": str(verdict), "reason": reason and str(reason)}
            place = asked["department_id"]
            self._note(connection, Action.FEEDBACK_GIVEN, actor, place, feedback_id, facts)
        return feedback_id

    def settle(
        self,
        actor: Actor,
        feedback_id: str,
        department_ids: Collection[str],
        state: FeedbackState,
        reply: str,
        now: datetime,
    ) -> None:
        """Mark it as seen, or as fixed or declined with a reply.

        department_ids: where the actor may do so. Raises NotFound, InvalidReport,
        IllegalTransition.
        """
        reply = bounded(reply, MAX_REPLY_CHARS, "The reply")
        if state in SETTLED and not reply:
            raise InvalidReport("Write a reply.", "Whoever reported it reads what you write.")
        with self._record.write() as connection:
            row = connection.execute(
                _down(department_ids).where(feedback.c.id == feedback_id)
            ).first()
            if row is None:
                raise NotFound("This feedback is not here.", "Reload the list.")
            if state not in NEXT[FeedbackState(row.state)]:
                raise IllegalTransition(
                    f"This is {row.state}; it cannot become {state}.", "Reload the list."
                )
            connection.execute(
                update(feedback)
                .where(feedback.c.id == feedback_id)
                .values(state=state, reply=reply or None, by=identity_of(actor), at=now)
            )
            facts: dict[str, Fact] = {"state": str(state)}
            action = Action.FEEDBACK_SETTLED
            self._note(connection, action, actor, row.department_id, feedback_id, facts)

    def feedback(
        self, department_ids: Collection[str], state: FeedbackState | None = None
    ) -> tuple[Given, ...]:
        """The thumbs down of some departments, newest first."""
        query = _down(department_ids)
        if state is not None:
            query = query.where(feedback.c.state == state)
        return self._list(query)

    def of_person(self, person_id: str) -> tuple[Given, ...]:
        """What a person said, newest first."""
        return self._list(_newest().where(feedback.c.person_id == person_id))

    def of_question(self, question_id: str) -> Given | None:
        """What was said of the answer to a question."""
        return next(iter(self._list(_newest().where(feedback.c.question_id == question_id))), None)

    def one(self, feedback_id: str, department_ids: Collection[str]) -> Given:
        """One thumb down of these departments. Raises NotFound."""
        found = self._list(_down(department_ids).where(feedback.c.id == feedback_id))
        if not found:
            raise NotFound("This feedback is not here.", "Reload the list.")
        return found[0]

    def counts(self, department_id: str, since: datetime, until: datetime) -> Counts:
        """The thumbs of a department from `since` until before `until`, in all and by week."""
        query = select(
            feedback.c.verdict, feedback.c.reason, feedback.c.state, feedback.c.given_at
        ).where(
            feedback.c.department_id == department_id,
            feedback.c.given_at >= since,
            feedback.c.given_at < until,
        )
        with self._record.read() as connection:
            return counted(connection.execute(query).mappings().all())

    def _list(self, query: Select[Any]) -> tuple[Given, ...]:
        with self._record.read() as connection:
            rows = connection.execute(query).all()
            kept = self._texts.open(connection, [row.id for row in rows])
        return tuple(_given(row, kept.get(row.id)) for row in rows)

    def _note(
        self,
        connection: Connection,
        action: Action,
        actor: Actor,
        department_id: str,
        feedback_id: str,
        facts: Mapping[str, Fact],
    ) -> None:
        event = Event(action, actor, department_id, "feedback", feedback_id, facts=facts)
        self._record.trail.append(connection, event)


def counted(rows: Sequence[RowMapping]) -> Counts:
    """Thumbs in all and by week, weeks in order."""
    counts, weeks = Counts(), dict[date, Week]()
    for row in rows:
        day = row["given_at"].date()
        monday = day - timedelta(days=day.weekday())
        week = weeks.setdefault(monday, Week(monday))
        if row["verdict"] == Verdict.UP:
            counts.up, week.up = counts.up + 1, week.up + 1
            continue
        counts.down, week.down = counts.down + 1, week.down + 1
        reason, state = Reason(row["reason"]), FeedbackState(row["state"])
        counts.reasons[reason] = counts.reasons.get(reason, 0) + 1
        counts.states[state] = counts.states.get(state, 0) + 1
    counts.weeks = tuple(weeks[monday] for monday in sorted(weeks))
    return counts


def _put(connection: Connection, actor: Actor, asked: RowMapping, values: Mapping[str, Any]) -> str:
    """Write the thumb of a question, in place of an earlier one; gives its id."""
    known = connection.execute(
        update(feedback)
        .where(feedback.c.question_id == asked["id"])
        .values(**values)
        .returning(feedback.c.id)
    ).scalar_one_or_none()
    if known is not None:
        return str(known)
    feedback_id = str(uuid4())
    connection.execute(
        feedback.insert().values(
            id=feedback_id,
            question_id=asked["id"],
            person_id=actor.person_id,
            department_id=asked["department_id"],
            **values,
        )
    )
    return feedback_id


def _newest() -> Select[Any]:
    return select(feedback).order_by(feedback.c.given_at.desc(), feedback.c.id).limit(MAX_LISTED)


def _down(department_ids: Collection[str]) -> Select[Any]:
    return _newest().where(
        feedback.c.department_id.in_(department_ids), feedback.c.verdict == Verdict.DOWN
    )


def _given(row: Row[Any], words: Words | None) -> Given:
    return Given(
        row.id,
        row.question_id,
        row.department_id,
        Verdict(row.verdict),
        None if row.reason is None else Reason(row.reason),
        FeedbackState(row.state),
        tuple(json.loads(row.policies)),
        row.given_at,
        words,
        row.by,
        row.at,
        row.reply,
    )
