"""What of an open version is turned to, its table of contents, and what was found in it."""

from collections.abc import Mapping
from typing import Any

from web.contents import Entry, entry_at, listed, nested
from web.finding import MAX_WORDS_CHARS, MOST_HITS, Hit, line_of
from web.opening import Reading
from web.places import Opened, Sought, number_of
from web.viewing import Leaf, leaf_at


def asked_leaf(query: Mapping[str, str], reading: Reading, leaves: tuple[Leaf, ...]) -> int | None:
    """The number of the leaf that the address asks for by itself, or by one of its headings."""
    heading = _heading(query, reading)
    if heading is not None:
        return leaf_at(leaves, heading.page, heading.start or 0).number
    page = number_of(query.get("page"))
    return None if page is None else min(max(page, 1), len(leaves))


def leaves_needed(
    opened: Opened | None, leaves: tuple[Leaf, ...], asked: int | None
) -> tuple[int, int]:
    """The first and the last leaf that must be shown."""
    if asked is not None or opened is None:
        return asked or 1, asked or 1
    places = sorted(opened.current.spans.items())
    if not places:
        return (leaf_at(leaves, opened.current.page, 0).number,) * 2
    (first, begins), (last, ends) = places[0], places[-1]
    return (
        leaf_at(leaves, first, begins[0][0]).number,
        leaf_at(leaves, last, ends[-1][0]).number,
    )


def contents_of(query: Mapping[str, str], reading: Reading, asked: Leaf | None) -> dict[str, Any]:
    """The table of contents, and the heading that the reader is at."""
    entries = listed(reading.entries)
    here = None
    if asked is not None:
        here = _heading(query, reading) or entry_at(entries, asked.page, asked.start)
    elif reading.opened:
        here = entry_at(entries, *reading.opened.current.order)
    return {"contents": nested(entries), "here_id": here.id if here else ""}


def found_of(query: Mapping[str, str], reading: Reading) -> dict[str, Any]:
    """What was looked for and where it is."""
    opened, hits = reading.opened, []
    if opened and opened.sought is Sought.FOUND:
        for number, place in enumerate(opened.places):
            hit = Hit(place.page, place.spans[place.page])
            line = line_of(reading.texts[place.page - 1], hit)
            heading = entry_at(reading.entries, *place.order)
            hits.append((place.page, opened.query(number), line, heading.title if heading else ""))
    return {
        "words": reading.words,
        "hits": hits,
        "more_hits": len(hits) >= MOST_HITS,
        "just_found": bool(reading.words) and "at" not in query,
        "max_words_chars": MAX_WORDS_CHARS,
    }


def _heading(query: Mapping[str, str], reading: Reading) -> Entry | None:
    wanted = query.get("section")
    return next((one for one in reading.entries if one.id == wanted), None)
