"""The process of one loaded model: no network, no keys, no files but the model.

It reads requests from one connection and writes what comes of them to the same connection, and
ends when the other side is gone. Between two steps it looks for news, so that a cancelled request
costs at most one step.
"""

import argparse
import signal
from multiprocessing.connection import Connection
from typing import Any

from runtime.answering import Answering, cells_of, slots_of
from runtime.backend import Backend
from runtime.chat import ChatTemplate
from runtime.embedding import MAX_TEXTS, Embedding
from runtime.errors import ModelRuntimeError
from runtime.inspect import inspect
from runtime.protocol import Cancel, CannotLoad, Embed, Generate, Ready, ToWorker, WorkerConfig


def main() -> None:
    """Serve the connection whose file descriptor is the only argument."""
    parser = argparse.ArgumentParser()
    parser.add_argument("fd", type=int)
    # Ctrl-C goes to the whole group; the front decides when we end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection: Connection[Any, Any] = Connection(parser.parse_args().fd)
    config: WorkerConfig = connection.recv()
    try:
        work = _load(config, connection)
    except ModelRuntimeError as error:
        connection.send(CannotLoad(error.message, error.hint))
        return
    try:
        _serve(work, connection)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _load(config: WorkerConfig, connection: "Connection[Any, Any]") -> Answering | Embedding:
    template = inspect(config.path).chat_template
    backend = Backend(
        config.path,
        cells=config.context_tokens if config.embeds else cells_of(config),
        slots=MAX_TEXTS if config.embeds else slots_of(config),
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
    return work


def _serve(work: Answering | Embedding, connection: "Connection[Any, Any]") -> None:
    while True:
        while work.is_idle or connection.poll(0):
            _take(work, connection.recv())
        work.step()


def _take(work: Answering | Embedding, message: ToWorker) -> None:
    match message, work:
        case Cancel(id=request_id), _:
            work.cancel(request_id)
        case Generate(), Answering():
            work.add(message)
        case Embed(), Embedding():
            work.add(message)
        case _:
            raise AssertionError(f"{type(message).__name__} is not for this worker")


if __name__ == "__main__":
    main()
