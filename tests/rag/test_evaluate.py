"""Every figure of the contract, on recorded results whose score can be told by hand."""

import math

import pytest

from rag.evaluate import Found, Given, Item, contains, exact, f1, is_hit, percentile, score
from rag.questions import Gold, Question

GOLD = (Gold("a.pdf", "Vials are discarded after 28 days."),)
HIT = Found("a.pdf", "Intro. Vials are dis-\ncarded AFTER 28 days. More.")
MISS = Found("a.pdf", "Something else.")
ELSEWHERE = Found("b.pdf", HIT.text)


def question(number: int, answerable: bool = True) -> Question:
    gold = GOLD if answerable else ()
    return Question(str(number), "How long?", answerable, ("28 days",), "extractive", gold)


@pytest.mark.parametrize(
    ("found", "hit"),
    [
        (HIT, True),
        (MISS, False),
        (ELSEWHERE, False),
        (Found("a.pdf", "after 28 days, discarded"), True),  # four of six words
        (Found("a.pdf", "28 days"), False),  # two of six
        (Found("a.pdf", ""), False),
    ],
)
def test_hits(found: Found, hit: bool) -> None:
    """The right file with the evidence after folding, or with half of its words."""
    assert is_hit(found, GOLD) is hit


def test_retrieval() -> None:
    """The first hit's rank decides; unanswerable questions do not count."""
    items = [
        Item(question(1), (HIT, MISS)),
        Item(question(2), (MISS, MISS, HIT)),
        Item(question(3), (MISS,)),
        Item(question(4, answerable=False), (HIT,)),
    ]
    figures = score(items, {})
    assert figures["retrieval"] == pytest.approx(
        {
            "recall@1": 1 / 3,
            "recall@5": 2 / 3,
            "recall@10": 2 / 3,
            "mrr@10": (1 + 1 / 3) / 3,
            "ndcg@10": (1 + 1 / math.log2(4)) / 3,
        }
    )
    assert figures["answers"] is None
    assert figures["abstention"] is None


def test_answers_and_abstention() -> None:
    """A not_found counts 0 for an answerable question and right for an unanswerable one."""
    items = [
        Item(question(1), (), Given("answered", "28 days [1]", (HIT, MISS))),
        Item(question(2), (), Given("not_found", "28 days", ())),
        Item(question(3, answerable=False), (), Given("not_found", "", ())),
        Item(question(4, answerable=False), (), Given("answered", "Yes [1]", (HIT,))),
    ]
    figures = score(items, {"model": "m"})
    assert figures["answers"] == pytest.approx(
        {
            "exact": 0.5,
            "f1": 0.5,
            "contains": 0.5,
            "citation_precision": 1 / 3,
            "citation_recall": 0.5,
        }
    )
    assert figures["abstention"] == pytest.approx(
        {"precision": 0.5, "recall": 0.5, "f1": 0.5, "answered_rate": 0.5}
    )
    assert (figures["n"], figures["config"]) == (4, {"model": "m"})
    assert figures["items"][0]["citation_hits"] == 1


def test_nothing_asked_gives_no_figures() -> None:
    """An empty denominator is None, not a score."""
    figures = score([], {})
    assert set(figures["retrieval"].values()) == {None}
    assert set(figures["latency_ms"].values()) == {None}


def test_an_error_is_kept_and_counts_as_unanswered() -> None:
    """A question that failed is recorded as such and scores 0."""
    items = [
        Item(question(1), (), error="The model is busy."),
        Item(question(2), (), Given("answered", "28 days", ())),
    ]
    figures = score(items, {})
    assert figures["items"][0]["error"] == "The model is busy."
    assert figures["answers"]["f1"] == 0.5


def test_latency() -> None:
    """Percentiles are of the times that were measured."""
    items = [Item(question(n), (), timings_ms={"search": float(n)}) for n in range(1, 101)]
    figures = score(items, {})["latency_ms"]
    assert (figures["search_p50"], figures["search_p95"]) == (50, 95)
    assert figures["total_p50"] is None


@pytest.mark.parametrize(
    ("text", "answers", "expected"),
    [
        ("28 days. [1]", ["28 Days"], (1.0, 1.0, 1.0)),
        ("1. The 28 days [2]", ["28 days"], (1.0, 1.0, 1.0)),
        ("It is kept 28 days", ["28 days"], (0.0, 4 / 7, 1.0)),
        ("128 days", ["28 days"], (0.0, 0.5, 0.0)),
        ("", ["28 days"], (0.0, 0.0, 0.0)),
        ("x", [], (0.0, 0.0, 0.0)),
    ],
)
def test_words_of_an_answer(
    text: str, answers: list[str], expected: tuple[float, float, float]
) -> None:
    """Markers, list marks, articles, case and punctuation do not count."""
    found = (exact(text, answers), f1(text, answers), contains(text, answers, "extractive"))
    assert found == pytest.approx(expected)


def test_a_long_answer_counts_by_the_words_it_recalls() -> None:
    """For spans and free answers word recall is asked, not the same text."""
    assert contains("wash them with soap", ["wash hands with soap"], "span") == 0.75


def test_percentile_is_a_measured_value() -> None:
    """Nearest rank, so that every figure is one that happened."""
    assert (percentile([3, 1, 2], 0.5), percentile([1], 0.95), percentile([], 0.5)) == (2, 1, None)
