"""The process of one loaded model: no network, no keys, no files but the model.

`enclosure` takes all that away from it before this file is imported. It reads requests from one
connection and writes what comes of them to the same connection, and ends when the other side is
gone. Between two steps it looks for news, so that a cancelled request costs at most one step.
"""

import signal
from multiprocessing.connection import Connection
from typing import Any

from runtime.answering import Answering
from runtime.backend import Backend
from runtime.chat import ChatTemplate
from runtime.embedding import Embedding
from runtime.errors import ModelRuntimeError
from runtime.inspect import inspect_here
from runtime.protocol import (
    Cancel,
    CannotLoad,
    Detokenize,
    Embed,
    Generate,
    Ready,
    Tokenize,
    ToWorker,
    WorkerConfig,
)
from runtime.vocabulary import Vocabulary


def serve(fd: int) -> None:
    """Serve the connection that has this number."""
    # Ctrl-C goes to the whole group; the front decides when we end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection: Connection[Any, Any] = Connection(fd)
    config: WorkerConfig = connection.recv()
    try:
        work, words = _load(config, connection)
    except ModelRuntimeError as error:
        connection.send(CannotLoad(error.message, error.hint))
        return
    try:
        _serve(work, words, connection)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _load(
    config: WorkerConfig, connection: "Connection[Any, Any]"
) -> tuple[Answering | Embedding, Vocabulary]:
    template = inspect_here(config.path).chat_template
    backend = Backend(
        config.path,
        cells=config.cells,
        slots=config.slots,
        batch_tokens=config.batch_tokens,
        threads=config.threads,
        embeds=config.embeds,
    )
    work: Answering | Embedding
    if config.embeds:
        work = Embedding(config, backend, connection.send)
    else:
        begin, end = backend.begin_and_end()
        chat = ChatTemplate(template, begin, end, backend.control_words())
        work = Answering(config, backend, chat, connection.send)
    connection.send(Ready(config.context_tokens, backend.size_bytes))
    return work, Vocabulary(backend, connection.send)


def _serve(
    work: Answering | Embedding, words: Vocabulary, connection: "Connection[Any, Any]"
) -> None:
    while True:
        while work.is_idle or connection.poll(0):
            _take(work, words, connection.recv())
        work.step()


def _take(work: Answering | Embedding, words: Vocabulary, message: ToWorker) -> None:
    match message, work:
        case Cancel(id=request_id), _:
            work.cancel(request_id)
        case Generate(), Answering():
            work.add(message)
        case Embed(), Embedding():
            work.add(message)
        case Tokenize(), _:
            words.tokenize(message)
        case Detokenize(), _:
            words.detokenize(message)
        case _:
            raise AssertionError(f"{type(message).__name__} is not for this worker")
