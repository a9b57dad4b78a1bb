"""The table of contents of a version: its headings, nested, and where on its pages each stands."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from governance.policy_sections import SectionRow
from web.page_text import Anchor

SEPARATOR = " > "
MOST_ENTRIES = 400
# Below this level headings are left out of contents that would be too long to look through.
_LONG_ENTRIES, _LONG_LEVEL = 80, 2


@dataclass(frozen=True, slots=True)
class Entry:
    """One heading: its level and page, from 1, and where in the page's text it begins.

    start: None where the heading itself was not found on the page.
    """

    id: str
    level: int
    title: str
    page: int
    start: int | None


@dataclass(frozen=True, slots=True)
class Node:
    """A heading with those below it."""

    entry: Entry
    below: tuple["Node", ...]


def entries_of(rows: Sequence[SectionRow], texts: Sequence[str]) -> tuple[Entry, ...]:
    """The headings of the passages in order, each at the place where it stands."""
    found: list[Entry] = []
    before: list[str] = []
    at = (1, 0)
    for row in rows:
        path = row.section.split(SEPARATOR) if row.section else []
        same = _same(before, path)
        for level, title in enumerate(path[same:], same + 1):
            page, start = _place(texts, title, row.page_from, at)
            at = (page, start + len(title)) if start is not None else at
            found.append(Entry(f"s{len(found) + 1}", level, title, page, start))
        before = path
    return tuple(found[:MOST_ENTRIES])


def anchors_on(entries: Sequence[Entry], page: int) -> Mapping[int, Anchor]:
    """The headings that stand on a page, by where they begin."""
    return {
        one.start: Anchor(one.id, one.level)
        for one in entries
        if one.page == page and one.start is not None
    }


def listed(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Those that the contents name: without the lower levels where there are very many."""
    if len(entries) <= _LONG_ENTRIES:
        return tuple(entries)
    return tuple(one for one in entries if one.level <= _LONG_LEVEL)


def nested(entries: Sequence[Entry]) -> tuple[Node, ...]:
    """The headings, each with those below it."""
    nodes: list[Node] = []
    at = 0
    while at < len(entries):
        end = at + 1
        while end < len(entries) and entries[end].level > entries[at].level:
            end += 1
        nodes.append(Node(entries[at], nested(entries[at + 1 : end])))
        at = end
    return tuple(nodes)


def entry_at(entries: Sequence[Entry], page: int, start: int) -> Entry | None:
    """The last heading at or before a place."""
    found, at = None, (0, 0)
    for one in entries:
        # A heading that was not found stands after the one before it.
        at = max(at, (one.page, one.start or 0))
        if at > (page, start):
            break
        found = one
    return found


def _same(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    while count < min(len(one), len(other)) and one[count] == other[count]:
        count += 1
    return count


def _place(
    texts: Sequence[str], title: str, page: int, at: tuple[int, int]
) -> tuple[int, int | None]:
    """Where the heading stands: after the one before it, on this page or at the end of the last."""
    page = min(max(page, 1), max(1, len(texts)))
    for number in (page, page - 1):
        if number < at[0] or number < 1 or number > len(texts):
            continue
        start = next(_lines(texts[number - 1], title, at[1] if number == at[0] else 0), None)
        if start is not None:
            return number, start
    return page, None


def _lines(text: str, title: str, at: int) -> Iterator[int]:
    """Where the title stands as a block of its own, or as the first line of one."""
    folded, wanted = text.casefold(), title.casefold()
    # Folding may change the length of a text: then the places would be wrong.
    if len(folded) != len(text) or not wanted:
        folded, wanted = text, title
    start = folded.find(wanted, at)
    while start >= 0:
        end = start + len(wanted)
        begins = start == 0 or text[start - 2 : start] == "\n\n"
        if begins and (end == len(text) or text[end] == "\n"):
            yield start
        start = folded.find(wanted, start + 1)
