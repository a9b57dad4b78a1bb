"""For tests alone: a runtime that speaks OpenAI's shape on loopback and says what it was told.

It is a real HTTP server, so that timeouts, cut connections and cancelled requests are real too.
Its vectors count words: texts that share words are near each other.
"""

import asyncio
import hashlib
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import exp, log1p
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from rag.words import content_words

DIMENSIONS = 64


@dataclass(slots=True)
class Script:
    """What the runtime says next, and what it was asked; a test changes it between questions."""

    pieces: Sequence[str] = ()
    # Log of the odds of "Yes" where it is asked whether the extracts answer; None: it tells none.
    yes: float | None = 3.0
    piece_delay_s: float = 0.0
    finish_reason: str | None = "stop"
    counted: tuple[int, int] | None = None  # tokens of prompt and answer, told where asked for
    status: int = 200
    embed_status: int = 200
    break_off: bool = False  # end the connection after the pieces, without an end of stream
    asked: list[dict[str, Any]] = field(default_factory=list)  # requests for answers
    rewritten: str = ""  # what it makes of a follow-up question
    rewrites: list[dict[str, Any]] = field(default_factory=list)  # requests for that
    judged: list[dict[str, Any]] = field(default_factory=list)  # requests for a Yes or No
    embedded: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)  # of each request, in order
    sent: int = 0
    cancelled: threading.Event = field(default_factory=threading.Event)


def word_vector(text: str) -> list[float]:
    """Return a vector that counts the text's words in hashed places."""
    vector = [0.0] * DIMENSIONS
    for word in content_words(text):
        digest = hashlib.sha256(word.encode()).digest()
        vector[digest[0] % DIMENSIONS] += 1.0
    return vector


@contextmanager
def scripted_runtime(script: Script) -> Iterator[str]:
    """Serve the script on a free port; yield the base address, as `http://127.0.0.1:N/v1`."""
    with served(_app(script)) as url:
        yield url


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an application of OpenAI's shape on a free port; yield its base address."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(timeout=10)
        listener.close()


def _app(script: Script) -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.post("/v1/embeddings")
    async def embeddings(request: Request) -> Response:
        if script.embed_status != 200:
            return _error(script.embed_status)
        script.headers.append(dict(request.headers))
        texts: list[str] = (await request.json())["input"]
        script.embedded += texts
        data = [
            {"object": "embedding", "index": place, "embedding": word_vector(text)}
            for place, text in enumerate(texts)
        ]
        return JSONResponse({"object": "list", "data": data, "model": "scripted"})

    @app.post("/v1/chat/completions")
    async def chat(request: Request) -> Response:
        if script.status != 200:
            return _error(script.status)
        script.headers.append(dict(request.headers))
        body = await request.json()
        if body.get("logprobs"):
            script.judged.append(body)
            return JSONResponse(_verdict(script.yes))
        if not body.get("stream"):
            script.rewrites.append(body)
            return JSONResponse(_whole(script.rewritten))
        script.asked.append(body)
        return StreamingResponse(_stream(script), media_type="text/event-stream")

    @app.get("/api/tags")
    async def tags(request: Request) -> dict[str, object]:
        script.headers.append(dict(request.headers))
        return {"models": [{"name": "scripted:latest", "digest": "0" * 64}]}

    return app


def _verdict(yes: float | None) -> dict[str, object]:
    """The one word of a whole completion, with the likelihood of both where it tells any."""
    word = "Yes" if yes is None or yes > 0 else "No"
    if yes is None:
        return _whole(word)
    both = {"Yes": yes - log1p(exp(yes)), "No": -log1p(exp(yes))}
    likeliest = [{"token": one, "logprob": value} for one, value in both.items()]
    return _whole(word, [{"token": word, "logprob": both[word], "top_logprobs": likeliest}])


def _whole(text: str, tokens: Sequence[object] = ()) -> dict[str, object]:
    """A completion in one piece."""
    choice: dict[str, object] = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "stop",
    }
    if tokens:
        choice["logprobs"] = {"content": tokens}
    kind = {"id": "chatcmpl-0", "object": "chat.completion", "created": 0, "model": "scripted"}
    return kind | {"choices": [choice]}


async def _stream(script: Script) -> AsyncIterator[str]:
    try:
        for piece in script.pieces:
            await asyncio.sleep(script.piece_delay_s)
            script.sent += 1
            yield _chunk({"role": "assistant", "content": piece}, None)
    except (asyncio.CancelledError, GeneratorExit):  # which of them is the server's choice
        script.cancelled.set()
        raise
    if script.break_off:
        raise ConnectionAbortedError
    yield _chunk({}, script.finish_reason)
    wants_count = (script.asked[-1].get("stream_options") or {}).get("include_usage")
    if script.counted is not None and wants_count:
        yield _count_chunk(*script.counted)
    yield "data: [DONE]\n\n"


def _chunk(delta: dict[str, str], finish_reason: str | None) -> str:
    return _event(choices=[{"index": 0, "delta": delta, "finish_reason": finish_reason}])


def _count_chunk(prompt: int, answer: int) -> str:
    counts = {"prompt_tokens": prompt, "completion_tokens": answer}
    return _event(choices=[], usage=counts | {"total_tokens": prompt + answer})


def _event(**fields: object) -> str:
    kind = {"id": "chatcmpl-1", "object": "chat.completion.chunk"}
    body = kind | {"created": 0, "model": "scripted"} | fields
    return f"data: {json.dumps(body)}\n\n"


def _error(status: int) -> Response:
    error = {"message": "scripted", "type": "invalid_request_error", "code": None}
    return JSONResponse({"error": error}, status)
