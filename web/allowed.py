"""Keeps a stream going only as long as its reader may still have it (OWU-1)."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Final, TypeVar

from starlette.concurrency import run_in_threadpool

Item = TypeVar("Item")


class _Mark:
    """Says that nothing came, or that nothing will."""


NOTHING: Final = _Mark()
END: Final = _Mark()


async def while_allowed(
    events: AsyncGenerator[Item, None], check: Callable[[], None], every_s: float
) -> AsyncGenerator[Item, None]:
    """What comes, as long as the check passes: it runs before each item and in every pause.

    every_s: the longest time between two checks. Raises whatever the check or the events raise; the
    events are closed by then.
    """
    line: asyncio.Queue[Item] = asyncio.Queue(1)
    # One task reads and closes the events: some cannot be closed by another.
    reading = asyncio.create_task(_read(events, line))
    try:
        while (item := await _next(line, reading, every_s)) is not END:
            await run_in_threadpool(check)
            if not isinstance(item, _Mark):
                yield item
        await reading
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _next(
    line: asyncio.Queue[Item], reading: asyncio.Task[None], wait_s: float
) -> Item | _Mark:
    """What came meanwhile; nothing after so many seconds; the end when all has been taken."""
    if not line.empty():
        return line.get_nowait()
    coming = asyncio.ensure_future(line.get())
    try:
        await asyncio.wait({coming, reading}, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        if coming.done():
            return coming.result()
        return END if reading.done() and line.empty() else NOTHING
    finally:
        coming.cancel()


async def _read(events: AsyncGenerator[Item, None], line: asyncio.Queue[Item]) -> None:
    try:
        async for item in events:
            await line.put(item)
    finally:
        await events.aclose()
