"""How long a step takes by the number of its tokens, and what that is good for.

Processors multiply matrices in blocks, and which code does it depends on how many tokens come
together: a step of sixteen tokens may be shorter than one of ten. So it is measured when a model
is loaded, and the scheduler asks up to how many tokens drafts cost nearly nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

# What is measured, the most telling first. Sizes between two of them take as long as the larger:
# what does not fill a block is computed by slower code.
SIZES = (1, 16, 8, 4, 12, 2)
BUDGET_S = 1.0  # no new measurement begins after so long
ROUNDS = 3  # at most; the shortest time counts, because others may use the processor, too
BLOCK_TOKENS = 4  # what most processors multiply at a time, if nothing was measured
NEARLY_FREE = 1.03


@dataclass(frozen=True, slots=True)
class Pace:
    """Measured steps: (tokens, seconds), in the order of their tokens."""

    steps: tuple[tuple[int, float], ...]

    @classmethod
    def in_blocks(cls) -> Self:
        """What holds for most processors."""
        return cls(tuple((blocks * BLOCK_TOKENS, blocks) for blocks in range(1, 5)))

    @classmethod
    def measured(cls, compute: Callable[[int], object], clock: Callable[[], float]) -> Self:
        """Try steps of several sizes for about a second. clock: in seconds."""
        compute(1)  # the first step of a model reads its weights from the disk
        shortest: dict[int, float] = {}
        end = clock() + BUDGET_S
        for size in SIZES * ROUNDS:
            began = clock()
            if began > end and len(shortest) > 1:
                break
            compute(size)
            shortest[size] = min(shortest.get(size, float("inf")), clock() - began)
        return cls(tuple(sorted(shortest.items())))

    def step_s(self, tokens: int) -> float:
        """What a step of so many tokens takes, in seconds: as long as the next size measured."""
        for size, seconds in self.steps:
            if tokens <= size:
                return seconds
        largest, seconds = self.steps[-1]
        return seconds * tokens / largest

    def filled(self, tokens: int) -> int:
        """How many tokens a step of so many may have for nearly the same time."""
        limit = NEARLY_FREE * self.step_s(tokens)
        most = max(tokens, self.steps[-1][0])
        return max(n for n in range(tokens, most + 1) if self.step_s(n) <= limit)
