"""Waiting after failed sign-ins, by account and by address."""

from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from governance.record.database import Record
from governance.record.people_tables import throttles
from governance.throttle import (
    ACCOUNT,
    ADDRESS,
    Admission,
    Backoff,
    Count,
    Throttle,
    counted,
    network_of,
    wait_s,
)

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.fixture
def throttle(record: Record) -> Throttle:
    return Throttle(record, b"k" * 32)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


@given(st.integers(0, 10_000), st.sampled_from([ACCOUNT, ADDRESS]))
def test_a_wait_grows_to_its_end(failures: int, backoff: Backoff) -> None:
    """Never shorter after one failure more, and never longer than the longest."""
    now, then = wait_s(failures, backoff), wait_s(failures + 1, backoff)
    assert 0 <= now <= then <= backoff.longest_s
    assert (now == 0) == (failures < backoff.free)


def test_the_first_waits() -> None:
    """Five tries are free, then 2, 4, 8 seconds … up to an hour."""
    waits = [wait_s(failures, ACCOUNT) for failures in range(1, 18)]
    assert waits[:8] == [0, 0, 0, 0, 2, 4, 8, 16]
    assert waits[-1] == 3_600


@pytest.mark.parametrize("backoff", [ACCOUNT, ADDRESS])
@pytest.mark.parametrize("every_s", [0, 0.1, 1, 5])
def test_aut_4_of_a_thousand_guesses_at_most_twenty_are_checked(
    backoff: Backoff, every_s: float
) -> None:
    """From all at once to one every five seconds; an address, at the most one a second."""
    count, checked = Count(0, NOW, NOW), 0
    for number in range(1_000):
        moment = NOW + number * seconds(min(every_s, 1) if backoff is ADDRESS else every_s)
        if count.blocked_until <= moment:
            count, checked = counted(count, backoff, moment), checked + 1
    assert backoff.free <= checked <= 20


def test_aut_4_of_a_thousand_guesses_from_an_address_at_most_twenty_are_checked(
    throttle: Throttle, record: Record
) -> None:
    """At a thousand accounts, one a second; the names it makes up leave no rows."""
    checked = sum(
        throttle.admit(f"person{n}", "10.0.0.1", NOW + n * seconds(1)) is Admission.CHECK
        for n in range(1_000)
    )
    assert 10 <= checked <= 20
    with record.read() as connection:
        assert len(connection.execute(select(throttles.c.key)).all()) == checked + 1


def test_aut_4_guesses_at_the_same_time_gain_nothing(throttle: Throttle) -> None:
    """An attempt counts before it is checked."""
    admitted: list[Admission] = []

    def guess(number: int) -> None:
        admitted.extend(throttle.admit("ada", f"10.0.{number}.{n}", NOW) for n in range(10))

    threads = [Thread(target=guess, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert admitted.count(Admission.CHECK) == ACCOUNT.free
    assert len(admitted) == 40


def test_a_right_password_resets_the_account(throttle: Throttle) -> None:
    """Whoever got in after four tries has five again."""
    for _ in range(3):
        for n in range(ACCOUNT.free):
            assert throttle.admit("ada", f"10.0.0.{n}", NOW) is Admission.CHECK
        throttle.succeeded("ada", "10.0.0.4")


def test_a_ward_behind_one_address_is_not_kept_out_by_its_typos(throttle: Throttle) -> None:
    """A right password takes one failure of the address back."""
    for n in range(50):
        assert throttle.admit(f"nurse{n}", "10.0.0.1", NOW) is Admission.CHECK
        assert throttle.admit(f"nurse{n}", "10.0.0.1", NOW) is Admission.CHECK
        throttle.succeeded(f"nurse{n}", "10.0.0.1")


def test_waiting_helps_and_trying_meanwhile_does_not_hurt(throttle: Throttle) -> None:
    """The wait ends when it was said to end."""
    for n in range(ACCOUNT.free):
        throttle.admit("ada", f"10.0.0.{n}", NOW)
    for _ in range(10):
        assert throttle.admit("ada", "10.1.0.1", NOW + seconds(1.9)) is not Admission.CHECK
    assert throttle.admit("ada", "10.1.0.1", NOW + seconds(2)) is Admission.CHECK


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("testclient", "testclient"),
    ],
)
def test_aut_4_an_address_is_counted_with_those_its_owner_can_choose(
    address: str, network: str
) -> None:
    """With IPv6, whoever guesses has 2^64 addresses to guess from."""
    assert network_of(address) == network


def test_other_accounts_and_addresses_are_free(throttle: Throttle) -> None:
    """One who waits keeps nobody else waiting."""
    for n in range(20):
        throttle.admit("ada", f"10.0.0.{n}", NOW)
    assert throttle.admit("grace", "10.0.0.1", NOW) is Admission.CHECK


def test_a_long_wait_is_recorded_once_a_minute(throttle: Throttle) -> None:
    """A flood of refused attempts does not flood the trail."""
    for n in range(ACCOUNT.free + 8):
        throttle.admit("ada", f"10.0.0.{n}", NOW + n * seconds(1_000))
    start = NOW + (ACCOUNT.free + 7) * seconds(1_000)
    answers = [throttle.admit("ada", "10.9.0.1", start + n * seconds(1)) for n in range(1, 200)]
    assert answers.count(Admission.REFUSE) == 3
    assert answers.count(Admission.CHECK) == 0


def test_failures_are_forgotten_after_their_time(throttle: Throttle, record: Record) -> None:
    """A day later the account has its free tries again, and the sweep takes the row away."""
    for n in range(ACCOUNT.free):
        throttle.admit("ada", f"10.0.0.{n}", NOW)
    later = NOW + seconds(ACCOUNT.forget_s)
    assert throttle.sweep(later) == 0
    for n in range(ACCOUNT.free):
        assert throttle.admit("ada", f"10.0.1.{n}", later) is Admission.CHECK
    assert throttle.sweep(later + seconds(ACCOUNT.forget_s + 1)) == 2 * ACCOUNT.free + 1
    with record.read() as connection:
        assert connection.execute(select(throttles)).all() == []


def test_only_keyed_hashes_are_kept(throttle: Throttle, record: Record) -> None:
    """Neither a name nor an address can be read or, without the key, tried out."""
    throttle.admit("ada", "10.0.0.1", NOW)
    with record.read() as connection:
        keys = set(connection.execute(select(throttles.c.key)).scalars())
    assert keys == {throttle.account_key("ada"), throttle.address_key("10.0.0.1")}
    assert keys.isdisjoint({Throttle(record, b"x" * 32).account_key("ada")})
    assert throttle.account_key("ada") != throttle.address_key("ada")
