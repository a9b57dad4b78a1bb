"""What the model works on next."""

import itertools
import os
from collections.abc import Iterable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from runtime.lookup import Lookup
from runtime.prompt_cache import PromptCache
from runtime.scheduler import PATIENCE, Piece, Scheduler, Step
from runtime.sequence import Sequence, SequenceState
from runtime.slots import Cut, Placement, Slots

CONTEXT, SEQUENCES, BATCH = 40, 4, 16
CELLS = CONTEXT * 2  # less than everybody could need: sharing and waiting make up for it
IDLE, KEPT = CONTEXT // 2, CONTEXT * 2
STEPS = int(os.environ.get("RUNTIME_STEPS", "5000"))
STEPS_EACH = 50


def sequence(number: int, tokens: list[int], limit: int = 5, share: str = "") -> Sequence:
    return Sequence(number, tokens, 400, limit, share=share)


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


def test_writing_goes_on_beside_somebodys_long_prompt() -> None:
    """Each has every second step, until what is left of the prompt is little."""
    one = scheduler(batch=100)
    one.add(sequence(1, [1, 2], limit=50))
    run(one, one.next_step())
    one.add(sequence(2, list(range(100, 350))))
    steps = []
    for _ in range(5):
        step = one.next_step()
        run(one, step)
        steps.append(sizes(step))
    assert steps == [[(2, 100)], [(1, 1)], [(2, 100)], [(1, 1), (2, 50)], [(1, 1), (2, 1)]]


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
    placements: list[Placement] = []
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


def test_who_waits_for_a_shared_beginning_holds_up_nobody() -> None:
    """An unrelated prompt behind it starts at once."""
    one = scheduler(batch=64)
    shared = list(range(1000, 1200))
    for number, tokens in enumerate(([*shared, 1], [*shared, 2], [5, 6, 7])):
        one.add(sequence(number, tokens))
    run(one, one.next_step())
    assert [s.id for s in one.running] == [0, 2]
    assert [s.id for s in one.waiting] == [1]


def test_nobody_is_passed_for_ever() -> None:
    """After PATIENCE others it starts, even if the shared beginning is not there yet."""
    one = scheduler(batch=3, sequences=3)
    shared = list(range(1000, 1390))
    late = sequence(1, [*shared, 2])
    one.add(sequence(0, [*shared, 1]))
    one.add(late)
    run(one, one.next_step())
    for number in range(2, 2 + PATIENCE + 1):
        short = sequence(number, [number])
        one.add(short)
        run(one, one.next_step())
        if short.state is SequenceState.RUNNING:
            one.finish(short)
    assert late.passed == PATIENCE
    assert late.state is SequenceState.RUNNING


def test_a_large_request_is_not_passed_by_small_ones() -> None:
    """One that needs more room than there is now stops the line until there is."""
    one = Scheduler(Slots(6, 100), 3, 100)
    first, large, small = sequence(1, [1] * 50), sequence(2, [2] * 80), sequence(3, [3] * 2)
    for each in (first, large, small):
        one.add(each)
    assert sizes(one.next_step()) == [(1, 50)]
    assert one.waiting == (large, small)
    one.finish(first)
    assert sizes(one.next_step()) == [(2, 80), (3, 2)]


def test_departments_take_turns_at_the_slots() -> None:
    """One department's many requests do not hold up another's single one."""
    one = scheduler(sequences=2)
    for number, share in enumerate("aaab"):
        one.add(sequence(number, [number] * 3, share=share))
    one.next_step()
    assert [s.id for s in one.running] == [0, 3]


@pytest.mark.parametrize(
    ("writers", "readers", "drafted"),
    [(1, 0, 15), (2, 0, 2), (3, 0, 1), (4, 0, 0), (9, 0, 3), (1, 1, 0), (9, 1, 0)],
)
def test_drafts_never_cost_others(writers: int, readers: int, drafted: int) -> None:
    """Alone a whole batch, with others what fills up a four, beside prompts nothing."""
    one = Scheduler(Slots(12, 10_000), 12, 100, lambda _, limit: [7] * limit)
    for number in range(writers):
        one.add(sequence(number, [number, 1], limit=50))
    run(one, one.next_step())
    for number in range(readers):
        one.add(sequence(100 + number, [number] * 50))
    step = one.next_step()
    assert sum(len(piece.draft) for piece in step.pieces) == drafted


def test_a_draft_ends_with_its_answer() -> None:
    """Nothing is guessed behind the last token that may be written."""
    one = Scheduler(Slots(2, 1000), 2, 100, lambda _, limit: [7] * limit)
    one.add(sequence(1, [1, 2], limit=4))
    run(one, one.next_step())
    assert len(one.next_step().pieces[0].draft) == 2


def says(tokens: list[int]) -> int:
    """A model: what it says depends on every token, and is often a quote."""
    return (sum(tokens[-3:]) + len(tokens) // 7 + tokens[0]) % 3


def alone(one: Sequence) -> list[int]:
    """What a sequence writes when it has a model for itself."""
    twin = Sequence(
        0, list(one.tokens), one.context_tokens, one.max_new_tokens, one.keep_tokens, one.may_shift
    )
    written = []
    while True:
        written.append(says(twin.tokens))
        if twin.is_full:
            twin.shift()
        twin.append(written[-1])
        if twin.limit_reached():
            return written


class Machine(RuleBasedStateMachine):
    """Random arrivals, steps and departures.

    `memory` is what a model would really hold: the cells of each slot, a cell being a number with
    a token. The model reads nothing else.
    """

    def __init__(self) -> None:
        super().__init__()
        cache = PromptCache(KEPT, least=3)
        self.slots = Slots(SEQUENCES + 3, CELLS, idle_cells=IDLE, cache=cache)
        self.scheduler = Scheduler(self.slots, SEQUENCES, BATCH, self.draft)
        self.memory: dict[int, list[tuple[int, int]]] = {slot: [] for slot in self.slots}
        self.kept: dict[int, list[int]] = {}
        self.cell = itertools.count()
        self.live: list[Sequence] = []
        self.lookups: dict[int, Lookup] = {}
        self.expected: dict[int, list[int]] = {}
        self.written: dict[int, list[int]] = {}
        self.number = 0

    def draft(self, one: Sequence, limit: int) -> list[int]:
        return self.lookups[one.id].draft(limit)

    @rule(
        tokens=st.lists(st.integers(0, 2), min_size=1, max_size=CONTEXT - 1),
        limit=st.integers(1, 60),
        shift=st.booleans(),
        share=st.sampled_from("ab"),
    )
    def arrive(self, tokens: list[int], limit: int, shift: bool, share: str) -> None:
        self.number += 1
        one = Sequence(self.number, tokens, CONTEXT, limit, 2, shift, share)
        self.live.append(one)
        self.lookups[one.id] = Lookup(tokens, 6)
        self.expected[one.id] = alone(one)
        self.written[one.id] = []
        self.scheduler.add(one)

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.live))
        self.live.remove(one)
        self.scheduler.finish(one)

    @precondition(lambda self: self.live)
    @rule(count=st.integers(1, 8))
    def steps(self, count: int) -> None:
        for _ in range(count):
            if self.live:
                self.step()

    def step(self) -> None:
        step = self.scheduler.next_step()
        for placement in step.placements:
            self.place(placement)
        self.let_go()
        assert step.pieces, "as long as somebody waits there is something to do"
        assert sum(piece.count + len(piece.draft) for piece in step.pieces) <= BATCH
        for piece in step.pieces:
            one = piece.sequence
            tokens = one.tokens[piece.start : piece.start + piece.count]
            self.memory[one.slot] += [(next(self.cell), t) for t in (*tokens, *piece.draft)]
        assert self.cells_in_use() <= CELLS, "a draft has room, too"
        for piece in step.pieces:
            self.scheduler.computed(piece)
            if piece.samples:
                self.sample(piece)

    def place(self, placement: Placement) -> None:
        slot, reused = placement.slot, placement.reused
        if placement.restore is None:
            source = slot if placement.copy_from is None else placement.copy_from
            self.memory[slot] = self.memory[source][:reused]
            self.cut(placement.cuts)
            return
        tokens = self.kept[placement.restore]
        self.memory[slot] = []
        self.cut(placement.cuts)
        self.memory[slot] = [(next(self.cell), token) for token in tokens]
        assert self.cells_in_use() <= CELLS, "all of it fits before it is cut"
        del self.memory[slot][reused:]

    def cut(self, cuts: Iterable[Cut]) -> None:
        for cut in cuts:
            if cut.keep_as is not None:
                self.kept[cut.keep_as] = [token for _, token in self.memory[cut.slot]]
            del self.memory[cut.slot][cut.length :]

    def let_go(self) -> None:
        for key in self.slots.take_forgotten():
            del self.kept[key]
        assert sum(map(len, self.kept.values())) <= KEPT

    def sample(self, piece: Piece) -> None:
        one, slot = piece.sequence, piece.sequence.slot
        held = [token for _, token in self.memory[slot]]
        first = len(held) - len(piece.draft)
        right = 0
        self.write(one, says(held[:first]))
        for place, guess in enumerate(piece.draft, start=first + 1):
            if one.state is SequenceState.FINISHED or one.tokens[-1] != guess:
                break
            self.scheduler.confirmed(one)
            right += 1
            self.write(one, says(held[:place]))
        if piece.draft:
            self.lookups[one.id].judge(len(piece.draft), right)
            del self.memory[slot][self.slots.length(slot) :]

    def write(self, one: Sequence, token: int) -> None:
        if one.is_full:
            kept = one.shift()
            del self.memory[one.slot][kept:]
            cuts = self.slots.shrink(one.slot, kept)
            if cuts is None:
                self.end(one)
                return
            self.cut(cuts)
            self.let_go()
        one.append(token)
        self.lookups[one.id].append(token)
        self.written[one.id].append(token)
        if one.limit_reached():
            assert self.written[one.id] == self.expected[one.id]
            self.end(one)

    def end(self, one: Sequence) -> None:
        self.live.remove(one)
        self.scheduler.finish(one)

    def cells_in_use(self) -> int:
        return len({cell for cells in self.memory.values() for cell, _ in cells})

    @invariant()
    def memory_is_as_noted(self) -> None:
        """The notes of the slots are what the model holds, cell for cell."""
        held = {slot: [token for _, token in cells] for slot, cells in self.memory.items()}
        assert {slot: self.slots.tokens(slot) for slot in self.slots} == held
        assert self.slots.used_cells == self.cells_in_use()

    @invariant()
    def everybody_writes_what_they_would_write_alone(self) -> None:
        """No token is lost, written twice or given to somebody else."""
        for number, written in self.written.items():
            assert written == self.expected[number][: len(written)]

    @invariant()
    def a_running_sequence_continues_its_own_tokens(self) -> None:
        """What is computed of a sequence is its own beginning."""
        for one in self.scheduler.running:
            assert self.slots.tokens(one.slot) == one.tokens[: one.computed]
            assert one.state is SequenceState.RUNNING
            assert self.slots.owner(one.slot) == one.id

    @invariant()
    def promises_can_be_kept(self) -> None:
        """Never more cells, slots or sequences than there are."""
        assert self.slots.used_cells + self.slots.promised_cells <= CELLS
        assert len(self.scheduler.running) <= SEQUENCES
        owners = [self.slots.owner(slot) for slot in self.slots]
        running = sorted(one.id for one in self.scheduler.running)
        assert sorted(owner for owner in owners if owner is not None) == running

    def teardown(self) -> None:
        """Whoever is still there is served to the end."""
        for _ in range(10_000):
            if not self.live:
                break
            self.step()
        assert not self.live
        self.memory_is_as_noted()
        self.everybody_writes_what_they_would_write_alone()


Machine.TestCase.settings = settings(
    max_examples=max(STEPS // STEPS_EACH, 1), stateful_step_count=STEPS_EACH, deadline=None
)
TestEveryHistory = Machine.TestCase
