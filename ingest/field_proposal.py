"""A proposed field, and the date that a labelled line states."""

from dataclasses import dataclass
from enum import StrEnum

from ingest.dates import FoundDate, Order, dates_in, holds_unread
from ingest.field_names import FieldName
from ingest.field_places import Stated, Where

# Of these a document may list several dates; the newest is meant.
_NEWEST = frozenset((FieldName.LAST_APPROVED, FieldName.LAST_REVISED))


class Certainty(StrEnum):
    """How a value came about, the surest first."""

    STATED = "stated"  # it stands there under its label
    COMPUTED = "computed"  # from a stated date and a stated number of years
    LIKELY = "likely"  # from the title, a sentence, a month without a day or the file's name


@dataclass(frozen=True, slots=True)
class ProposedField:
    """A value for a field, with the line that it was read from.

    value: of a date, in ISO form. page: 0 where the quote is not on a page, but the file's own
    title or name.
    """

    name: FieldName
    value: str
    page: int
    quote: str
    certainty: Certainty = Certainty.STATED


def read_date(name: FieldName, line: Stated, order: Order | None) -> tuple[str, Certainty] | None:
    """The date that a line states for a field, in ISO form; None where it is not clear."""
    value = line.value[:160]
    found = dates_in(value, order)
    # A date that cannot be read may be the one that is meant.
    if not found or holds_unread(value, order):
        return None
    if not line.colon or line.where is Where.NEXT_LINE:
        found = found if found[0].start == 0 else ()
    elif found[0].start > 12 and (len(found) > 1 or len(value) > 80):
        return None
    if not found:
        return None
    return _as_value(name, max(found, key=lambda one: one.day) if name in _NEWEST else found[0])


def _as_value(name: FieldName, found: FoundDate) -> tuple[str, Certainty]:
    day = found.last if name is FieldName.REVIEW_DUE else found.day
    return day.isoformat(), Certainty.STATED if found.whole else Certainty.LIKELY
