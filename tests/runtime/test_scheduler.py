"""What the model works on next."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from runtime.scheduler import Scheduler, Step
from runtime.sequence import Sequence, SequenceState
from runtime.slots import Slots

CONTEXT, SEQUENCES, BATCH = 40, 3, 16
CELLS = CONTEXT * SEQUENCES


def sequence(number: int, tokens: list[int], limit: int = 5) -> Sequence:
    return Sequence(number, tokens, 400, limit)


def scheduler(batch: int = 100, sequences: int = 3, slots: int = 6) -> Scheduler:
    return Scheduler(Slots(slots, 10_000), sequences, batch)


def run(one: Scheduler, step: Step) -> None:
    """Pretend that the model computed a step and chose token 7 wherever one was due."""
    for piece in step.pieces:
        one.computed(piece)
        if piece.samples:
            piece.sequence.append(7)


def sizes(step: Step) -> list[tuple[int, int]]:
    return [(piece.sequence.id, piece.count) for piece in step.pieces]


def test_a_long_prompt_is_read_in_pieces() -> None:
    """No step is larger than the batch; only the last piece gives a token."""
    one = scheduler(batch=100)
    one.add(sequence(1, list(range(250))))
    steps = []
    for _ in range(3):
        steps.append(one.next_step())
        run(one, steps[-1])
    assert [sizes(step) for step in steps] == [[(1, 100)], [(1, 100)], [(1, 50)]]
    assert [step.pieces[0].samples for step in steps] == [False, False, True]


def test_writing_goes_before_reading() -> None:
    """A running answer gets its token in every step, beside somebody's long prompt."""
    one = scheduler(batch=10)
    one.add(sequence(1, [1, 2]))
    run(one, one.next_step())
    one.add(sequence(2, list(range(100, 200))))
    assert sizes(one.next_step()) == [(1, 1), (2, 9)]


def test_several_prompts_share_a_step() -> None:
    """Short prompts are read together."""
    one = scheduler(batch=100)
    for number in (1, 2, 3):
        one.add(sequence(number, [number] * 10))
    assert sizes(one.next_step()) == [(1, 10), (2, 10), (3, 10)]


def test_who_comes_too_late_waits_in_order() -> None:
    """No more run at once than allowed; the next one starts when one ends."""
    one = scheduler(sequences=1)
    first, second = sequence(1, [1, 2]), sequence(2, [3, 4])
    one.add(first)
    one.add(second)
    run(one, one.next_step())
    assert one.waiting == (second,)
    one.finish(first)
    assert sizes(one.next_step()) == [(2, 2)]


def test_a_shared_beginning_is_awaited() -> None:
    """Ten questions on the same passages read them once."""
    one = scheduler(batch=64)
    shared = list(range(1000, 1200))
    one.add(sequence(1, [*shared, 1]))
    one.add(sequence(2, [*shared, 2]))
    run(one, one.next_step())
    assert len(one.waiting) == 1
    placements = []
    while one.waiting:
        step = one.next_step()
        placements += step.placements
        run(one, step)
    assert placements[0].copy_from is not None
    assert placements[0].reused > 200 - 64


def test_a_cancelled_sequence_leaves_at_once() -> None:
    """Waiting or running, its place is free for the next."""
    one = scheduler(sequences=1)
    first, second, third = (sequence(n, [n, n]) for n in (1, 2, 3))
    for each in (first, second, third):
        one.add(each)
    run(one, one.next_step())
    one.finish(second)
    one.finish(first)
    assert sizes(one.next_step()) == [(3, 2)]


class Machine(RuleBasedStateMachine):
    """Random arrivals, steps and departures; `memory` is what a model would really hold."""

    def __init__(self) -> None:
        super().__init__()
        self.slots = Slots(SEQUENCES + 2, CELLS)
        self.scheduler = Scheduler(self.slots, SEQUENCES, BATCH)
        self.memory: dict[int, list[int]] = {slot.index: [] for slot in self.slots}
        self.live: list[Sequence] = []
        self.number = 0

    @rule(
        tokens=st.lists(st.integers(0, 2), min_size=1, max_size=CONTEXT - 1),
        limit=st.integers(1, 60),
        shift=st.booleans(),
    )
    def arrive(self, tokens: list[int], limit: int, shift: bool) -> None:
        self.number += 1
        one = Sequence(self.number, tokens, CONTEXT, limit, keep_tokens=2, may_shift=shift)
        self.live.append(one)
        self.scheduler.add(one)

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.live))
        self.live.remove(one)
        self.scheduler.finish(one)

    @precondition(lambda self: self.live)
    @rule(token=st.integers(0, 2))
    def step(self, token: int) -> None:
        step = self.scheduler.next_step()
        for placement in step.placements:
            source = placement.slot if placement.copy_from is None else placement.copy_from
            self.memory[placement.slot] = self.memory[source][: placement.reused]
            for index in placement.clear:
                self.memory[index] = []
        assert step.pieces, "as long as somebody waits there is something to do"
        assert sum(piece.count for piece in step.pieces) <= BATCH
        for piece in step.pieces:
            one = piece.sequence
            self.memory[one.slot] += one.tokens[piece.start : piece.start + piece.count]
            self.scheduler.computed(piece)
            if piece.samples:
                self._sample(one, token)

    def _sample(self, one: Sequence, token: int) -> None:
        if one.is_full:
            kept = one.shift()
            self.slots.truncate(one.slot, kept)
            del self.memory[one.slot][kept:]
        one.append(token)
        if one.limit_reached():
            self.live.remove(one)
            self.scheduler.finish(one)

    @invariant()
    def memory_is_as_noted(self) -> None:
        """The notes of the slots are what the model holds."""
        assert {slot.index: slot.tokens for slot in self.slots} == self.memory

    @invariant()
    def a_running_sequence_continues_its_own_tokens(self) -> None:
        """What is computed of a sequence is its own beginning."""
        for one in self.scheduler.running:
            assert self.memory[one.slot] == one.tokens[: one.computed]
            assert one.state is SequenceState.RUNNING
            assert self.slots[one.slot].owner == one.id

    @invariant()
    def promises_can_be_kept(self) -> None:
        """Never more cells, slots or sequences than there are."""
        assert self.slots.used_cells <= CELLS
        assert len(self.scheduler.running) <= SEQUENCES
        owners = [slot.owner for slot in self.slots if not slot.is_free]
        assert sorted(owners) == sorted(one.id for one in self.scheduler.running)


Machine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestEveryHistory = Machine.TestCase
