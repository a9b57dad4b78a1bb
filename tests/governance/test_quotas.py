"""Quotas: exactly as much passes as there is room for, and everybody is told what is left."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from governance.charges import State
from governance.config import GovernanceSettings
from governance.errors import IllegalTransition, QuotaExceeded
from governance.events import SYSTEM
from governance.limits import Period
from governance.policies import Department, PolicyStore
from governance.quotas import LEASE, QuotaStore
from governance.record.database import Record, open_record
from governance.record.use_tables import usage
from governance.testing_quotas import ANNA, BEN, DAY, MONTH, NOW, OWNER, limit


def passes(quotas: QuotaStore, person_id: str | None, department_id: str | None = None) -> bool:
    try:
        quotas.reserve(person_id, department_id, 10, NOW)
    except QuotaExceeded:
        return False
    return True


def test_without_a_limit_everything_passes(quotas: QuotaStore, demo: Department) -> None:
    """And nothing is shown as left."""
    assert passes(quotas, ANNA, demo.id)
    assert quotas.left(ANNA, demo.id, NOW) == ()


@pytest.mark.parametrize("what", ["requests", "tokens"])
def test_qta_1_of_200_at_once_exactly_as_many_pass_as_there_is_room_for(
    quotas: QuotaStore, demo: Department, record: Record, what: str
) -> None:
    """Not one more, not one fewer, whichever runs out."""
    room = 37
    numbers = (room, None) if what == "requests" else (None, room * 10 + 9)
    quotas.set_limit(OWNER, limit(demo.id, requests=numbers[0], tokens=numbers[1]))
    with ThreadPoolExecutor(200) as pool:
        done = list(pool.map(lambda _: passes(quotas, ANNA, demo.id), range(200)))
    assert done.count(True) == room
    with record.read() as connection:
        assert connection.execute(select(func.count()).select_from(usage)).scalar_one() == room


def test_qta_1_all_who_open_the_record_share_one_limit(
    quotas: QuotaStore, settings: GovernanceSettings, demo: Department
) -> None:
    """Runtime and platform each open the record for themselves."""
    quotas.set_limit(OWNER, limit(demo.id, requests=10))
    other = open_record(settings)
    stores = [quotas, QuotaStore(other)]
    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(lambda n: passes(stores[n % 2], ANNA, demo.id), range(40)))
    other.close()
    assert done.count(True) == 10


def test_qta_1_a_refusal_says_what_ran_out_and_when_it_is_back(
    quotas: QuotaStore, demo: Department, record: Record
) -> None:
    """With the seconds until then; and it leaves nothing reserved."""
    quotas.set_limit(OWNER, limit(demo.id, requests=1))
    quotas.settle(quotas.reserve(ANNA, demo.id, 10, NOW).id, 10)
    with pytest.raises(QuotaExceeded, match="1 requests per day") as refused:
        quotas.reserve(ANNA, demo.id, 10, NOW)
    assert (refused.value.what, refused.value.period) == ("requests", "day")
    assert refused.value.retry_after_s == 14.5 * 3600
    assert "2026-05-13 00:00 UTC" in refused.value.hint
    with record.read() as connection:
        assert connection.execute(select(func.count()).select_from(usage)).scalar_one() == 1


def test_where_only_running_requests_are_in_the_way_the_wait_is_short(
    quotas: QuotaStore, demo: Department
) -> None:
    """A reservation ends with its lease at the latest."""
    quotas.set_limit(OWNER, limit(demo.id, tokens=100))
    quotas.reserve(ANNA, demo.id, 90, NOW)
    with pytest.raises(QuotaExceeded) as refused:
        quotas.reserve(ANNA, demo.id, 20, NOW)
    assert refused.value.retry_after_s == LEASE.total_seconds()


def test_a_request_larger_than_the_limit_is_told_so(quotas: QuotaStore, demo: Department) -> None:
    """Waiting would not help."""
    quotas.set_limit(OWNER, limit(demo.id, tokens=100))
    with pytest.raises(QuotaExceeded) as refused:
        quotas.reserve(ANNA, demo.id, 101, NOW)
    assert "shorter" in refused.value.hint


def test_qta_1_what_was_not_taken_is_given_back(
    quotas: QuotaStore, demo: Department, record: Record
) -> None:
    """Reserved by the longest answer, charged by the real one; every charge is in the sum."""
    quotas.set_limit(OWNER, limit(demo.id, tokens=100))
    quotas.settle(quotas.reserve(ANNA, demo.id, 90, NOW).id, 30)
    quotas.release(quotas.reserve(ANNA, demo.id, 70, NOW).id)
    quotas.settle(quotas.reserve(ANNA, demo.id, 70, NOW).id, 65)
    assert quotas.left(ANNA, demo.id, NOW)[0].tokens_left == 5
    with record.read() as connection:
        query = select(func.sum(usage.c.tokens)).where(usage.c.state == State.SETTLED)
        assert connection.execute(query).scalar_one() == 95


def test_qta_1_the_room_of_a_dead_process_comes_back_after_its_lease(
    quotas: QuotaStore, demo: Department
) -> None:
    """Five minutes later, and not before; who still lives renews."""
    quotas.set_limit(OWNER, limit(demo.id, requests=1))
    dead = quotas.reserve(ANNA, demo.id, 10, NOW)
    with pytest.raises(QuotaExceeded):
        quotas.reserve(ANNA, demo.id, 10, NOW + LEASE - timedelta(seconds=1))
    quotas.renew(dead.id, NOW + timedelta(minutes=4))
    with pytest.raises(QuotaExceeded):
        quotas.reserve(ANNA, demo.id, 10, NOW + LEASE)
    quotas.reserve(ANNA, demo.id, 10, NOW + timedelta(minutes=9))


def test_a_late_answer_is_still_charged(quotas: QuotaStore, demo: Department) -> None:
    """A lease that ran out frees the room, but what was taken counts."""
    quotas.set_limit(OWNER, limit(demo.id, tokens=100))
    late = quotas.reserve(ANNA, demo.id, 90, NOW)
    assert quotas.left(ANNA, demo.id, NOW + LEASE)[0].tokens_left == 100
    quotas.settle(late.id, 80)
    assert quotas.left(ANNA, demo.id, NOW + LEASE)[0].tokens_left == 20


def test_a_reservation_ends_once(quotas: QuotaStore, demo: Department) -> None:
    """Releasing after settling does nothing; settling what ended is refused."""
    quotas.set_limit(OWNER, limit(demo.id, tokens=100))
    reservation = quotas.reserve(ANNA, demo.id, 50, NOW)
    quotas.settle(reservation.id, 40)
    quotas.release(reservation.id)
    assert quotas.left(ANNA, demo.id, NOW)[0].tokens_left == 60
    with pytest.raises(IllegalTransition):
        quotas.settle(reservation.id, 1)
    released = quotas.reserve(ANNA, demo.id, 50, NOW)
    quotas.release(released.id)
    with pytest.raises(IllegalTransition):
        quotas.settle(released.id, 1)
    assert quotas.left(ANNA, demo.id, NOW)[0].tokens_left == 60


def test_each_limit_counts_what_it_covers(
    quotas: QuotaStore, demo: Department, policies: PolicyStore
) -> None:
    """Platform, department, one person and each person, side by side."""
    other = policies.create_department(SYSTEM, "other")
    quotas.set_limit(OWNER, limit(requests=6))
    quotas.set_limit(OWNER, limit(demo.id, requests=4))
    quotas.set_limit(OWNER, limit(demo.id, each_person=True, requests=2))
    assert [passes(quotas, ANNA, demo.id) for _ in range(3)] == [True, True, False]
    assert [passes(quotas, BEN, demo.id) for _ in range(3)] == [True, True, False]
    assert [passes(quotas, BEN, other.id) for _ in range(3)] == [True, True, False]


def test_a_limit_that_names_a_person_takes_the_place_of_the_one_for_each(
    quotas: QuotaStore, demo: Department
) -> None:
    """More for one, or less, for the same period and place; others keep theirs."""
    quotas.set_limit(OWNER, limit(demo.id, each_person=True, requests=1))
    quotas.set_limit(OWNER, limit(demo.id, ANNA, requests=2))
    assert [passes(quotas, ANNA, demo.id) for _ in range(3)] == [True, True, False]
    assert [passes(quotas, BEN, demo.id) for _ in range(2)] == [True, False]


def test_clients_without_an_account_share_one_limit(quotas: QuotaStore) -> None:
    """Whoever uses the loopback runtime without a key is one person together."""
    quotas.set_limit(OWNER, limit(each_person=True, requests=1))
    assert [passes(quotas, None) for _ in range(2)] == [True, False]
    assert passes(quotas, ANNA)


def test_what_is_left_and_the_warning_from_80_percent(quotas: QuotaStore, demo: Department) -> None:
    """For the page and the headers: numbers, when it begins anew, and a flag in time."""
    quotas.set_limit(OWNER, limit(demo.id, requests=5, tokens=1000))
    for _ in range(3):
        quotas.reserve(ANNA, demo.id, 100, NOW)
    (left,) = quotas.left(ANNA, demo.id, NOW)
    assert (left.requests_left, left.tokens_left, left.warning) == (2, 700, False)
    assert (left.resets_at, left.resets_in_s) == (datetime(2026, 5, 13, tzinfo=UTC), 52_200)
    quotas.reserve(ANNA, demo.id, 100, NOW)
    assert quotas.left(ANNA, demo.id, NOW)[0].warning


@pytest.mark.parametrize(("period", "resets"), [(DAY, (2027, 1, 1)), (MONTH, (2027, 1, 1))])
def test_a_period_begins_anew_in_utc(
    quotas: QuotaStore, demo: Department, period: Period, resets: tuple[int, int, int]
) -> None:
    """Also over the turn of the year, whatever the zone of the clock."""
    quotas.set_limit(OWNER, limit(demo.id, period=period, requests=1))
    last = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    west = last.astimezone(datetime.strptime("-0500", "%z").tzinfo)
    quotas.settle(quotas.reserve(ANNA, demo.id, 1, west).id, 1)
    with pytest.raises(QuotaExceeded):
        quotas.reserve(ANNA, demo.id, 1, last)
    quotas.reserve(ANNA, demo.id, 1, datetime(*resets, tzinfo=UTC))


def test_a_month_counts_all_of_its_days(quotas: QuotaStore, demo: Department) -> None:
    """Where the day begins anew, the month goes on."""
    quotas.set_limit(OWNER, limit(demo.id, period=MONTH, requests=2))
    last = datetime(2026, 5, 31, tzinfo=UTC)
    for moment in (datetime(2026, 5, 1, tzinfo=UTC), last):
        quotas.settle(quotas.reserve(ANNA, demo.id, 1, moment).id, 1)
    assert quotas.left(ANNA, demo.id, last)[0].requests_left == 0
    assert quotas.left(ANNA, demo.id, last + timedelta(days=1))[0].requests_left == 2


def test_qta_1_folding_earlier_days_changes_no_sum(
    quotas: QuotaStore, demo: Department, record: Record
) -> None:
    """Few rows stand for many, what is left stays the same, and folding again does nothing."""
    quotas.set_limit(OWNER, limit(demo.id, requests=100, tokens=1000))
    quotas.set_limit(
        OWNER, limit(demo.id, each_person=True, period=MONTH, requests=100, tokens=1000)
    )
    for days in (60, 59, 5, 4, 3, 0, 0):
        for person_id in (ANNA, BEN, None):
            moment = NOW - timedelta(days=days)
            quotas.settle(quotas.reserve(person_id, demo.id, 9, moment).id, 7)
    quotas.release(quotas.reserve(ANNA, demo.id, 9, NOW).id)
    quotas.reserve(ANNA, demo.id, 9, NOW - timedelta(days=2))
    running = quotas.reserve(ANNA, demo.id, 9, NOW)
    shown = [quotas.left(person_id, demo.id, NOW) for person_id in (ANNA, BEN, None)]
    # Of each person two a month ago become one, three of this month become one; two stay for today.
    assert quotas.compact(NOW) == 2 + 3 * (1 + 2)
    assert [quotas.left(person_id, demo.id, NOW) for person_id in (ANNA, BEN, None)] == shown
    with record.read() as connection:
        query = select(func.sum(usage.c.tokens)).where(usage.c.state == State.SETTLED)
        assert connection.execute(query).scalar_one() == 7 * 21
    assert quotas.compact(NOW) == 0
    quotas.settle(running.id, 1)


def test_a_limit_of_nothing_forbids(quotas: QuotaStore, demo: Department) -> None:
    """0 is a number, not the absence of one."""
    quotas.set_limit(OWNER, limit(demo.id, requests=0))
    assert not passes(quotas, ANNA, demo.id)
