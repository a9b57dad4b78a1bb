"""Who has which part of the key-value memory, and whose work can be used again.

A slot is one sequence number of the model's memory. It keeps its tokens after its sequence has
ended, so that the next prompt with the same beginning starts there. All slots share one pool of
cells: a prefix copied from one slot to another costs no cell, but is counted as if it did, so that
what is promised can always be kept. When the pool runs short, the slots that have been idle for
longest are cleared.
"""

from collections.abc import Iterator
from collections.abc import Sequence as Tokens
from dataclasses import dataclass, field


@dataclass(slots=True)
class Slot:
    """One sequence number. tokens: what its memory holds; reserved: cells promised to its owner."""

    index: int
    tokens: list[int] = field(default_factory=list)
    owner: int | None = None
    reserved: int = 0
    last_used: int = 0

    @property
    def is_free(self) -> bool:
        """Whether no sequence runs in it."""
        return self.owner is None

    @property
    def cells(self) -> int:
        """Cells that it holds or may come to hold."""
        return max(len(self.tokens), self.reserved)


@dataclass(frozen=True, slots=True)
class Placement:
    """What to do to the memory before a sequence starts, in this order.

    copy_from: slot whose first `reused` tokens are copied; None if they are in `slot` already.
    clear: slots to empty afterwards.
    """

    slot: int
    reused: int
    copy_from: int | None = None
    clear: tuple[int, ...] = ()


class Slots:
    """All slots of one model."""

    def __init__(self, count: int, cells: int, *, reuse: bool = True) -> None:
        self._reuse = reuse
        self._slots = [Slot(index) for index in range(count)]
        self._cells = cells
        self._clock = 0

    def __getitem__(self, index: int) -> Slot:
        return self._slots[index]

    def __iter__(self) -> Iterator[Slot]:
        return iter(self._slots)

    @property
    def used_cells(self) -> int:
        """Cells held or promised, shared ones counted for each holder."""
        return sum(slot.cells for slot in self._slots)

    def place(self, owner: int, tokens: Tokens[int], reserve: int) -> Placement | None:
        """Find a slot for a sequence and give it to it; None if there is none now."""
        if not any(slot.is_free for slot in self._slots):
            return None
        best = max(self._slots, key=lambda s: (common_prefix(s.tokens, tokens), s.is_free))
        # The last token is always computed, because its logits are wanted.
        reused = min(common_prefix(best.tokens, tokens), len(tokens) - 1) if self._reuse else 0
        target = best if _may_overwrite(best, reused) else self._oldest_free()
        clear = self._make_room(target, reserve)
        if clear is None:
            return None
        for index in clear:
            self._slots[index].tokens = []
        target.tokens = list(tokens[:reused])
        target.owner, target.reserved = owner, reserve
        self._touch(target)
        source = best.index if best is not target and reused else None
        return Placement(target.index, reused, source, tuple(clear))

    def extend(self, index: int, tokens: Tokens[int]) -> None:
        """Note that tokens were computed behind those that are there."""
        self._slots[index].tokens.extend(tokens)

    def truncate(self, index: int, length: int) -> None:
        """Note that a slot keeps only its first tokens."""
        del self._slots[index].tokens[length:]

    def release(self, index: int) -> None:
        """Take a slot back from its sequence; its tokens stay for the next one."""
        slot = self._slots[index]
        slot.owner, slot.reserved = None, 0
        self._touch(slot)

    def forget(self) -> None:
        """Note that the whole memory was cleared."""
        for slot in self._slots:
            slot.tokens = []

    def _make_room(self, target: Slot, reserve: int) -> list[int] | None:
        """The idle slots to clear so that `target` can grow to `reserve`; None if that won't do."""
        needed = self.used_cells - target.cells + reserve - self._cells
        idle = [s for s in self._slots if s.is_free and s is not target and s.tokens]
        clear = []
        for slot in sorted(idle, key=lambda s: s.last_used):
            if needed <= 0:
                break
            clear.append(slot.index)
            needed -= slot.cells
        return clear if needed <= 0 else None

    def _oldest_free(self) -> Slot:
        return min(
            (slot for slot in self._slots if slot.is_free),
            key=lambda slot: (bool(slot.tokens), slot.last_used),
        )

    def _touch(self, slot: Slot) -> None:
        self._clock += 1
        slot.last_used = self._clock


def common_prefix(left: Tokens[int], right: Tokens[int]) -> int:
    """How many tokens two lists share at their beginning."""
    length = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        length += 1
    return length


def _may_overwrite(slot: Slot, reused: int) -> bool:
    """Whether a slot is continued in place: it is free and would lose less than it gives."""
    return slot.is_free and reused > 0 and 2 * reused >= len(slot.tokens)
