"""Which lines of a PDF are headings, and of what level: by its outline, then by their look."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ingest.parse.lines import could_be_heading, is_bullet, is_upper_case, list_marker, number_depth
from ingest.parse.pdf_lines import Line

Style = tuple[float, bool]

_LARGER = 1.12
_MAX_LEVEL = 6
_MAX_LINES = 4
_MAX_WORDS_LARGER = 30
_MAX_LINES_OTHER_TYPE = 2
_MAX_OUTLINE = 5000
# How far below its line a heading's next line may stand, in sizes of its type.
_LINE_STEP = 1.45


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """One bookmark: its level from 1, its title, the page it opens."""

    level: int
    title: str
    page: int


class Headings:
    """Knows the headings of one document: ask it how many lines a heading takes at a place."""

    def __init__(self, lines: Sequence[Line], outline: Sequence[OutlineEntry]) -> None:
        self._lines = lines
        self._body_pt = body_size_pt(lines)
        self._body_font = _body_font(lines)
        self._marked = _marked(lines, outline[:_MAX_OUTLINE])
        self._levels = self._style_levels()

    def at(self, index: int) -> tuple[int, int]:
        """The number of lines of the heading that begins here, and its level; (0, 0) if none."""
        if index in self._marked:
            return self._marked[index]
        line = self._lines[index]
        if not self._looks_like_one(index):
            return 0, 0
        count = self._extent(index)
        # A question may be long: its lines are one heading if nothing of their look is before them.
        larger = line.bold and line.size_pt >= self._body_pt * _LARGER
        most = _MAX_WORDS_LARGER if larger and self._begins_run(index) else None
        if count > _MAX_LINES or not could_be_heading(self._joined(index, count), most):
            return 0, 0
        return count, self._levels.get(line.style, _MAX_LEVEL)

    def _joined(self, index: int, count: int) -> str:
        return " ".join(line.text for line in self._lines[index : index + count])

    def _looks_like_one(self, index: int) -> bool:
        line = self._lines[index]
        if not could_be_heading(line.text) or line.size_pt <= 0 or is_bullet(line.text):
            return False
        if line.size_pt >= self._body_pt * _LARGER:
            return True
        if line.size_pt < self._body_pt * 0.95:
            return False
        if line.bold:
            return not _is_run_in(line, self._lines[index + 1 : index + 2])
        return self._stands_apart(index) and (
            _is_numbered(line.text) or self._is_in_other_type(index)
        )

    def _stands_apart(self, index: int) -> bool:
        """Whether there is more space above a line than between the lines of a paragraph."""
        line = self._lines[index]
        before = self._lines[index - 1] if index else None
        if before is None or before.page != line.page:
            return True
        # A step upwards leads to the next column.
        return not 0 <= _step(before, line) <= 1.5

    def _begins_run(self, index: int) -> bool:
        """Whether the line before is of another look, or stands apart."""
        line = self._lines[index]
        before = self._lines[index - 1] if index else None
        return (
            before is None
            or before.page != line.page
            or before.style != line.style
            or not 0 <= _step(before, line) <= _LINE_STEP
        )

    def _is_in_other_type(self, index: int) -> bool:
        """A heading set in another type than the text, with the text's following closely."""
        line = self._lines[index]
        end = index + min(self._extent(index), _MAX_LINES_OTHER_TYPE)
        after = self._lines[end] if end < len(self._lines) else None
        return (
            line.font not in ("", self._body_font)
            and line.text[0].isupper()
            and not list_marker(line.text)
            and after is not None
            and after.page == line.page
            and after.font == self._body_font
            and 0 < _step(self._lines[end - 1], after) < 2.5
        )

    def _extent(self, index: int) -> int:
        """How many lines of the same look follow each other closely from here."""
        first = self._lines[index]
        count = 1
        for before, line in zip(self._lines[index:], self._lines[index + 1 :], strict=False):
            step = line.y - before.y
            if (
                line.style != first.style
                or line.font != first.font
                or line.page != first.page
                or not 0 <= step <= _LINE_STEP * max(first.size_pt, 1)
                or list_marker(line.text)
                or number_depth(line.text)
                or index + count in self._marked
            ):
                break
            count += 1
        return count

    def _style_levels(self) -> Mapping[Style, int]:
        """Levels by look: as the outline has them where it knows the look, else by size."""
        known = _levels_in_outline(self._lines, self._marked)
        looks = {
            line.style for index, line in enumerate(self._lines) if self._looks_like_one(index)
        }
        levels: dict[Style, int] = {}
        level = 0
        for style in sorted(looks | set(known), reverse=True):
            level = known.get(style, min(level + 1, _MAX_LEVEL))
            levels[style] = level
        return levels


def body_size_pt(lines: Sequence[Line]) -> float:
    """The size in which most of the text is set, points."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[line.style[0]] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def _body_font(lines: Sequence[Line]) -> str:
    fonts: Counter[str] = Counter()
    for line in lines:
        fonts[line.font] += len(line.text)
    return fonts.most_common(1)[0][0] if fonts else ""


def _step(before: Line, line: Line) -> float:
    """The distance down to the next line, in sizes of its type; negative upwards."""
    return (line.y - before.y) / max(line.size_pt, 1.0)


def _is_numbered(text: str) -> bool:
    """A heading in plain type shows itself by a number of depth two, or one and capitals."""
    depth = number_depth(text)
    return len(text.split()) <= 10 and (depth > 1 or (depth == 1 and is_upper_case(text)))


def _is_run_in(line: Line, following: Sequence[Line]) -> bool:
    """Whether a bold line is part of a bold paragraph or a label, and not a heading."""
    if list_marker(line.text) and not number_depth(line.text):
        return True
    return bool(following) and following[0].y == line.y and following[0].page == line.page


def _levels_in_outline(
    lines: Sequence[Line], marked: Mapping[int, tuple[int, int]]
) -> Mapping[Style, int]:
    """The level that headings of one look mostly have in the outline."""
    votes: dict[Style, Counter[int]] = {}
    for index, (_, level) in marked.items():
        votes.setdefault(lines[index].style, Counter())[level] += 1
    return {style: counter.most_common(1)[0][0] for style, counter in votes.items()}


def _marked(
    lines: Sequence[Line], outline: Sequence[OutlineEntry]
) -> Mapping[int, tuple[int, int]]:
    """Where the outline's titles stand in the text: index of first line, (lines, level)."""
    by_page: dict[int, list[int]] = {}
    for index, line in enumerate(lines):
        by_page.setdefault(line.page, []).append(index)
    found: dict[int, tuple[int, int]] = {}
    for entry in outline:
        wanted = _folded(entry.title)
        places = [*by_page.get(entry.page, ()), *by_page.get(entry.page + 1, ())]
        match = next(_matches(lines, places, wanted, found), None) if len(wanted) > 2 else None
        if match is not None:
            found[match[0]] = (match[1], min(entry.level, _MAX_LEVEL))
    return found


def _matches(
    lines: Sequence[Line],
    places: Sequence[int],
    wanted: str,
    taken: Mapping[int, tuple[int, int]],
) -> Iterator[tuple[int, int]]:
    """Index and number of the lines that say just what was wanted."""
    for index in places:
        text = ""
        for count, line in enumerate(lines[index : index + _MAX_LINES], start=1):
            text += _folded(line.text)
            if text == wanted and index not in taken:
                yield index, count
            if not wanted.startswith(text):
                break


def _folded(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
