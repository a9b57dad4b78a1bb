"""A model's servers: balanced, ejected, brought back, refused; against servers that misbehave."""

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from runtime.errors import (
    ModelRuntimeError,
    ServerBusy,
    UpstreamChanged,
    UpstreamDown,
    UpstreamFailed,
    UpstreamSlow,
)
from runtime.protocol import Delta, Done, Generate
from runtime.sampling import Options
from runtime.testing_upstream import free_port, served
from runtime.upstream_config import UpstreamSettings, read_upstreams
from runtime.upstream_health import Health
from runtime.upstream_pool import Pool

JOB = Generate(1, Options(), messages=({"role": "user", "content": "hello"},))
PART = {"choices": [{"index": 0, "delta": {"content": "yes"}, "finish_reason": None}]}
LAST = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


@dataclass
class Stub:
    """A server in OpenAI's form that does what it is told. lists: the model it says to have."""

    lists: str = "there"
    status: int = 200
    events: tuple[str, ...] = (json.dumps(PART), json.dumps(LAST), "[DONE]")
    hangs: bool = False
    asked: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    left: threading.Event = field(default_factory=threading.Event)

    def app(self) -> Starlette:
        """The application."""
        routes = [
            Route("/v1/models", self.models),
            Route("/v1/chat/completions", self.chat, methods=["POST"]),
        ]
        return Starlette(routes=routes)

    async def models(self, _request: Request) -> Response:
        return JSONResponse({"data": [{"id": self.lists}]})

    async def chat(self, request: Request) -> Response:
        self.asked += 1
        self.headers = dict(request.headers)
        if self.status == 307:
            return RedirectResponse("/v1/models")
        if self.status != 200:
            return JSONResponse({"error": "inside"}, self.status, {"Retry-After": "9"})
        return StreamingResponse(self.parts(), media_type="text/event-stream")

    async def parts(self) -> AsyncGenerator[bytes, None]:
        try:
            for event in self.events:
                yield f": ping\n\ndata: {event}\n\n".encode()
            if self.hangs:
                await asyncio.Event().wait()
        finally:
            self.left.set()


@pytest.fixture
def stubs() -> list[Stub]:
    """Two servers."""
    return [Stub(), Stub()]


def run(
    stubs: list[Stub], work: Callable[[Pool], Coroutine[None, None, None]], **changes: Any
) -> None:
    """Do something with a pool before these servers."""

    async def whole(settings: UpstreamSettings) -> None:
        pool = Pool(settings)
        try:
            await work(pool)
        finally:
            await pool.close()

    with ExitStack() as closing:
        urls = [closing.enter_context(served(stub.app())) for stub in stubs]
        line = f"a {','.join(f'{url}/v1' for url in urls)} model=there"
        [settings] = read_upstreams(line)
        asyncio.run(whole(replace(settings, **changes)))


async def answer(pool: Pool) -> list[Delta | Done]:
    """A whole answer."""
    async with pool.place() as place, aclosing(pool.generate(place, JOB)) as messages:
        return [message async for message in messages]


async def error_of(pool: Pool) -> ModelRuntimeError:
    """The error that a request ends with."""
    with pytest.raises(ModelRuntimeError) as caught:
        await answer(pool)
    return caught.value


def test_requests_go_where_the_fewest_are(stubs: list[Stub]) -> None:
    """Two at once are at two servers."""

    async def work(pool: Pool) -> None:
        async with pool.place() as one, pool.place() as other:
            assert one.server is not other.server
        assert [server.outstanding for server in pool.servers] == [0, 0]

    run(stubs, work)


def test_a_server_that_cannot_be_reached_costs_nobody_an_answer(stubs: list[Stub]) -> None:
    """The request moves on before anything was said, and the server gets no more."""

    async def work(pool: Pool) -> None:
        await pool.look()
        pool.servers[0].url = f"http://127.0.0.1:{free_port()}/v1"
        for _ in range(3):
            assert isinstance((await answer(pool))[-1], Done)
        assert [server.health for server in pool.servers] == [Health.ILL, Health.WELL]
        assert stubs[1].asked == 3

    run(stubs, work)


def test_an_unready_server_is_passed_over(stubs: list[Stub]) -> None:
    """503 is like not being there."""
    stubs[0].status = 503

    async def work(pool: Pool) -> None:
        assert isinstance((await answer(pool))[-1], Done)
        assert (stubs[0].asked, stubs[1].asked) == (1, 1)

    run(stubs, work)


def test_all_down_is_503_with_a_time_and_ends_by_itself(stubs: list[Stub]) -> None:
    """Nobody waits for servers that are not there; a look brings them back."""

    async def work(pool: Pool) -> None:
        good = [server.url for server in pool.servers]
        for server in pool.servers:
            server.url = f"http://127.0.0.1:{free_port()}/v1"
        error = await error_of(pool)
        assert isinstance(error, UpstreamDown)
        assert error.retry_after_s
        for server, url in zip(pool.servers, good, strict=True):
            server.url, server.looked_at_s = url, None
        assert isinstance((await answer(pool))[-1], Done)

    run(stubs, work)


def test_another_model_than_the_pinned_one_gets_no_request(stubs: list[Stub]) -> None:
    """A server that no longer lists it is refused; with all of them, so is the request."""
    stubs[0].lists = "other"

    async def work(pool: Pool) -> None:
        await answer(pool)
        assert (stubs[0].asked, stubs[1].asked) == (0, 1)
        stubs[1].lists = "other"
        pool.servers[1].looked_at_s = None
        assert isinstance(await error_of(pool), UpstreamChanged)
        assert stubs[1].asked == 1

    run(stubs, work)


def test_an_answer_of_another_model_is_refused(stubs: list[Stub]) -> None:
    """Also between two looks."""
    stubs[0].events = (json.dumps(PART | {"model": "other"}), json.dumps(LAST))
    run(stubs[:1], _expect(UpstreamChanged))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"status": 500}, UpstreamFailed),
        ({"status": 401}, UpstreamFailed),
        ({"status": 307}, UpstreamFailed),
        ({"status": 429}, ServerBusy),
        ({"events": ("{not json",)}, UpstreamFailed),
        ({"events": (json.dumps(PART), "[DONE]")}, UpstreamFailed),
        ({"events": ()}, UpstreamFailed),
        ({"events": (json.dumps({"error": "inside"}),)}, UpstreamFailed),
        ({"events": ("x" * 300_000,)}, UpstreamFailed),
        ({"events": (), "hangs": True}, UpstreamSlow),
    ],
)
def test_what_goes_wrong_is_told_in_our_words(
    change: dict[str, Any], kind: type[ModelRuntimeError]
) -> None:
    """Status, damaged or missing parts, too much, or silence: never the other server's words."""
    stub = replace(Stub(), **change)
    run([stub], _expect(kind), read_timeout_s=0.5, max_answer_bytes=200_000)
    assert stub.asked == 1


def _expect(kind: type[ModelRuntimeError]) -> Callable[[Pool], Coroutine[None, None, None]]:
    async def work(pool: Pool) -> None:
        error = await error_of(pool)
        assert type(error) is kind
        assert error.hint
        assert "inside" not in f"{error}{error.hint}"
        assert error.retry_after_s == (9 if kind is ServerBusy else None)
        assert pool.servers[0].outstanding == 0

    return work


def test_a_poisoned_request_ejects_no_server() -> None:
    """Who makes a server fail with 500 takes it from nobody else: a look decides."""
    stub = Stub(status=500)

    async def work(pool: Pool) -> None:
        for _ in range(4):
            await error_of(pool)
        await pool.look()
        assert pool.servers[0].health is Health.WELL

    run([stub], work)


def test_leaving_ends_the_work_there() -> None:
    """A client that goes away closes the connection, and the place is free."""
    stub = Stub(events=(json.dumps(PART),), hangs=True)

    async def work(pool: Pool) -> None:
        async with pool.place() as place, aclosing(pool.generate(place, JOB)) as messages:
            assert isinstance(await anext(messages), Delta)
        assert await asyncio.to_thread(stub.left.wait, 20)
        assert pool.servers[0].outstanding == 0

    run([stub], work)


def test_the_line_is_bounded() -> None:
    """More than may work and wait are told to come again."""

    async def work(pool: Pool) -> None:
        async with pool.place():
            waits = asyncio.create_task(answer(pool))
            for _ in range(9):
                await asyncio.sleep(0)  # until it stands in the line
            assert pool.waiting == 1
            error = await error_of(pool)
            assert isinstance(error, ServerBusy)
            assert error.retry_after_s
        assert isinstance((await waits)[-1], Done)

    run([Stub()], work, max_concurrent=1, max_queue=1)


def test_a_key_is_shown_and_nobody_is_named(tmp_path: Path) -> None:
    """Read from its file each time; without a usable one nothing is sent."""
    key, stub = tmp_path / "key", Stub()
    key.write_text("one\n")

    async def work(pool: Pool) -> None:
        await answer(pool)
        assert stub.headers["authorization"] == "Bearer one"
        ours = {"authorization", "user-agent", "accept", "accept-encoding", "connection"}
        assert set(stub.headers) == ours | {"host", "content-length", "content-type"}
        assert stub.headers["user-agent"] == "lamplight"
        key.write_text("two words\n\nmore")
        assert "key_file" in str(await error_of(pool))
        assert stub.asked == 1

    run([stub], work, key_file=key)
