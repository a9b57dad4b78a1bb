"""Server-sent events: how they are written, and a response that stops when its reader is gone."""

from collections.abc import AsyncGenerator

from anyio import CancelScope
from starlette.responses import StreamingResponse
from starlette.types import Send


def event_bytes(data: str, event: str | None = None) -> bytes:
    """One event; data may have several lines."""
    name = f"event: {event}\n" if event else ""
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"{name}{lines}\n".encode()


class EventStream(StreamingResponse):
    """Streams events; when the client goes away the iterator is closed before anything else."""

    media_type = "text/event-stream"

    def __init__(
        self, events: AsyncGenerator[bytes, None], headers: dict[str, str] | None = None
    ) -> None:
        # A proxy that collects the stream would hold the first source back until the last word.
        super().__init__(events, headers={"X-Accel-Buffering": "no", **(headers or {})})
        self._events = events

    async def stream_response(self, send: Send) -> None:
        """Send everything, and close the iterator however that ends."""
        try:
            await super().stream_response(send)
        finally:
            # Shielded: the cancellation that brought us here must not cut the clean-up short.
            with CancelScope(shield=True):
                await self._events.aclose()
