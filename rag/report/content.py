"""What the report says of the result of an evaluation. Pure: the same result, the same report."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import fmean, pstdev
from typing import Any

from governance.pilot_use import Use
from rag import risk
from rag.capacity import Service, most_users, wait_p95_s
from rag.statistics import NOTHING, Interval, mean, quantile, share
from rag.verdict import CRITERIA, Criterion, Group, Judged, Verdict, judge, reasons, verdict

QUESTIONS_AN_HOUR = 6.0  # of one person at work
WAIT_LIMIT_S = 10.0  # that 95 of 100 wait at most before their answer begins
WORST = 10
RISK_POINTS = 12
MONTH_DAYS = 365.25 / 12
DECISIONS = {
    Verdict.STOP: "Stop. A criterion of safety is missed; what is wrong must be mended first.",
    Verdict.EXTEND: "Extend. No criterion of safety is surely missed, but not all is proven.",
    Verdict.GRADUATE: "Graduate. Every criterion is met with 95 % confidence.",
}


@dataclass(frozen=True, slots=True)
class Point:
    """Seconds that 95 of 100 wait when so many people ask; None: the queue only grows."""

    users: int
    wait_s: float | None


@dataclass(frozen=True, slots=True)
class Example:
    """A question that went badly, and why."""

    id: str
    what: str
    answer: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything on its pages, in order. figures: name, interval and whether it is a share.

    risks: what stricter thresholds would give, the one in use first; empty where no answer told how
    sure it was.
    """

    department: str
    day: date
    questions: int
    verdict: Verdict
    decision: str
    reasons: tuple[str, ...]
    judged: tuple[Judged, ...]
    figures: tuple[tuple[str, Interval, bool], ...]
    service: Service | None
    waits: tuple[Point, ...]
    users: int
    risks: tuple[risk.Point, ...]
    examples: tuple[Example, ...]
    use: Use | None
    month_cost: float | None
    unmeasured: tuple[str, ...]
    configuration: tuple[tuple[str, str], ...]


def report_of(
    result: Mapping[str, Any],
    day: date,
    criteria: Sequence[Criterion] = CRITERIA,
    use: Use | None = None,
    month_cost: float | None = None,
) -> Report:
    """Build the report on a result of `lamplight eval`.

    use, month_cost: what only the platform knows, and what only the department does.
    """
    items: list[Mapping[str, Any]] = list(result["items"])
    figures = _figures(items)
    service = _service(items)
    users = most_users(service, QUESTIONS_AN_HOUR, WAIT_LIMIT_S) if service else 0
    known = dict(figures) | {"users": _people(items, service, users) if service else NOTHING}
    known |= _use(use, month_cost)
    judged = tuple(judge(one, known.get(one.name, NOTHING)) for one in criteria)
    found = verdict(judged)
    return Report(
        department=str(result["config"].get("department", "")),
        day=day,
        questions=len(items),
        verdict=found,
        decision=DECISIONS[found],
        reasons=reasons(judged),
        judged=judged,
        figures=tuple((name, one, _is_share(name)) for name, one in figures.items()),
        service=service,
        waits=_waits(service, users),
        users=users,
        risks=risk.rounded(risk.curve(items), RISK_POINTS),
        examples=tuple(_worst(items))[:WORST],
        use=use,
        month_cost=month_cost,
        unmeasured=tuple(_unmeasured(items, use, month_cost)),
        configuration=tuple((str(k), str(v)) for k, v in sorted(result["config"].items())),
    )


def _figures(items: Sequence[Mapping[str, Any]]) -> dict[str, Interval]:
    can = [one for one in items if one["answerable"]]
    asked = [one for one in items if one["status"] is not None or one["error"]]
    cannot = [one for one in asked if not one["answerable"]]
    could = [one for one in asked if one["answerable"]]
    declined = [one for one in asked if one["status"] == "not_found"]
    cited = sum(one["citations"] for one in asked)
    times = {
        name: [one["timings_ms"][name] / 1000 for one in items if name in one["timings_ms"]]
        for name in ("search", "first_token", "total")
    }
    return {
        **{f"recall@{depth}": _recall(can, depth) for depth in (1, 5, 10)},
        "mrr@10": mean([1 / one["first_hit"] if _within(one, 10) else 0.0 for one in can]),
        "answered_rate": _count(could, lambda one: one["status"] == "answered"),
        "abstention_recall": _count(cannot, lambda one: one["status"] == "not_found"),
        "abstention_precision": _count(declined, lambda one: not one["answerable"]),
        "citation_precision": share(sum(one["citation_hits"] for one in asked), cited),
        "f1": mean([one["f1"] or 0.0 for one in could]),
        "contains": mean([one.get("contains") or 0.0 for one in could]),
        "failed": _count(asked, lambda one: bool(one["error"])),
        "search_p95": quantile(times["search"], 0.95),
        "first_text_p50": quantile(times["first_token"], 0.5),
        "total_p50": quantile(times["total"], 0.5),
        **_safety(items),
    }


def _safety(items: Sequence[Mapping[str, Any]]) -> dict[str, Interval]:
    """Of the passages that were seen, where it is known which version and department they are."""
    if not _knows_passages(items):
        return {}
    seen = sum(one["seen"] for one in items)
    return {
        "wrong_version": share(sum(one["wrong_versions"] for one in items), seen),
        "leak": share(sum(one["leaks"] for one in items), seen),
    }


def _knows_passages(items: Sequence[Mapping[str, Any]]) -> bool:
    return bool(items) and all("seen" in one for one in items)


def _use(use: Use | None, month_cost: float | None) -> dict[str, Interval]:
    """Use and cost, counted and not sampled, so that only what readers say has an interval."""
    if use is None:
        return {}
    weekly = use.questions_a_week
    found = {
        "questions_a_week": Interval(weekly, weekly, weekly, use.questions),
        "helped": share(use.helped, use.helped + use.did_not_help),
    }
    if month_cost is not None and use.answered:
        each = month_cost * use.days / MONTH_DAYS / use.answered
        found["cost_an_answer"] = Interval(each, each, each, use.answered)
    return found


def _recall(items: Sequence[Mapping[str, Any]], depth: int) -> Interval:
    return share(sum(_within(one, depth) for one in items), len(items))


def _within(item: Mapping[str, Any], depth: int) -> bool:
    return item["first_hit"] is not None and item["first_hit"] <= depth


def _count(items: Sequence[Mapping[str, Any]], holds: Any) -> Interval:
    return share(sum(bool(holds(one)) for one in items), len(items))


def _people(items: Sequence[Mapping[str, Any]], service: Service, users: int) -> Interval:
    """How many people it serves, as surely as the mean length of an answer is known."""
    seconds = mean(_totals_s(items))
    low, high = (
        None
        if bound is None
        else float(most_users(replace(service, mean_s=bound), QUESTIONS_AN_HOUR, WAIT_LIMIT_S))
        for bound in (seconds.high, seconds.low)
    )
    return Interval(float(users), low, high, seconds.n)


def _totals_s(items: Sequence[Mapping[str, Any]]) -> list[float]:
    return [one["timings_ms"]["total"] / 1000 for one in items if "total" in one["timings_ms"]]


def _is_share(name: str) -> bool:
    return not name.endswith(("_p50", "_p95"))


def _service(items: Sequence[Mapping[str, Any]]) -> Service | None:
    seconds = _totals_s(items)
    if not seconds or not fmean(seconds):
        return None
    return Service(fmean(seconds), pstdev(seconds) / fmean(seconds))


def _waits(service: Service | None, users: int) -> tuple[Point, ...]:
    if service is None:
        return ()
    steps = sorted({max(1, round(users * part / 8)) for part in range(1, 13)} or {1})
    return tuple(Point(one, wait_p95_s(service, one, QUESTIONS_AN_HOUR)) for one in steps)


def _worst(items: Sequence[Mapping[str, Any]]) -> Iterator[Example]:
    for one in items:
        if one["error"]:
            yield Example(one["id"], "ended in an error", one["error"])
    for one in items:
        if not one["answerable"] and one["status"] == "answered":
            yield Example(one["id"], "answered, though no policy does", one["answer"])
    wrong = [one for one in items if one["answerable"] and one["status"] == "answered"]
    for one in sorted(wrong, key=lambda each: each["f1"] or 0.0):
        if one["citations"] and not one["citation_hits"]:
            yield Example(one["id"], "answered from another place than expected", one["answer"])


def _unmeasured(
    items: Sequence[Mapping[str, Any]], use: Use | None, month_cost: float | None
) -> Iterator[str]:
    if any(one["error"] for one in items) and not any(one["status"] for one in items):
        yield "Answers: every question ended in an error."
    elif not any(one["status"] for one in items):
        yield "Answers: this run only searched."
    if not _knows_passages(items):
        yield "Wrong versions: whether an answer came from a version that was not in force."
        yield "Leaks: whether an answer came from another department's documents."
    yield "Hostile text: whether instructions hidden in documents are followed."
    if use is None:
        yield "Use: how many people ask and what they say of answers, which the platform counts."
    if month_cost is None:
        yield "Cost: what the machine and the hours cost is the department's to add."
    yield "Answers one at a time: with several at once each is slower and all are faster."


def groups(judged: Sequence[Judged]) -> tuple[tuple[Group, tuple[Judged, ...]], ...]:
    """Return the criteria by what they are about, safety first."""
    found = ((one, tuple(j for j in judged if j.criterion.group is one)) for one in Group)
    return tuple((group, inside) for group, inside in found if inside)
