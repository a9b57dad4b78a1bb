"""The door to other model servers: the only file that sends prompts over the network.

It follows no redirect, uses no proxy of the environment, trusts only the certificates it is told
to, and bounds what it reads in time and bytes.
"""

import asyncio
import json
import ssl
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from runtime.errors import UpstreamDown, UpstreamFailed, UpstreamSlow
from runtime.upstream_answer import AGAIN, END, failed, refusal_of, unreadable
from runtime.upstream_config import UpstreamSettings
from runtime.upstream_request import Asked

MAX_KEY_BYTES = 4096
MAX_ERROR_BYTES = 64 * 1024
MAX_LIST_BYTES = 4 * 1024**2
MAX_LINE_BYTES = 4 * 1024**2
EVENTS = "text/event-stream"


class Upstream:
    """The connections to all servers of one model."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self._settings = settings
        self._client: httpx.AsyncClient | None = None
        self._making = threading.Lock()

    async def models(self, url: str) -> Any:
        """A server's list of models. Raises UpstreamFailed, ServerBusy."""
        limits = httpx.Timeout(self._settings.connect_timeout_s)
        async with self._sent("GET", f"{url.rstrip('/')}/models", None, limits) as response:
            return await self._whole(response, MAX_LIST_BYTES)

    async def ask(self, url: str, asked: Asked) -> Any:
        """The whole answer to a request. Raises UpstreamFailed, BadRequest, ServerBusy."""
        address = f"{url.rstrip('/')}{asked.path}"
        async with self._sent("POST", address, asked.body, self._timeout()) as response:
            return await self._whole(response, self._settings.max_answer_bytes)

    async def events(self, url: str, asked: Asked) -> AsyncGenerator[str, None]:
        """The data of each event of a streamed answer, without the last, which only ends it.

        Raises UpstreamFailed, BadRequest, ServerBusy. Leaving early closes the connection, which
        is how a server learns that nobody listens.
        """
        address = f"{url.rstrip('/')}{asked.path}"
        async with self._sent("POST", address, asked.body, self._timeout()) as response:
            if not response.headers.get("content-type", "").startswith(EVENTS):
                raise unreadable(self._settings)
            async with aclosing(self._lines(response)) as lines:
                async for line in lines:
                    name, _, data = line.partition(":")
                    if name == "data" and data.strip() == END:
                        return
                    if name == "data":
                        yield data.strip()

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    @asynccontextmanager
    async def _sent(
        self, method: str, url: str, body: Any, limits: httpx.Timeout
    ) -> AsyncIterator[httpx.Response]:
        """A response with status 200, not read yet. Raises UpstreamFailed, and what it refuses."""
        answered = False
        try:
            client = await asyncio.to_thread(self._connected)
            headers = await asyncio.to_thread(self._headers)
            async with client.stream(
                method, url, json=body, headers=headers, timeout=limits
            ) as response:
                answered = True
                if response.status_code != httpx.codes.OK:
                    said = await self._bytes(response, MAX_ERROR_BYTES, cuts=True)
                    retry_after = response.headers.get("retry-after", "")
                    raise refusal_of(self._settings, response.status_code, said, retry_after)
                yield response
        except httpx.ConnectTimeout as error:
            raise self._down() from error
        except httpx.TimeoutException as error:
            raise self._slow() from error
        except httpx.HTTPError as error:
            if answered:
                raise failed(self._settings, "ended in the middle of the answer") from error
            raise self._down() from error

    async def _whole(self, response: httpx.Response, limit_bytes: int) -> Any:
        try:
            return json.loads(await self._bytes(response, limit_bytes))
        except (ValueError, RecursionError) as error:
            raise unreadable(self._settings) from error

    async def _bytes(
        self, response: httpx.Response, limit_bytes: int, *, cuts: bool = False
    ) -> bytes:
        """A body. cuts: what is over the limit is left out. Raises UpstreamFailed."""
        content = bytearray()
        async with aclosing(self._chunks(response)) as chunks:
            async for chunk in chunks:
                content += chunk
                if len(content) > limit_bytes:
                    if cuts:
                        break
                    raise self._too_much()
        return bytes(content[:limit_bytes])

    async def _lines(self, response: httpx.Response) -> AsyncGenerator[str, None]:
        rest, total = b"", 0
        async with aclosing(self._chunks(response)) as chunks:
            async for chunk in chunks:
                total += len(chunk)
                *whole, rest = (rest + chunk).split(b"\n")
                if len(rest) > MAX_LINE_BYTES or total > self._settings.max_answer_bytes:
                    raise self._too_much()
                for line in whole:
                    yield line.decode(errors="replace").rstrip("\r")
        if rest:
            yield rest.decode(errors="replace")

    async def _chunks(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """What comes, until it lasts too long. Raises UpstreamSlow."""
        deadline = time.monotonic() + self._settings.answer_timeout_s
        read = response.aiter_raw()  # no encoding was asked for, so none can unfold in memory
        assert isinstance(read, AsyncGenerator)
        async with aclosing(read) as chunks:
            async for chunk in chunks:
                if time.monotonic() > deadline:
                    raise self._slow()
                yield chunk

    def _connected(self) -> httpx.AsyncClient:
        with self._making:  # threads come here, and there must be one client
            self._client = self._client or self._new_client()
            return self._client

    def _new_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            verify=self._certificates(),
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=8),
            headers={"User-Agent": "lamplight", "Accept-Encoding": "identity"},
        )

    def _certificates(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self._settings.ca_file)
        except OSError as error:  # an unreadable certificate is one of these, too
            raise self._unusable("ca_file") from error

    def _headers(self) -> dict[str, str]:
        """Our key, read each time so that it can be changed while we run. Raises UpstreamFailed."""
        path = self._settings.key_file
        if path is None:
            return {}
        key = self._key(path)
        if not key or not key.isascii() or not key.isprintable():
            raise self._unusable("key_file")
        return {"Authorization": f"Bearer {key}"}

    def _key(self, path: Path) -> str:
        try:
            with path.open("rb") as file:
                return file.read(MAX_KEY_BYTES).decode().strip()
        except (OSError, ValueError) as error:
            raise self._unusable("key_file") from error

    def _timeout(self) -> httpx.Timeout:
        settings = self._settings
        return httpx.Timeout(settings.read_timeout_s, connect=settings.connect_timeout_s)

    def _unusable(self, field: str) -> UpstreamFailed:
        return UpstreamFailed(
            f"{field} of the upstream '{self._settings.name}' cannot be used",
            "Check that it is there and that Lamplight may read it.",
        )

    def _down(self) -> UpstreamDown:
        return UpstreamDown(f"no server of model '{self._settings.name}' can be reached", AGAIN)

    def _slow(self) -> UpstreamSlow:
        return UpstreamSlow(
            f"the server of model '{self._settings.name}' did not answer in time", AGAIN
        )

    def _too_much(self) -> UpstreamFailed:
        return failed(self._settings, "answers with more than is read")
