"""How well each unit of the passages fits the question: what the model reads, what is quoted.

Pure. Words alone cannot tell the rule from the sentence beside it: a unit also fits by the pairs
of words that it shares with the question, and by a figure of the kind that is asked for.
"""

import re
from collections.abc import Callable

from rag.check import Source, Sources, coverage
from rag.claims import amounts
from rag.sentences import Unit, UnitKind
from rag.words import Vocabulary, content_words, word_pairs

# Weights beside the share of the question's words (1 with title and section). On qa-dev pairs
# raise the share of best units that hold the answer from .68 to .70; on the sample policies
# figures bring the right row or sentence to the model where the passage is only the seventh.
OWN_WORDS = 0.5  # the same share again, without title and section
PAIRS = 0.3
FIGURE = 0.8
RANK_LOST = 0.03  # with each passage further down, where one unit is to be quoted
TRIED = 0.5  # of the share of the words that were written in vain
MAX_LIST_UNITS = 9  # a longer list is not quoted whole
_TIME = re.compile(
    r"\bhow (?:long|quickly|soon|often|fast|late|early|frequently)\b|\bwhen\b|\bwhat time\b"
    r"|\bhow many (?:seconds|minutes|hours|days|weeks|months|years)\b|\b(?:by|until) what\b",
    re.IGNORECASE,
)
_WARMTH = re.compile(r"\btemperature\b|\bhow (?:hot|warm|cold|cool)\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"\bhow (?:many|much|old|far|high|large|big|tall|wide)\b|\bwhich number\b"
    r"|\bwhat (?:percentage|percent|number|score|age|amount|dose|size|year)\b",
    re.IGNORECASE,
)
_TIME_UNITS = frozenset(["second", "minute", "hour", "day", "week", "month", "quarter", "year"])
_TIME_WORDS = re.compile(
    r"\b(?:\d\d?[:.]\d\d|(?:19|20)\d\d|once|twice|daily|weekly|monthly|yearly|immediately|noon"
    r"|midnight|end of)\b",
    re.IGNORECASE,
)


def asks_for_figure(question: str) -> bool:
    """Tell whether a time, a temperature or a number is asked for."""
    return any(kind.search(question) for kind in (_TIME, _WARMTH, _NUMBER))


def fits(sources: Sources) -> tuple[tuple[float, ...], ...]:
    """Return the fit of each unit of each source, about 0 to 2.6."""
    wanted = word_pairs(sources.question)
    given = _figure_test(sources.question)
    return tuple(
        tuple(
            _words(vocabulary, source, sources)
            + PAIRS * len(wanted & word_pairs(unit.text)) / max(1, len(wanted))
            + FIGURE * given(unit)
            for unit, vocabulary in zip(source.units, source.vocabularies, strict=True)
        )
        for source in sources.all
    )


def says_something(source: Source, number: int) -> bool:
    """Tell whether a unit may be read alone: no heading, no header row of a table, no rule."""
    unit = source.units[number]
    following = source.units[number + 1] if number + 1 < len(source.units) else None
    heads = unit.kind is UnitKind.TABLE_ROW and following is not None and bool(following.header)
    return unit.kind is not UnitKind.HEADING and (bool(unit.header) or not heads)


def best_units(sources: Sources, tried: str = "") -> tuple[int, tuple[Unit, ...]] | None:
    """Return the source and the units that answer best when quoted: one, or a list's items.

    tried: what was written in vain; it may be wrong, but it tells what it was written from.
    """
    words = content_words(tried)
    ranked = [
        (
            fit
            - RANK_LOST * number
            + TRIED * coverage(words, source.vocabularies[place], sources.weights),
            number,
            place,
        )
        for number, (source, inside) in enumerate(zip(sources.all, fits(sources), strict=True))
        for place, fit in enumerate(inside)
        if says_something(source, place) and not source.units[place].text.endswith(("?", ":"))
    ]
    if not ranked:
        return None
    _, number, place = max(ranked, key=lambda one: (one[0], -one[1], -one[2]))
    return number, _whole_list(sources.all[number], place)


def _whole_list(source: Source, place: int) -> tuple[Unit, ...]:
    """Return the unit, with the other items of its list if that is a short one: steps belong."""
    inside = source.units
    first = last = place
    while first > 0 and _same_block(source, first - 1):
        first -= 1
    while last + 1 < len(inside) and _same_block(source, last):
        last += 1
    items = inside[first : last + 1]
    listed = sum(unit.kind is UnitKind.LIST_ITEM for unit in items) > 1
    return items if listed and len(items) <= MAX_LIST_UNITS else inside[place : place + 1]


def _same_block(source: Source, number: int) -> bool:
    """Tell whether a unit and the next stand in one paragraph or list."""
    one, two = source.units[number : number + 2]
    return "\n\n" not in source.text[one.end : two.start]


def _words(vocabulary: Vocabulary, source: Source, sources: Sources) -> float:
    both = coverage(sources.asked, vocabulary | source.context_vocabulary, sources.weights)
    return both + OWN_WORDS * coverage(sources.asked, vocabulary, sources.weights)


def _figure_test(question: str) -> Callable[[Unit], bool]:
    """Return what tells whether a unit gives a figure of the kind that the question asks for."""
    if _TIME.search(question):
        return _gives_time
    if _WARMTH.search(question):
        return lambda unit: bool(_amount_units(unit) & {"celsius", "fahrenheit", "degree"})
    if _NUMBER.search(question):
        return lambda unit: bool(amounts(unit.text))
    return lambda _unit: False


def _gives_time(unit: Unit) -> bool:
    return bool(_amount_units(unit) & _TIME_UNITS or _TIME_WORDS.search(unit.text))


def _amount_units(unit: Unit) -> set[str]:
    return {amount.unit for amount in amounts(unit.text)}
