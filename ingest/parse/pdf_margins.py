"""Running heads, feet and page numbers: what stands at the same place on page after page."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from ingest.parse.pdf_lines import Line

# The parts of a page's height in which heads and feet stand.
_HEAD, _FOOT = 0.17, 0.85
_SAME_PLACE_PT = 6.0
_MIN_SHARE = 0.4
_MIN_PAGES = 5
_PAGE_NUMBER = re.compile(
    r"(?:page\s+)?[-–—|\[(]?\s*(?:\d{1,4}|[ivxl]{1,6})\s*[-–—|\])]?"
    r"(?:\s*(?:of|/)\s*\d{1,4})?$",
    re.IGNORECASE,
)
_ENDS_IN_PAGE_NUMBER = re.compile(r"\bpage\s+(\d{1,4})(?:\s+of\s+\d{1,4})?$", re.IGNORECASE)


def without_margins(pages: Sequence[Sequence[Line]], heights: Sequence[float]) -> list[list[Line]]:
    """The pages' lines less their running heads, feet and page numbers."""
    repeated = _repeated(pages, heights)
    return [
        [line for line in lines if not _is_margin(line, height, repeated)]
        for lines, height in zip(pages, heights, strict=True)
    ]


def key(text: str) -> str:
    """What is the same on every page: the text in lower case, every number a mark."""
    return re.sub(r"\s+", "", re.sub(r"\d+", "#", text.casefold()))


def _zone(line: Line, height: float) -> int:
    """-1 at the head of the page, 1 at its foot, 0 between."""
    return -1 if line.y < _HEAD * height else 1 if line.y > _FOOT * height else 0


def _repeated(
    pages: Sequence[Sequence[Line]], heights: Sequence[float]
) -> Mapping[str, Sequence[float]]:
    """Heights at which a margin text repeats, by its key."""
    found: dict[str, list[float]] = defaultdict(list)
    for lines, height in zip(pages, heights, strict=True):
        for name, y in {key(line.text): line.y for line in lines if _zone(line, height)}.items():
            found[name].append(y)
    least = min(max(2, _MIN_SHARE * len(pages)), _MIN_PAGES)
    return {name: places for name, places in found.items() if _at_one_place(places) >= least}


def _at_one_place(places: Sequence[float]) -> int:
    """How many of the heights lie together: first pages and sections may differ by a little."""
    ordered = sorted(places)
    middle = ordered[len(ordered) // 2]
    return sum(1 for y in places if abs(y - middle) <= _SAME_PLACE_PT)


def _is_margin(line: Line, height: float, repeated: Mapping[str, Sequence[float]]) -> bool:
    if not _zone(line, height):
        return False
    if _PAGE_NUMBER.match(line.text):
        return True
    numbered = _ENDS_IN_PAGE_NUMBER.search(line.text)
    if numbered and int(numbered.group(1)) == line.page:
        return True
    places = repeated.get(key(line.text), ())
    return any(abs(line.y - y) <= _SAME_PLACE_PT for y in places)
