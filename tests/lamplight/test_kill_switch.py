"""GOV-3 and APR-3 under load: fifty answers under way end at once, are charged and are recorded.

Gate, record, meter and sockets are the real ones; only the model is a stand-in that writes a piece
every few milliseconds for ever, so that its end is the end that we brought about.
"""

import asyncio
import json
import socket
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from governance.config import GovernanceSettings
from governance.model_blocks import BlockStore
from governance.record.database import open_record
from governance.testing_approvals import BEN, approved
from lamplight.testing_gate import NOW, House
from runtime.api.gate import visit_of
from runtime.api.gatekeeper import Gatekeeper
from runtime.api.meter import Meter
from runtime.api.refusal import Refused, error_response
from runtime.config import RuntimeSettings
from runtime.names import parse_name
from runtime.store import InstalledModel, Store
from runtime.testing_engine import install_runnable

STREAMS = 50
PIECE_EVERY_S = 0.05
PATH = "/api/generate"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    governance = GovernanceSettings(data_dir=tmp_path)
    (tmp_path / "models").mkdir()
    install_runnable(tmp_path / "models", "llama")
    record = open_record(governance)
    yield House(record, RuntimeSettings(tmp_path / "models"), governance)
    record.close()


@pytest.fixture
def model(house: House) -> InstalledModel:
    return Store(house.settings.models_dir).read(parse_name("llama"))


@contextmanager
def served(house: House, model: InstalledModel) -> Iterator[str]:
    """The gate before an endless answer, on a free port."""
    meter = Meter(house.gate)

    async def pieces(request: Request) -> AsyncIterator[bytes]:
        async with meter.charged(visit_of(request), model, 3) as tally:
            tally.began = True
            while True:
                tally.answer_tokens += 1
                yield b'{"response":"word","done":false}\n'
                await asyncio.sleep(PIECE_EVERY_S)

    async def answer(request: Request) -> Response:
        begun = pieces(request)
        try:
            first = await anext(begun)
        except Refused as error:
            return error_response(error, PATH)

        async def whole() -> AsyncIterator[bytes]:
            yield first
            async for piece in begun:
                yield piece

        return StreamingResponse(whole(), media_type="application/x-ndjson")

    routes = [Route(PATH, answer, methods=["POST"])]
    app = Gatekeeper(Starlette(routes=routes), house.gate, routes)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


async def listen(http: httpx.AsyncClient, begun: asyncio.Semaphore) -> dict[str, Any]:
    """The last line of one stream."""
    last = ""
    async with http.stream("POST", PATH) as answer:
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            if not last:
                begun.release()
            last = line
    return dict(json.loads(last))


async def stopped(url: str, stop: Callable[[], object]) -> list[dict[str, Any]]:
    """Let all of them run, stop them; their last lines."""
    begun = asyncio.Semaphore(0)
    async with httpx.AsyncClient(
        base_url=url, timeout=60, limits=httpx.Limits(max_connections=STREAMS)
    ) as http:
        tasks = [asyncio.create_task(listen(http, begun)) for _ in range(STREAMS)]
        for _ in tasks:
            await begun.acquire()
        assert not any(task.done() for task in tasks)
        await asyncio.to_thread(stop)
        ends = await asyncio.gather(*tasks)
        after = await http.post(PATH)
        assert after.status_code == 403
    return ends


@pytest.mark.parametrize("way", ["revoked", "blocked", "expired"])
def test_gov_3_apr_3_fifty_running_answers_end(
    house: House, model: InstalledModel, way: str
) -> None:
    """Each with a last line that says why; each charged and recorded once; nothing new begins."""
    digest = model.manifest.digest
    approval = approved(house.approvals, now=NOW, digest=digest)
    stops: dict[str, Callable[[], object]] = {
        "revoked": lambda: house.approvals.revoke(BEN, approval.id, "It failed", NOW),
        "blocked": lambda: BlockStore(house.record).block(BEN, None, None, "An incident", NOW),
        "expired": lambda: setattr(house, "now", approval.proposal.expires_at),
    }
    with served(house, model) as url:
        lines = asyncio.run(stopped(url, stops[way]))
    assert all("may not be used here" in line["error"] and line["hint"] for line in lines)
    assert Counter(state for state, _ in house.charges()) == {"settled": STREAMS}
    assert all(tokens > 0 for _, tokens in house.charges())
    used = house.events("model.used")
    assert [event["outcome"] for event in used] == ["failed"] * STREAMS
    assert {event["object"]["digest"] for event in used} == {digest}
    assert {event["facts"]["policy"] for event in house.events("model.refused")} == {"2"}
