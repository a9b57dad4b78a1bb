"""Who waits, and in which order they are served."""

import pytest

from runtime.line import Line
from runtime.sequence import Sequence


def queue(shares: str) -> tuple[Line, list[Sequence]]:
    line, all_of_them = Line(), []
    for number, share in enumerate(shares):
        all_of_them.append(Sequence(number, [1], 10, 5, share=share))
        line.add(all_of_them[-1])
    return line, all_of_them


@pytest.mark.parametrize(
    ("arrived", "served"),
    [
        ("aaa", [0, 1, 2]),
        ("aaab", [0, 3, 1, 2]),
        ("aaabbb", [0, 3, 1, 4, 2, 5]),
        ("aabcb", [0, 2, 3, 1, 4]),
        ("", []),
    ],
)
def test_departments_take_turns(arrived: str, served: list[int]) -> None:
    """And within a department the first is first; asking shows the order without changing it."""
    line, _ = queue(arrived)
    assert [one.id for one in line] == served
    order = []
    while line:
        first = next(iter(line))
        line.serve(first)
        order.append(first.id)
    assert order == served


def test_who_was_served_is_last_in_turn() -> None:
    """A department that comes back waits for those that have not been served since."""
    line, all_of_them = queue("aab")
    line.serve(all_of_them[0])
    line.add(Sequence(9, [1], 10, 5, share="c"))
    assert [one.id for one in line] == [2, 1, 9]


def test_who_gives_up_costs_the_department_no_turn() -> None:
    """The next one of the department has its place."""
    line, all_of_them = queue("aab")
    line.remove(all_of_them[0])
    assert [one.id for one in line] == [1, 2]
    assert len(line) == 2
