"""Beginnings that the key-value memory gave up, kept in ordinary memory.

Everything in the key-value memory is looked through in every step, so only what is in use should
lie there; but to bring back a beginning takes milliseconds, to compute it again takes seconds.
What stands here is which tokens are kept, under which key; the bytes are with who computes.
"""

from collections.abc import Sequence as Tokens
from dataclasses import dataclass

from runtime.prefixes import common_prefix

# A thousand tokens take 40 ms out of the key-value memory and 2 ms back, as long as it takes to
# read ten; but what comes back is not shared with anybody (0.5B, two cores).
WORTH_KEEPING_TOKENS = 128


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept sequence. length: how many of its tokens are wanted, from the first on."""

    key: int
    tokens: tuple[int, ...]
    length: int


class PromptCache:
    """The kept sequences of one model, the longest unused first.

    limit: tokens in all. least: fewer are not worth keeping, and less than half not bringing back.
    """

    def __init__(self, limit: int, least: int = WORTH_KEEPING_TOKENS) -> None:
        self._limit = limit
        self.least = least
        self._entries: dict[int, tuple[int, ...]] = {}
        self._forgotten: list[int] = []
        self._last_key = 0
        self.tokens = 0

    def match(self, tokens: Tokens[int]) -> Kept | None:
        """What is kept of the beginning of `tokens`, as much as possible."""
        wanted = tuple(tokens)
        found = [
            Kept(key, kept, common_prefix(kept, wanted)) for key, kept in self._entries.items()
        ]
        return max(found, key=lambda one: one.length, default=None)

    def touch(self, key: int) -> None:
        """Note that a kept sequence is in use now."""
        self._entries[key] = self._entries.pop(key)

    def keep(self, tokens: Tokens[int], lost: int) -> int | None:
        """The key under which a sequence is to be kept, before its last `lost` tokens are lost.

        None if that is not worth it, or it is kept already.
        """
        size, held = len(tokens), self.match(tokens)
        covered = held.length if held else 0
        if min(lost, size - covered) < self.least or size > self._limit:
            if held and covered > size - lost:
                self.touch(held.key)
            return None
        if held and covered == len(held.tokens):
            self._drop(held.key)  # all of it is in the new one
        while self.tokens + size > self._limit:
            self._drop(next(iter(self._entries)))
        self._last_key += 1
        self._entries[self._last_key] = tuple(tokens)
        self.tokens += size
        return self._last_key

    def take_forgotten(self) -> list[int]:
        """The keys that are no longer needed, since this was last asked."""
        forgotten, self._forgotten = self._forgotten, []
        return forgotten

    def _drop(self, key: int) -> None:
        self.tokens -= len(self._entries.pop(key))
        self._forgotten.append(key)
