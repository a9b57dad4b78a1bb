"""One answer being written: its tokens, how far they are computed, and when it is over.

A sequence waits, then runs, then is finished:

    WAITING  → RUNNING   it has a slot, and the tokens that the slot already held are reused
    RUNNING  → FINISHED  it met a stop, a limit, or nobody listens any more
    WAITING  → FINISHED  nobody listens any more

`computed` counts the tokens whose keys and values are in the slot. While more than one token is
pending the sequence is being prefilled; with exactly one it writes. A sequence that has filled its
context goes on with its first tokens and the newer half of the rest (a *shift*); what was dropped
is computed again from there, because the cells of a shared prefix cannot be moved for one owner.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class SequenceState(StrEnum):
    """Where a sequence is in its life."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"


TRANSITIONS = {
    SequenceState.WAITING: {SequenceState.RUNNING, SequenceState.FINISHED},
    SequenceState.RUNNING: {SequenceState.FINISHED},
    SequenceState.FINISHED: set[SequenceState](),
}


class FinishReason(StrEnum):
    """Why an answer ended, in Ollama's words."""

    STOP = "stop"
    LENGTH = "length"


@dataclass(slots=True, eq=False)
class Sequence:
    """One answer.

    context_tokens: the most tokens it may hold at any time. share: whose turn it takes in the
    line. passed: how many that came later were admitted while it waited for a shared beginning.
    """

    id: int
    tokens: list[int]
    context_tokens: int
    max_new_tokens: int
    keep_tokens: int = 4
    may_shift: bool = True
    share: str = ""
    passed: int = 0
    state: SequenceState = SequenceState.WAITING
    slot: int = -1
    computed: int = 0
    generated: int = 0
    shifts: int = 0
    prompt_tokens: int = field(init=False)

    def __post_init__(self) -> None:
        assert self.tokens, "a sequence starts with a token"
        assert len(self.tokens) < self.context_tokens, "the prompt leaves room to answer"
        self.prompt_tokens = len(self.tokens)

    @property
    def pending(self) -> int:
        """Tokens that are still to be computed."""
        return len(self.tokens) - self.computed

    @property
    def reserve(self) -> int:
        """The most cells it can come to need."""
        return min(self.context_tokens, self.prompt_tokens + self.max_new_tokens)

    @property
    def may_draft(self) -> int:
        """How many tokens behind the next one could still be part of the answer."""
        left = self.max_new_tokens - self.generated
        return max(min(left, self.context_tokens - len(self.tokens)) - 1, 0)

    @property
    def is_full(self) -> bool:
        """Whether the context has no room for another token."""
        return len(self.tokens) >= self.context_tokens

    def move_to(self, state: SequenceState) -> None:
        """Take the next step of its life."""
        assert state in TRANSITIONS[self.state], f"{self.state} → {state}"
        self.state = state

    def start(self, slot: int, reused: int) -> None:
        """Begin in a slot that holds the first `reused` tokens."""
        assert 0 <= reused < len(self.tokens), "the last token is always computed"
        self.move_to(SequenceState.RUNNING)
        self.slot, self.computed = slot, reused

    def advance(self, count: int) -> None:
        """Note that `count` more tokens are computed."""
        assert 0 < count <= self.pending
        self.computed += count

    def append(self, token: int) -> None:
        """Add a token that was sampled."""
        assert not self.is_full
        self.tokens.append(token)
        self.generated += 1

    def limit_reached(self) -> bool:
        """Whether the answer must end here."""
        return self.generated >= self.max_new_tokens or (self.is_full and not self.may_shift)

    def shift(self) -> int:
        """Drop the older half of the context behind its first tokens; returns how many stay."""
        keep = min(self.keep_tokens, self.context_tokens // 2)
        recent = (self.context_tokens - keep) // 2
        self.tokens = self.tokens[:keep] + self.tokens[len(self.tokens) - recent :]
        self.computed = min(self.computed, keep)
        self.shifts += 1
        return self.computed
