"""The process of one loaded model: no network, no keys, no files but the model.

`enclosure` takes all that away from it before this file is imported. It reads requests from one
connection and writes what comes of them to the same connection, and ends when the other side is
gone. Between two steps it looks for news, so that a cancelled request costs at most one step.
"""

import signal
import time
from functools import partial
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from runtime.answering import Answering
from runtime.backend import Backend, BatchPart
from runtime.chat import ChatTemplate
from runtime.embedding import Embedding
from runtime.errors import ModelRuntimeError
from runtime.inspect import inspect_here
from runtime.pace import Pace
from runtime.protocol import (
    Cancel,
    CannotLoad,
    Detokenize,
    Embed,
    Generate,
    Rank,
    Ready,
    Tokenize,
    ToWorker,
    WorkerConfig,
)
from runtime.reranking import NAMED, Reranking
from runtime.vocabulary import Vocabulary

if TYPE_CHECKING:
    from runtime.sight import Sight

Work = Answering | Embedding | Reranking


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


def _load(config: WorkerConfig, connection: "Connection[Any, Any]") -> tuple[Work, Vocabulary]:
    file = inspect_here(config.path)
    backend = Backend(
        config.path,
        cells=config.cells,
        slots=config.slots,
        batch_tokens=config.batch_tokens,
        threads=config.threads,
        embeds=config.embeds,
        gpu_layers=config.gpu_layers,
        adapters=config.adapters,
        exact=file.reranks,
    )
    work: Work
    if file.reranks:
        work = Reranking(config, backend, str(file.keys.get(NAMED, "")), connection.send)
    elif config.embeds:
        work = Embedding(config, backend, connection.send)
    else:
        begin, end = backend.begin_and_end()
        chat = ChatTemplate(file.chat_template, begin, end, backend.control_words())
        pace = Pace.measured(partial(_try_step, backend), time.perf_counter)
        sight = _sight(config, backend)
        work = Answering(config, backend, chat, connection.send, pace, sight)
    connection.send(Ready(config.context_tokens, backend.size_bytes))
    return work, Vocabulary(backend, connection.send)


def _try_step(backend: Backend, tokens: int) -> None:
    backend.decode([BatchPart(0, 0, [0] * tokens, tokens)])
    backend.forget()


def _sight(config: WorkerConfig, backend: Backend) -> "Sight | None":
    if config.projector is None:
        return None
    from runtime.sight import Sight  # a library that most models do not need

    use_gpu = config.gpu_layers != 0
    return Sight(config.projector, backend, threads=config.threads, use_gpu=use_gpu)


def _serve(work: Work, words: Vocabulary, connection: "Connection[Any, Any]") -> None:
    while True:
        while work.is_idle or connection.poll(0):
            _take(work, words, connection.recv())
        work.step()


def _take(work: Work, words: Vocabulary, message: ToWorker) -> None:
    match message, work:
        case Cancel(id=request_id), _:
            work.cancel(request_id)
        case Generate(), Answering():
            work.add(message)
        case Embed(), Embedding():
            work.add(message)
        case Rank(), Reranking():
            work.add(message)
        case Tokenize(), _:
            words.tokenize(message)
        case Detokenize(), _:
            words.detokenize(message)
        case _:
            raise AssertionError(f"{type(message).__name__} is not for this worker")
