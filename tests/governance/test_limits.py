"""Limits: set with an event each, refused when they mean nothing, counted in whole periods."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from governance.errors import InvalidQuota, NotFound, QuotaExceeded
from governance.limits import Limit, Period, Used, check_room, what_is_left
from governance.policies import Department
from governance.quotas import QuotaStore
from governance.record.database import Record
from governance.record.trail_tables import audit_leaves
from governance.testing_quotas import ANNA, NOW, OWNER, limit


def events(record: Record) -> int:
    with record.read() as connection:
        query = select(func.count()).where(audit_leaves.c.action == "quota.changed")
        return int(connection.execute(query).scalar_one())


def test_a_limit_is_set_changed_and_removed_with_an_event_each(
    quotas: QuotaStore, demo: Department, record: Record
) -> None:
    """One limit for one cover and period; saying the same again changes nothing."""
    first = limit(demo.id, requests=5)
    for one in (first, first, replace(first, requests=7)):
        quotas.set_limit(OWNER, one)
    assert quotas.limits() == (replace(first, requests=7),)
    assert events(record) == 2
    quotas.set_limit(OWNER, replace(first, requests=None))
    assert quotas.limits(demo.id) == ()
    assert events(record) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        limit(requests=-1),
        limit(tokens=2**31),
        limit(person_id=ANNA, each_person=True, requests=1),
    ],
)
def test_a_limit_that_means_nothing_is_refused(
    quotas: QuotaStore, record: Record, wrong: Limit
) -> None:
    """By what is wrong with it, and nothing changes."""
    with pytest.raises(InvalidQuota):
        quotas.set_limit(OWNER, wrong)
    assert (quotas.limits(), events(record)) == ((), 0)


@pytest.mark.parametrize(
    "wrong", [limit("nowhere", requests=1), limit(person_id="nobody", requests=1)]
)
def test_a_limit_for_nobody_is_refused(quotas: QuotaStore, record: Record, wrong: Limit) -> None:
    """Department and person must be known."""
    with pytest.raises(NotFound):
        quotas.set_limit(OWNER, wrong)
    assert (quotas.limits(), events(record)) == ((), 0)


@given(
    st.integers(0, 50),
    st.integers(0, 50),
    st.integers(0, 50),
    st.integers(0, 50),
)
def test_room_and_what_is_left_agree(most: int, settled: int, held: int, more: int) -> None:
    """Whatever fits is shown as left, and what is shown as left fits."""
    one = limit(tokens=most)
    used = Used(0, settled, 0, held, None)
    left = what_is_left(one, used, NOW).tokens_left
    assert left is not None
    if more and more <= left:
        check_room(one, used, more, NOW)
    elif more:
        with pytest.raises(QuotaExceeded):
            check_room(one, used, more, NOW)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.sampled_from(Period))  # noqa: DTZ001
def test_periods_follow_each_other_without_a_gap(moment: datetime, period: Period) -> None:
    """Every moment is in one period, and the next begins where it ends."""
    now = moment.replace(tzinfo=UTC)
    assert period.start(now) <= now < period.end(now)
    assert period.start(period.end(now)) == period.end(now)
    assert period.start(period.end(now) - timedelta(microseconds=1)) == period.start(now)
