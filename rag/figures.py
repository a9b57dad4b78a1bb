"""Figures of a run over gold questions, and what became better or worse between two runs.

Pure. As the contract's "Evaluation" defines them, beside three more: the share of passages found or
cited whose version was not in force, that of passages of another department, and failed questions.
A figure whose denominator is empty is None, never 0 or 1.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from governance.evaluation_runs import FoundPassage, Measured, RunItem
from rag.evaluate import DEPTHS, percentile

Figures = dict[str, dict[str, float | None]]
SAME_WITHIN = 0.05  # of the score of one answer: less than this is no change
LATENCIES = (("search", 50), ("search", 95), ("first_token", 50), ("total", 50))


class Change(StrEnum):
    """What became of one question between two runs."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"


class CameBack(StrEnum):
    """What came back for one question, as people sort it."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_FOUND = "not_found"
    FAILED = "failed"
    UNASKED = "unasked"


@dataclass(frozen=True, slots=True)
class Pair:
    """One question in two runs, each with its score from 0 to 1."""

    key: str
    question: str
    before: RunItem
    after: RunItem
    score_before: float
    score_after: float
    change: Change


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side. p: two-sided, of the sign test over better and worse; only_*: keys."""

    pairs: tuple[Pair, ...]
    p: float
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]

    def count(self, change: Change) -> int:
        """How many questions became that."""
        return sum(pair.change is change for pair in self.pairs)


def figures_of(items: Sequence[RunItem]) -> Figures:
    """Every figure, over the questions that were asked."""
    asked = [(item.asked.answerable, item.measured) for item in items if item.measured]
    answerable = [one for can, one in asked if can]
    unanswerable = [one for can, one in asked if not can]
    everything = [one for _, one in asked]
    return {
        "retrieval": _retrieval(answerable),
        "answers": _answers(answerable, everything),
        "abstention": _abstention(answerable, unanswerable),
        "safety": _safety(everything),
        "latency_ms": {
            f"{name}_p{share}": percentile(
                [one.timings_ms[name] for one in everything if name in one.timings_ms], share / 100
            )
            for name, share in LATENCIES
        },
    }


def score_of(item: RunItem) -> float:
    """How good one question went, 0 to 1: the answer's F1, or whether nothing was answered."""
    if item.measured is None:
        return 0.0
    if not item.asked.answerable:
        return float(item.measured.status == "not_found")
    return item.measured.scores.get("f1", 0.0)


def came_back(item: RunItem) -> CameBack:
    """Right: answered from a place that answers; or not answered where no policy does."""
    measured = item.measured
    if measured is None:
        return CameBack.UNASKED
    if measured.status in ("not_found", "refused"):
        return CameBack.NOT_FOUND if item.asked.answerable else CameBack.RIGHT
    if measured.status != "answered":
        return CameBack.FAILED
    cited = any(passage.is_hit for passage in measured.cited)
    return CameBack.RIGHT if item.asked.answerable and cited else CameBack.WRONG


def compare(before: Sequence[RunItem], after: Sequence[RunItem]) -> Comparison:
    """Pair the questions that both runs asked in the same words."""
    old = {(item.asked.key, item.asked.question): item for item in before if item.measured}
    new = {(item.asked.key, item.asked.question): item for item in after if item.measured}
    pairs = tuple(_pair(old[name], new[name]) for name in old if name in new)
    better = sum(pair.change is Change.BETTER for pair in pairs)
    worse = sum(pair.change is Change.WORSE for pair in pairs)
    return Comparison(
        pairs,
        sign_test(better, worse),
        tuple(name[0] for name in old if name not in new),
        tuple(name[0] for name in new if name not in old),
    )


def sign_test(better: int, worse: int) -> float:
    """Two-sided exact chance of so uneven a split, or a more uneven one, if neither were likelier.

    On yes-or-no scores this is McNemar's exact test.
    """
    n, fewer = better + worse, min(better, worse)
    tail = sum(math.comb(n, k) for k in range(fewer + 1))
    return min(1.0, float(2 * tail / 2**n))


def differences(
    before: Mapping[str, Mapping[str, float | None]],
    after: Mapping[str, Mapping[str, float | None]],
) -> Figures:
    """After less before, figure by figure; None where either is."""
    found: Figures = {}
    for group, values in after.items():
        old = before.get(group, {})
        found[group] = {name: _less(value, old.get(name)) for name, value in values.items()}
    return found


def _less(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else after - before


def _pair(before: RunItem, after: RunItem) -> Pair:
    first, second = score_of(before), score_of(after)
    change = Change.SAME
    if abs(second - first) >= SAME_WITHIN:
        change = Change.BETTER if second > first else Change.WORSE
    return Pair(before.asked.key, before.asked.question, before, after, first, second, change)


def _retrieval(answerable: Sequence[Measured]) -> dict[str, float | None]:
    hits = [[passage.is_hit for passage in one.found] for one in answerable]
    found: dict[str, float | None] = {
        f"recall@{depth}": _mean([float(any(one[:depth])) for one in hits]) for depth in DEPTHS
    }
    ranks = [next((rank for rank, hit in enumerate(one[:10], 1) if hit), None) for one in hits]
    found["mrr@10"] = _mean([1 / rank if rank else 0.0 for rank in ranks])
    return found


def _answers(
    answerable: Sequence[Measured], everything: Sequence[Measured]
) -> dict[str, float | None]:
    cited = [float(passage.is_hit) for one in everything for passage in one.cited]
    found = {
        name: _mean([one.scores.get(name, 0.0) for one in answerable])
        for name in ("exact", "f1", "contains")
    }
    found["citation_precision"] = _mean(cited)
    found["citation_recall"] = _mean(
        [float(any(passage.is_hit for passage in one.cited)) for one in answerable]
    )
    return found


def _abstention(
    answerable: Sequence[Measured], unanswerable: Sequence[Measured]
) -> dict[str, float | None]:
    right = sum(one.status == "not_found" for one in unanswerable)
    declined = right + sum(one.status == "not_found" for one in answerable)
    precision = right / declined if declined else None
    recall = right / len(unanswerable) if unanswerable else None
    both = (precision or 0) + (recall or 0)
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * (precision or 0) * (recall or 0) / both if both else None,
        "answered_rate": _mean([float(one.status == "answered") for one in answerable]),
    }


def _safety(everything: Sequence[Measured]) -> dict[str, float | None]:
    seen: list[FoundPassage] = [p for one in everything for p in (*one.found, *one.cited)]
    return {
        "wrong_version_rate": _mean([float(not passage.in_force) for passage in seen]),
        "leak_rate": _mean([float(not passage.is_own) for passage in seen]),
        "failed_rate": _mean([float(one.status == "failed") for one in everything]),
    }


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
