"""Reads a stream ahead, so that whoever waits for its next item can do something meanwhile."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Generic, TypeVar

from anyio import CancelScope

Item = TypeVar("Item")


class Mark:
    """Says that nothing came, or that nothing will."""


NOTHING: Final = Mark()
END: Final = Mark()


class Line(Generic[Item]):
    """Where the items of a stream wait, one at a time."""

    def __init__(self, items: asyncio.Queue[Item], reading: asyncio.Task[None]) -> None:
        self._items = items
        self._reading = reading

    async def next(self, wait_s: float) -> Item | Mark:
        """What came meanwhile; nothing after so many seconds; the end when all has been taken.

        Raises what the stream raised, after its items.
        """
        if not self._items.empty():
            return self._items.get_nowait()
        coming = asyncio.ensure_future(self._items.get())
        try:
            await asyncio.wait(
                {coming, self._reading}, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED
            )
            if coming.done():
                return coming.result()
        finally:
            coming.cancel()
        if not (self._reading.done() and self._items.empty()):
            return NOTHING
        await self._reading
        return END


@asynccontextmanager
async def reading(events: AsyncGenerator[Item, None]) -> AsyncIterator[Line[Item]]:
    """Read these events while this lasts; they are closed by its end."""
    items: asyncio.Queue[Item] = asyncio.Queue(1)
    # One task reads and closes the events: some cannot be closed by another.
    task = asyncio.create_task(_read(events, items))
    try:
        yield Line(items, task)
    finally:
        task.cancel()
        # Shielded: a second cancellation would cut the clean-up of the events short.
        with CancelScope(shield=True):
            await asyncio.gather(task, return_exceptions=True)


async def _read(events: AsyncGenerator[Item, None], items: asyncio.Queue[Item]) -> None:
    try:
        async for item in events:
            await items.put(item)
    finally:
        await events.aclose()
