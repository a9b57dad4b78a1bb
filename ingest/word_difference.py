"""What changed inside a sentence, word by word, and whether a number of it did."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import IntEnum, StrEnum

# Above this many tokens on either side the two sentences are shown whole, one after the other.
_MAX_TOKENS = 400
_TOKEN = re.compile(r"\s+|\d+(?:[.,:/-]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)?|.", re.DOTALL)
_DOSE_UNITS = (
    "micrograms?|milligrams?|grams?|millilit(?:er|re)s?|lit(?:er|re)s?|international units?|units?"
    "|mcg|µg|μg|ug|mg|kg|g|ml|l|iu|mmol|meq|tablets?|capsules?|drops?|puffs?|doses?|vials?|ampoules?"
)
_FIGURE = re.compile(
    r"(?P<number>\d+(?:[.,:/-]\d+)*|\b(?:half|once|twice|one|two|three|four|five|six|seven|eight|nine"
    r"|ten|eleven|twelve|hourly|daily|weekly|fortnightly|monthly|yearly|annually)\b)"
    rf"\s*(?P<unit>(?:{_DOSE_UNITS})\b|%|°\s?[CF]\b|(?:seconds?|minutes?|hours?|days?|weeks?|months?"
    r"|years?|am|pm|cm|mm|m|km|bar|kpa|mmhg|bpm)\b)?",
    re.IGNORECASE,
)
_DOSE_UNIT = re.compile(rf"(?:{_DOSE_UNITS})\Z", re.IGNORECASE)


class Mark(StrEnum):
    """What became of a stretch of words."""

    KEPT = "kept"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of words of one mark."""

    mark: Mark
    text: str


class Weight(IntEnum):
    """How closely a change must be looked at, the closest first."""

    DOSE = 0  # a number with a unit that medicines are measured in
    FIGURE = 1  # any other number, time, date or unit
    WORDS = 2
    HEADING = 3


def segments(old: str, new: str) -> tuple[Segment, ...]:
    """The new sentence with what was taken out of the old one; removed stands before added."""
    if not old or not new:
        mark, text = (Mark.ADDED, new) if new else (Mark.REMOVED, old)
        return (Segment(mark, text),) if text else ()
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    if max(len(before), len(after)) > _MAX_TOKENS:
        return (Segment(Mark.REMOVED, old), Segment(Mark.ADDED, new))
    return tuple(_merged(list(_compared(before, after))))


def weight_of(old: str, new: str) -> Weight:
    """Whether the numbers of two sentences differ; in a removed or added one, if it has any."""
    before, after = _figures(old), _figures(new)
    changed = (before - after) + (after - before)
    if any(_DOSE_UNIT.match(unit) for _, unit in changed):
        return Weight.DOSE
    return Weight.FIGURE if changed else Weight.WORDS


def _figures(text: str) -> Counter[tuple[str, str]]:
    return Counter(
        (match["number"].casefold(), (match["unit"] or "").casefold())
        for match in _FIGURE.finditer(text)
    )


def _compared(before: Sequence[str], after: Sequence[str]) -> Iterator[Segment]:
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for kind, i, i_end, j, j_end in matcher.get_opcodes():
        if kind == "equal":
            yield Segment(Mark.KEPT, "".join(before[i:i_end]))
            continue
        if i < i_end:
            yield Segment(Mark.REMOVED, "".join(before[i:i_end]))
        if j < j_end:
            yield Segment(Mark.ADDED, "".join(after[j:j_end]))


def _merged(parts: Sequence[Segment]) -> Iterator[Segment]:
    """Changes with only a blank kept between them are one change."""
    removed = added = ""
    for index, part in enumerate(parts):
        bridge = part.mark is Mark.KEPT and not part.text.strip() and 0 < index < len(parts) - 1
        if part.mark is Mark.KEPT and not (bridge and (removed or added)):
            yield from _changed(removed, added)
            removed = added = ""
            yield part
        else:
            removed += part.text if part.mark is not Mark.ADDED else ""
            added += part.text if part.mark is not Mark.REMOVED else ""
    yield from _changed(removed, added)


def _changed(removed: str, added: str) -> Iterator[Segment]:
    if removed:
        yield Segment(Mark.REMOVED, removed)
    if added:
        yield Segment(Mark.ADDED, added)
