"""The prompts: fixed text, the most telling parts of the best passages, the question, one task.

Pure but for reading the templates once. Two cores read 80 to 230 tokens a second, so what the
model reads is budgeted in tokens and chosen unit by unit. Two prompts go to the model, and differ
in their last line alone: whether the extracts state the answer, then what it is. The runtime finds
all that stands before that line in its prefix cache and reads it once.

Passages are data: what in them speaks to the model instead of to readers is left out
(`rag/hostile.py`), and the marks around them cannot occur in them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from string import Template

from rag.check import Source, Sources, coverage
from rag.forms import wants_sentence
from rag.hostile import neutralise

TOKENS_PER_WORD = 1.35
CHARS_PER_TOKEN = 4.0
GAP = " … "


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is told, and the version of the templates that it was told with.

    judge, answer: the user's message that asks whether the extracts state the answer, and for it.
    """

    system: str
    judge: str
    answer: str
    version: str


@dataclass(frozen=True, slots=True)
class _Templates:
    system: str
    question: str
    judge: str
    phrase: str
    sentence: str
    version: str


@dataclass(frozen=True, slots=True)
class _Pick:
    """A unit that could stand in the prompt, and what it is worth."""

    source: int
    unit: int
    worth: float
    tokens: int


def write(question: str, sources: Sources, passages: int, tokens: int) -> Prompt:
    """Write the prompts over the first passages, within a budget of tokens for their text."""
    chosen = choose(sources, passages, tokens)
    shown = "\n\n".join(
        f"Extract {number + 1}, {neutralise(source.context)}:\n{neutralise(_text(source, inside))}"
        for number, inside in chosen.items()
        for source in [sources.all[number]]
    )
    told = _templates()
    asked = Template(told.question).substitute(extracts=shown, question=question)
    task = told.sentence if wants_sentence(question) else told.phrase
    return Prompt(told.system, f"{asked}\n{told.judge}", f"{asked}\n{task}", told.version)


def followup() -> str:
    """Return what is asked of the model before it rewrites a follow-up question."""
    return (files("rag") / "prompts" / "followup.txt").read_text("utf-8").strip()


def version() -> str:
    """Return the short digest of the templates."""
    return _templates().version


def estimate_tokens(text: str) -> int:
    """Estimate how many tokens a text takes, rather too many than too few."""
    return round(max(TOKENS_PER_WORD * len(text.split()), len(text) / CHARS_PER_TOKEN)) + 1


def choose(sources: Sources, passages: int, tokens: int) -> Mapping[int, Sequence[int]]:
    """Choose units within the budget: source → unit numbers, both in order."""
    left = tokens
    chosen: dict[int, list[int]] = {}
    picks = sorted(_picks(sources, passages), key=lambda pick: -pick.worth)
    for pick in picks:
        price = pick.tokens
        if pick.source not in chosen:
            price += estimate_tokens(sources.all[pick.source].context) + 3
        if price <= left:
            left -= price
            chosen.setdefault(pick.source, []).append(pick.unit)
    return {number: sorted(chosen[number]) for number in sorted(chosen)}


def _picks(sources: Sources, passages: int) -> list[_Pick]:
    return [
        _Pick(number, unit, worth, estimate_tokens(source.units[unit].text))
        for number, source in enumerate(sources.all[:passages])
        for unit, worth in enumerate(_worths(source, sources, 1 - 0.12 * number))
    ]


def _worths(source: Source, sources: Sources, trust: float) -> list[float]:
    """Rate each unit by the question's words in it and beside it; first passages are trusted."""
    alone = [
        coverage(sources.asked, vocabulary | source.context_vocabulary, sources.weights)
        for vocabulary in source.vocabularies
    ]
    beside = [
        max(alone[max(0, i - 1) : i] + alone[i + 1 : i + 2], default=0.0) for i in range(len(alone))
    ]
    return [trust * (1 + one + 0.5 * two) for one, two in zip(alone, beside, strict=True)]


def _text(source: Source, inside: Sequence[int]) -> str:
    parts: list[str] = []
    for position, number in enumerate(inside):
        unit = source.units[number]
        if position:
            between = source.text[source.units[inside[position - 1]].end : unit.start]
            parts.append(GAP if between.strip() else between)
        parts.append(unit.text)
    return "".join(parts)


@lru_cache(maxsize=1)
def _templates() -> _Templates:
    folder = files("rag") / "prompts"
    names = ("system", "question", "judge", "phrase", "sentence")
    system, question, judge, phrase, sentence = (
        (folder / f"{name}.txt").read_text("utf-8").strip() for name in names
    )
    digest = hashlib.sha256("\0".join((system, question, judge, phrase, sentence)).encode())
    return _Templates(system, question, judge, phrase, sentence, digest.hexdigest()[:12])
