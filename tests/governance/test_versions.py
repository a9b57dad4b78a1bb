"""The life of a version follows its table, and its times in force never overlap."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import IllegalTransition
from governance.versions import (
    TRANSITIONS,
    Act,
    Span,
    VersionState,
    approved,
    check_transition,
    recalled,
    retired,
    state_at,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
EVERY_STEP = [(act, state) for act in Act for state in VersionState]


def day(number: int) -> datetime:
    return START + timedelta(days=number)


@pytest.mark.parametrize(("act", "state"), EVERY_STEP)
def test_only_acts_of_the_table_are_done(act: Act, state: VersionState) -> None:
    """Every act in every state either leads where the table says or is refused in words."""
    if state in TRANSITIONS[act].sources:
        assert check_transition(act, state) is TRANSITIONS[act].target
    else:
        with pytest.raises(IllegalTransition, match=f"This version is {state}"):
            check_transition(act, state)


def test_nothing_that_was_in_force_leads_back() -> None:
    """A superseded or retired version is never the source of an act."""
    over = {VersionState.SUPERSEDED, VersionState.RETIRED}
    assert all(not over & one.sources for one in TRANSITIONS.values())


def test_the_clock_makes_an_approved_version_effective_and_superseded() -> None:
    """The first moment is in, the last is not, and nobody has to be awake."""
    span = Span(day(1), day(3))
    states = [state_at(VersionState.APPROVED, span, day(n)) for n in range(4)]
    assert states == ["approved", "effective", "effective", "superseded"]


@pytest.mark.parametrize("stored", [s for s in VersionState if s is not VersionState.APPROVED])
def test_other_states_do_not_follow_the_clock(stored: VersionState) -> None:
    """A retired version stays retired, whatever its times were."""
    assert state_at(stored, Span(day(1)), day(2)) is stored


def test_a_new_version_ends_the_one_before() -> None:
    """The old one is in force until the very moment in which the new one begins."""
    assert approved({1: Span(day(0))}, 2, day(5)) == {1: Span(day(0), day(5)), 2: Span(day(5))}


def test_a_version_cannot_begin_before_one_that_is_approved() -> None:
    """Version 3 is named with its day, so that somebody can recall it."""
    with pytest.raises(IllegalTransition, match=r"Version 3 is approved .* 06 March 2026"):
        approved({3: Span(day(5))}, 4, day(4))


def test_a_recalled_version_gives_its_time_back() -> None:
    """The one that would have ended goes on without an end."""
    spans = {1: Span(day(0), day(5)), 2: Span(day(5))}
    assert recalled(spans, 2) == {1: Span(day(0))}


def test_a_version_that_was_retired_before_is_not_revived_by_a_recall() -> None:
    """Version 1 had ended by itself, so it stays so."""
    assert recalled({1: Span(day(0), day(2)), 2: Span(day(5))}, 2) == {}


def test_a_retired_version_ends_now() -> None:
    """What was approved to follow it still comes on its day."""
    assert retired({1: Span(day(0), day(5)), 2: Span(day(5))}, 1, day(3)) == {
        1: Span(day(0), day(3))
    }


@given(st.lists(st.tuples(st.sampled_from(["approve", "recall", "retire"]), st.integers(0, 20))))
def test_times_in_force_never_overlap(acts: list[tuple[str, int]]) -> None:
    """Whatever is approved, recalled and retired in whatever order: one version at a time."""
    spans: dict[int, Span] = {}
    now = 0
    for act, ahead in acts:
        now += 1
        last = max(spans, default=0)
        if act == "approve":
            try:
                spans |= approved(spans, last + 1, day(now + ahead))
            except IllegalTransition:
                continue
        elif last and act == "recall" and spans[last].begins > day(now):
            spans |= recalled(spans, last)
            del spans[last]
        elif act == "retire":
            in_force = [number for number, span in spans.items() if span.holds(day(now))]
            spans |= retired(spans, in_force[0], day(now)) if in_force else {}
        for at in range(45):
            assert sum(span.holds(day(at)) for span in spans.values()) <= 1
