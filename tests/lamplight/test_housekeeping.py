"""Chores are done in time, and one that fails stops no other."""

from datetime import UTC, datetime, timedelta

from lamplight.housekeeping import Chore, Housekeeping

START = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def test_each_chore_has_its_own_interval() -> None:
    """At the start all are done, later those that are due."""
    clock, done = Clock(), []
    chores = [
        Chore("often", timedelta(minutes=1), lambda now: done.append(("often", now))),
        Chore("daily", timedelta(days=1), lambda now: done.append(("daily", now))),
    ]
    house = Housekeeping(chores, clock)
    house.tick()
    house.tick()
    clock.now = START + timedelta(minutes=1)
    house.tick()
    assert done == [("often", START), ("daily", START), ("often", clock.now)]


def test_a_failing_chore_stops_no_other_and_is_tried_again() -> None:
    """What went wrong once may go well the next time."""
    clock, done = Clock(), []

    def fail(now: datetime) -> None:
        done.append("failed")
        raise OSError("no space")

    chores = [
        Chore("bad", timedelta(minutes=1), fail),
        Chore("good", timedelta(minutes=1), lambda now: done.append("good")),
    ]
    house = Housekeeping(chores, clock)
    house.tick()
    clock.now = START + timedelta(minutes=1)
    house.tick()
    assert done == ["failed", "good", "failed", "good"]


def test_the_thread_ends_with_the_block() -> None:
    """What is due at the start is done, and nothing is left running."""
    done: list[datetime] = []
    with Housekeeping([Chore("one", timedelta(days=1), done.append)]).running():
        pass
    assert len(done) == 1
