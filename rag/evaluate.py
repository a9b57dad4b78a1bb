"""Scores recorded results of a question file, as the contract's "Evaluation" defines each figure.

Pure: it asks nobody. Means are over all answerable questions, a `not_found` counting 0. A figure
whose denominator is empty is None, never 0 or 1.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rag.questions import Gold, Question
from rag.words import fold

MIN_EVIDENCE_SHARE = 0.5  # of the evidence's words that an overlapping passage must hold
DEPTHS = (1, 5, 10)
_MARKER = re.compile(r"\s*\[\d{1,3}\]")
_LIST_MARK = re.compile(r"(?m)^\s*(?:[-*]|\d{1,3}\.)\s+")


@dataclass(frozen=True, slots=True)
class Found:
    """A passage as it came back: the name of the file it is from, and its text."""

    doc: str
    text: str


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it came back; `cited` holds the passage behind each citation."""

    status: str
    text: str
    cited: tuple[Found, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One question with what came back; `given` is None where only the search was asked.

    timings_ms: search, first_token, total. confidence: as in `rag.events.Checks`.
    """

    question: Question
    found: tuple[Found, ...]
    given: Given | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None
    confidence: float | None = None


def score(items: Sequence[Item], config: Mapping[str, Any]) -> dict[str, Any]:
    """Return every figure of the contract; without answers, `answers` and `abstention` are None."""
    answered = any(item.given is not None for item in items)
    return {
        "n": len(items),
        "retrieval": _retrieval(items),
        "answers": _answers(items) if answered else None,
        "abstention": _abstention(items) if answered else None,
        "latency_ms": _latency(items),
        "config": dict(config),
        "items": [_record(item) for item in items],
    }


def is_hit(found: Found, gold: Iterable[Gold]) -> bool:
    """Tell whether a passage holds the evidence of one of the gold places, or half its words."""
    return any(found.doc == one.doc and _holds(found.text, one.evidence) for one in gold)


def exact(text: str, answers: Sequence[str]) -> float:
    """Return 1 where the answer is one of the accepted ones, after folding."""
    return float(any(_normal(text) == _normal(answer) for answer in answers))


def f1(text: str, answers: Sequence[str]) -> float:
    """Return the best harmonic mean of word precision and recall."""
    return max((_f1(_normal(text), _normal(answer)) for answer in answers), default=0.0)


def contains(text: str, answers: Sequence[str], answer_type: str) -> float:
    """Return 1 where an accepted answer stands in the text; for longer ones, their word recall."""
    if answer_type == "extractive":
        padded = f" {' '.join(_normal(text))} "
        return float(any(f" {' '.join(_normal(answer))} " in padded for answer in answers))
    return max((_recall(_normal(text), _normal(answer)) for answer in answers), default=0.0)


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the nearest-rank percentile, None of nothing."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _retrieval(items: Sequence[Item]) -> dict[str, float | None]:
    ranks = [_hits(item) for item in items if item.question.answerable]
    figures: dict[str, float | None] = {
        f"recall@{depth}": _mean([float(any(hits[:depth])) for hits in ranks]) for depth in DEPTHS
    }
    figures["mrr@10"] = _mean([_reciprocal(hits[:10]) for hits in ranks])
    figures["ndcg@10"] = _mean([_ndcg(hits[:10]) for hits in ranks])
    return figures


def _hits(item: Item) -> list[bool]:
    return [is_hit(found, item.question.gold) for found in item.found]


def _reciprocal(hits: Sequence[bool]) -> float:
    return next((1 / rank for rank, hit in enumerate(hits, 1) if hit), 0.0)


def _ndcg(hits: Sequence[bool]) -> float:
    """Gain against the best order of what was found: how many more there are is not known."""
    gain = sum(1 / math.log2(rank + 1) for rank, hit in enumerate(hits, 1) if hit)
    best = sum(1 / math.log2(rank + 1) for rank in range(1, sum(hits) + 1))
    return gain / best if best else 0.0


def _answers(items: Sequence[Item]) -> dict[str, float | None]:
    asked = [item for item in items if item.question.answerable]
    cited = [
        is_hit(found, item.question.gold)
        for item in items
        if item.given is not None
        for found in item.given.cited
    ]
    return {
        "exact": _mean([exact(_text(item), item.question.answers) for item in asked]),
        "f1": _mean([f1(_text(item), item.question.answers) for item in asked]),
        "contains": _mean([_contains(item) for item in asked]),
        "citation_precision": _mean([float(hit) for hit in cited]),
        "citation_recall": _mean([_cites(item) for item in asked]),
    }


def _contains(item: Item) -> float:
    return contains(_text(item), item.question.answers, item.question.answer_type)


def _cites(item: Item) -> float:
    given = item.given
    return float(given is not None and any(is_hit(one, item.question.gold) for one in given.cited))


def _abstention(items: Sequence[Item]) -> dict[str, float | None]:
    declined = [item for item in items if _declined(item)]
    unanswerable = [item for item in items if not item.question.answerable]
    answerable = [item for item in items if item.question.answerable]
    precision = _mean([float(not item.question.answerable) for item in declined])
    recall = _mean([float(_declined(item)) for item in unanswerable])
    both = (precision or 0) + (recall or 0)
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * (precision or 0) * (recall or 0) / both if both else None,
        "answered_rate": _mean([float(_answered(item)) for item in answerable]),
    }


def _latency(items: Sequence[Item]) -> dict[str, float | None]:
    def values(name: str) -> list[float]:
        return [item.timings_ms[name] for item in items if name in item.timings_ms]

    return {
        "search_p50": percentile(values("search"), 0.5),
        "search_p95": percentile(values("search"), 0.95),
        "first_token_p50": percentile(values("first_token"), 0.5),
        "total_p50": percentile(values("total"), 0.5),
    }


def _record(item: Item) -> dict[str, Any]:
    hits = _hits(item)
    given = item.given
    return {
        "id": item.question.id,
        "answerable": item.question.answerable,
        "first_hit": next((rank for rank, hit in enumerate(hits, 1) if hit), None),
        "status": None if given is None else given.status,
        "answer": None if given is None else given.text,
        "f1": f1(_text(item), item.question.answers) if item.question.answerable else None,
        "contains": _contains(item) if item.question.answerable else None,
        "citations": 0 if given is None else len(given.cited),
        "citation_hits": 0
        if given is None
        else sum(is_hit(one, item.question.gold) for one in given.cited),
        "confidence": item.confidence,
        "timings_ms": dict(item.timings_ms),
        "error": item.error,
    }


def _answered(item: Item) -> bool:
    return item.given is not None and item.given.status == "answered"


def _declined(item: Item) -> bool:
    return item.given is not None and item.given.status == "not_found"


def _text(item: Item) -> str:
    return item.given.text if item.given is not None and _answered(item) else ""


def _holds(text: str, evidence: str) -> bool:
    if _squeeze(evidence) in _squeeze(text):
        return True
    wanted, there = Counter(_words(evidence)), Counter(_words(text))
    return (wanted & there).total() >= MIN_EVIDENCE_SHARE * wanted.total() > 0


def _squeeze(text: str) -> str:
    """Fold away case, white space and every hyphen: a line end may have made or taken one."""
    return re.sub(r"[\s-]+", "", fold(text))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", fold(text).replace("-", ""))


def _normal(text: str) -> list[str]:
    """Return the words without markers, list marks, articles and punctuation."""
    bare = _LIST_MARK.sub("", _MARKER.sub("", text))
    words = re.findall(r"\w+(?:[.,]\d+)*", fold(bare))
    return [word for word in words if word not in {"a", "an", "the"}]


def _f1(ours: Sequence[str], theirs: Sequence[str]) -> float:
    common = (Counter(ours) & Counter(theirs)).total()
    return 2 * common / (len(ours) + len(theirs)) if common else 0.0


def _recall(ours: Sequence[str], theirs: Sequence[str]) -> float:
    return (Counter(ours) & Counter(theirs)).total() / len(theirs) if theirs else 0.0


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
