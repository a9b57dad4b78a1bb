"""Which beginnings are kept when the key-value memory gives them up."""

import pytest

from runtime.prompt_cache import PromptCache

TOPIC = list(range(200))


def test_what_was_kept_is_found_by_its_beginning() -> None:
    """As much of it as the prompt shares."""
    cache = PromptCache(1000)
    key = cache.keep(TOPIC, lost=200)
    found = cache.match([*TOPIC[:150], 999])
    assert found is not None
    assert (found.key, found.length, len(found.tokens)) == (key, 150, 200)


def test_what_was_not_used_for_longest_is_forgotten_first() -> None:
    """To be in use counts, not when it came."""
    cache = PromptCache(500)
    first, second = (cache.keep([n] * 200, lost=200) for n in (1, 2))
    assert first is not None
    cache.touch(first)
    cache.keep([3] * 200, lost=200)
    assert cache.take_forgotten() == [second]
    assert cache.take_forgotten() == []
    assert cache.tokens == 400


def test_a_conversation_that_went_on_takes_the_place_of_its_beginning() -> None:
    """All of the earlier turn is in it."""
    cache = PromptCache(1000)
    early = cache.keep(TOPIC, lost=200)
    late = cache.keep([*TOPIC, *[7] * 150], lost=150)
    assert cache.take_forgotten() == [early]
    found = cache.match(TOPIC)
    assert found is not None
    assert found.key == late
    assert cache.tokens == 350


@pytest.mark.parametrize(
    ("tokens", "lost", "why"),
    [
        (TOPIC[:100], 100, "too short"),
        ([*TOPIC, 8, 9], 2, "little of it is lost"),
        (TOPIC[:180], 180, "it is kept already"),
        ([5] * 2000, 2000, "there is no room at all"),
    ],
)
def test_what_is_not_worth_it_is_not_kept(tokens: list[int], lost: int, why: str) -> None:
    """To copy it would cost more than it saves."""
    cache = PromptCache(1000)
    cache.keep(TOPIC, lost=200)
    assert cache.keep(tokens, lost) is None, why
    assert cache.tokens == 200


def test_to_be_given_up_again_is_to_have_been_in_use() -> None:
    """It need not be copied a second time, and stays the longer."""
    cache = PromptCache(400)
    first, second = (cache.keep([n] * 200, lost=200) for n in (1, 2))
    assert cache.keep([1] * 200, lost=200) is None
    cache.keep([3] * 200, lost=200)
    assert cache.take_forgotten() == [second]
    assert first is not None
