"""Figures as people read them. Pure."""

from collections.abc import Mapping

from governance.pilot_use import Use
from rag.statistics import Interval

# Each figure by its name: what it is called, and what it means in one line.
FIGURES: Mapping[str, tuple[str, str]] = {
    "recall@1": (
        "Right passage found first",
        "Of 100 questions that a policy answers, how often the first passage found answers it.",
    ),
    "recall@5": (
        "Right passage among the first five",
        "Of 100 questions that a policy answers, how often one of the first five answers it.",
    ),
    "recall@10": (
        "Right passage among the first ten",
        "Of 100 questions that a policy answers, how often one of the first ten answers it.",
    ),
    "mrr@10": (
        "How far up the right passage stands",
        "100 % is always first, 50 % is second on average, 0 % is never among the first ten.",
    ),
    "answered_rate": (
        "Questions that got an answer",
        "Of 100 questions that a policy answers, how many were answered at all.",
    ),
    "abstention_recall": (
        "Silence where no policy answers",
        "Of 100 questions that no policy answers, how many were rightly left unanswered.",
    ),
    "abstention_precision": (
        "Silence that was right",
        "Of 100 questions left unanswered, for how many there really was no policy.",
    ),
    "citation_precision": (
        "Sources that hold the answer",
        "Of 100 sources shown below answers, how many really hold the words that answer.",
    ),
    "f1": (
        "Words shared with the expected answer",
        "How much of the answer is expected, and how much of what is expected is in the answer.",
    ),
    "contains": (
        "Expected words that answers contain",
        "How much of what an answer must say it does say.",
    ),
    "failed": (
        "Questions that ended in an error",
        "Of 100 questions, for how many the computer gave an error and no answer.",
    ),
    "search_p95": (
        "Wait for the sources",
        "95 of 100 questions had their sources on the page after this time.",
    ),
    "first_text_p50": (
        "Wait for the first sentence",
        "Half of the questions had their first checked sentence after this time.",
    ),
    "total_p50": (
        "Wait for the whole answer",
        "Half of the questions were answered to the end after this time.",
    ),
    "wrong_version": (
        "Passages of a version not in force",
        "Of 100 passages found or cited, how many came from a policy that did not hold then.",
    ),
    "leak": (
        "Passages of another department",
        "Of 100 passages found or cited, how many belong to another department. It must be none.",
    ),
    "users": (
        "People who can work with it at the same time",
        "Asking six questions an hour each, 95 of 100 wait ten seconds at most for their turn.",
    ),
    "questions_a_week": (
        "Questions a week",
        "How many questions people asked in a week, over the four weeks before the evaluation.",
    ),
    "helped": (
        "Readers who say that it helped",
        "Of 100 readers who said something of their answer, how many said that it helped.",
    ),
    "cost_an_answer": (
        "Cost of an answer",
        "What the pilot costs in a month, shared among the questions that got an answer in it.",
    ),
}


STRICTER = (
    "If it answered only what it is surer of, fewer questions would get an answer and fewer "
    "answers would be wrong. The point furthest to the right is the threshold in use; an answer is "
    "wrong here where none of its sources is an expected place."
)


def called(name: str) -> str:
    """What a figure is called."""
    return FIGURES.get(name, (name, ""))[0]


def explained(name: str) -> str:
    """What a figure means."""
    return FIGURES.get(name, ("", ""))[1]


def number(value: float | None, unit: str = "") -> str:
    """A share in per cent, seconds with one place, a count as it is."""
    if value is None:
        return "not measured"
    if unit == "s":
        return f"{value:.1f} s"
    if unit == "money":
        return f"{value:,.2f}"
    if unit:
        return f"{value:.0f}"
    return f"{value:.0%}" if value <= 1 else f"{value:.0f}"


def use_words(use: Use | None, month_cost: float | None) -> str:
    """Use and cost in sentences."""
    if use is None:
        return ""
    said = (
        f"In the {use.days} days before the evaluation {use.people} people asked {use.questions} "
        f"questions, of which {use.answered} got an answer. {use.helped} readers said that it "
        f"helped, {use.did_not_help} that something was wrong."
    )
    if month_cost is None:
        return said
    return f"{said} The department puts the cost at {month_cost:,.2f} a month."


def between(interval: Interval, unit: str = "") -> str:
    """The interval, where it is one."""
    if interval.low is None or interval.high is None or interval.low == interval.high:
        return ""
    return f"{number(interval.low, unit)} to {number(interval.high, unit)}"
