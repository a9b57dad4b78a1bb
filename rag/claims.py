"""What a sentence claims beyond its words: amounts, dates, names, and whether it says no.

Pure. A model that copies a sentence and changes "28 days" to "14 days", or drops a "not", shares
nearly all words with its source; these checks are for the few that matter.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from rag.sentences import HEADING_MARK, LIST_MARK
from rag.words import STOP_WORDS, content_words, fold, stem, tokens

_SMALL = re.findall(
    r"\w+",
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen",
)
_TENS = re.findall(r"\w+", "twenty thirty forty fifty sixty seventy eighty ninety")
NUMBER_WORDS: Mapping[str, int] = (
    {word: n for n, word in enumerate(_SMALL)}
    | {word: 10 * n for n, word in enumerate(_TENS, 2)}
    | {
        f"{ten}-{one}": 10 * n + i
        for n, ten in enumerate(_TENS, 2)
        for i, one in enumerate(_SMALL[:10])
    }
)
# "Once a day", not "once it is open".
TIMES: Mapping[str, int] = {"once": 1, "twice": 2}
EVERY = frozenset({"a", "an", "per", "each", "every", "daily", "weekly", "monthly", "yearly"})
UNITS: Mapping[str, str] = {
    form: name
    for name, forms in {
        "time": "time times",
        "second": "s sec secs second seconds",
        "minute": "min mins minute minutes",
        "hour": "h hr hrs hour hours",
        "day": "day days",
        "week": "week weeks wk wks",
        "month": "month months",
        "quarter": "quarter quarters",
        "year": "year years yr yrs",
        "percent": "% percent",
        "gram": "g gram grams",
        "milligram": "mg",
        "microgram": "mcg µg ug",
        "kilogram": "kg kilogram kilograms",
        "millilitre": "ml millilitre millilitres milliliter milliliters",
        "litre": "l litre litres liter liters",
        "metre": "m metre metres meter meters",
        "centimetre": "cm",
        "millimetre": "mm",
        "foot": "ft foot feet",
        "inch": "inch inches",
        "mile": "mile miles",
        "celsius": "°c celsius",
        "fahrenheit": "°f fahrenheit",
        "degree": "° degrees degree",
        "dollar": "$ usd dollar dollars",
        "euro": "€ eur euro euros",
        "pound": "£ gbp pounds",
        "bit": "bit bits",
        "character": "character characters",
    }.items()
    for form in forms.split()
}
DURATIONS = frozenset({"second", "minute", "hour", "day", "week", "month", "quarter", "year"})
# Capitals tell the month from the verb: "in May" and "staff may".
_CALENDAR = re.compile(
    r"\b(?:Jan(?:uary)?|Feb(?:ruary)?|March|April|May|June?|July?|Aug(?:ust)?|Sep(?:t(?:ember)?)?|"
    r"Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\b"
)
# "No later than Friday" says when, not no: read as bounds before negations are looked for.
_BOUNDS = (
    (re.compile(r"\b(?:no|not) (?:later|more|longer|greater|older) than\b"), "at most"),
    (re.compile(r"\b(?:must|shall|may|should|do|does|can|will)? ?not exceed(?:ing)?\b"), "at most"),
    (re.compile(r"\b(?:no|not) (?:less|fewer|earlier|sooner) than\b"), "at least"),
    (re.compile(r"\bnot (?:only|limited to)\b"), "also"),
    (re.compile(r"\bmay not\b"), "must not"),
    (re.compile(r"\b(?:not|never) (?:be )?(?:allowed|permitted)\b"), "prohibited"),
)
_AT_LEAST = re.compile(
    r"\b(?:at least|minimum(?: of)?|more than|over|above|exceed\w*|greater than|longer than|after)"
    r" (?:\w+ ){0,2}?[$€£]?(\d[\d.,]*)"
)
_AT_MOST = re.compile(
    r"\b(?:at most|maximum(?: of)?|up to|less than|fewer than|under|below|within|before|by)"
    r" (?:\w+ ){0,2}?[$€£]?(\d[\d.,]*)"
)
_NO_FORWARD = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|cannot|\w+n't|unable)\b"
)
_NO_BOTH_WAYS = re.compile(r"\b(?:prohibit\w*|forbid\w*|ban|bans|banned|disallow\w*|refrain)\b")
_BREAKS = re.compile(r"[.;:!?](?=\s|$)|\b(?:but|unless|except|however|although|though|whereas)\b")
# Words that turn a rule round when one stands in for the other.
_OPPOSITES = tuple(
    (frozenset(left.split()), frozenset(right.split()))
    for left, right in (
        ("must shall required mandatory requires", "may optional voluntary"),
        ("before prior", "after"),
        ("allowed permitted", "prohibited forbidden"),
        ("increase raise higher increases", "decrease reduce lower decreases"),
        ("always", "never"),
        ("strong stronger strongest", "weak weaker weakest"),
        ("succeed succeeded successful passed", "fail failed failure unsuccessful defeated"),
        ("accept approve accepted approved", "reject refuse deny rejected refused denied"),
        ("internal inside", "external outside"),
        ("open unlocked", "closed locked"),
    )
)
_AMOUNT = re.compile(
    r"(?P<sign>[$€£])?(?<![\w.])(?P<number>\d[\d,]*(?:\.\d+)?)(?:st|nd|rd|th)?"
    r"(?:\s*-?\s*(?P<unit>%|°\s?[cf]?|µg|[a-z]+))?"
)
_NUMBER_WORD = re.compile(
    rf"\b({'|'.join(sorted([*NUMBER_WORDS, *TIMES], key=len, reverse=True))})\b(?=(?:[ -](\w+))?)"
)
# At a sentence's start a capital tells nothing, unless another follows: "President Wilson".
_NAME = re.compile(r"(?<=[\w,;)] )[A-Z][\w&-]*\w|\b[A-Z][\w&-]*\w(?= [A-Z])")
_MAX_CONFLICT = 1 / 3  # share of the shared words that may stand under a no on one side alone


class Fault(StrEnum):
    """Why a quote does not support a sentence although they share their words."""

    AMOUNT = "amount"
    DATE = "date"
    NAME = "name"
    NEGATION = "negation"
    OPPOSITE = "opposite"


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its unit, both in one canonical form; no unit is the empty string."""

    number: str
    unit: str


def plain(text: str) -> str:
    """Return a unit's own words: without its list mark, heading mark and emphasis."""
    text = HEADING_MARK.sub("", LIST_MARK.sub("", text, count=1), count=1)
    return re.sub(r"\*\*|__|`", "", text).strip()


def fault(sentence: str, quote: str, context: str) -> Fault | None:
    """Name what the sentence claims and the quote does not say, None where there is nothing.

    context: the quote's passage with its title and section, where names may stand too.
    """
    if not _amounts_stand(amounts(sentence), amounts(quote)):
        return Fault.AMOUNT
    if not _months(sentence) <= _months(quote):
        return Fault.DATE
    if not names(sentence) <= set(map(stem, tokens(context))):
        return Fault.NAME
    return polarity_fault(sentence, quote)


def polarity_fault(sentence: str, quote: str) -> Fault | None:
    """Name a rule that the sentence turns round: a no lost or added, a word for its opposite."""
    if _negation_differs(sentence, quote):
        return Fault.NEGATION
    return Fault.OPPOSITE if _opposed(sentence, quote) else None


def amounts(text: str) -> frozenset[Amount]:
    """Return every number of a text with its unit; number words count, "one" only with a unit."""
    return frozenset(_amounts(_NUMBER_WORD.sub(_figure, fold(text))))


def names(text: str) -> frozenset[str]:
    """Return the stems of capitalised words inside sentences."""
    found = (word for match in _NAME.finditer(text) for word in tokens(match.group()))
    return frozenset(stem(word) for word in found if word not in STOP_WORDS)


def other_amount(sentence: str, unit: str, *, in_table: bool) -> bool:
    """Tell whether a text gives another amount of a unit that the sentence counts in.

    In a table the unit stands in the header, so that any other number is such an amount.
    """
    claimed, said = amounts(sentence), amounts(unit)
    return any(
        not _amount_stands(amount, said)
        and (in_table or (amount.unit and _kind(amount.unit) == _kind(other.unit)))
        for amount in claimed
        for other in said
    )


def _kind(unit: str) -> str:
    return "duration" if unit in DURATIONS else unit


def _amounts(folded: str) -> Iterator[Amount]:
    for match in _AMOUNT.finditer(folded):
        number = match["number"].replace(",", "").rstrip(".")
        if "." in number:
            number = number.rstrip("0").rstrip(".")
        form = (match["sign"] or match["unit"] or "").replace(" ", "")
        yield Amount(number.lstrip("0") or "0", UNITS.get(form, ""))


def _figure(match: re.Match[str]) -> str:
    word, following = match[1], match[2] or ""
    if word in TIMES:
        return f"{TIMES[word]} times" if following in EVERY else word
    pronoun = word == "one" and following not in UNITS
    return word if pronoun else str(NUMBER_WORDS[word])


def _amounts_stand(claimed: frozenset[Amount], said: frozenset[Amount]) -> bool:
    return all(_amount_stands(amount, said) for amount in claimed)


def _amount_stands(amount: Amount, said: frozenset[Amount]) -> bool:
    found = {other.unit for other in said if other.number == amount.number}
    # A bare number in the quote takes any unit: its unit stands in a table's header.
    return bool(found) and (not amount.unit or amount.unit in found or found == {""})


def _months(text: str) -> frozenset[str]:
    return frozenset(match.group()[:3] for match in _CALENDAR.finditer(text))


def _bounded(text: str) -> str:
    folded = _NUMBER_WORD.sub(_figure, fold(text))
    for pattern, instead in _BOUNDS:
        folded = pattern.sub(instead, folded)
    return folded


def _opposed(sentence: str, quote: str) -> bool:
    claimed, said = _bounded(sentence), _bounded(quote)
    ours, theirs = _limits(claimed), _limits(said)
    if any(not ours[number] & theirs[number] for number in ours.keys() & theirs.keys()):
        return True
    mine, yours = set(tokens(claimed)), set(tokens(said))
    return any(
        (mine & this and not yours & this and yours & that)
        for pair in _OPPOSITES
        for this, that in (pair, pair[::-1])
    )


def _limits(bounded: str) -> Mapping[str, set[str]]:
    """Map each limit's number to whether it is the least, the most, or said both ways."""
    found: dict[str, set[str]] = {}
    for kind, pattern in (("least", _AT_LEAST), ("most", _AT_MOST)):
        for match in pattern.finditer(bounded):
            found.setdefault(match[1].rstrip(".,"), set()).add(kind)
    return found


def _negation_differs(sentence: str, quote: str) -> bool:
    """Tell whether too many shared words stand under a no on one side and never on the other."""
    ours, theirs = _polarities(_bounded(sentence)), _polarities(_bounded(quote))
    shared = ours.keys() & theirs.keys()
    conflicts = [word for word in shared if not ours[word] & theirs[word]]
    return len(conflicts) > _MAX_CONFLICT * len(shared)


def _polarities(bounded: str) -> Mapping[str, set[bool]]:
    """Map each content word to the readings it may have: under a no (True), not (False).

    How far a no reaches past a comma cannot be told without grammar, so both readings count.
    """
    found: dict[str, set[bool]] = {}
    for part in _BREAKS.split(bounded):
        reach = _reach(part)
        for word in content_words(part):
            found.setdefault(word, set())
        for narrow, wide, words in reach:
            for word in words:
                found[word] |= {narrow, wide}
    return found


def _reach(part: str) -> Iterator[tuple[bool, bool, list[str]]]:
    """Yield stretches of a clause with their narrow and wide readings."""
    if _NO_BOTH_WAYS.search(part):
        yield True, True, content_words(part)
        return
    cue = _NO_FORWARD.search(part)
    if cue is None:
        yield False, False, content_words(part)
        return
    before, after = part[: cue.start()], part[cue.end() :]
    subject = content_words(before)
    yield (False, True, subject)
    inside, comma, rest = after.partition(",")
    if not inside.strip():  # "must not, in any case, ...": the no goes on after the aside
        inside, rest = rest, ""
    yield True, True, content_words(inside)
    yield False, bool(comma), content_words(rest)
