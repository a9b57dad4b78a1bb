"""The places in a document that a reader has come for: quotes of an answer, or words found in it.

One of them is the current one; the others can be stepped to. The addresses of all steps are made
here, so that they work without JavaScript.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode, urlsplit

from governance.policies import PassageRecord
from governance.policy_sections import PassageText
from ingest.letters import Span
from ingest.quotes import Quote, find_quote
from web.contents import SEPARATOR
from web.finding import Hit
from web.marks import Mark, layered, marks_of

MOST_PLACES = 20
_BETWEEN = "\n\n"


class Sought(StrEnum):
    """Why a document was opened at certain places."""

    QUOTED = "quoted"
    FOUND = "found"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a passage as an address names it."""

    passage_id: str
    start: int
    end: int

    @property
    def named(self) -> str:
        """As one value of an address."""
        return f"{self.passage_id}.{self.start}.{self.end}"


@dataclass(frozen=True, slots=True)
class Place:
    """Words to be marked: stretches of the texts of pages, by page, from 1.

    page: where it begins. section: the headings above it, "A > B".
    """

    spans: Mapping[int, tuple[Span, ...]]
    page: int
    section: str = ""
    stretch: Stretch | None = None

    @property
    def order(self) -> tuple[int, int]:
        """Where it comes among others."""
        first = min(self.spans, default=0)
        return (first, self.spans[first][0][0]) if first else (self.page, 0)


@dataclass(frozen=True, slots=True)
class Opened:
    """The places in the order of the document, and which of them is the current one, from 0.

    words: what was looked for.
    """

    sought: Sought
    places: tuple[Place, ...]
    at: int = 0
    words: str = ""

    @property
    def current(self) -> Place:
        """The place that the reader has come for."""
        return self.places[self.at]

    def query(self, at: int | None = None) -> str:
        """The part of an address that opens the document at a place; None is the current one."""
        at = self.at if at is None else at
        if self.sought is Sought.FOUND:
            return urlencode({"find": self.words, "at": at + 1})
        stretches = [place.stretch for place in self.places if place.stretch]
        return urlencode(_named(stretches[at], [s for s in stretches if s != stretches[at]]))

    def marks_on(self, page: int) -> tuple[Mark, ...]:
        """What is marked on a page."""
        return layered(
            mark
            for number, place in enumerate(self.places)
            for mark in marks_of(place.spans.get(page, ()), current=number == self.at)
        )


def stretches_of(pairs: Iterable[tuple[str, str]]) -> tuple[Stretch, ...]:
    """The stretches that an address names, the current one first; a bad one is left out.

    A passage without numbers, or with bad ones, is meant as a whole: it ends at 0.
    """
    given = list(pairs)
    first = dict(reversed(given))
    if not first.get("passage"):
        return ()
    start, end = number_of(first.get("from")), number_of(first.get("to"))
    whole = start is None or end is None or not start < end
    found = [Stretch(first["passage"], *((0, 0) if whole else (start or 0, end or 0)))]
    for name, value in given:
        passage_id, *numbers = value.split(".")
        ends = [number_of(one) for one in numbers]
        if name == "also" and len(ends) == 2 and None not in ends:
            found.append(Stretch(passage_id, ends[0] or 0, ends[1] or 0))
    return tuple(dict.fromkeys(found))[:MOST_PLACES]


def with_places(url: str, others: Iterable[str]) -> str:
    """The address of a citation, which also names those of the others in the same version."""
    address = urlsplit(url)
    mine = stretches_of(parse_qsl(address.query))
    beside = [
        stretch
        for other in map(urlsplit, others)
        if other.path == address.path
        for stretch in stretches_of(parse_qsl(other.query))[:1]
        if stretch.end and stretch not in mine
    ]
    if not mine or not mine[0].end or not beside:
        return url
    beside = list(dict.fromkeys(beside))[: MOST_PLACES - 1]
    return address._replace(query=urlencode(_named(mine[0], beside))).geturl()


def quoted_place(
    passage: PassageRecord,
    stretch: Stretch,
    beside: tuple[PassageText | None, PassageText | None],
    texts: Sequence[str],
) -> Place:
    """Where the named stretch of a passage stands on its pages; all of it if it has no end."""
    start, end = stretch.start, stretch.end
    if not 0 <= start < end <= len(passage.text):
        start, end = 0, len(passage.text)
    first = min(max(passage.page_from, 1), max(1, len(texts)))
    last = min(max(passage.page_to, first), len(texts))
    spans = spans_over(texts[first - 1 : last], first, surrounded(passage, start, end, *beside))
    kept = Stretch(passage.passage_id, start, end)
    return Place(spans, first, passage.section, kept)


def in_order(places: Sequence[Place]) -> tuple[Place, ...]:
    """The places as they come in the document; of several that are the same, the first one."""
    kept: list[Place] = []
    for place in places:
        if not any(place.spans == other.spans and place.order == other.order for other in kept):
            kept.append(place)
    return tuple(
        sorted(kept, key=lambda one: (one.order, one.stretch.named if one.stretch else ""))
    )


def found_place(hit: Hit) -> Place:
    """A hit as a place."""
    return Place({hit.page: hit.spans}, hit.page)


def surrounded(
    passage: PassageRecord,
    start: int,
    end: int,
    before: PassageText | None,
    after: PassageText | None,
) -> Quote:
    """A stretch of a passage with what stands before and after it in the document."""
    lead = ""
    if before:
        lead = _BETWEEN.join([before.text, *_new_headings(before.section, passage.section), ""])
    tail = ""
    if after:
        tail = _BETWEEN.join(["", *_new_headings(passage.section, after.section), after.text])
    return Quote(f"{lead}{passage.text}{tail}", len(lead) + start, len(lead) + end)


def spans_over(texts: Sequence[str], first: int, quote: Quote) -> dict[int, tuple[Span, ...]]:
    """Where a quote stands in the texts of some pages, by page; first: the number of the first."""
    found = find_quote(_BETWEEN.join(texts), quote)
    spans: dict[int, tuple[Span, ...]] = {}
    offset = 0
    for page, text in enumerate(texts, first):
        here = [
            (max(start - offset, 0), min(end - offset, len(text)))
            for start, end in found
            if start < offset + len(text) and end > offset
        ]
        if here:
            spans[page] = tuple(here)
        offset += len(text) + len(_BETWEEN)
    return spans


def number_of(text: str | None) -> int | None:
    """A number out of an address; None for what is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else None


def _named(current: Stretch, others: Sequence[Stretch]) -> list[tuple[str, str]]:
    given = [("passage", current.passage_id)]
    given += [("from", str(current.start)), ("to", str(current.end))]
    return given + [("also", one.named) for one in others]


def _new_headings(before: str, section: str) -> list[str]:
    """The headings that stand between two passages."""
    old, new = before.split(SEPARATOR), section.split(SEPARATOR)
    same = 0
    while same < min(len(old), len(new)) and old[same] == new[same]:
        same += 1
    return new[same:]
