"""Writes answers: several sequences at a time, one batch per step."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from runtime.answer_text import AnswerText
from runtime.backend import Backend, BatchPart, Chain
from runtime.chat import ChatTemplate
from runtime.errors import LoadFailed, ModelRuntimeError
from runtime.prompt import prompt_tokens
from runtime.protocol import Delta, Done, Failed, FromWorker, Generate, TokenChance, WorkerConfig
from runtime.sampling import chain_of
from runtime.scheduler import Piece, Scheduler, Step
from runtime.sequence import FinishReason, Sequence
from runtime.slots import Slots

# Besides the slots of running sequences, so many keep the beginnings of earlier ones.
CACHE_SLOTS = 4
SEED_BITS = 31
MIN_CONTEXT_TOKENS = 4


@dataclass(slots=True)
class Answer:
    """One answer under way."""

    job: Generate
    sequence: Sequence
    chain: Chain
    text: AnswerText
    started_ns: int
    cached_tokens: int = 0
    first_token_ns: int = 0


class Answering:
    """The answers of one model."""

    def __init__(
        self,
        config: WorkerConfig,
        backend: Backend,
        template: ChatTemplate,
        send: Callable[[FromWorker], None],
    ) -> None:
        self._config = config
        self._backend = backend
        self._template = template
        self._send = send
        self._slots = Slots(slots_of(config), cells_of(config), reuse=backend.keeps_prefixes)
        self._scheduler = Scheduler(self._slots, config.max_sequences, config.batch_tokens)
        self._answers: dict[int, Answer] = {}

    @property
    def is_idle(self) -> bool:
        """Whether nothing is asked."""
        return self._scheduler.is_idle

    def add(self, job: Generate) -> None:
        """Take a request; one that cannot be served is answered at once."""
        try:
            answer = self._begin(job)
        except ModelRuntimeError as error:
            self._send(Failed(job.id, type(error).__name__, error.message, error.hint))
            return
        self._answers[job.id] = answer
        self._scheduler.add(answer.sequence)

    def cancel(self, request_id: int) -> None:
        """Forget a request."""
        answer = self._answers.get(request_id)
        if answer is not None:
            self._close(answer)

    def step(self) -> None:
        """Compute one batch and send what came of it."""
        step = self._scheduler.next_step()
        try:
            places = self._compute(step)
        except LoadFailed as error:
            self._fail_running(error)
            return
        for piece, place in zip(step.pieces, places, strict=True):
            self._scheduler.computed(piece)
            if piece.samples:
                self._take_token(self._answers[piece.sequence.id], place)

    def _begin(self, job: Generate) -> Answer:
        limit = self._config.context_tokens
        context = max(min(job.options.num_ctx or limit, limit), MIN_CONTEXT_TOKENS)
        tokens = prompt_tokens(
            job,
            self._template,
            lambda text: self._backend.tokenize(text, special=True),
            self._backend.vocabulary_size,
            context,
        )
        sequence = Sequence(
            job.id,
            tokens,
            context,
            job.options.max_new_tokens(context),
            keep_tokens=max(job.options.num_keep, 0),
            may_shift=job.shift,
        )
        chain = self._chain(job, tokens, context)
        return Answer(job, sequence, chain, AnswerText(job.options.stop), time.perf_counter_ns())

    def _chain(self, job: Generate, tokens: list[int], context: int) -> Chain:
        seed = job.options.seed
        if seed < 0:
            seed = int(np.random.default_rng().integers(1 << SEED_BITS))
        chain = self._backend.new_chain(chain_of(job.options, context, seed), job.schema)
        last = context if job.options.repeat_last_n < 0 else job.options.repeat_last_n
        if job.schema is None:  # a grammar knows nothing of the prompt
            for token in tokens[len(tokens) - min(last, len(tokens)) :]:
                chain.accept(token)
        return chain

    def _compute(self, step: Step) -> list[int]:
        for placement in step.placements:
            if placement.copy_from is not None:
                self._backend.copy(placement.copy_from, placement.slot, placement.reused)
            else:
                self._backend.truncate(placement.slot, placement.reused)
            for slot in placement.clear:
                self._backend.truncate(slot, 0)
            owner = self._slots[placement.slot].owner
            assert owner is not None
            self._answers[owner].cached_tokens = placement.reused
        return self._backend.decode([_part(piece) for piece in step.pieces])

    def _take_token(self, answer: Answer, place: int) -> None:
        sequence = answer.sequence
        token = answer.chain.sample(place)
        if not answer.first_token_ns:
            answer.first_token_ns = time.perf_counter_ns()
        if self._backend.ends(token):
            sequence.generated += 1
            self._finish(answer, FinishReason.STOP)
            return
        if sequence.is_full:
            kept = sequence.shift()
            self._slots.truncate(sequence.slot, kept)
            self._backend.truncate(sequence.slot, kept)
        sequence.append(token)
        text = answer.text.feed(self._backend.piece(token))
        chances = self._chances(answer, token, place)
        if text or chances:
            self._send(Delta(answer.job.id, text, chances))
        if answer.text.stopped:
            self._finish(answer, FinishReason.STOP)
        elif sequence.limit_reached():
            self._finish(answer, FinishReason.LENGTH)

    def _chances(self, answer: Answer, token: int, place: int) -> tuple[TokenChance, ...]:
        count = answer.job.logprobs
        if count is None:
            return ()
        chances = self._backend.log_chances(place)
        best = [int(t) for t in np.argsort(chances)[::-1][:count]]
        likeliest = tuple(TokenChance(self._backend.piece(t), float(chances[t])) for t in best)
        return (TokenChance(self._backend.piece(token), float(chances[token]), likeliest),)

    def _finish(self, answer: Answer, reason: FinishReason) -> None:
        tail = answer.text.end()
        if tail:
            self._send(Delta(answer.job.id, tail))
        sequence, now = answer.sequence, time.perf_counter_ns()
        self._close(answer)
        self._send(
            Done(
                id=answer.job.id,
                reason=reason.value,
                prompt_tokens=sequence.prompt_tokens,
                cached_tokens=answer.cached_tokens,
                answer_tokens=sequence.generated,
                prompt_ns=answer.first_token_ns - answer.started_ns,
                answer_ns=now - answer.first_token_ns,
                tokens=tuple(sequence.tokens),
            )
        )

    def _close(self, answer: Answer) -> None:
        del self._answers[answer.job.id]
        self._scheduler.finish(answer.sequence)
        answer.chain.close()

    def _fail_running(self, error: ModelRuntimeError) -> None:
        """A batch failed: nobody knows what the memory holds, so it is emptied."""
        for sequence in self._scheduler.running:
            answer = self._answers[sequence.id]
            self._close(answer)
            self._send(Failed(answer.job.id, type(error).__name__, error.message, error.hint))
        self._slots.forget()
        self._backend.forget()


def slots_of(config: WorkerConfig) -> int:
    """How many sequence numbers a model's memory needs."""
    return config.max_sequences + CACHE_SLOTS


def cells_of(config: WorkerConfig) -> int:
    """How many tokens it must hold, so that every running sequence can fill its context."""
    return config.context_tokens * config.max_sequences


def _part(piece: Piece) -> BatchPart:
    tokens = piece.sequence.tokens[piece.start : piece.start + piece.count]
    return BatchPart(piece.sequence.slot, piece.start, tokens, piece.samples)
