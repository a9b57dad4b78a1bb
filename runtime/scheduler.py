"""Decides what the model works on next.

Every step is one batch. Sequences that write get their one token first, so that running answers
never stand still; what is left of the step's budget goes to prompts, oldest first, in pieces. A
waiting sequence is admitted when there is a slot for it, unless a running one is just computing
a long beginning that both share: then it waits, and finds that work done.
"""

from collections import deque
from collections.abc import Sequence as Items
from dataclasses import dataclass

from runtime.sequence import Sequence, SequenceState
from runtime.slots import Placement, Slots, common_prefix

# A shared beginning shorter than this is not worth waiting for.
WORTH_WAITING_TOKENS = 64


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a batch: `count` tokens from `start` on. samples: the last one gives a new token."""

    sequence: Sequence
    start: int
    count: int
    samples: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One step. placements come before the pieces are computed."""

    placements: tuple[Placement, ...]
    pieces: tuple[Piece, ...]


class Scheduler:
    """The waiting and the running sequences of one model."""

    def __init__(self, slots: Slots, max_sequences: int, batch_tokens: int) -> None:
        assert batch_tokens >= max_sequences, "every running sequence must fit a step"
        self._slots = slots
        self._max_sequences = max_sequences
        self._batch_tokens = batch_tokens
        self._waiting: deque[Sequence] = deque()
        self._running: list[Sequence] = []

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self._waiting and not self._running

    @property
    def waiting(self) -> Items[Sequence]:
        """Sequences without a slot, in order."""
        return tuple(self._waiting)

    @property
    def running(self) -> Items[Sequence]:
        """Sequences with a slot, oldest first."""
        return tuple(self._running)

    def add(self, sequence: Sequence) -> None:
        """Queue a sequence."""
        self._waiting.append(sequence)

    def finish(self, sequence: Sequence) -> None:
        """Take a sequence out, whatever it was doing."""
        if sequence.state is SequenceState.RUNNING:
            self._running.remove(sequence)
            self._slots.release(sequence.slot)
        elif sequence.state is SequenceState.WAITING:
            self._waiting.remove(sequence)
        sequence.move_to(SequenceState.FINISHED)

    def next_step(self) -> Step:
        """Admit what can be admitted and fill one batch."""
        placements = tuple(self._admit())
        return Step(placements, tuple(self._pieces()))

    def _admit(self) -> list[Placement]:
        placements: list[Placement] = []
        while self._waiting and len(self._running) < self._max_sequences:
            sequence = self._waiting[0]
            if self._soon_shared(sequence):
                break
            placement = self._slots.place(sequence.id, sequence.tokens, sequence.reserve)
            if placement is None:
                break
            sequence.start(placement.slot, placement.reused)
            self._running.append(self._waiting.popleft())
            placements.append(placement)
        return placements

    def _soon_shared(self, sequence: Sequence) -> bool:
        """Whether a running prompt is about to compute much of what this one needs."""
        there = max(common_prefix(slot.tokens, sequence.tokens) for slot in self._slots)
        coming = max(
            (common_prefix(s.tokens, sequence.tokens) for s in self._running if s.pending > 1),
            default=0,
        )
        return coming - there >= WORTH_WAITING_TOKENS

    def _pieces(self) -> list[Piece]:
        writing = [s for s in self._running if s.pending == 1]
        reading = [s for s in self._running if s.pending > 1]
        pieces = [Piece(s, s.computed, 1, samples=True) for s in writing]
        budget = self._batch_tokens - len(pieces)
        for sequence in reading:
            count = min(sequence.pending, budget)
            if count == 0:
                break
            pieces.append(Piece(sequence, sequence.computed, count, count == sequence.pending))
            budget -= count
        return pieces

    def computed(self, piece: Piece) -> None:
        """Note that a piece was computed."""
        tokens = piece.sequence.tokens[piece.start : piece.start + piece.count]
        self._slots.extend(piece.sequence.slot, tokens)
        piece.sequence.advance(piece.count)
