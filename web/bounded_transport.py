"""Reads another server's answer only up to a limit, whatever that server says about it."""

from typing import cast

import httpx2

MAX_ANSWER_BYTES = 512 * 1024


class BoundedTransport(httpx2.AsyncHTTPTransport):
    """Reads an answer only up to a limit, and only as plain bytes."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request. Raises httpx2.ReadError for an answer beyond the limit."""
        answer = await super().handle_async_request(request)
        try:
            # A packed answer can be a thousand times larger than what was read.
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise httpx2.ReadError("the answer is packed", request=request)
            content = b""
            async for part in cast(httpx2.AsyncByteStream, answer.stream):
                content += part
                if len(content) > MAX_ANSWER_BYTES:
                    raise httpx2.ReadError("the answer is too large", request=request)
        finally:
            await answer.aclose()
        return httpx2.Response(answer.status_code, headers=answer.headers, content=content)
