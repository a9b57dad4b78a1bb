"""Lets work that takes its time tell how far it is: lines of a stream, or only the last of them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any

from runtime.errors import Cancelled
from runtime.pull import PullProgress

Work = Callable[[Callable[[PullProgress], None]], Any]


@dataclass(slots=True)
class _Watched:
    """Work in a thread of its own, and what it has told."""

    loop: asyncio.AbstractEventLoop
    told: "asyncio.Queue[PullProgress | None]"
    is_unwanted: bool = False

    def report(self, step: PullProgress) -> None:
        """Called in the thread of the work. Raises Cancelled, which ends it."""
        if self.is_unwanted:
            raise Cancelled("request canceled")
        self.loop.call_soon_threadsafe(self.told.put_nowait, step)


async def progress_of(work: Work) -> AsyncGenerator[dict[str, Any], None]:
    """What a piece of work tells, as it tells it. Leaving early ends the work at its next step.

    Raises whatever the work raises.
    """
    watched = _Watched(asyncio.get_running_loop(), asyncio.Queue())
    task = asyncio.ensure_future(asyncio.to_thread(work, watched.report))
    task.add_done_callback(lambda _: watched.told.put_nowait(None))
    try:
        while (step := await watched.told.get()) is not None:
            yield as_json(step)
        await task
    finally:
        watched.is_unwanted = True
        await asyncio.gather(task, return_exceptions=True)


def as_json(step: PullProgress) -> dict[str, Any]:
    """One line, with the fields that Ollama writes."""
    line: dict[str, Any] = {"status": step.status}
    if step.digest:
        line["digest"] = step.digest
    if step.total:
        line["total"] = step.total
    if step.completed:
        line["completed"] = step.completed
    return line
