"""Server-sent events on the wire (SSE-1)."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import httpx
import pytest

from web.config import WebSettings
from web.sse import HEARTBEAT, EventStream, ends_an_event, event_bytes, kept_alive
from web.testing import Site

SLOW = {"question": "slow"}
CHAT = {"model": "policies", "stream": True, "messages": [{"role": "user", "content": "slow"}]}
# Every way to a stream of events: address, body, headers.
WAYS: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "page": ("/ask", {"data": SLOW}, {"HX-Request": "true"}),
    "api": ("/api/v1/ask", {"json": SLOW}, {"Accept": "text/event-stream"}),
    "openai": ("/v1/chat/completions", {"json": CHAT}, {}),
}


def test_every_line_of_the_data_is_marked() -> None:
    """A line break inside an event never ends it."""
    assert event_bytes("a\nb", "x") == b"event: x\ndata: a\ndata: b\n\n"


def test_an_empty_event_still_has_data() -> None:
    """htmx dispatches an event only if it has a data line or a name."""
    assert event_bytes("", "done") == b"event: done\ndata: \n\n"


@pytest.mark.parametrize("way", WAYS)
def test_sse_1_a_stream_beats_while_nothing_comes(
    site: Site, editor: httpx.Client, way: str
) -> None:
    """The model is held back until a heartbeat was seen; no proxy may keep or collect it."""
    site.assistant.gate.clear()
    path, body, headers = WAYS[way]
    with editor.stream("POST", path, headers=headers, **body) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Accel-Buffering"] == "no"
        lines = answer.iter_lines()
        assert any(line == HEARTBEAT.decode().strip() for line in lines)
        site.assistant.gate.set()
        assert "28 days" in "".join(lines)


def test_sse_1_a_heartbeat_stands_between_two_events() -> None:
    """Pause after pause inside an event adds nothing to it."""

    async def events() -> AsyncGenerator[bytes, None]:
        yield b"data: half"
        for _ in range(5):
            await asyncio.sleep(0)
        yield b" a word\n\n"
        for _ in range(5):
            await asyncio.sleep(0)
        yield b"data: end\n\n"

    text = b"".join(asyncio.run(collected(kept_alive(events(), 0.0, 60.0))))
    assert text.replace(HEARTBEAT, b"") == b"data: half a word\n\ndata: end\n\n"
    assert b"data: half a word\n\n" in text
    assert HEARTBEAT in text


@pytest.mark.parametrize(
    ("tail", "is_end"),
    [(b"", True), (b"x\n\n", True), (b"\r\n\r\n", True), (b"x\n", False), (b"x", False)],
)
def test_sse_1_where_an_event_ends(tail: bytes, is_end: bool) -> None:
    """With an empty line; a heartbeat may also come first of all."""
    assert ends_an_event(tail) is is_end


def test_sse_1_a_stream_has_an_end() -> None:
    """After its longest time the response is complete and what it read from is closed."""
    closed: list[str] = []
    sent: list[dict[str, Any]] = []

    async def endless() -> AsyncGenerator[bytes, None]:
        try:
            await asyncio.Event().wait()
            yield b""
        finally:
            closed.append("events")

    async def send(message: Any) -> None:
        sent.append(message)

    settings = WebSettings(stream_heartbeat_s=0.001, stream_longest_s=0.02)
    asyncio.run(EventStream(endless(), settings=settings).stream_response(send))
    assert closed == ["events"]
    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert {one["body"] for one in sent[1:-1]} == {HEARTBEAT}


def test_sse_1_the_defaults_are_those_of_the_requirement() -> None:
    """A heartbeat every 15 seconds, 15 minutes at most."""
    settings = WebSettings()
    assert (settings.stream_heartbeat_s, settings.stream_longest_s) == (15.0, 900.0)


def test_sse_1_a_fault_of_the_stream_is_passed_on() -> None:
    """After what came before it."""

    async def events() -> AsyncGenerator[bytes, None]:
        yield b"data: a\n\n"
        raise ConnectionError

    assert taken_before(ConnectionError, lambda: kept_alive(events(), 60.0, 60.0)) == [
        b"data: a\n\n"
    ]


async def collected(stream: AsyncGenerator[bytes, None]) -> list[bytes]:
    """Everything that comes."""
    return [one async for one in stream]


def taken_before(
    kind: type[Exception], stream: Callable[[], AsyncGenerator[bytes, None]]
) -> list[bytes]:
    """What came before this fault."""
    found: list[bytes] = []

    async def take() -> None:
        async for one in stream():
            found.append(one)

    with pytest.raises(kind):
        asyncio.run(take())
    return found
