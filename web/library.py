"""The library: which documents are shown, in which order, and what else could be asked for.

Pure. A choice narrows the list; the count beside each choice says how many it would show together
with the other choices that were made.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from enum import StrEnum
from urllib.parse import urlencode

from governance.policies import DocumentSummary
from governance.versions import VersionState
from web.version_words import state_words

PAGE_DOCUMENTS = 100
# How far ahead a review is said to be due soon.
SOON = timedelta(days=60)
MAX_WORDS_CHARS = 100


class Review(StrEnum):
    """When the next review of a policy is."""

    OVERDUE = "overdue"
    SOON = "soon"
    LATER = "later"
    NONE = "none"


REVIEW_WORDS: Mapping[Review, str] = {
    Review.OVERDUE: "Overdue",
    Review.SOON: "Due within 60 days",
    Review.LATER: "Later",
    Review.NONE: "No date stated",
}


class Order(StrEnum):
    """In which order documents are listed."""

    TITLE = "title"
    NUMBER = "number"
    REVIEW = "review"
    NEWEST = "newest"


ORDER_WORDS: Mapping[Order, str] = {
    Order.TITLE: "Title, A to Z",
    Order.NUMBER: "Policy number",
    Order.REVIEW: "Next review first",
    Order.NEWEST: "Loaded last first",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader chose; empty is everything. letter: of the title; `#` for all but A to Z."""

    words: str = ""
    area: str = ""
    owner: str = ""
    state: str = ""
    review: str = ""
    letter: str = ""
    order: str = Order.TITLE
    page: int = 1

    def link(self, **changed: str | int) -> str:
        """The query of the same list with another choice; the first page of it."""
        values = {"page": 1, **changed}
        chosen = replace(self, **values)  # type: ignore[arg-type]
        start = Wanted()
        given = {
            field.name: getattr(chosen, field.name)
            for field in fields(chosen)
            if getattr(chosen, field.name) != getattr(start, field.name)
        }
        return urlencode(given)

    @property
    def narrows(self) -> bool:
        """Whether anything was chosen but the order and the page."""
        return replace(self, order=Order.TITLE, page=1) != Wanted()


@dataclass(frozen=True, slots=True)
class Choice:
    """One value to choose, in words, and how many documents it would show."""

    value: str
    text: str
    count: int


@dataclass(frozen=True, slots=True)
class Library:
    """A page of the list. total: how many documents fit; first: the place of the first shown."""

    wanted: Wanted
    shown: tuple[DocumentSummary, ...]
    total: int
    first: int
    pages: int
    choices: Mapping[str, tuple[Choice, ...]]


def wanted_of(query: Mapping[str, str]) -> Wanted:
    """What the address asks for; what makes no sense there is not asked for."""
    page, order = query.get("page", ""), query.get("order", "")
    texts = {name: query.get(name, "") for name in ("area", "owner", "state", "review", "letter")}
    return Wanted(
        words=query.get("words", "").strip()[:MAX_WORDS_CHARS],
        order=order if order in list(Order) else Order.TITLE,
        page=int(page) if page.isdecimal() and 0 < len(page) < 6 else 1,
        **texts,
    )


def browse(documents: Sequence[DocumentSummary], wanted: Wanted, today: date) -> Library:
    """The documents that fit, a page of them, and the choices that are left."""
    tests = _tests(wanted, today)
    fitting = [one for one in documents if all(test(one) for test in tests.values())]
    fitting.sort(key=_sort_key(Order(wanted.order)))
    pages = max(1, -(-len(fitting) // PAGE_DOCUMENTS))
    page = max(1, min(wanted.page, pages))
    start = (page - 1) * PAGE_DOCUMENTS
    return Library(
        replace(wanted, page=page),
        tuple(fitting[start : start + PAGE_DOCUMENTS]),
        len(fitting),
        start + 1,
        pages,
        {name: _choices(name, documents, tests, today) for name in _READ},
    )


def review_of(one: DocumentSummary, today: date) -> Review:
    """When its next review is, seen from a day."""
    if one.review_due is None:
        return Review.NONE
    if one.review_due < today:
        return Review.OVERDUE
    return Review.SOON if one.review_due <= today + SOON else Review.LATER


def letter_of(one: DocumentSummary) -> str:
    """The letter that a title stands under; `#` for what begins otherwise."""
    first = one.title.strip()[:1].upper()
    return first if first.isascii() and first.isalpha() else "#"


_READ: Mapping[str, Callable[[DocumentSummary, date], str]] = {
    "area": lambda one, _today: one.area or "",
    "owner": lambda one, _today: one.owner or "",
    "state": lambda one, _today: one.state,
    "review": review_of,
    "letter": lambda one, _today: letter_of(one),
}
Test = Callable[[DocumentSummary], bool]


def _tests(wanted: Wanted, today: date) -> dict[str, Test]:
    """A test for each choice that was made, by its name."""

    def equals(name: str) -> Test:
        value: str = getattr(wanted, name)
        return lambda one: _READ[name](one, today) == value

    tests = {name: equals(name) for name in _READ if getattr(wanted, name)}
    words = wanted.words.casefold().split()
    if words:
        tests["words"] = lambda one: all(word in _searched(one) for word in words)
    return tests


def _searched(one: DocumentSummary) -> str:
    parts = (one.policy_number, one.title, one.area, one.owner, one.file_name)
    return " ".join(part for part in parts if part).casefold()


def _choices(
    name: str, documents: Sequence[DocumentSummary], tests: Mapping[str, Test], today: date
) -> tuple[Choice, ...]:
    others = [test for other, test in tests.items() if other != name]
    left: Iterable[DocumentSummary] = (
        one for one in documents if all(test(one) for test in others)
    )
    counts = Counter(_READ[name](one, today) for one in left)
    return tuple(
        Choice(str(value), _words(name, value), counts[value])
        for value in _in_order(name, counts)
        if value
    )


def _in_order(name: str, counts: Counter[str]) -> Iterable[str]:
    fixed: Mapping[str, Sequence[str]] = {"state": list(VersionState), "review": list(Review)}
    if name in fixed:
        return [value for value in fixed[name] if value in counts]
    return sorted(counts, key=str.casefold)


def _words(name: str, value: str) -> str:
    if name == "state":
        return state_words(value)
    return REVIEW_WORDS[Review(value)] if name == "review" else value


def _sort_key(order: Order) -> Callable[[DocumentSummary], tuple[object, ...]]:
    last = date.max

    def key(one: DocumentSummary) -> tuple[object, ...]:
        title = (one.title.casefold(), one.version)
        match order:
            case Order.NUMBER:
                return (one.policy_number is None, (one.policy_number or "").casefold(), *title)
            case Order.REVIEW:
                return (one.review_due or last, *title)
            case Order.NEWEST:
                return (-one.created_at.timestamp(), *title)
        return title

    return key
