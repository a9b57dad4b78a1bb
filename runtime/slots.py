"""Who has which part of the key-value memory, and whose work can be used again.

A slot is one sequence number of the model's memory. It keeps its tokens after its sequence has
ended, so that the next prompt with the same beginning starts there. What a running sequence may
still come to need is promised to it: cells in use (each counted once, see `prefixes`) and promised
ones together are never more than there are. When cells run short, or idle ones grow many, what was
not used for longest goes first, from its end, and never what a running sequence holds. A long one
is kept in ordinary memory (see `prompt_cache`), and brought back when it is asked for.
"""

from collections.abc import Iterator
from collections.abc import Sequence as Tokens
from dataclasses import dataclass

from runtime.prefixes import Match, Node, Prefixes, common_prefix
from runtime.prompt_cache import Kept, PromptCache

__all__ = ["Cut", "Placement", "Slots", "common_prefix"]


@dataclass(frozen=True, slots=True)
class Cut:
    """A slot keeps only its first `length` tokens.

    keep_as: the key under which all that it holds is kept elsewhere before.
    """

    slot: int
    length: int
    keep_as: int | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """What to do to the memory before a sequence starts, in this order.

    copy_from: slot whose first `reused` tokens are copied; None if `slot` has them already.
    cuts: what other slots give up afterwards.
    restore: the key of what is then brought back into the emptied slot, and cut to `reused`.
    """

    slot: int
    reused: int
    copy_from: int | None = None
    cuts: tuple[Cut, ...] = ()
    restore: int | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """Whose a slot is, and the most tokens that it may come to hold."""

    owner: int
    reserve: int


class Slots:
    """All slots of one model.

    idle_cells: how many may hold what no running sequence uses. cache: for what is given up.
    """

    def __init__(
        self,
        count: int,
        cells: int,
        *,
        reuse: bool = True,
        idle_cells: int | None = None,
        cache: PromptCache | None = None,
    ) -> None:
        self._reuse = reuse
        self._count = count
        self._cells = cells
        self._idle_cells = cells if idle_cells is None else idle_cells
        self._cache = cache or PromptCache(0)
        self.forget()

    def forget(self) -> None:
        """Note that the whole memory was emptied, and that nobody runs; what is kept stays."""
        self._prefixes = Prefixes()
        self._promises: dict[int, Promise] = {}

    def __iter__(self) -> Iterator[int]:
        return iter(range(self._count))

    @property
    def used_cells(self) -> int:
        """Cells in use, shared ones counted once."""
        return self._prefixes.cells

    @property
    def promised_cells(self) -> int:
        """Cells that running sequences may still take."""
        return sum(
            max(promise.reserve - self._prefixes.length(slot), 0)
            for slot, promise in self._promises.items()
        )

    def owner(self, slot: int) -> int | None:
        """The sequence that runs in a slot."""
        promise = self._promises.get(slot)
        return promise.owner if promise else None

    def tokens(self, slot: int) -> list[int]:
        """What a slot holds."""
        return self._prefixes.tokens(slot)

    def length(self, slot: int) -> int:
        """How many tokens a slot holds."""
        return self._prefixes.length(slot)

    def there(self, tokens: Tokens[int]) -> int:
        """How much of a prompt needs no computing."""
        # The last token is always computed, because its logits are wanted.
        if not self._reuse:
            return 0
        match, kept = self._known(tokens)
        return max(match.length, kept.length if kept else 0)

    def place(self, owner: int, tokens: Tokens[int], reserve: int) -> Placement | None:
        """Find a slot for a sequence and give it to it; None if there is none now."""
        match, kept = self._known(tokens if self._reuse else ())
        if kept is not None:
            return self._restore(owner, kept, reserve)
        shared = self._prefixes.cut_at(match)
        if not self._may_run(shared, reserve - match.length):
            return None
        slot, copy_from = self._take_number(shared)
        self._promises[slot] = Promise(owner, reserve)
        self._prefixes.touch(slot)
        cuts = (*self._drop_needless(), *self._make_room())
        return Placement(slot, match.length, copy_from, cuts)

    def take_forgotten(self) -> list[int]:
        """The keys of what need not be kept any longer, since this was last asked."""
        return self._cache.take_forgotten()

    def _known(self, tokens: Tokens[int]) -> tuple[Match, Kept | None]:
        """How much of a prompt is there, and what is kept elsewhere if that is clearly more."""
        match, kept = self._prefixes.match(tokens[:-1]), self._cache.match(tokens[:-1])
        if kept is not None and 2 * (kept.length - match.length) < self._cache.least:
            kept = None
        return match, kept

    def _restore(self, owner: int, kept: Kept, reserve: int) -> Placement | None:
        """Bring a kept sequence back into a slot; cells that it shared before it has for itself."""
        root, whole = self._prefixes.root, max(reserve, len(kept.tokens))
        if not self._may_run(root, whole):
            return None
        slot, _ = self._take_number(root)
        self._cache.touch(kept.key)
        # All of it comes back before it can be cut.
        self._promises[slot] = Promise(owner, whole)
        cuts = (*self._drop_needless(), *self._make_room())
        self._promises[slot] = Promise(owner, reserve)
        self._prefixes.extend(slot, kept.tokens[: kept.length])
        self._prefixes.touch(slot)
        return Placement(slot, kept.length, None, cuts, kept.key)

    def extend(self, slot: int, tokens: Tokens[int]) -> None:
        """Note that tokens were computed behind those that are there."""
        self._prefixes.extend(slot, tokens)

    def shrink(self, slot: int, length: int) -> tuple[Cut, ...] | None:
        """Note that a running slot keeps only its first tokens, and will grow again.

        None if there is no room for that: what it gives up may be held by others.
        """
        self._prefixes.truncate(slot, length)
        return self._make_room() if self._fits(self._prefixes.tip(slot), 0) else None

    def release(self, slot: int) -> None:
        """Take a slot back from its sequence; its tokens stay for the next one."""
        self._prefixes.touch(slot)
        del self._promises[slot]

    def _may_run(self, shared: Node, growth: int) -> bool:
        return len(self._promises) < self._count and self._fits(shared, growth)

    def _fits(self, shared: Node, growth: int) -> bool:
        """Whether there is room for `growth` more cells if all but `shared` is given up."""
        running = self._promises.keys()
        kept = sum(
            len(node.tokens) for node in self._prefixes if not running.isdisjoint(node.holders)
        )
        node: Node | None = shared
        while node is not None and running.isdisjoint(node.holders):
            kept += len(node.tokens)
            node = node.parent
        return kept + self.promised_cells + growth <= self._cells

    def _take_number(self, shared: Node) -> tuple[int, int | None]:
        """A slot that holds what is shared and nothing else, and the slot it must copy from."""
        idle = [slot for slot in self if slot not in self._promises]
        slot = min(idle, key=lambda s: (self._prefixes.tip(s).last_used, s))
        others = shared.holders - {slot}
        if shared.end and not others:
            self._prefixes.truncate(slot, shared.end)
            return slot, None
        self._prefixes.truncate(slot, 0)
        self._prefixes.hold(slot, shared)
        return slot, min(others, default=None)

    def _drop_needless(self) -> list[Cut]:
        """Empty the idle slots whose tokens another one holds, too: their numbers are wanted."""
        cuts = []
        for slot in self:
            if slot not in self._promises and len(self._prefixes.tip(slot).holders) > 1:
                self._prefixes.truncate(slot, 0)
                cuts.append(Cut(slot, 0))
        return cuts

    def _make_room(self) -> tuple[Cut, ...]:
        """Give up what was not used for longest, as much as is needed."""
        cuts: list[Cut] = []
        while (missing := self._missing()) > 0:
            leaf = min(self._idle_leaves(), key=lambda node: node.last_used)
            length = max(leaf.end - missing, leaf.start)
            for slot in sorted(leaf.holders):
                keep_as = self._cache.keep(self._prefixes.tokens(slot), len(leaf.tokens))
                self._prefixes.truncate(slot, length)
                cuts.append(Cut(slot, length, keep_as))
        return tuple(cuts)

    def _missing(self) -> int:
        """Cells that must be given up; all that a leaf has where idle ones are too many."""
        running = self._promises.keys()
        idle = sum(len(n.tokens) for n in self._prefixes if running.isdisjoint(n.holders))
        over = self.used_cells + self.promised_cells - self._cells
        return idle if idle > self._idle_cells else over

    def _idle_leaves(self) -> list[Node]:
        running = self._promises.keys()
        return [n for n in self._prefixes if not n.children and running.isdisjoint(n.holders)]
