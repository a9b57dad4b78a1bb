"""The servers of one upstream model: looks after them, and gives each request a place at one.

The requests of a model stand in one line. The first of it gets the well server with the fewest
outstanding requests; where no server is well nobody waits. A server that fails before it has said
anything costs the request nothing: it moves to another one.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from runtime.errors import (
    ModelRuntimeError,
    ServerBusy,
    UpstreamChanged,
    UpstreamDown,
    UpstreamFailed,
)
from runtime.protocol import Delta, Done, Embed, Generate, Vectors
from runtime.upstream import Upstream
from runtime.upstream_answer import AGAIN, AnswerReader, changed, lists_model, vectors_of
from runtime.upstream_config import UpstreamSettings
from runtime.upstream_health import Found, Health, Server, best
from runtime.upstream_request import asked_of


@dataclass(slots=True, eq=False)
class Place:
    """Where a request is served. tried: servers that could not."""

    pool: "Pool"
    server: Server
    tried: set[Server] = field(default_factory=set)


class Pool:
    """All servers of one model."""

    def __init__(
        self, settings: UpstreamSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.settings = settings
        self.servers = tuple(Server(url) for url in dict.fromkeys(settings.url))
        self._door = Upstream(settings)
        self._clock = clock
        self._line = asyncio.Lock()
        self._looking = asyncio.Lock()
        self._news = asyncio.Event()
        self._closed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.waiting = 0

    @property
    def is_ready(self) -> bool:
        """Whether any server would get requests."""
        return any(server.health is Health.WELL for server in self.servers)

    def start(self) -> None:
        """Look after the servers from now on."""
        self._spawn(self._watch())

    async def close(self) -> None:
        """Stop looking, and close the connections; a look under way may end, which is soon."""
        self._closed.set()
        await asyncio.gather(*self._tasks)
        await self._door.close()

    async def look(self) -> None:
        """Look at every server that nobody has looked at within an interval."""
        async with self._looking:
            due = self._clock() - self.settings.check_s
            old = [s for s in self.servers if s.looked_at_s is None or s.looked_at_s <= due]
            await asyncio.gather(*(self._look_at(server) for server in old))

    @asynccontextmanager
    async def place(self) -> AsyncIterator[Place]:
        """A place at a server for the length of the block.

        Raises ServerBusy, UpstreamDown, UpstreamChanged.
        """
        if any(self._is_stale(server) for server in self.servers):
            await self.look()
        place = Place(self, await self._take(set()))
        try:
            yield place
        finally:
            self._leave(place.server)

    async def generate(self, place: Place, job: Generate) -> AsyncGenerator[Delta | Done, None]:
        """Write an answer. Raises ModelRuntimeError. Leaving early cancels it."""
        asked = asked_of(self.settings, job)
        began = False
        while True:
            reader = AnswerReader(self.settings, job, time.perf_counter_ns())
            try:
                async with aclosing(self._door.events(place.server.url, asked)) as events:
                    async for event in events:
                        for delta in reader.read(event):
                            began = True
                            yield delta
                yield reader.end()
                return
            except UpstreamFailed as error:
                self._note(place.server, error)
                if began or not isinstance(error, UpstreamDown | UpstreamChanged):
                    raise
                await self._move(place, error)

    async def embed(self, place: Place, job: Embed) -> Vectors:
        """Make vectors. Raises ModelRuntimeError."""
        asked = asked_of(self.settings, job)
        while True:
            try:
                body = await self._door.ask(place.server.url, asked)
                return await asyncio.to_thread(vectors_of, self.settings, job, body)
            except UpstreamFailed as error:
                self._note(place.server, error)
                if not isinstance(error, UpstreamDown | UpstreamChanged):
                    raise
                await self._move(place, error)

    async def _take(self, tried: set[Server]) -> Server:
        """A server, once there is room. Raises ServerBusy, UpstreamDown, UpstreamChanged."""
        limit = self.settings.max_concurrent
        left = [server for server in self.servers if server not in tried]
        is_full = self._line.locked() or (self._any_well(left) and best(left, limit) is None)
        if is_full and self.waiting >= self.settings.max_queue:
            raise ServerBusy(f"the servers of model '{self.settings.name}' are busy", AGAIN)
        self.waiting += 1
        try:
            async with self._line:
                while (server := best(left, limit)) is None:
                    if not self._any_well(left):
                        raise self._nobody(left)
                    self._news.clear()
                    await self._news.wait()
                server.outstanding += 1
                return server
        finally:
            self.waiting -= 1

    async def _move(self, place: Place, error: UpstreamFailed) -> None:
        """Give a request another server. Raises the error where there is none."""
        place.tried.add(place.server)
        if not self._any_well([s for s in self.servers if s not in place.tried]):
            raise error
        server = await self._take(place.tried)
        self._leave(place.server)
        place.server = server

    def _leave(self, server: Server) -> None:
        server.outstanding -= 1
        self._news.set()

    def _note(self, server: Server, error: UpstreamFailed) -> None:
        """What a request has met with; a look decides about what may be the request's own fault."""
        if isinstance(error, UpstreamDown):
            server.note(Found.FAILED, self.settings.failures)
        else:
            self._spawn(self._look_at(server))
        self._news.set()

    async def _watch(self) -> None:
        while not self._closed.is_set():
            await self.look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.settings.check_s):
                    await self._closed.wait()

    async def _look_at(self, server: Server) -> None:
        try:
            listed = lists_model(self.settings, await self._door.models(server.url))
            found = Found.GOOD if listed else Found.OTHER_MODEL
        except ServerBusy:
            found = Found.GOOD if server.health is Health.WELL else Found.FAILED
        except ModelRuntimeError:
            found = Found.FAILED
        server.looked_at_s = self._clock()
        server.note(found, self.settings.failures)
        self._news.set()

    def _is_stale(self, server: Server) -> bool:
        """Whether looking has fallen behind, so that what is known of a server may be wrong."""
        oldest = self._clock() - 2 * self.settings.check_s
        return server.looked_at_s is None or server.looked_at_s < oldest

    def _any_well(self, servers: list[Server]) -> bool:
        return any(server.health is Health.WELL for server in servers)

    def _nobody(self, servers: list[Server]) -> UpstreamFailed:
        if any(server.health is Health.STRANGER for server in servers):
            return changed(self.settings)
        error = UpstreamDown(f"no server of model '{self.settings.name}' can be reached", AGAIN)
        error.retry_after_s = math.ceil(self.settings.check_s)
        return error

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
