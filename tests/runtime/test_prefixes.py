"""Which tokens the memory holds, each cell once."""

import pytest

from runtime.prefixes import Prefixes, common_prefix


def tree(*contents: list[int]) -> Prefixes:
    """Slots 0, 1, … with these tokens, sharing what they can."""
    one = Prefixes()
    for slot, tokens in enumerate(contents):
        match = one.match(tokens)
        one.hold(slot, one.cut_at(match))
        if match.length < len(tokens):
            one.extend(slot, tokens[match.length :])
    return one


@pytest.mark.parametrize(
    ("left", "right", "length"),
    [
        ([], [1], 0),
        ([1, 2], [1, 2, 3], 2),
        ([1, 2], [1, 3], 1),
        ([5], [6], 0),
        ([7] * 9, [7] * 9, 9),
    ],
)
def test_a_common_prefix(left: list[int], right: list[int], length: int) -> None:
    """Tokens count as long as they are the same."""
    assert common_prefix(left, right) == length


@pytest.mark.parametrize(
    ("contents", "cells"),
    [
        ([[1, 2, 3]], 3),
        ([[1, 2, 3], [1, 2, 3]], 3),
        ([[1, 2, 3], [1, 2, 4]], 4),
        ([[1, 2, 3], [1, 2, 4], [1, 2, 4, 5], [9]], 6),
    ],
)
def test_shared_cells_are_counted_once(contents: list[list[int]], cells: int) -> None:
    """However many slots share them."""
    one = tree(*contents)
    assert one.cells == cells
    assert [one.tokens(slot) for slot in range(len(contents))] == contents


@pytest.mark.parametrize(
    ("asked", "length"), [([1, 2, 3, 4], 3), ([1, 2, 9], 2), ([1, 5, 6], 3), ([8], 0), ([], 0)]
)
def test_the_longest_beginning_is_found(asked: list[int], length: int) -> None:
    """In the middle of a run of cells, too."""
    assert tree([1, 2, 3], [1, 5, 6, 7]).match(asked).length == length


def test_a_cut_slot_leaves_to_others_what_they_hold() -> None:
    """Cells go when the last holder lets go of them."""
    one = tree([1, 2, 3, 4], [1, 2, 3, 9])
    one.truncate(0, 1)
    assert (one.tokens(0), one.tokens(1), one.cells) == ([1], [1, 2, 3, 9], 4)
    one.truncate(1, 0)
    assert (one.tokens(0), one.cells) == ([1], 1)
    one.truncate(0, 0)
    assert (one.cells, list(one)) == (0, [])


def test_the_same_tokens_computed_twice_are_different_cells() -> None:
    """Two sequences that write the same thing at the same time share nothing of it."""
    one = tree([1, 2], [1, 2])
    one.extend(0, [7, 7])
    one.extend(1, [7, 7])
    assert one.cells == 6
    assert one.match([1, 2, 7, 7, 7]).length == 4
    one.truncate(0, 2)
    assert (one.cells, one.tokens(1)) == (4, [1, 2, 7, 7])


def test_who_goes_on_behind_a_shared_beginning_does_so_alone() -> None:
    """A node with two holders is never extended for one of them."""
    one = tree([1, 2], [1, 2])
    one.extend(0, [3])
    assert one.tokens(1) == [1, 2]
