"""A model's use, its charge and its event are written together or not at all."""

import pytest
from sqlalchemy import Connection, func, select

from governance.charges import Charge
from governance.events import Action, Event
from governance.quotas import QuotaStore
from governance.record.database import Record
from governance.record.trail_tables import audit_leaves
from governance.record.use_tables import usage
from governance.testing_quotas import ANNA, NOW, OWNER


def states(record: Record) -> list[tuple[str, int, int]]:
    """State, requests and tokens of every reservation."""
    with record.read() as connection:
        rows = connection.execute(select(usage.c.state, usage.c.requests, usage.c.tokens))
        return sorted((str(row.state), row.requests, row.tokens) for row in rows)


def uses(record: Record) -> int:
    """How many events of a model's use there are."""
    with record.read() as connection:
        query = select(func.count()).where(audit_leaves.c.action == "model.used")
        return int(connection.execute(query).scalar_one())


USED = Event(Action.MODEL_USED, OWNER, object_type="model", object_id="m")


class Fault(Exception):
    """What goes wrong between charge and event."""


@pytest.mark.parametrize("tokens", [0, 7, None])
def test_qta_1_a_use_and_its_charge_are_one(
    quotas: QuotaStore, record: Record, tokens: int | None
) -> None:
    """A request that cost nothing gives its room back."""
    reservation = quotas.reserve(ANNA, None, 50, NOW)
    quotas.record_use(USED, Charge(reservation.id, tokens))
    expected = ("released", 0, 0) if tokens is None else ("settled", 1, tokens)
    assert (states(record), uses(record)) == ([expected], 1)


def test_aud_5_a_use_that_cannot_be_recorded_is_not_charged(
    quotas: QuotaStore, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault between charge and event, or after both, leaves neither."""
    reservation = quotas.reserve(ANNA, None, 50, NOW)
    append = record.trail.append

    def before(*_: object) -> int:
        raise Fault

    def after(connection: Connection, event: Event) -> int:
        append(connection, event)
        raise Fault

    for fault in (before, after):
        monkeypatch.setattr(record.trail, "append", fault)
        with pytest.raises(Fault):
            quotas.record_use(USED, Charge(reservation.id, 7))
        assert (states(record), uses(record)) == ([("reserved", 1, 50)], 0)


def test_a_use_whose_room_was_given_back_is_recorded_all_the_same(
    quotas: QuotaStore, record: Record
) -> None:
    """What a model did is never lost from the trail."""
    reservation = quotas.reserve(ANNA, None, 50, NOW)
    quotas.release(reservation.id)
    quotas.record_use(USED, Charge(reservation.id, 7))
    assert (states(record), uses(record)) == ([("released", 0, 0)], 1)
