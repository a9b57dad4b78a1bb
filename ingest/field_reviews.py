"""The next review where it is not labelled as such: a bare "review date", or a number of years."""

import re
from collections.abc import Iterator, Sequence
from datetime import date

from ingest.dates import Order, dates_in, years_after
from ingest.field_names import DATES, REVIEW_CYCLES, REVIEW_DATE, FieldName
from ingest.field_places import Stated
from ingest.field_proposal import Certainty, ProposedField, read_date
from ingest.field_sentences import Said

_CYCLE = re.compile(
    r"^(?:at least |reviewed |review )*(?:(?P<yearly>annual(?:ly)?|yearly|every year)"
    r"|(?:every |in |after )?(?P<count>\d|one|two|three|four|five)[\s-]*(?:years?|yearly|yrs?))\b"
    r"(?!\s*(?:old|of age))",
    re.IGNORECASE,
)
_COUNTS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}


def settle_review(
    found: dict[FieldName, ProposedField],
    lines: Sequence[Stated],
    sentences: Sequence[Said],
    order: Order | None,
) -> None:
    """Find the next review from a bare "review date", or from how often there is one."""
    if FieldName.REVIEW_DUE in found:
        return
    known = {name: found[name] for name in DATES if name in found}
    for proposed in (*_review_dates(lines, known, order), *_cycles(lines, sentences, known)):
        found[FieldName.REVIEW_DUE] = proposed
        return


def _review_dates(
    lines: Sequence[Stated], known: dict[FieldName, ProposedField], order: Order | None
) -> Iterator[ProposedField]:
    """A "review date" after every other date is the next one; else it is one that has been."""
    for line in lines:
        read = read_date(FieldName.REVIEW_DUE, line, order) if line.label == REVIEW_DATE else None
        if read and known and all(read[0] > other.value for other in known.values()):
            name, quote = FieldName.REVIEW_DUE, line.quote
            yield ProposedField(name, read[0], line.page, quote, Certainty.LIKELY)


def _cycles(
    lines: Sequence[Stated], sentences: Sequence[Said], known: dict[FieldName, ProposedField]
) -> Iterator[ProposedField]:
    told = [(line.value, line.page, line.quote) for line in lines if line.label in REVIEW_CYCLES]
    told += [(one.value, one.page, one.quote) for one in sentences if one.field is None]
    for value, page, quote in told:
        match = _CYCLE.match(value) if not dates_in(value) else None
        start = _start_of_cycle(value, known)
        if match and start:
            years = 1 if match["yearly"] else _years(match["count"])
            day = years_after(date.fromisoformat(start.value), years)
            reason = f"{quote} / {start.quote}"
            yield ProposedField(
                FieldName.REVIEW_DUE, day.isoformat(), page, reason, Certainty.COMPUTED
            )


def _start_of_cycle(value: str, known: dict[FieldName, ProposedField]) -> ProposedField | None:
    """The stated date from which the years run: the one that the text names, else the approval."""
    named = {"approv": FieldName.LAST_APPROVED, "effective": FieldName.EFFECTIVE_FROM}
    names = [name for word, name in named.items() if word in value.casefold()]
    for name in names or (FieldName.LAST_APPROVED, FieldName.EFFECTIVE_FROM):
        if name in known and known[name].certainty is Certainty.STATED:
            return known[name]
    return None


def _years(count: str) -> int:
    return int(count) if count.isdecimal() else _COUNTS[count.casefold()]
