"""Writes answers: several sequences at a time, one batch per step."""

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from runtime.answer_text import AnswerText
from runtime.backend import Backend, BatchPart, Bytes, Chain
from runtime.chat import ChatTemplate
from runtime.errors import BadRequest, LoadFailed, ModelRuntimeError
from runtime.lookup import Lookup
from runtime.pace import Pace
from runtime.prompt import prompt_tokens
from runtime.prompt_cache import PromptCache
from runtime.protocol import Delta, Done, Failed, FromWorker, Generate, TokenChance, WorkerConfig
from runtime.sampling import chain_of
from runtime.scheduler import Piece, Scheduler, Step
from runtime.seeing import Picture, divided, mark, marked, place_of, tokens_of
from runtime.sequence import FinishReason, Sequence
from runtime.slots import Cut, Placement, Slots

if TYPE_CHECKING:
    from runtime.sight import Sight  # loads a library that most models do not need

SEED_BITS = 31
THINK = "<think>"
THINK_TOKENS = 8  # no vocabulary takes more for the mark and a line feed
MIN_CONTEXT_TOKENS = 4


@dataclass(slots=True)
class Answer:
    """One answer under way."""

    job: Generate
    sequence: Sequence
    chain: Chain
    text: AnswerText
    lookup: Lookup
    started_ns: int
    cached_tokens: int = 0
    first_token_ns: int = 0
    is_over: bool = False
    pictures: dict[int, Picture] = field(default_factory=dict)  # by digest


class Answering:
    """The answers of one model."""

    def __init__(
        self,
        config: WorkerConfig,
        backend: Backend,
        template: ChatTemplate,
        send: Callable[[FromWorker], None],
        pace: Pace | None = None,
        sight: "Sight | None" = None,
    ) -> None:
        self._config = config
        self._backend = backend
        self._template = template
        self._send = send
        self._sight = sight
        self._slots = Slots(
            config.slots,
            config.cells,
            reuse=backend.keeps_prefixes,
            idle_cells=config.idle_cells,
            cache=PromptCache(config.kept_tokens),
        )
        self._kept: dict[int, Bytes] = {}
        self._answers: dict[int, Answer] = {}
        self._scheduler = Scheduler(
            self._slots, config.max_sequences, config.batch_tokens, self._draft, pace
        )

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
        if job.messages is not None and self._ends_in_thought(answer.sequence.tokens):
            self._send(Delta(job.id, THINK))

    def _ends_in_thought(self, tokens: list[int]) -> bool:
        """Whether the template has begun a thought, which the answer goes on with."""
        last = [token for token in tokens[-THINK_TOKENS:] if token >= 0]
        tail = b"".join(self._backend.piece(token) for token in last)
        return tail.rstrip().endswith(THINK.encode())

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
        for piece, outputs in zip(step.pieces, places, strict=True):
            self._scheduler.computed(piece)
            if piece.samples:
                self._take_tokens(self._answers[piece.sequence.id], piece, outputs)

    def _begin(self, job: Generate) -> Answer:
        limit = self._config.context_tokens
        context = max(min(job.options.num_ctx or limit, limit), MIN_CONTEXT_TOKENS)
        tokens, pictures = self._prompt(job, context)
        sequence = Sequence(
            job.id,
            tokens,
            context,
            job.options.max_new_tokens(context),
            keep_tokens=max(job.options.num_keep, 0),
            may_shift=job.shift,
            share=job.share,
        )
        chain = self._chain(job, tokens, context)
        # A rejected draft must be cut off again, which not every kind of memory can do.
        may_draft = job.drafts and self._backend.keeps_prefixes
        # Rows of pictures are all the same to it: they are never written.
        words = [max(token, -1) for token in tokens] if pictures else tokens
        lookup = Lookup(words, self._config.draft_tokens if may_draft else 0)
        text = AnswerText(job.options.stop)
        started_ns = time.perf_counter_ns()
        return Answer(job, sequence, chain, text, lookup, started_ns, pictures=pictures)

    def _prompt(self, job: Generate, context: int) -> tuple[list[int], dict[int, Picture]]:
        """The tokens of a prompt, and the pictures in it. Raises BadRequest, InputTooLong."""
        secret = secrets.token_hex(8)
        messages, images = marked(job.messages or (), secret)
        text = job.text
        if job.messages is None:
            marks = "".join(mark(secret, n) for n in range(len(job.images)))
            images, text = list(job.images), marks + (job.text or "")
        pictures = [self._look(image) for image in images]

        def tokenize(text: str) -> list[int]:
            return tokens_of(text, secret, [p.tokens for p in pictures], self._words)

        shown = replace(job, text=text, messages=None if job.messages is None else messages)
        size = self._backend.vocabulary_size
        tokens = prompt_tokens(shown, self._template, tokenize, size, context)
        if tokens[-1] < 0:
            raise BadRequest("the prompt ends with an image", "Ask something about it.")
        return tokens, {picture.digest: picture for picture in pictures}

    def _words(self, text: str, begins: bool) -> list[int]:
        if begins:
            return self._backend.tokenize(text, special=True)
        return self._backend.tokenize(text, special=True, framed=False)

    def _look(self, image: bytes) -> Picture:
        if self._sight is None:
            raise BadRequest("the model does not see", "Use one with a projector.")
        return self._sight.look(image)

    def _draft(self, sequence: Sequence, limit: int) -> list[int]:
        draft = self._answers[sequence.id].lookup.draft(limit)
        # A picture's rows are read, not written: a guess ends before them.
        seen = next((at for at, token in enumerate(draft) if token < 0), len(draft))
        return draft[:seen]

    def _chain(self, job: Generate, tokens: list[int], context: int) -> Chain:
        seed = job.options.seed
        if seed < 0:
            seed = int(np.random.default_rng().integers(1 << SEED_BITS))
        chain = self._backend.new_chain(chain_of(job.options, context, seed), job.schema)
        last = context if job.options.repeat_last_n < 0 else job.options.repeat_last_n
        if job.schema is None:  # a grammar knows nothing of the prompt
            for token in tokens[len(tokens) - min(last, len(tokens)) :]:
                if token >= 0:
                    chain.accept(token)
        return chain

    def _compute(self, step: Step) -> list[range]:
        for placement in step.placements:
            self._place(placement)
            owner = self._slots.owner(placement.slot)
            assert owner is not None
            self._answers[owner].cached_tokens = placement.reused
        self._let_go()
        # Pictures first: what the model says at a place is gone with the next batch.
        parts = [self._seen(piece) for piece in step.pieces]
        if not any(part.tokens for part in parts):
            return [range(0) for _ in parts]
        return self._backend.decode(parts)

    def _seen(self, piece: Piece) -> BatchPart:
        """Compute a piece up to the end of its last picture; what is left of it."""
        whole = _part(piece)
        pictures = self._answers[piece.sequence.id].pictures
        if not pictures:
            return whole
        runs, end = divided(whole.start, whole.tokens)
        for run in runs:
            if run.is_seen:
                self._read_rows(pictures, whole.slot, run.start, run.numbers)
            else:
                self._backend.decode([BatchPart(whole.slot, run.start, run.numbers, 0)])
        return replace(whole, start=whole.start + end, tokens=whole.tokens[end:])

    def _read_rows(
        self, pictures: dict[int, Picture], slot: int, start: int, numbers: tuple[int, ...]
    ) -> None:
        """Two pictures may follow each other without a word between them."""
        assert self._sight is not None
        at = 0
        while at < len(numbers):
            digest, to = place_of(numbers[at])[0], at
            while to < len(numbers) and place_of(numbers[to])[0] == digest:
                to += 1
            rows = self._sight.rows(pictures[digest], numbers[at:to])
            self._backend.decode_rows(slot, start + at, rows)
            at = to

    def _place(self, placement: Placement) -> None:
        slot, reused = placement.slot, placement.reused
        if placement.restore is not None:
            state = self._kept[placement.restore]  # the cuts may let go of it
            self._backend.truncate(slot, 0)
            self._cut(placement.cuts)
            self._backend.restore(slot, state)
            self._backend.truncate(slot, reused)
            return
        if placement.copy_from is not None:
            self._backend.copy(placement.copy_from, slot, reused)
        else:
            self._backend.truncate(slot, reused)
        self._cut(placement.cuts)

    def _cut(self, cuts: Iterable[Cut]) -> None:
        for cut in cuts:
            if cut.keep_as is not None:
                self._kept[cut.keep_as] = self._backend.save(cut.slot)
            self._backend.truncate(cut.slot, cut.length)

    def _let_go(self) -> None:
        """Not before a whole step is placed: what one lets go of another may have brought back."""
        for key in self._slots.take_forgotten():
            del self._kept[key]

    def _take_tokens(self, answer: Answer, piece: Piece, places: range) -> None:
        """Write a token, and more as long as they are what the draft said."""
        self._take_token(answer, places[0])
        right = 0
        for guess, place in zip(piece.draft, places[1:], strict=True):
            if answer.is_over or answer.sequence.tokens[-1] != guess:
                break
            self._scheduler.confirmed(answer.sequence)
            right += 1
            self._take_token(answer, place)
        if piece.draft:
            answer.lookup.judge(len(piece.draft), right)
            slot = answer.sequence.slot
            self._backend.truncate(slot, self._slots.length(slot))

    def _take_token(self, answer: Answer, place: int) -> None:
        sequence = answer.sequence
        token = answer.chain.sample(place)
        if not answer.first_token_ns:
            answer.first_token_ns = time.perf_counter_ns()
        if self._backend.ends(token):
            sequence.generated += 1
            self._finish(answer, FinishReason.STOP)
            return
        if sequence.is_full and not self._shift(sequence):
            self._finish(answer, FinishReason.LENGTH)
            return
        sequence.append(token)
        answer.lookup.append(token)
        text = answer.text.feed(self._backend.piece(token))
        chances = self._chances(answer, token, place)
        if text or chances:
            self._send(Delta(answer.job.id, text, chances))
        if answer.text.stopped:
            self._finish(answer, FinishReason.STOP)
        elif sequence.limit_reached():
            self._finish(answer, FinishReason.LENGTH)

    def _shift(self, sequence: Sequence) -> bool:
        """Make room in a full context; False if others hold what it would need for that."""
        kept = sequence.shift()
        self._backend.truncate(sequence.slot, kept)
        cuts = self._slots.shrink(sequence.slot, kept)
        self._cut(cuts or ())
        self._let_go()
        return cuts is not None

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
                # An answer can be gone on with by its words alone.
                tokens=tuple(token for token in sequence.tokens if token >= 0),
            )
        )

    def _close(self, answer: Answer) -> None:
        answer.is_over = True
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


def _part(piece: Piece) -> BatchPart:
    tokens = piece.sequence.tokens[piece.start : piece.start + piece.count]
    outputs = int(piece.samples) + len(piece.draft)
    return BatchPart(piece.sequence.slot, piece.start, [*tokens, *piece.draft], outputs)
