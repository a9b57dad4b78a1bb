"""Keeps a stream going only as long as its reader may still have it (OWU-1)."""

from collections.abc import AsyncGenerator, Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from web.pauses import END, Mark, reading

Item = TypeVar("Item")


async def while_allowed(
    events: AsyncGenerator[Item, None], check: Callable[[], None], every_s: float
) -> AsyncGenerator[Item, None]:
    """What comes, as long as the check passes: it runs before each item and in every pause.

    every_s: the longest time between two checks. Raises whatever the check or the events raise; the
    events are closed by then.
    """
    async with reading(events) as line:
        while (item := await line.next(every_s)) is not END:
            await run_in_threadpool(check)
            if not isinstance(item, Mark):
                yield item
