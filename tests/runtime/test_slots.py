"""Who has which part of the memory."""

import pytest

from runtime.prompt_cache import PromptCache
from runtime.slots import Cut, Placement, Slots


def filled(*contents: list[int], cells: int = 1000, free: int = 0) -> Slots:
    """Idle slots with these tokens, oldest first, and some empty ones."""
    slots = Slots(len(contents) + free, cells)
    for number, tokens in enumerate(contents):
        placed = slots.place(number, tokens, len(tokens))
        assert placed is not None
        slots.extend(placed.slot, tokens[placed.reused :])
        slots.release(placed.slot)
    return slots


def test_an_earlier_prompt_is_continued() -> None:
    """The next turn of a conversation starts where the last one ended, and takes its place."""
    slots = filled([1, 2, 3], [9], free=1)
    assert slots.place(7, [1, 2, 3, 4, 5], reserve=10) == Placement(2, 3, 0, (Cut(0, 0),))
    assert slots.used_cells == 4


def test_an_earlier_prompt_is_continued_in_place_where_there_is_no_other() -> None:
    """The only idle slot is cut to what is shared."""
    slots = filled([1, 2, 3, 8])
    assert slots.place(7, [1, 2, 3, 4, 5], reserve=10) == Placement(0, 3)
    assert slots.tokens(0) == [1, 2, 3]


def test_the_same_prompt_again_leaves_one_token_to_compute() -> None:
    """The last token's logits are needed, so it is computed in any case."""
    slots = filled([1, 2, 3])
    assert slots.place(7, [1, 2, 3], reserve=10) == Placement(0, reused=2)


def test_a_running_prefix_is_shared() -> None:
    """Two running sequences hold the same cells, which are counted once."""
    slots = Slots(2, 1000)
    slots.place(1, [1, 2, 3], reserve=10)
    slots.extend(0, [1, 2, 3])
    assert slots.place(2, [1, 2, 4], reserve=10) == Placement(1, reused=2, copy_from=0)
    assert (slots.used_cells, slots.promised_cells) == (3, 7 + 8)


def test_ten_questions_on_one_topic_need_its_cells_once() -> None:
    """A shared beginning lets more run at once than memory without sharing could hold."""
    slots = Slots(10, 1000)
    topic = list(range(800))
    for number in range(10):
        assert slots.place(number, [*topic, 1000 + number], reserve=815) is not None
        slots.extend(number, [*topic, 1000 + number][slots.length(number) :])
    assert slots.used_cells == 810


def test_the_longest_idle_slot_is_given_up_first() -> None:
    """Without a match the oldest memory goes, when no number is free."""
    slots = filled([1], [2], [3])
    assert slots.place(7, [9, 9], reserve=10) == Placement(0, reused=0)
    assert [slots.tokens(slot) for slot in slots] == [[], [2], [3]]


def test_no_more_is_given_up_than_is_needed() -> None:
    """The oldest is cut from its end, and keeps its beginning."""
    slots = filled([1] * 40, [2] * 40, cells=100, free=1)
    assert slots.place(7, [3], reserve=50) == Placement(2, 0, cuts=(Cut(0, 10),))
    assert slots.used_cells + slots.promised_cells == 100


def test_what_others_still_share_outlives_an_old_answer() -> None:
    """The passages that somebody asked about lately stay; the end of the old answer goes."""
    topic = [5] * 40
    slots = filled([*topic, 1, 1, 1, 1], [*topic, 2, 2], cells=60, free=1)
    assert slots.place(7, [3], reserve=18) == Placement(2, 0, cuts=(Cut(0, 40),))
    assert slots.there([*topic, 2, 2, 9]) == 42


def test_a_running_sequence_loses_nothing() -> None:
    """With every slot or cell promised, the next one waits, and nothing has changed."""
    slots = Slots(1, 100)
    assert slots.place(1, [1], reserve=10) is not None
    assert slots.place(2, [1], reserve=10) is None
    few = filled([5] * 30, cells=100, free=2)
    assert few.place(1, [1], reserve=60) is not None
    assert few.place(2, [1], reserve=60) is None
    assert few.tokens(0) == [5] * 30


def test_a_prompt_does_not_push_out_its_own_beginning() -> None:
    """What is about to be reused is given up last of all."""
    slots = filled([1] * 60, [2] * 30, cells=100, free=1)
    placed = slots.place(7, [*([1] * 60), 9], reserve=100)
    assert placed == Placement(2, 60, 0, (Cut(0, 0), Cut(1, 0)))


@pytest.mark.parametrize(("cells", "granted"), [(100, True), (45, False)])
def test_a_context_that_starts_again_needs_room_again(cells: int, granted: bool) -> None:
    """What it gives up may be held by others; then there may be no room to go on."""
    slots = Slots(2, cells)
    slots.place(1, [1] * 30, reserve=30)
    slots.extend(0, [1] * 30)
    slots.place(2, [*([1] * 29), 2], reserve=32)
    slots.extend(1, [2])
    assert (slots.shrink(0, 4) is not None) is granted


def test_a_memory_that_cannot_be_cut_is_not_reused() -> None:
    """Some kinds of models must begin anew every time."""
    slots = Slots(1, 100, reuse=False)
    slots.place(1, [1, 2, 3], 3)
    slots.extend(0, [1, 2, 3])
    slots.release(0)
    assert slots.place(7, [1, 2, 3, 4], reserve=10) == Placement(0, reused=0)


def test_an_emptied_memory_holds_nothing() -> None:
    """After a failure everything begins anew."""
    slots = filled([1, 2, 3])
    slots.forget()
    assert (slots.used_cells, slots.there([1, 2, 3])) == (0, 0)


def with_cache(*contents: list[int], idle: int, kept: int = 1000) -> Slots:
    """One idle slot after the other with these tokens, and a cache for what is given up."""
    slots = Slots(8, 1000, idle_cells=idle, cache=PromptCache(kept))
    for number, tokens in enumerate(contents):
        placed = slots.place(number, tokens, len(tokens))
        assert placed is not None
        slots.extend(placed.slot, tokens[placed.reused :])
        slots.release(placed.slot)
    return slots


def test_too_many_idle_cells_are_kept_elsewhere() -> None:
    """Every step would look through them."""
    slots = with_cache([1] * 150, idle=100)
    assert slots.place(7, [9] * 20, reserve=30) == Placement(1, 0, cuts=(Cut(0, 0, keep_as=1),))
    assert slots.used_cells == 0


def test_a_kept_beginning_is_brought_back() -> None:
    """Into a slot of its own, as far as the prompt shares it, and others share it there."""
    slots = with_cache([1] * 150, [9] * 20, idle=100)
    asked = [*[1] * 140, 5, 6]
    assert slots.there(asked) == 140
    assert slots.place(7, asked, reserve=160) == Placement(0, 140, restore=1)
    slots.extend(0, [5, 6])
    again = slots.place(8, [*[1] * 140, 7, 7], reserve=160)
    assert again is not None
    assert (again.reused, again.copy_from, again.restore) == (140, 0, None)


def test_what_comes_back_needs_room_for_all_of_it() -> None:
    """It is cut to what is wanted only when it is there."""
    slots = Slots(4, 400, idle_cells=0, cache=PromptCache(1000))
    slots.place(0, [1] * 300, 300)
    slots.extend(0, [1] * 300)
    slots.release(0)
    assert slots.place(1, [9] * 50, 150) is not None
    assert slots.place(2, [*[1] * 100, 5], reserve=110) is None
    slots.release(1)
    placed = slots.place(2, [*[1] * 100, 5], reserve=110)
    assert placed is not None
    assert placed.restore is not None


def test_a_short_tail_is_not_kept_but_its_topic_is() -> None:
    """The passages that many ask about, once, and not once for each answer."""
    topic = [3] * 200
    slots = with_cache([*topic, 1, 1], [*topic, 2, 2], idle=50)
    placed = slots.place(7, [9] * 20, reserve=30)
    assert placed is not None
    assert [cut.keep_as for cut in placed.cuts if cut.keep_as] == [1]
    assert slots.there([*topic, 5]) == 200


def test_without_a_cache_idle_cells_stay() -> None:
    """Nothing is given up that would have to be computed again."""
    slots = filled([1] * 150, [2] * 150, free=1)
    placed = slots.place(7, [9] * 20, reserve=30)
    assert placed is not None
    assert placed.cuts == ()
