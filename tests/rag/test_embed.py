"""Vectors over real HTTP: in order, checked, and every failure named."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from rag.asker import NOBODY, Asker
from rag.config import RagSettings
from rag.embed import Embedder
from rag.errors import (
    ModelFailed,
    ModelMissing,
    ModelRefused,
    RuntimeBusy,
    RuntimeTooSlow,
    RuntimeUnreachable,
)
from rag.testing import DIMENSIONS, Script, scripted_runtime, word_vector


def settings_for(url: str, **changes: float) -> RagSettings:
    return RagSettings(
        Path("unused"), embed_url=url, embed_dimensions=DIMENSIONS, embed_model="m", **changes
    )  # type: ignore[arg-type]


@contextmanager
def answering(body: bytes) -> Iterator[str]:
    """Serve one body to every POST."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def test_vectors_come_in_the_order_of_the_texts() -> None:
    """One vector per text, blocking or not; nothing asked is nothing sent."""
    script = Script()
    with scripted_runtime(script) as url:
        embedder = Embedder(settings_for(url))
        texts = ["wash hands", "visiting hours"]
        assert embedder.embed(texts) == [word_vector(text) for text in texts]
        assert embedder.embed([]) == []

        async def both() -> list[list[float]]:
            vectors = await embedder.aembed(texts)
            assert await embedder.aembed([]) == []
            await embedder.aclose()
            return vectors

        assert asyncio.run(both()) == [word_vector(text) for text in texts]
    assert script.embedded == texts * 2


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (403, ModelRefused),
        (404, ModelMissing),
        (429, RuntimeBusy),
        (503, RuntimeBusy),
        (500, ModelFailed),
    ],
)
def test_refusals_have_names(status: int, error: type[Exception]) -> None:
    """What the runtime refuses says what to do next."""
    with scripted_runtime(Script(embed_status=status)) as url:
        embedder = Embedder(settings_for(url))
        with pytest.raises(error):
            embedder.embed(["text"])
        embedder.close()


def test_apr_2_the_model_is_not_called_where_it_may_not_be_used() -> None:
    """Whoever may say no is asked before each request, and told for whom it is."""
    script, asked = Script(), list[Asker]()

    def never(asker: Asker) -> None:
        asked.append(asker)
        raise ModelRefused("m", "The model m may not be used here.", "Propose it.")

    with scripted_runtime(script) as url:
        embedder = Embedder(settings_for(url), never)

        async def run() -> None:
            try:
                await embedder.aembed(["text"])
            finally:
                await embedder.aclose()

        with pytest.raises(ModelRefused, match="may not be used here"):
            embedder.embed_for("pharmacy", ["text"])
        with pytest.raises(ModelRefused):
            asyncio.run(run())
    assert asked == [Asker(department="pharmacy"), NOBODY]
    assert script.embedded == []


def test_nobody_there() -> None:
    """An address where nothing listens is named, with and without blocking."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    embedder = Embedder(settings_for(url))
    with pytest.raises(RuntimeUnreachable, match=url):
        embedder.embed(["text"])

    async def run() -> None:
        try:
            await embedder.aembed(["text"])
        finally:
            await embedder.aclose()

    with pytest.raises(RuntimeUnreachable):
        asyncio.run(run())


def test_a_silent_runtime_is_given_up() -> None:
    """A server that takes the request and says nothing does not hold the caller."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        embedder = Embedder(settings_for(url, embed_timeout_s=0.2))
        with pytest.raises(RuntimeTooSlow):
            embedder.embed(["text"])
        embedder.close()


GOOD = [0.5] * DIMENSIONS


@pytest.mark.parametrize(
    ("vectors", "reason"),
    [
        ([], "0 vectors for 1 texts"),
        ([GOOD, GOOD], "2 vectors for 1 texts"),
        ([[0.5]], f"have 1 numbers, not {DIMENSIONS}"),
        ([[float("nan"), *GOOD[1:]]], "holds no number"),
        ([["a"]], "sent no vectors"),
    ],
)
def test_useless_vectors_are_refused(vectors: list[object], reason: str) -> None:
    """Too many, too few, too short or not of numbers: the index would take them silently."""
    data = [{"index": n, "embedding": vector} for n, vector in enumerate(vectors)]
    with answering(json.dumps({"data": data}).encode()) as url:
        embedder = Embedder(settings_for(url))
        with pytest.raises(ModelFailed, match=reason):
            embedder.embed(["text"])
        embedder.close()


def test_the_key_is_not_printed() -> None:
    """Settings can be logged: secrets do not show."""
    settings = RagSettings(Path("unused"), api_key="hidden", qdrant_api_key="hidden")
    assert "hidden" not in repr(settings)
