"""Two sequences side by side: what is the same in the same order, and the stretches that differ.

Patience difference: keys that occur once on both sides are anchors; only short stretches between
them are compared each with each, so the time stays bounded for any input.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Protocol, TypeVar

# Pairs that are compared with each other in one stretch without anchors.
MAX_PAIRS = 10_000


class Keyed(Protocol):
    """Anything of which a key says what it is the same as."""

    @property
    def key(self) -> str:
        """Two with the same key are the same."""
        ...


One = TypeVar("One", bound=Keyed)


def aligned(
    old: list[One], new: list[One]
) -> tuple[list[tuple[One, One]], list[tuple[list[One], list[One]]]]:
    """What is the same in the same order, in pairs, and the stretches that differ."""
    kept: list[tuple[One, One]] = []
    gaps: list[tuple[list[One], list[One]]] = []
    stack = [(old, new)]
    while stack:
        before, after = stack.pop()
        start = _common(before, after)
        end = _common(before[start:][::-1], after[start:][::-1])
        kept += zip(before[:start], after[:start], strict=True)
        kept += zip(before[len(before) - end :], after[len(after) - end :], strict=True)
        before, after = before[start : len(before) - end], after[start : len(after) - end]
        anchors = _anchors(before, after) if before and after else []
        if anchors:
            stack += reversed(list(_between(before, after, anchors)))
        elif before or after:
            _compare(before, after, kept, gaps)
    return kept, gaps


def _common(before: Sequence[One], after: Sequence[One]) -> int:
    count = 0
    for one, other in zip(before, after, strict=False):
        if one.key != other.key:
            break
        count += 1
    return count


def _anchors(before: Sequence[One], after: Sequence[One]) -> list[tuple[int, int]]:
    """Places of keys that occur once on each side, the longest run of them in order."""
    counts = Counter(unit.key for unit in before), Counter(unit.key for unit in after)
    places = {unit.key: j for j, unit in enumerate(after) if counts[1][unit.key] == 1}
    pairs = [
        (i, places[unit.key])
        for i, unit in enumerate(before)
        if counts[0][unit.key] == 1 and unit.key in places
    ]
    return _longest_rising(pairs)


def _longest_rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    tails: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for index, (_, place) in enumerate(pairs):
        at = bisect_left(tails, place)
        tails[at : at + 1] = [place]
        ends[at : at + 1] = [index]
        previous.append(ends[at - 1] if at else -1)
    chain: list[tuple[int, int]] = []
    index = ends[-1] if ends else -1
    while index >= 0:
        chain.append(pairs[index])
        index = previous[index]
    return chain[::-1]


def _between(
    before: list[One], after: list[One], anchors: Sequence[tuple[int, int]]
) -> Iterator[tuple[list[One], list[One]]]:
    """The stretches from each anchor, which each begins with, to the next."""
    i_start = j_start = 0
    for i, j in [*anchors, (len(before), len(after))]:
        yield before[i_start:i], after[j_start:j]
        i_start, j_start = i, j


def _compare(
    before: list[One],
    after: list[One],
    kept: list[tuple[One, One]],
    gaps: list[tuple[list[One], list[One]]],
) -> None:
    """A stretch without anchors: each with each if it is short, else as one whole."""
    if len(before) * len(after) > MAX_PAIRS:
        gaps.append((before, after))
        return
    keys = [unit.key for unit in before], [unit.key for unit in after]
    matcher = SequenceMatcher(None, *keys, autojunk=False)
    for kind, i, i_end, j, j_end in matcher.get_opcodes():
        if kind == "equal":
            kept += zip(before[i:i_end], after[j:j_end], strict=True)
        else:
            gaps.append((before[i:i_end], after[j:j_end]))
