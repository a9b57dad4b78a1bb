"""Makes vectors: several texts in one batch, texts of like length together."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from runtime.backend import Backend, Float32Array
from runtime.errors import BadRequest, ModelRuntimeError
from runtime.prompt import cut_text
from runtime.protocol import MAX_TEXTS, Embed, Failed, FromWorker, Vectors, WorkerConfig


@dataclass(slots=True)
class Request:
    """One request under way. todo: numbers of the texts still to do, longest last."""

    job: Embed
    texts: list[list[int]]
    todo: list[int]
    vectors: dict[int, bytes] = field(default_factory=dict)


class Embedding:
    """The embedding requests of one model, one batch per step."""

    def __init__(
        self, config: WorkerConfig, backend: Backend, send: Callable[[FromWorker], None]
    ) -> None:
        self._config = config
        self._backend = backend
        self._send = send
        self._frame = backend.tokenize("", special=False)
        self._requests: deque[Request] = deque()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is asked."""
        return not self._requests

    def add(self, job: Embed) -> None:
        """Take a request; one that cannot be served is answered at once."""
        limit = self._config.context_tokens
        limit = min(job.context_tokens or limit, limit)
        try:
            texts = [self._tokens(text, limit, truncate=job.truncate) for text in job.texts]
        except ModelRuntimeError as error:
            self._send(Failed(job.id, type(error).__name__, error.message, error.hint))
            return
        todo = sorted(range(len(texts)), key=lambda n: len(texts[n]))
        self._requests.append(Request(job, texts, todo))

    def _tokens(self, text: str, limit: int, *, truncate: bool) -> list[int]:
        tokens = self._backend.tokenize(text, special=False)
        return cut_text(tokens, self._frame, limit, truncate=truncate)

    def cancel(self, request_id: int) -> None:
        """Forget a request."""
        self._requests = deque(r for r in self._requests if r.job.id != request_id)

    def step(self) -> None:
        """Compute one batch of the oldest request; send its vectors when all are there."""
        request = self._requests[0]
        try:
            self._compute(request)
        except ModelRuntimeError as error:
            self._requests.popleft()
            self._send(Failed(request.job.id, type(error).__name__, error.message, error.hint))
            return
        if not request.todo:
            self._requests.popleft()
            vectors = tuple(request.vectors[n] for n in range(len(request.texts)))
            tokens = sum(len(text) for text in request.texts)
            self._send(Vectors(request.job.id, vectors, tokens))

    def _compute(self, request: Request) -> None:
        lengths = [len(request.texts[n]) for n in request.todo]
        count = batch_size(lengths, self._config.batch_tokens)
        numbers, request.todo = request.todo[:count], request.todo[count:]
        vectors = self._backend.embed([request.texts[n] for n in numbers])
        for number, vector in zip(numbers, vectors, strict=True):
            unit = normalised(vector)
            found = unit if request.job.unit_length else vector
            request.vectors[number] = found.astype("<f4").tobytes()


def batch_size(lengths: Sequence[int], batch_tokens: int) -> int:
    """How many of the first texts fit one batch; at least one."""
    total = 0
    for count, length in enumerate(lengths[:MAX_TEXTS]):
        total += length
        if total > batch_tokens and count:
            return count
    return min(len(lengths), MAX_TEXTS)


def normalised(vector: Float32Array) -> Float32Array:
    """A vector of length one. Raises BadRequest."""
    if not np.isfinite(vector).all():
        raise BadRequest("embedding contains NaN or Inf values")
    length = float(np.linalg.norm(vector))
    return vector / np.float32(length) if length > 0 else vector
