"""Guesses from the prompt."""

import pytest

from runtime.lookup import DRAFT_TOKENS, LONGEST_PAUSE_TOKENS, Lookup

PROMPT = [1, 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, *range(40, 60)]


def after(*answer: int, limit: int = 15) -> Lookup:
    lookup = Lookup(PROMPT, limit)
    for token in answer:
        lookup.append(token)
    return lookup


@pytest.mark.parametrize(
    ("answer", "limit", "draft"),
    [
        ((4, 5, 6), 4, [7, 8, 9, 2]),  # what followed in the prompt
        ((4, 5, 6), 2, [7, 8]),  # no more than allowed
        ((2, 3, 4), 3, [40, 41, 42]),  # the most recent place
        ((1, 2, 3, 4), 3, [5, 6, 7]),  # a longer run is a better guess
        ((99, 98, 97), 8, []),
        ((70, 71, 72, 73, 70, 71, 72), 4, [73, 70, 71, 72]),  # the answer repeats itself
        ((42, 43, 44, 9, 42, 43, 44), 2, [45, 46]),  # the prompt is looked at first
        ((4, 5, 6), 0, []),
    ],
)
def test_what_followed_is_the_guess(answer: tuple[int, ...], limit: int, draft: list[int]) -> None:
    """The last few tokens are looked for, longer runs first."""
    assert after(*answer).draft(limit) == draft


def test_a_new_token_is_learned() -> None:
    """What was written since the last guess counts for the next one."""
    lookup = after(70, 71, 72, 73)
    assert lookup.draft(2) == []
    for token in (80, 70, 71, 72):
        lookup.append(token)
    assert lookup.draft(2) == [73, 80]


def test_a_right_guess_makes_the_next_one_longer() -> None:
    """And one of which hardly anything was right makes it short again."""
    lookup = after(2, 3, 4)
    assert len(lookup.draft(99)) == DRAFT_TOKENS[0]
    lookup.judge(7, 7)
    assert len(lookup.draft(99)) == DRAFT_TOKENS[1]
    lookup.judge(15, 5)
    assert len(lookup.draft(99)) == DRAFT_TOKENS[1]
    lookup.judge(15, 1)
    assert len(lookup.draft(99)) == DRAFT_TOKENS[0]


def test_wrong_guesses_pause_longer_each_time() -> None:
    """So that an answer in its own words costs next to nothing."""
    lookup = after(2, 3, 4)
    pauses = []
    for _ in range(6):
        lookup.judge(4, 0)
        pauses.append(0)
        while not lookup.draft(4):
            for token in (2, 3, 4):
                lookup.append(token)
                pauses[-1] += 1
    assert pauses[-1] >= LONGEST_PAUSE_TOKENS > pauses[0]


def test_switched_off_it_keeps_nothing() -> None:
    """A limit of none never guesses."""
    assert after(5, 6, limit=0).draft(8) == []
