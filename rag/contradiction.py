"""Two policies that say the same of the same thing, but with another number (RAG-4).

Pure. A sentence is compared with the one of the other text that shares most of its words. Where
both count in the same kind of unit and have no amount in common, a person should look.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rag.claims import Amount, amounts
from rag.sentences import Unit, UnitKind, units
from rag.words import content_words

LEAST_SHARED_WORDS = 4
MOST_NUMBERS = 4  # of one sentence; what holds more is a list of settings, not a rule
LEAST_SHARE = 0.65  # of the words of the longer sentence
# To one measure: 60 minutes are one hour, and no difference.
SECONDS: Mapping[str, int] = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86_400,
    "week": 604_800,
}
MONTHS: Mapping[str, int] = {"month": 1, "quarter": 3, "year": 12}
MICROGRAMS: Mapping[str, int] = {
    "microgram": 1,
    "milligram": 1000,
    "gram": 1_000_000,
    "kilogram": 1_000_000_000,
}
_MEASURES = (SECONDS, MONTHS, MICROGRAMS, {"millilitre": 1, "litre": 1000})


@dataclass(frozen=True, slots=True)
class Difference:
    """Two sentences about the same thing, and the amounts in which they differ, in words."""

    here: str
    there: str
    amount_here: str
    amount_there: str


@dataclass(frozen=True, slots=True)
class _Statement:
    """A sentence that counts something: its words without figures, its amounts by measure."""

    unit: Unit
    words: frozenset[str]
    amounts: Mapping[str, frozenset[Amount]]


def differences(text: str, other: str) -> tuple[Difference, ...]:
    """Return where two texts give another amount for what seems to be the same."""
    there = tuple(_statements(other))
    return tuple(found for one in _statements(text) for found in _against(one, there))


def counts_something(text: str) -> bool:
    """Tell whether a text has a sentence that could differ from another in an amount."""
    return any(True for _ in _statements(text))


def _against(one: _Statement, others: tuple[_Statement, ...]) -> Iterator[Difference]:
    shares = {number: _share(one, other) for number, other in enumerate(others)}
    best = max(shares.values(), default=0.0)
    if best < LEAST_SHARE:
        return
    nearest = [others[number] for number, share in shares.items() if share == best]
    for measure, ours in one.amounts.items():
        theirs = [near.amounts[measure] for near in nearest if measure in near.amounts]
        # Several sentences may be as near, each with its own amount: one that agrees is enough.
        if theirs and not any(_alike(ours, their) for their in theirs):
            near = next(near for near in nearest if measure in near.amounts)
            said, told = _in_words(ours), _in_words(near.amounts[measure])
            yield Difference(one.unit.text, near.unit.text, said, told)


def _statements(text: str) -> Iterator[_Statement]:
    for unit in units(text):
        found: dict[str, set[Amount]] = {}
        numbers = amounts(unit.text)
        for amount in numbers:
            if amount.unit:
                found.setdefault(_measure(amount.unit), set()).add(amount)
        if found and len(numbers) <= MOST_NUMBERS and unit.kind is not UnitKind.HEADING:
            words = frozenset(w for w in content_words(unit.text) if not w[0].isdigit())
            yield _Statement(unit, words, {name: frozenset(one) for name, one in found.items()})


def _share(one: _Statement, other: _Statement) -> float:
    if UnitKind.TABLE_ROW in (one.unit.kind, other.unit.kind):
        # Rows of a table are alike in all but the word that tells them apart.
        same = one.unit.kind is other.unit.kind and one.words == other.words
        return float(same and len(one.words) > 0)
    common = len(one.words & other.words)
    longer = max(len(one.words), len(other.words), 1)
    return common / longer if common >= LEAST_SHARED_WORDS else 0.0


def _measure(unit: str) -> str:
    return next((next(iter(known)) for known in _MEASURES if unit in known), unit)


def _alike(ours: frozenset[Amount], theirs: frozenset[Amount]) -> bool:
    return bool({_value(one) for one in ours} & {_value(one) for one in theirs})


def _value(amount: Amount) -> float:
    factor = next((known[amount.unit] for known in _MEASURES if amount.unit in known), 1)
    try:
        return float(amount.number) * factor
    except ValueError:
        return float("nan")  # equal to nothing, itself included


def _in_words(found: frozenset[Amount]) -> str:
    said = sorted(f"{one.number} {_counted(one)}" for one in found)
    return " and ".join(said)


def _counted(amount: Amount) -> str:
    plural = amount.number != "1" and amount.unit not in ("percent", "celsius", "fahrenheit")
    return f"{amount.unit}s" if plural else amount.unit
