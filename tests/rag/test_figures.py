"""Figures of runs, and what differs between two of them."""

import pytest

from governance.evaluation_runs import Asked, FoundPassage, Measured, RunItem
from rag.figures import CameBack, Change, came_back, compare, differences, figures_of, sign_test

HIT = FoundPassage("p1", "d1", 1, is_hit=True)
MISS = FoundPassage("p2", "d2", 1, is_hit=False)
OLD = FoundPassage("p3", "d3", 1, is_hit=False, in_force=False)
FOREIGN = FoundPassage("p4", "d4", 1, is_hit=False, is_own=False)


def item(number: int, measured: Measured | None, *, answerable: bool = True) -> RunItem:
    asked = Asked(f"g{number}", f"q{number}", f"Question {number}?", answerable)
    return RunItem(number, asked, measured, None)


def test_figures_follow_the_contract() -> None:
    """Means over all answerable questions; citations over all questions."""
    found = figures_of(
        [
            item(1, Measured("answered", "a", (MISS, HIT), (HIT, MISS), {"f1": 0.8})),
            item(2, Measured("not_found", "", (MISS,), (), {"f1": 0.0})),
            item(3, Measured("not_found", "", (MISS, MISS)), answerable=False),
            item(4, Measured("answered", "a", (MISS,), (MISS,)), answerable=False),
            item(5, None),
        ]
    )
    assert found["retrieval"]["recall@1"] == 0
    assert found["retrieval"]["recall@5"] == 0.5
    assert found["retrieval"]["mrr@10"] == 0.25
    assert found["answers"]["f1"] == 0.4
    assert found["answers"]["citation_precision"] == pytest.approx(1 / 3)
    assert found["answers"]["citation_recall"] == 0.5
    assert found["abstention"] == {
        "precision": 0.5,
        "recall": 0.5,
        "f1": 0.5,
        "answered_rate": 0.5,
    }
    assert found["safety"] == {"wrong_version_rate": 0, "leak_rate": 0, "failed_rate": 0}


def test_what_is_not_in_force_or_not_ours_is_counted() -> None:
    """Among passages found and cited."""
    found = figures_of([item(1, Measured("answered", "a", (OLD, FOREIGN, HIT), (OLD,)))])
    assert found["safety"]["wrong_version_rate"] == 0.5
    assert found["safety"]["leak_rate"] == 0.25


def test_an_empty_denominator_gives_no_figure() -> None:
    """Never 0 or 1."""
    values = [value for group in figures_of([]).values() for value in group.values()]
    assert values
    assert set(values) == {None}


def test_two_runs_are_compared_question_by_question() -> None:
    """By the same words; a question of one run alone is named."""
    before = [
        item(1, Measured("answered", "a", scores={"f1": 0.2})),
        item(2, Measured("answered", "a"), answerable=False),
        item(3, Measured("answered", "a", scores={"f1": 0.9})),
        item(4, Measured("failed")),
    ]
    after = [
        item(1, Measured("answered", "a", scores={"f1": 0.9})),
        item(2, Measured("not_found"), answerable=False),
        item(3, Measured("not_found")),
        item(5, Measured("failed")),
    ]
    found = compare(before, after)
    assert [pair.change for pair in found.pairs] == [Change.BETTER, Change.BETTER, Change.WORSE]
    assert (found.only_before, found.only_after) == (("q4",), ("q5",))
    assert found.p == 1.0


def test_the_sign_test_is_exact() -> None:
    """Five of five one way is 2 / 32; nothing changed says nothing."""
    assert sign_test(5, 0) == sign_test(0, 5) == 2 / 32
    assert sign_test(0, 0) == sign_test(3, 3) == 1.0


def test_differences_are_after_less_before() -> None:
    """None where either is."""
    found = differences({"a": {"x": 0.5, "y": None}}, {"a": {"x": 0.75, "y": 1.0, "z": 1.0}})
    assert found == {"a": {"x": 0.25, "y": None, "z": None}}


def test_questions_are_sorted_as_people_sort_them() -> None:
    """By whether the expected place was cited, or silence was right."""
    sorted_as = [
        came_back(item(1, Measured("answered", "a", (), (MISS, HIT)))),
        came_back(item(2, Measured("answered", "a", (HIT,), (MISS,)))),
        came_back(item(3, Measured("not_found", ""))),
        came_back(item(4, Measured("not_found", ""), answerable=False)),
        came_back(item(5, Measured("answered", "a", (), (HIT,)), answerable=False)),
        came_back(item(6, Measured("failed", error="Away."))),
        came_back(item(7, None)),
    ]
    assert sorted_as == [
        CameBack.RIGHT,
        CameBack.WRONG,
        CameBack.NOT_FOUND,
        CameBack.RIGHT,
        CameBack.WRONG,
        CameBack.FAILED,
        CameBack.UNASKED,
    ]
