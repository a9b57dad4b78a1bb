"""Which tokens the key-value memory holds, each cell once, however many sequences share it.

A radix tree: a node is a run of cells that follow each other, and its holders are the slots whose
tokens go through it. A slot's tokens are the way from the root to its tip. Two nodes may stand
side by side with the same tokens, because two sequences computed them at the same time; then they
are different cells. A node that nobody holds is gone, and its cells are free.
"""

from collections.abc import Iterator
from collections.abc import Sequence as Tokens
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Node:
    """A run of cells. start: the position of its first token; last_used: on the tree's clock."""

    parent: "Node | None"
    start: int
    tokens: list[int]
    holders: set[int]
    last_used: int
    children: list["Node"] = field(default_factory=list)

    @property
    def end(self) -> int:
        """The position behind its last token."""
        return self.start + len(self.tokens)


@dataclass(frozen=True, slots=True)
class Match:
    """The longest beginning that is there: its length, and the node in which it ends."""

    node: Node
    length: int


class Prefixes:
    """The tokens of all slots of one model."""

    def __init__(self) -> None:
        self._root = Node(None, 0, [], set(), 0)
        self._tips: dict[int, Node] = {}
        self._clock = 0
        self.cells = 0  # in use, shared ones counted once

    def __iter__(self) -> Iterator[Node]:
        stack = list(self._root.children)
        while stack:
            node = stack.pop()
            yield node
            stack += node.children

    @property
    def root(self) -> Node:
        """Where every sequence begins; it holds no token."""
        return self._root

    def tip(self, slot: int) -> Node:
        """Where a slot's tokens end; the root if it has none."""
        return self._tips.get(slot, self._root)

    def length(self, slot: int) -> int:
        """How many tokens a slot holds."""
        return self.tip(slot).end

    def tokens(self, slot: int) -> list[int]:
        """What a slot holds."""
        return [token for node in reversed(_way(self.tip(slot))) for token in node.tokens]

    def match(self, tokens: Tokens[int]) -> Match:
        """The longest beginning of `tokens` that some slot holds."""
        best, stack = Match(self._root, 0), [self._root]
        while stack:
            for child in stack.pop().children:
                shared = common_prefix(child.tokens, tokens[child.start : child.end])
                if child.start + shared > best.length:
                    best = Match(child, child.start + shared)
                if shared == len(child.tokens):
                    stack.append(child)
        return best

    def cut_at(self, match: Match) -> Node:
        """The node that ends where a match ends; one that goes on is split there."""
        node = match.node
        return node if node.end == match.length else self._split(node, match.length)

    def hold(self, slot: int, node: Node) -> None:
        """Let an empty slot share everything up to a node's end."""
        assert slot not in self._tips, "the slot holds something"
        for shared in _way(node):
            shared.holders.add(slot)
        self._set_tip(slot, node)

    def extend(self, slot: int, tokens: Tokens[int]) -> None:
        """Note that tokens were computed behind those of a slot."""
        tip = self.tip(slot)
        if tip is self._root or tip.children or len(tip.holders) > 1:
            tip = Node(tip, tip.end, [], {slot}, self._clock)
            assert tip.parent is not None
            tip.parent.children.append(tip)
            self._tips[slot] = tip
        tip.tokens.extend(tokens)
        self.cells += len(tokens)

    def truncate(self, slot: int, length: int) -> None:
        """Let a slot keep only its first tokens."""
        node = self.tip(slot)
        while node.end > length:
            if node.start < length:
                self._split(node, length)
            assert node.parent is not None
            above = node.parent
            node.holders.discard(slot)
            if not node.holders:
                assert not node.children, "who holds a child holds its parent"
                above.children.remove(node)
                self.cells -= len(node.tokens)
            node = above
        self._set_tip(slot, node)

    def touch(self, slot: int) -> None:
        """Note that a slot's tokens are in use now."""
        self._clock += 1
        for node in _way(self.tip(slot)):
            node.last_used = self._clock

    def _split(self, node: Node, position: int) -> Node:
        """Cut a node in two; returns the upper one. The lower one stays the tip that it was."""
        parent, at = node.parent, position - node.start
        assert parent is not None
        upper = Node(
            parent, node.start, node.tokens[:at], set(node.holders), node.last_used, [node]
        )
        parent.children[parent.children.index(node)] = upper
        node.parent, node.start, node.tokens = upper, position, node.tokens[at:]
        return upper

    def _set_tip(self, slot: int, node: Node) -> None:
        if node is self._root:
            self._tips.pop(slot, None)
        else:
            self._tips[slot] = node


def _way(tip: Node) -> list[Node]:
    """The nodes from a tip up to the root, without it."""
    nodes = []
    node: Node = tip
    while node.parent is not None:
        nodes.append(node)
        node = node.parent
    return nodes


def common_prefix(left: Tokens[int], right: Tokens[int]) -> int:
    """How many tokens two lists share at their beginning."""
    low, high = 0, min(len(left), len(right))
    # Halving compares slices, which is far quicker than token by token in Python.
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
