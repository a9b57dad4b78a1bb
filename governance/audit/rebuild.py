"""Builds the tree again from the bodies of the leaves, a stretch at a time, in little memory.

Pure. A stretch holds 2**16 leaves, so all that is below its top is built from itself alone; the
tops of the stretches are kept for the levels above.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from governance.audit.merkle import Place, Span, cover, fold, node_hash

STRETCH_LEVEL = 16
STRETCH = 1 << STRETCH_LEVEL


class Nodes(NamedTuple):
    """Nodes of one level side by side; position: that of the first."""

    level: int
    position: int
    hashes: list[bytes]


class Rebuilt:
    """The tree of all leaves so far; tops: those of the stretches that are not built again."""

    def __init__(self, tops: Sequence[bytes] = ()) -> None:
        self._upper: dict[Place, bytes] = {}
        self._count = 0
        self._levels: list[list[bytes]] = []
        for top in tops:
            self._put_top(top)

    @property
    def size(self) -> int:
        """How many leaves there are."""
        whole = self._count * STRETCH
        full = bool(self._levels) and len(self._levels[0]) == STRETCH
        return whole if full or not self._levels else whole + len(self._levels[0])

    def add(self, leaves: list[bytes]) -> list[Nodes]:
        """Go on with the leaf hashes of the next stretch; the nodes that came to be.

        Only the last stretch may be short.
        """
        sha256 = hashlib.sha256
        first = self._count * STRETCH
        self._levels = [leaves]
        below = leaves
        for _ in range(STRETCH_LEVEL):
            pairs = zip(below[::2], below[1::2], strict=False)
            below = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
            self._levels.append(below)
        made = [
            Nodes(level, first >> level, self._levels[level]) for level in range(1, STRETCH_LEVEL)
        ]
        if below:
            made += [Nodes(*place, [one]) for place, one in self._put_top(below[0]).items()]
        return [row for row in made if row.hashes]

    def root(self, size: int) -> bytes:
        """The root of the first `size` leaves; size: within or at an end of the last stretch."""
        span = Span(0, size)
        return fold(span, {place: self._hash(place) for place in cover(span)})

    def _hash(self, place: Place) -> bytes:
        if place.level >= STRETCH_LEVEL:
            return self._upper[place]
        # The last stretch, whether it is full (and counted) or not.
        first = (self.size - 1) // STRETCH * STRETCH
        return self._levels[place.level][place.position - (first >> place.level)]

    def _put_top(self, top: bytes) -> dict[Place, bytes]:
        place = Place(STRETCH_LEVEL, self._count)
        made = {place: top}
        while place.position & 1:
            left = Place(place.level, place.position - 1)
            above = Place(place.level + 1, place.position >> 1)
            made[above] = node_hash(self._upper[left], made[place])
            place = above
        self._upper |= made
        self._count += 1
        return made
