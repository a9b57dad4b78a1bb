"""What people do to a version: submit, approve, put in force, recall, retire. One transaction each.

Which act leads where, and who may do it, stands in `governance/versions.py`; whoever calls has
checked the permission. What depends on persons is checked here: nobody approves what they handed
in, changed or submitted themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from governance.clock import Clock, day_begins, utc_now
from governance.config import GovernanceSettings
from governance.errors import IllegalTransition, SecondPersonNeeded
from governance.events import Action, Actor, Event
from governance.index_debts import note_debt
from governance.loading_rows import gone
from governance.page_checks import accept, count_open
from governance.policy_fields import PolicyFields, stored
from governance.record.database import Record
from governance.record.document_tables import version_steps
from governance.record.tables import documents, passages, versions
from governance.searched_words import SEPARATOR, searched_words
from governance.versions import (
    Act,
    Span,
    VersionState,
    approved,
    check_transition,
    recalled,
    retired,
    state_at,
)

MAX_REASON_CHARS = 500
EVENTS: Mapping[Act, Action] = {
    Act.CHANGE: Action.VERSION_CHANGED,
    Act.SUBMIT: Action.VERSION_SUBMITTED,
    Act.SEND_BACK: Action.VERSION_RETURNED,
    Act.APPROVE: Action.VERSION_APPROVED,
    Act.OVERRIDE: Action.VERSION_OVERRIDDEN,
    Act.FIX: Action.VERSION_FIXED,
    Act.RECALL: Action.VERSION_RECALLED,
    Act.RETIRE: Action.VERSION_RETIRED,
}
BASIS: Mapping[Act, str] = {
    Act.APPROVE: "two_persons",
    Act.OVERRIDE: "override",
    Act.FIX: "minor_fix",
}
# Whoever did one of these to a version, or handed it in, does not approve it.
HANDS_ON = frozenset({Act.CHANGE, Act.SUBMIT, Act.RETRY})
# What stays the same from version to version, unless somebody says otherwise.
INHERITED = ("policy_number", "policy_key", "area", "applies_to", "owner", "originated")
# These say why, always.
NEED_REASON = frozenset({Act.SEND_BACK, Act.OVERRIDE, Act.FIX, Act.RECALL, Act.RETIRE})


@dataclass(frozen=True, slots=True)
class LifeStep:
    """What one person did to a version; `by` is a person's id, or who a program is."""

    act: Act
    by: str
    reason: str
    at: datetime


class VersionLife:
    """Does what people decide about versions, and tells what they have decided."""

    def __init__(
        self, record: Record, settings: GovernanceSettings, clock: Clock = utc_now
    ) -> None:
        self._record = record
        self._zone = settings.time_zone
        self._clock = clock

    def do(
        self, act: Act, actor: Actor, version_id: str, reason: str = "", looked: bool = False
    ) -> str:
        """Do one act; gives the document's id. Raises NotFound, IllegalTransition.

        looked: whoever submits has looked at what the pages' check found.
        """
        with self._record.write() as connection:
            row = _version(connection, version_id)
            now = self._clock()
            who = _person(actor)
            if looked:
                accept(connection, version_id, who, now)
            _check_act(connection, act, row, who, reason)
            perform(connection, act, row, who, reason, now, self._zone)
            self._note(connection, act, actor, row, reason)
            return str(row.document_id)

    def change(self, actor: Actor, version_id: str, fields: PolicyFields) -> None:
        """State the fields of a draft anew; call it where the debt to the index is paid.

        Raises NotFound, IllegalTransition, InvalidName.
        """
        with self._record.write() as connection:
            row = _version(connection, version_id)
            who, values = _person(actor), stored(fields)
            check_transition(Act.CHANGE, VersionState(row.state))
            values["title"] = values["title"] or row.title
            changed = sorted(name for name, value in values.items() if value != row._mapping[name])
            changed = [name for name in changed if name != "policy_key"]
            if not changed:
                return
            connection.execute(update(versions).where(versions.c.id == version_id).values(values))
            if "title" in changed:
                _search_by(connection, version_id, values["title"])
                note_debt(connection, row.document_id, self._clock, rewrite=True)
            add_step(connection, version_id, Act.CHANGE, who, ", ".join(changed), self._clock())
            self._note(connection, Act.CHANGE, actor, row, "", changed=changed)

    def attach(self, actor: Actor, version_id: str, document_id: str) -> str:
        """Make a draft the next version of another document of its department.

        Gives the id of the document that it belonged to, which goes if it has no other version.
        Raises NotFound, IllegalTransition.
        """
        with self._record.write() as connection:
            row, who = _version(connection, version_id), _person(actor)
            check_transition(Act.CHANGE, VersionState(row.state))
            if row.document_id == document_id:
                raise IllegalTransition("It is a version of this policy already.", "Go on.")
            place = connection.execute(
                select(documents.c.department_id).where(documents.c.id == document_id)
            ).scalar_one_or_none()
            if place != row.department_id:
                raise gone()
            number = next_number(connection, document_id)
            values = inherited(connection, document_id, dict(row._mapping))
            connection.execute(
                update(versions)
                .where(versions.c.id == version_id)
                .values(document_id=document_id, number=number, **values)
            )
            left = select(versions.c.id).where(versions.c.document_id == row.document_id)
            if connection.execute(left.limit(1)).first() is None:
                connection.execute(documents.delete().where(documents.c.id == row.document_id))
            note = f"the next version, {number}, of another policy"
            add_step(connection, version_id, Act.CHANGE, who, note, self._clock())
            moved = _version(connection, version_id)
            self._note(connection, Act.CHANGE, actor, moved, "", changed=["document"])
            return str(row.document_id)

    def steps(self, version_id: str) -> tuple[LifeStep, ...]:
        """What was done to a version, in order."""
        with self._record.read() as connection:
            rows = connection.execute(
                select(version_steps)
                .where(version_steps.c.version_id == version_id)
                .order_by(version_steps.c.number)
            )
            return tuple(LifeStep(Act(row.act), row.by, row.reason, row.at) for row in rows)

    def _note(
        self,
        connection: Connection,
        act: Act,
        actor: Actor,
        row: Row[Any],
        reason: str,
        **facts: Any,
    ) -> None:
        event = Event(
            EVENTS[act],
            actor,
            department_id=row.department_id,
            object_type="document",
            object_id=row.document_id,
            digest=row.digest,
            reason=reason or None,
            facts={"version": row.number, **facts},
        )
        self._record.trail.append(connection, event)


def perform(
    connection: Connection,
    act: Act,
    row: Row[Any],
    who: str,
    reason: str,
    now: datetime,
    zone: str,
) -> None:
    """Change the rows as an act asks; the caller has checked persons and writes the event."""
    spans = spans_of(connection, row.document_id)
    target = check_transition(act, state_at(VersionState(row.state), spans.get(row.number), now))
    values: dict[str, Any] = {"state": target}
    if act in BASIS:
        begins = now if act is Act.FIX else _begins(row, now, zone)
        _write_spans(connection, row.document_id, approved(spans, row.number, begins))
        values |= {"approval_basis": BASIS[act], "published_at": now}
    elif act is Act.RECALL:
        _write_spans(connection, row.document_id, recalled(spans, row.number))
        values |= {"in_force_from": None, "in_force_until": None, "approval_basis": None}
    elif act is Act.RETIRE:
        _write_spans(connection, row.document_id, retired(spans, row.number, now))
    connection.execute(update(versions).where(versions.c.id == row.id).values(values))
    add_step(connection, row.id, act, who, reason, now)


def next_number(connection: Connection, document_id: str) -> int:
    """The number of a document's next version."""
    highest = connection.execute(
        select(func.max(versions.c.number)).where(versions.c.document_id == document_id)
    ).scalar_one()
    return (highest or 0) + 1


def inherited(
    connection: Connection, document_id: str, stated: Mapping[str, Any]
) -> dict[str, Any]:
    """What a next version takes over from the newest one where nothing else is stated."""
    newest = connection.execute(
        select(versions)
        .where(versions.c.document_id == document_id)
        .order_by(versions.c.number.desc())
        .limit(1)
    ).one_or_none()
    if newest is None:
        return {}
    return {name: newest._mapping[name] for name in INHERITED if stated[name] is None}


def spans_of(connection: Connection, document_id: str) -> dict[int, Span]:
    """The times in which the versions of a document are in force, by version number."""
    rows = connection.execute(
        select(versions.c.number, versions.c.in_force_from, versions.c.in_force_until).where(
            versions.c.document_id == document_id, versions.c.in_force_from.is_not(None)
        )
    )
    return {row.number: Span(row.in_force_from, row.in_force_until) for row in rows}


def add_step(
    connection: Connection, version_id: str, act: Act, who: str, reason: str, at: datetime
) -> None:
    """Note what somebody did."""
    last = connection.execute(
        select(func.max(version_steps.c.number)).where(version_steps.c.version_id == version_id)
    ).scalar_one()
    connection.execute(
        version_steps.insert().values(
            version_id=version_id, number=(last or 0) + 1, act=act, by=who, reason=reason, at=at
        )
    )


def _search_by(connection: Connection, version_id: str, title: str) -> None:
    """Put a title before the words by which each passage of a version is searched."""
    rows = connection.execute(
        select(passages.c.id, passages.c.section, passages.c.text).where(
            passages.c.version_id == version_id
        )
    ).all()
    for row in rows:
        path = row.section.split(SEPARATOR) if row.section else []
        connection.execute(
            update(passages)
            .where(passages.c.id == row.id)
            .values(embed_text=searched_words(title, path, row.text))
        )


def _begins(row: Row[Any], now: datetime, zone: str) -> datetime:
    if row.effective_from is None:
        return now
    return max(now, day_begins(row.effective_from, zone))


def _write_spans(connection: Connection, document_id: str, changed: Mapping[int, Span]) -> None:
    for number, span in changed.items():
        connection.execute(
            update(versions)
            .where(versions.c.document_id == document_id, versions.c.number == number)
            .values(in_force_from=span.begins, in_force_until=span.ends)
        )


def _check_act(connection: Connection, act: Act, row: Row[Any], who: str, reason: str) -> None:
    """What an act asks for besides its state. Raises IllegalTransition, SecondPersonNeeded."""
    if act in NEED_REASON and not reason.strip():
        raise IllegalTransition("This needs a reason.", "Say in a few words why.")
    if len(reason) > MAX_REASON_CHARS:
        raise IllegalTransition(
            f"The reason has {len(reason)} characters; the limit is {MAX_REASON_CHARS}.",
            "Shorten it.",
        )
    if act in (Act.SUBMIT, Act.OVERRIDE, Act.FIX) and count_open(connection, row.id):
        raise IllegalTransition(
            "The check of the pages found something that nobody has looked at.",
            "Look at the pages that are listed, then say that you have.",
        )
    if act is Act.FIX and not spans_of(connection, row.document_id):
        raise IllegalTransition(
            "A minor fix needs a version that is in force.", "Submit this one for approval."
        )
    if act is Act.APPROVE and who in _concerned(connection, row):
        raise SecondPersonNeeded(
            "Somebody else must approve this version: you handed it in, changed or submitted it.",
            "Ask another approver of the department.",
        )


def _concerned(connection: Connection, row: Row[Any]) -> frozenset[str]:
    """Who had a hand in a version before its approval."""
    rows = connection.execute(
        select(version_steps.c.by).where(
            version_steps.c.version_id == row.id, version_steps.c.act.in_(HANDS_ON)
        )
    )
    return frozenset(rows.scalars()) | {row.handed_in_by}


def _person(actor: Actor) -> str:
    """Whose act it is: a person, or the owner of the data directory. Raises SecondPersonNeeded."""
    if actor.person_id is not None or actor.auth == "socket":
        return identity_of(actor)
    raise SecondPersonNeeded(
        "What is in force is decided by people: this caller is none.",
        "Sign in as somebody who may load or approve documents.",
    )


def identity_of(actor: Actor) -> str:
    """A person's id; for a program, who it is."""
    return actor.person_id or actor.id


def _version(connection: Connection, version_id: str) -> Row[Any]:
    row = connection.execute(
        select(versions, documents.c.department_id)
        .select_from(versions.join(documents))
        .where(versions.c.id == version_id)
    ).one_or_none()
    if row is None:
        raise gone()
    return row
