"""Decides what the model works on next.

Every step is one batch. Sequences that write get one token each; prompts are read in pieces,
oldest first, as far as the step's budget goes. Small steps do both; a large piece of a prompt has a
step for itself, and between two of these comes one that writes, so that running answers never stand
still. In a step without prompts, a sequence that writes may add a draft of what it will write next,
as far as that makes the step no longer (see `pace`).

Waiting sequences are admitted in the order of the line, as long as there is a slot and room for
all that they may come to need:

- One whose long beginning is just being computed by a running sequence is passed over: it finds
  that work done a few steps later. When PATIENCE others have passed it, it goes before them.
- One that finds no slot or no room stops the line: what is freed next is for it.

So nobody is passed for ever: by the first rule at most PATIENCE times, by the second never.
"""

from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass

from runtime.line import Line
from runtime.pace import Pace
from runtime.sequence import Sequence, SequenceState
from runtime.slots import Placement, Slots, common_prefix

# A shared beginning shorter than this is not worth waiting for.
WORTH_WAITING_TOKENS = 64
PATIENCE = 16
# From 64 tokens on llama.cpp's attention works in tiles of so many, and looks for a whole tile at
# all that one of its tokens looks at: five answers in a step beside 251 tokens of a prompt took
# 0.3-0.5 s more (0.5B, two cores), in a step of their own 0.1 s.
MIXED_TOKENS = 63
# Alone, an answer may draft more than what is nearly free: one that quotes gets most of it right.
ALONE_TOKENS = 16

Draft = Callable[[Sequence, int], Items[int]]


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a batch: `count` tokens from `start` on. samples: the last one gives a new token.

    draft: what the sequence may write behind them, to be confirmed.
    """

    sequence: Sequence
    start: int
    count: int
    samples: bool
    draft: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step. placements come before the pieces are computed."""

    placements: tuple[Placement, ...]
    pieces: tuple[Piece, ...]


class Scheduler:
    """The waiting and the running sequences of one model."""

    def __init__(
        self,
        slots: Slots,
        max_sequences: int,
        batch_tokens: int,
        draft: Draft = lambda _sequence, _limit: (),
        pace: Pace | None = None,
    ) -> None:
        assert batch_tokens >= max_sequences, "every running sequence must fit a step"
        self._slots = slots
        self._max_sequences = max_sequences
        self._batch_tokens = batch_tokens
        self._draft = draft
        self._pace = pace or Pace.in_blocks()
        self._line = Line()
        self._running: list[Sequence] = []
        self._wrote_last = True

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self._line and not self._running

    @property
    def waiting(self) -> Items[Sequence]:
        """Sequences without a slot, in the order in which they would be served."""
        return tuple(self._line)

    @property
    def running(self) -> Items[Sequence]:
        """Sequences with a slot, oldest first."""
        return tuple(self._running)

    def add(self, sequence: Sequence) -> None:
        """Queue a sequence."""
        self._line.add(sequence)

    def finish(self, sequence: Sequence) -> None:
        """Take a sequence out, whatever it was doing."""
        if sequence.state is SequenceState.RUNNING:
            self._running.remove(sequence)
            self._slots.release(sequence.slot)
        elif sequence.state is SequenceState.WAITING:
            self._line.remove(sequence)
        sequence.move_to(SequenceState.FINISHED)

    def next_step(self) -> Step:
        """Admit what can be admitted and fill one batch."""
        placements = tuple(self._admit())
        return Step(placements, tuple(self._pieces()))

    def computed(self, piece: Piece) -> None:
        """Note that a piece was computed; its draft is not part of it."""
        tokens = piece.sequence.tokens[piece.start : piece.start + piece.count]
        self._slots.extend(piece.sequence.slot, tokens)
        piece.sequence.advance(piece.count)

    def confirmed(self, sequence: Sequence) -> None:
        """Note that the token just written was computed already, as a part of a draft."""
        self._slots.extend(sequence.slot, sequence.tokens[-1:])
        sequence.advance(1)

    def _admit(self) -> list[Placement]:
        placements: list[Placement] = []
        passed: list[Sequence] = []
        for sequence in tuple(self._line):
            if len(self._running) == self._max_sequences:
                break
            if sequence.passed < PATIENCE and self._soon_shared(sequence):
                passed.append(sequence)
                continue
            placement = self._slots.place(sequence.id, sequence.tokens, sequence.reserve)
            if placement is None:
                break
            sequence.start(placement.slot, placement.reused)
            self._line.serve(sequence)
            self._running.append(sequence)
            placements.append(placement)
            for one in passed:
                one.passed += 1
        return placements

    def _soon_shared(self, sequence: Sequence) -> bool:
        """Whether a running prompt is about to compute much of what this one needs."""
        reading = [s for s in self._running if s.pending > 1]
        coming = max((common_prefix(s.tokens, sequence.tokens) for s in reading), default=0)
        if coming < WORTH_WAITING_TOKENS:
            return False
        return coming - self._slots.there(sequence.tokens) >= WORTH_WAITING_TOKENS

    def _pieces(self) -> list[Piece]:
        writing = [s for s in self._running if s.pending == 1]
        reading = [s for s in self._running if s.pending > 1]
        total = len(writing) + sum(s.pending for s in reading)
        if writing and reading and total > min(MIXED_TOKENS, self._batch_tokens):
            self._wrote_last = not self._wrote_last
            writing, reading = (writing, []) if self._wrote_last else ([], reading)
        drafts = self._drafts(writing) if not reading else {}
        pieces = [Piece(s, s.computed, 1, True, drafts.get(s.id, ())) for s in writing]
        budget = self._batch_tokens - len(pieces)
        for sequence in reading:
            count = min(sequence.pending, budget)
            if count == 0:
                break
            pieces.append(Piece(sequence, sequence.computed, count, count == sequence.pending))
            budget -= count
        return pieces

    def _drafts(self, writing: Items[Sequence]) -> dict[int, tuple[int, ...]]:
        """What is likely to be written next, as far as it makes the step no longer for others."""
        alone = len(writing) == 1 and not self._line
        total = ALONE_TOKENS if alone else self._pace.filled(len(writing))
        spare = min(total, self._batch_tokens) - len(writing)
        drafts = {}
        for sequence in writing:
            limit = min(sequence.may_draft, spare)
            if limit <= 0:
                continue
            drafts[sequence.id] = tuple(self._draft(sequence, limit))
            spare -= len(drafts[sequence.id])
        return drafts
