"""Answers a request while its client listens: the first piece decides the status, then it streams.

An error before the first byte gets its real status; one after it can only be said in the stream.
A client that goes away cancels the work, whether it asked for a stream or not.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from runtime.errors import Cancelled, ModelRuntimeError

T = TypeVar("T")
Pieces = AsyncGenerator[bytes, None]


async def while_connected(request: Request, work: Awaitable[T]) -> T:
    """The result of some work, unless the client goes away first. Raises Cancelled."""
    task = asyncio.ensure_future(work)
    gone = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise Cancelled("request canceled")
    finally:
        for each in (task, gone):
            each.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def stream(
    request: Request,
    pieces: Pieces,
    media_type: str,
    last_words: Callable[[ModelRuntimeError], bytes],
) -> StreamingResponse:
    """A response that streams, once its first piece is there. Raises ModelRuntimeError.

    last_words: what to send when it fails in the middle.
    """
    try:
        first = await while_connected(request, anext(pieces))
    except BaseException:
        await pieces.aclose()
        raise
    return _ClosingStream(_joined(first, pieces, last_words), pieces, media_type)


async def _joined(
    first: bytes, rest: Pieces, last_words: Callable[[ModelRuntimeError], bytes]
) -> AsyncIterator[bytes]:
    yield first
    try:
        async for piece in rest:
            yield piece
    except ModelRuntimeError as error:
        yield last_words(error)


class _ClosingStream(StreamingResponse):
    """Ends the work behind it however the response ends."""

    def __init__(self, content: AsyncIterator[bytes], work: Pieces, media_type: str) -> None:
        # Proxies must hand on each piece at once.
        super().__init__(content, media_type=media_type, headers={"X-Accel-Buffering": "no"})
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._work.aclose()
