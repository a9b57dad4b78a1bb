"""A stream that is allowed for a while."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from web.allowed import while_allowed
from web.errors import AccessEnded


class Source:
    """Gives numbers, and remembers that it was closed."""

    def __init__(self, count: int, fault: Exception | None = None) -> None:
        self.closed = 0
        self._count, self._fault = count, fault

    async def numbers(self) -> AsyncGenerator[int, None]:
        try:
            for number in range(self._count):
                yield number
            if self._fault is not None:
                raise self._fault
        finally:
            self.closed += 1


def run(source: Source, allowed_checks: int, every_s: float = 60.0) -> list[int]:
    """What comes until the check has passed so many times."""
    left = [allowed_checks]

    def check() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise AccessEnded("withdrawn")

    async def collect() -> list[int]:
        return [one async for one in while_allowed(source.numbers(), check, every_s)]

    return asyncio.run(collect())


def test_owu_1_all_of_it_comes_while_the_check_passes() -> None:
    """In order, and the source is closed once."""
    source = Source(50)
    assert run(source, 1_000) == list(range(50))
    assert source.closed == 1


def test_owu_1_nothing_comes_after_the_right_was_withdrawn() -> None:
    """The check stands before each item."""
    source = Source(50)
    with pytest.raises(AccessEnded):
        run(source, 3)
    assert source.closed == 1


def test_owu_1_a_silent_stream_ends_as_well() -> None:
    """The check runs in every pause, too."""
    closed: list[bool] = []

    async def silent() -> AsyncGenerator[int, None]:
        try:
            await asyncio.Event().wait()
            yield 1
        finally:
            closed.append(True)

    def check() -> None:
        raise AccessEnded("withdrawn")

    async def collect() -> None:
        async for _ in while_allowed(silent(), check, 0.01):
            pass

    with pytest.raises(AccessEnded):
        asyncio.run(collect())
    assert closed == [True]


def test_a_fault_of_the_source_reaches_the_reader() -> None:
    """After what came before it."""
    with pytest.raises(ConnectionError):
        run(Source(3, ConnectionError()), 1_000)


def test_a_reader_who_goes_away_closes_the_source() -> None:
    """At once, in the task that reads it."""
    source = Source(50)

    async def leave() -> None:
        events = while_allowed(source.numbers(), lambda: None, 60.0)
        assert await anext(events) == 0
        await events.aclose()

    asyncio.run(leave())
    assert source.closed == 1
