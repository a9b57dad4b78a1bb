"""Who has which part of the memory."""

import pytest

from runtime.slots import Placement, Slots, common_prefix


def filled(*contents: list[int], cells: int = 1000) -> Slots:
    """Idle slots with these tokens."""
    slots = Slots(len(contents), cells)
    for index, tokens in enumerate(contents):
        slots.extend(index, tokens)
        slots.release(index)
    return slots


@pytest.mark.parametrize(
    ("left", "right", "length"),
    [([], [1], 0), ([1, 2], [1, 2, 3], 2), ([1, 2], [1, 3], 1), ([5], [6], 0)],
)
def test_a_common_prefix(left: list[int], right: list[int], length: int) -> None:
    """Tokens count as long as they are the same."""
    assert common_prefix(left, right) == length


def test_an_earlier_prompt_is_continued_in_place() -> None:
    """The next turn of a conversation starts where the last one ended."""
    slots = filled([1, 2, 3], [9])
    assert slots.place(7, [1, 2, 3, 4, 5], reserve=10) == Placement(0, reused=3)


def test_the_same_prompt_again_leaves_one_token_to_compute() -> None:
    """The last token's logits are needed, so it is computed in any case."""
    slots = filled([1, 2, 3])
    assert slots.place(7, [1, 2, 3], reserve=10) == Placement(0, reused=2)
    assert slots[0].tokens == [1, 2]


def test_a_running_prefix_is_copied() -> None:
    """A beginning that another sequence is using is shared, not computed twice."""
    slots = Slots(2, 1000)
    slots.place(1, [1, 2, 3], reserve=10)
    slots.extend(0, [1, 2, 3])
    assert slots.place(2, [1, 2, 4], reserve=10) == Placement(1, reused=2, copy_from=0)


def test_a_short_match_does_not_destroy_a_long_memory() -> None:
    """A slot that would lose more than it gives is copied from instead."""
    slots = filled([1, 2, 3, 4, 5, 6], [])
    assert slots.place(7, [1, 2, 9], reserve=10) == Placement(1, reused=2, copy_from=0)
    assert slots[0].tokens == [1, 2, 3, 4, 5, 6]


def test_the_longest_idle_slot_is_given_up_first() -> None:
    """Without a match the oldest memory goes."""
    slots = filled([1], [2], [3])
    assert slots.place(7, [9, 9], reserve=10) == Placement(0, reused=0)


def test_idle_slots_are_cleared_when_cells_run_short() -> None:
    """Promised cells go before remembered ones, oldest first."""
    slots = filled([1] * 40, [2] * 40, [], cells=100)
    assert slots.place(7, [3], reserve=50) == Placement(2, reused=0, clear=(0,))
    assert slots.used_cells == 90


def test_a_shared_source_may_be_cleared_after_the_copy() -> None:
    """The copy keeps what it took."""
    slots = filled([1] * 60, [], cells=100)
    assert slots.place(7, [1, 1, 9], reserve=90) == Placement(1, 2, copy_from=0, clear=(0,))


def test_nothing_is_promised_that_is_not_there() -> None:
    """With every slot or cell in use a sequence waits."""
    slots = Slots(1, 100)
    assert slots.place(1, [1], reserve=10) is not None
    assert slots.place(2, [1], reserve=10) is None
    few = Slots(2, 100)
    assert few.place(1, [1], reserve=60) is not None
    assert few.place(2, [1], reserve=60) is None


def test_a_memory_that_cannot_be_cut_is_not_reused() -> None:
    """Some kinds of models must begin anew every time."""
    slots = Slots(1, 100, reuse=False)
    slots.extend(0, [1, 2, 3])
    assert slots.place(7, [1, 2, 3, 4], reserve=10) == Placement(0, reused=0)
