"""The title of a PDF: as it states it, unless that is what a program put there; else its look."""

from collections.abc import Sequence

from ingest.parse.pdf_lines import Line
from ingest.parse.titles import stated_title

_MAX_WORDS, _MAX_CHARS = 20, 150


def title_of(stated: str, lines: Sequence[Line]) -> str | None:
    """The document's title, or None if neither its properties nor its first page tell one."""
    return stated_title(stated) or _largest_text(lines)


def _largest_text(lines: Sequence[Line]) -> str | None:
    """The words in the largest type of the first page, if larger than what most is set in."""
    first = [line for line in lines if line.page == 1 and any(map(str.isalpha, line.text))]
    if not first:
        return None
    size = max(line.size_pt for line in first)
    start = next(index for index, line in enumerate(first) if line.size_pt == size)
    words: list[str] = []
    for line in first[start:]:
        if abs(line.size_pt - size) > 0.6:
            break
        words.extend(line.text.split())
    text = " ".join(words)
    fits = 1 < len(words) <= _MAX_WORDS and len(text) <= _MAX_CHARS
    return stated_title(text) if fits else None
