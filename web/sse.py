"""Server-sent events: how they are written, and a response that stops when its reader is gone."""

import asyncio
from collections.abc import AsyncGenerator

from anyio import CancelScope
from starlette.responses import StreamingResponse
from starlette.types import Send

from web.config import WebSettings
from web.pauses import END, Mark, reading

# A comment, which every reader of events skips; the empty line ends no event, as none has begun.
HEARTBEAT = b": keep-alive\n\n"
LONGEST_EVENT_END = 4
DEFAULTS = WebSettings()


def event_bytes(data: str, event: str | None = None) -> bytes:
    """One event; data may have several lines."""
    name = f"event: {event}\n" if event else ""
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"{name}{lines}\n".encode()


def ends_an_event(tail: bytes) -> bool:
    """Whether the stream stands between two events after these bytes."""
    return not tail or tail.endswith((b"\n\n", b"\r\n\r\n", b"\r\r"))


async def kept_alive(
    events: AsyncGenerator[bytes, None], heartbeat_s: float, longest_s: float
) -> AsyncGenerator[bytes, None]:
    """These events with a heartbeat in each pause of so many seconds, cut off after longest_s.

    What comes may be broken anywhere (the runtime's own stream is passed on as it comes), so a
    heartbeat waits until an event is complete. The events are closed by the end.
    """
    clock, tail = asyncio.get_running_loop().time, b""
    end = clock() + longest_s
    async with reading(events) as line:
        while (left_s := end - clock()) > 0:
            item = await line.next(min(heartbeat_s, left_s))
            if item is END:
                return
            if not isinstance(item, Mark):
                tail = (tail + item)[-LONGEST_EVENT_END:]
                yield item
            elif ends_an_event(tail):
                yield HEARTBEAT


class EventStream(StreamingResponse):
    """Streams events; when the client goes away the iterator is closed before anything else."""

    media_type = "text/event-stream"

    def __init__(
        self,
        events: AsyncGenerator[bytes, None],
        headers: dict[str, str] | None = None,
        settings: WebSettings = DEFAULTS,
    ) -> None:
        # A proxy that collects the stream would hold the first source back until the last word.
        ours = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
        super().__init__(events, headers={**ours, **(headers or {})})
        self._events = events
        self._settings = settings

    async def stream_response(self, send: Send) -> None:
        """Send everything, and close the iterator however that ends."""
        settings, events = self._settings, self._events
        alive = kept_alive(events, settings.stream_heartbeat_s, settings.stream_longest_s)
        self.body_iterator = alive
        try:
            await super().stream_response(send)
        finally:
            # Shielded: the cancellation that brought us here must not cut the clean-up short.
            with CancelScope(shield=True):
                await alive.aclose()
                await events.aclose()
