"""For tests: a worker without a model, which writes what each request can be known by.

A request that says `stream 17 of 1000, 50 pieces` waits until a thousand of them are there, and is
then answered with fifty pieces `17:0 `, `17:1 ` and so on, one in each round over all of them.
"""

import re
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

from runtime.protocol import Cancel, Delta, Done, Generate, Ready, WorkerConfig

_ASKED = re.compile(r"stream (\d+) of (\d+), (\d+) pieces")


def question(number: int, count: int, pieces: int) -> str:
    """What to ask to be answered."""
    return f"stream {number} of {count}, {pieces} pieces"


def answer_of(number: int, pieces: int) -> str:
    """What the whole answer must be."""
    return "".join(f"{number}:{piece} " for piece in range(pieces))


class Stub:
    """The answers under way, by their requests."""

    def __init__(self, connection: "Connection[Any, Any]") -> None:
        self._connection = connection
        self._answers: dict[int, Iterator[Delta | Done]] = {}
        self._seen, self._count = 0, 1

    def serve(self) -> None:
        """Answer until the other side is gone."""
        config: WorkerConfig = self._connection.recv()
        self._connection.send(Ready(config.context_tokens, 1))
        while True:
            is_idle = self._seen < self._count or not self._answers
            while is_idle or self._connection.poll(0):
                self._take(self._connection.recv())
                is_idle = self._seen < self._count or not self._answers
            self._round()

    def _take(self, message: Generate | Cancel) -> None:
        if isinstance(message, Cancel):
            self._answers.pop(message.id, None)
            return
        assert message.messages is not None
        asked = _ASKED.search(str(message.messages[-1]["content"]))
        assert asked is not None
        number, self._count, pieces = (int(one) for one in asked.groups())
        self._seen += 1
        self._answers[message.id] = _written(message.id, number, pieces)

    def _round(self) -> None:
        for request_id, answer in list(self._answers.items()):
            message = next(answer)
            self._connection.send(message)
            if isinstance(message, Done):
                del self._answers[request_id]


def _written(request_id: int, number: int, pieces: int) -> Iterator[Delta | Done]:
    for piece in range(pieces):
        yield Delta(request_id, f"{number}:{piece} ")
    yield Done(request_id, "stop", 1, 0, pieces, 1, 1)


if __name__ == "__main__":
    try:
        Stub(Connection(int(sys.argv[1]))).serve()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        sys.exit(0)
