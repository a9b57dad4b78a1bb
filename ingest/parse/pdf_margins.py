"""Running heads, feet and page numbers: what stands at the same place on page after page.

What says the same on page after page is such a line. One that differs in a number alone is one if
that number counts the pages: because a word says so, or because it grows by one from page to page.
"Step 1" and "Step 2" at the top of two pages are headings, and "Dose 20 mg" and "Dose 40 mg" text.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ingest.parse.pdf_lines import Line

# The parts of a page's height in which heads and feet stand.
_HEAD, _FOOT = 0.17, 0.85
_SAME_PLACE_PT = 6.0
_MIN_SHARE = 0.4
_MIN_PAGES = 5
_BARE_NUMBER = re.compile(r"(\d{1,4})(?:\s*/\s*\d{1,4})?$")
_PAGE_NUMBER = re.compile(
    r"(?:page\s+(?:\d{1,4}|[ivxl]{1,6})|[ivxl]{1,6}|([-–—|(\[])\s*(?:\d{1,4}|[ivxl]{1,6})"
    r"|(?:\d{1,4}|[ivxl]{1,6})(?=\s*[-–—|]|\s+of\s))"
    r"\s*[-–—|\])]?(?:\s*(?:of|/)\s*\d{1,4})?$",
    re.IGNORECASE,
)
_ENDS_IN_PAGE_NUMBER = re.compile(r"\bpage\s+(\d{1,4})(?:\s+of\s+\d{1,4})?$", re.IGNORECASE)
_SAYS_PAGE = re.compile(r"\bpage\s*\d{1,4}(?:\s*(?:of|/)\s*\d{1,4})?|\b\d{1,4}\s+of\s+\d{1,4}\b")
# A number that may count pages unsaid, the last or the first of a line: "Falls 7", "G-7".
_MAY_COUNT = re.compile(r"(?<![\d.,/])\d{1,4}(?=\s*/\s*\d{1,4}$|$)|^\d{1,4}(?=\s)")
_WORD = re.compile(r"[^\W\d_]{2,}")
# What is counted in its own right, and not by pages.
_COUNTED = {
    "step", "part", "chapter", "section", "appendix", "annex", "attachment", "schedule",
    "phase", "stage", "level", "table", "figure", "box", "form", "item", "rule", "tier",
    "day", "week", "month", "module", "unit", "lesson", "question", "case", "option",
    "example", "exhibit", "article", "standard", "principle", "objective", "goal", "domain",
    "criterion", "recommendation", "protocol", "task", "group", "category", "grade",
    "class", "type", "no", "number",
}  # fmt: skip
_Repeated = Mapping[str, Sequence[float]]


def without_margins(pages: Sequence[Sequence[Line]], heights: Sequence[float]) -> list[list[Line]]:
    """The pages' lines less their running heads, feet and page numbers."""
    repeated = _repeated(pages, heights)
    return [
        [line for line in lines if not _is_margin(line, height, repeated, lines)]
        for lines, height in zip(pages, heights, strict=True)
    ]


def key(text: str) -> str:
    """What is the same on every page: the text in lower case, a mark where it says "page 3"."""
    return re.sub(r"\s+", "", _SAYS_PAGE.sub("#", text.casefold()))


def _keys(line: Line) -> Iterator[str]:
    """The names by which a line may repeat: as it is, and with a number taken for the page's."""
    yield key(line.text)
    for match in _MAY_COUNT.finditer(line.text):
        before, after = line.text[: match.start()], line.text[match.end() :]
        of_so_many = after.lstrip().startswith("/")
        if (before or after) and (of_so_many or not _is_label(before)):
            # How far the number is ahead of the page is part of the name: it has to grow with it.
            yield key(f"{before}\0{int(match.group()) - line.page}\0{after}")


def _is_label(before: str) -> bool:
    """Whether what stands before a number is what it counts: "Step", "Ward policy: phase"."""
    words = _WORD.findall(before.casefold())
    return bool(words) and (len(words) == 1 or words[-1] in _COUNTED)


def _zone(line: Line, height: float) -> int:
    """-1 at the head of the page, 1 at its foot, 0 between."""
    return -1 if line.y < _HEAD * height else 1 if line.y > _FOOT * height else 0


def _repeated(pages: Sequence[Sequence[Line]], heights: Sequence[float]) -> _Repeated:
    """Heights at which a margin text repeats, by its key."""
    found: dict[str, list[float]] = defaultdict(list)
    for lines, height in zip(pages, heights, strict=True):
        edge = [line for line in lines if _zone(line, height)]
        for name, y in {name: line.y for line in edge for name in _keys(line)}.items():
            found[name].append(y)
    least = min(max(2, _MIN_SHARE * len(pages)), _MIN_PAGES)
    return {name: places for name, places in found.items() if _at_one_place(places) >= least}


def _at_one_place(places: Sequence[float]) -> int:
    """How many of the heights lie together: first pages and sections may differ by a little."""
    ordered = sorted(places)
    middle = ordered[len(ordered) // 2]
    return sum(1 for y in places if abs(y - middle) <= _SAME_PLACE_PT)


def _is_margin(line: Line, height: float, repeated: _Repeated, page: Sequence[Line]) -> bool:
    if not _zone(line, height):
        return False
    if _PAGE_NUMBER.match(line.text) or _is_bare_number(line, page):
        return True
    numbered = _ENDS_IN_PAGE_NUMBER.search(line.text)
    if numbered and int(numbered.group(1)) == line.page:
        return True
    return any(
        abs(line.y - y) <= _SAME_PLACE_PT for name in _keys(line) for y in repeated.get(name, ())
    )


def _is_bare_number(line: Line, page: Sequence[Line]) -> bool:
    """Whether a line is a number alone, the page's own or at the very edge of the page."""
    number = _BARE_NUMBER.match(line.text)
    if number is None:
        return False
    heights = [other.y for other in page]
    return int(number.group(1)) == line.page or line.y in (min(heights), max(heights))
