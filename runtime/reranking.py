"""Scores texts against a question: several pairs in one batch, pairs of like length together."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from runtime.backend import Backend
from runtime.embedding import batch_size
from runtime.errors import BadModelFile, BadRequest, InputTooLong, ModelRuntimeError
from runtime.prompt import TOO_LONG
from runtime.protocol import Failed, FromWorker, Rank, Scores, WorkerConfig

QUESTION, DOCUMENT = "{query}", "{document}"
NAMED = "tokenizer.chat_template.rerank"  # where a model file keeps the form of its pairs


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands before the question, between it and the text, and behind the text."""

    before: Sequence[int]
    between: Sequence[int]
    after: Sequence[int]

    @property
    def length(self) -> int:
        """Tokens of all three."""
        return len(self.before) + len(self.between) + len(self.after)


def frame_of(template: str, backend: Backend) -> Frame:
    """The form that the model file names, else the usual one. Raises BadModelFile.

    The parts become tokens one by one, so that no text of a caller can be a control word.
    """
    if not template:
        return Frame(*backend.pair_marks())
    before, first, rest = template.partition(QUESTION)
    between, second, after = rest.partition(DOCUMENT)
    if not first or not second:
        raise BadModelFile(
            "the model's form of question and text has no place for both", "Use another model."
        )
    marks = (backend.tokenize(x, special=True, framed=False) for x in (before, between, after))
    return Frame(*marks)


def pair(
    question: Sequence[int], text: Sequence[int], frame: Frame, limit_tokens: int, *, truncate: bool
) -> list[int]:
    """One pair's tokens; a text that is too long loses its end. Raises InputTooLong."""
    room = limit_tokens - frame.length - len(question)
    # A question that leaves nothing for the text could be scored, and would mean nothing.
    if room < 1 or (len(text) > room and not truncate):
        raise InputTooLong(TOO_LONG, "Send a shorter question or shorter documents.")
    return [*frame.before, *question, *frame.between, *text[:room], *frame.after]


@dataclass(slots=True)
class Request:
    """One request under way. todo: numbers of the pairs still to do, longest last."""

    job: Rank
    pairs: list[list[int]]
    todo: list[int]
    scores: dict[int, float] = field(default_factory=dict)


class Reranking:
    """The requests to rank of one model, one batch per step."""

    def __init__(
        self,
        config: WorkerConfig,
        backend: Backend,
        template: str,
        send: Callable[[FromWorker], None],
    ) -> None:
        self._config = config
        self._backend = backend
        self._send = send
        self._frame = frame_of(template, backend)
        self._requests: deque[Request] = deque()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is asked."""
        return not self._requests

    def add(self, job: Rank) -> None:
        """Take a request; one that cannot be served is answered at once."""
        try:
            pairs = self._pairs(job)
        except ModelRuntimeError as error:
            self._fail(job, error)
            return
        todo = sorted(range(len(pairs)), key=lambda n: len(pairs[n]))
        self._requests.append(Request(job, pairs, todo))

    def _pairs(self, job: Rank) -> list[list[int]]:
        limit = self._config.context_tokens
        question = self._tokens(job.question)
        return [
            pair(question, self._tokens(text), self._frame, limit, truncate=job.truncate)
            for text in job.texts
        ]

    def _tokens(self, text: str) -> list[int]:
        return self._backend.tokenize(text, special=False, framed=False)

    def cancel(self, request_id: int) -> None:
        """Forget a request."""
        self._requests = deque(r for r in self._requests if r.job.id != request_id)

    def step(self) -> None:
        """Compute one batch of the oldest request; send its scores when all are there."""
        request = self._requests[0]
        try:
            self._compute(request)
        except ModelRuntimeError as error:
            self._requests.popleft()
            self._fail(request.job, error)
            return
        if not request.todo:
            self._requests.popleft()
            scores = tuple(request.scores[n] for n in range(len(request.pairs)))
            tokens = sum(len(one) for one in request.pairs)
            self._send(Scores(request.job.id, scores, tokens))

    def _compute(self, request: Request) -> None:
        lengths = [len(request.pairs[n]) for n in request.todo]
        count = batch_size(lengths, self._config.batch_tokens)
        numbers, request.todo = request.todo[:count], request.todo[count:]
        vectors = self._backend.embed([request.pairs[n] for n in numbers])
        for number, vector in zip(numbers, vectors, strict=True):
            # Of several outputs the first one says how well the text answers.
            if not np.isfinite(vector[0]):
                raise BadRequest("a score is no number")
            request.scores[number] = float(vector[0])

    def _fail(self, job: Rank, error: ModelRuntimeError) -> None:
        self._send(Failed(job.id, type(error).__name__, error.message, error.hint))
