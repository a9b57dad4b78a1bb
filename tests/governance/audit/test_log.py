"""Every act is in the trail, and nothing else is (AUD-5, AUD-9, AUD-13)."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import DatabaseError

from governance.audit.leaf import body_of, canonical, columns_in
from governance.audit.log import AuditLog
from governance.audit.merkle import check_consistency, check_inclusion
from governance.audit.testing import Trail, event, kills
from governance.audit.verdict import Code
from governance.events import SYSTEM, Action, Actor, Event
from governance.policies import Department
from governance.record.database import Record
from governance.record.tables import departments
from governance.record.trail_tables import audit_checkpoints, audit_leaves, audit_nodes

NOON = datetime(2026, 5, 12, 12, tzinfo=UTC)
TEXT = st.text(max_size=300)


def test_numbers_have_no_gap_and_every_proof_holds(empty: Trail) -> None:
    """33 events, and what they prove of each other."""
    log = empty.record.trail
    empty.append(33)
    with empty.record.read() as connection:
        leaves = connection.execute(
            select(audit_leaves.c.seq, audit_leaves.c.leaf_hash).order_by(audit_leaves.c.seq)
        ).all()
        root = log.root(connection, 33)
        assert [row.seq for row in leaves] == list(range(33)) == [*range(log.size(connection))]
        for seq, leaf in leaves:
            check_inclusion(seq, 33, leaf, log.inclusion(connection, seq, 33), root)
        for first in range(1, 34):
            proof = log.consistency(connection, first, 33)
            check_consistency(first, 33, log.root(connection, first), root, proof)


class Fault(Exception):
    """What goes wrong in the middle."""


@pytest.mark.parametrize("where", ["after the act", "after the event"])
def test_aud_5_no_act_without_event_and_no_event_without_act(record: Record, where: str) -> None:
    """A fault anywhere in the transaction leaves neither."""
    with pytest.raises(Fault), record.write() as connection:
        connection.execute(departments.insert().values(id="1", name="ward", created_at=NOON))
        if where == "after the act":
            raise Fault
        record.trail.append(connection, Event(Action.DEPARTMENT_CREATED, SYSTEM, "1"))
        raise Fault
    with record.read() as connection:
        for table in (departments, audit_leaves, audit_nodes):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0


def test_aud_5_an_event_that_cannot_be_written_takes_the_act_with_it(record: Record) -> None:
    """The trail fails closed: a number that JSON cannot carry stops the act."""
    impossible = Event(Action.DEPARTMENT_CREATED, SYSTEM, "1", facts={"count": 2**60})
    with pytest.raises(ValueError), record.write() as connection:
        connection.execute(departments.insert().values(id="1", name="ward", created_at=NOON))
        record.trail.append(connection, impossible)
    with record.read() as connection:
        assert connection.execute(select(func.count()).select_from(departments)).scalar_one() == 0


def test_aud_4_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    """Five writers are killed at work; `make prove` kills 200."""
    left = kills(int(os.environ.get("AUD_4_KILLS", "5")), tmp_path / "data", seed=4)
    assert left.acknowledged > 0
    assert left.events >= left.acknowledged
    assert (left.lost, left.acts_without_event, left.events_without_act) == (0, 0, 0)
    assert left.intact


def test_aud_13_a_clock_set_back_is_recorded_and_changes_no_order(empty: Trail) -> None:
    """Numbers order the trail; the setback is an event of its own, once."""
    times = iter([NOON, NOON - timedelta(hours=1), NOON - timedelta(minutes=59)])
    log = AuditLog(lambda: next(times))
    with empty.record.write() as connection:
        assert [log.append(connection, event(number)) for number in range(3)] == [0, 2, 3]
        rows = connection.execute(
            select(audit_leaves.c.action, audit_leaves.c.body).order_by(audit_leaves.c.seq)
        ).all()
    assert [row.action for row in rows] == [
        Action.DOCUMENT_READ,
        Action.CLOCK_REGRESSED,
        Action.DOCUMENT_READ,
        Action.DOCUMENT_READ,
    ]
    assert '"behind_ms":3600000' in rows[1].body
    assert empty.verify().code is Code.OK


@pytest.mark.parametrize("table", [audit_leaves, audit_nodes, audit_checkpoints])
def test_the_database_itself_refuses_changes(trail: Trail, table: object) -> None:
    """Neither a row changed nor a row removed."""
    first = next(iter(table.columns))  # type: ignore[attr-defined]
    for statement in (update(table).values({first: 999}), delete(table)):  # type: ignore[arg-type]
        with pytest.raises(DatabaseError, match="append-only"), trail.record.write() as connection:
            connection.execute(statement)
    assert trail.verify().code is Code.OK


def test_aud_9_the_trail_holds_no_content(record: Record, demo: Department) -> None:
    """An event has no place for a question, an answer or a document: only for what names them."""
    assert set(Event.__dataclass_fields__) == {
        "action",
        "actor",
        "department_id",
        "object_type",
        "object_id",
        "digest",
        "outcome",
        "reason",
        "request_id",
        "facts",
    }
    with record.read() as connection:
        bodies = list(connection.execute(select(audit_leaves.c.body)).scalars())
    assert not any("demo" in body for body in bodies)


@given(TEXT, TEXT, st.none() | TEXT, st.dictionaries(TEXT, st.booleans() | TEXT, max_size=3))
def test_any_text_from_outside_can_be_recorded(
    issuer: str, subject: str, thing: str | None, facts: dict[str, bool | str]
) -> None:
    """Whatever it holds, it is cut, cleaned and read back the same."""
    actor = Actor(issuer, subject, "oidc")
    text = canonical(body_of(Event(Action.DOCUMENT_READ, actor, None, "d", thing), 5, NOON))
    found = columns_in(text)
    assert (found.seq, found.ts, found.department_id) == (5, "2026-05-12T12:00:00.000Z", None)
    assert "\0" not in found.actor_id
    assert len(found.actor_id) <= 255
    assert (found.object_id is None) == (thing is None)
    body_of(Event(Action.DOCUMENT_READ, actor, facts=facts), 0, NOON)


@pytest.mark.parametrize("text", ["\ud800", "a\0b", "x" * 5000, "\u2028\U0001f600\x7f"])
def test_odd_text_goes_through_the_database(empty: Trail, text: str) -> None:
    """Half a character, a zero byte, or too much of it: the act is recorded all the same."""
    odd = Event(Action.DOCUMENT_READ, Actor(text, text, "oidc"), None, "document", text)
    with empty.record.write() as connection:
        empty.record.trail.append(connection, odd)
    assert empty.verify().code is Code.OK
