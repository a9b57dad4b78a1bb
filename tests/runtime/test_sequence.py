"""The life of one answer."""

import pytest

from runtime.sequence import TRANSITIONS, Sequence, SequenceState


def sequence(tokens: int = 10, context: int = 20, limit: int = 5, shift: bool = True) -> Sequence:
    return Sequence(1, list(range(tokens)), context, limit, keep_tokens=4, may_shift=shift)


def test_a_sequence_reserves_what_it_may_need() -> None:
    """Prompt and answer together, but never more than the context."""
    assert sequence(tokens=10, limit=5).reserve == 15
    assert sequence(tokens=10, limit=500).reserve == 20


def test_a_reused_beginning_is_not_computed_again() -> None:
    """What the slot holds counts as computed; the last token is always left to do."""
    one = sequence(tokens=10)
    one.start(slot=0, reused=7)
    assert (one.pending, one.state) == (3, SequenceState.RUNNING)
    with pytest.raises(AssertionError):
        sequence(tokens=10).start(slot=0, reused=10)


def test_an_answer_ends_at_its_limit() -> None:
    """After as many tokens as were asked for."""
    one = sequence(limit=2)
    one.start(0, 0)
    for token in (100, 101):
        assert not one.limit_reached()
        one.advance(one.pending)
        one.append(token)
    assert one.limit_reached()


def test_a_full_context_ends_an_answer_that_may_not_shift() -> None:
    """Without shifting the context is the limit."""
    one = sequence(tokens=19, context=20, limit=100, shift=False)
    one.start(0, 0)
    one.advance(19)
    one.append(100)
    assert one.limit_reached()
    assert not sequence(tokens=19, context=20, limit=100).limit_reached()


def test_a_shift_keeps_the_beginning_and_the_newer_half() -> None:
    """The first tokens stay computed, the rest is computed again at its new place."""
    one = sequence(tokens=19, context=20, limit=100)
    one.start(0, 0)
    one.advance(19)
    one.append(19)
    assert one.is_full
    assert one.shift() == 4
    assert one.tokens == [0, 1, 2, 3, *range(12, 20)]
    assert (one.pending, one.is_full) == (8, False)


@pytest.mark.parametrize("state", list(SequenceState))
def test_no_state_leads_back(state: SequenceState) -> None:
    """A life cycle goes one way, and ends."""
    order = list(SequenceState)
    assert all(order.index(after) > order.index(state) for after in TRANSITIONS[state])


def test_a_finished_sequence_stays_finished() -> None:
    """Nothing can be done with it any more."""
    one = sequence()
    one.move_to(SequenceState.FINISHED)
    with pytest.raises(AssertionError):
        one.start(0, 0)
