"""The markers that Word draws before list items: they are counted, not stored, so count them."""

from typing import TYPE_CHECKING

from docx.oxml.ns import qn

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from docx.oxml.xmlchemy import BaseOxmlElement

_DEEPEST = 8
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"),
    (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip


class Numbering:
    """Counts the items of every list of one document, in reading order."""

    def __init__(self, document: "WordDocument") -> None:
        self._levels: dict[tuple[str, int], tuple[str, str, int]] = {}  # format, text, start
        self._abstract: dict[str, str] = {}
        self._counts: dict[str, list[int]] = {}
        self._style_lists: dict[str, tuple[str, int]] = {}
        self._read_styles(document)
        part = next(
            (
                relation.target_part
                for relation in document.part.rels.values()
                if not relation.is_external and relation.reltype.endswith("/numbering")
            ),
            None,
        )
        element = getattr(part, "element", None)
        if element is not None:
            self._read(element)

    def marker(self, paragraph: "BaseOxmlElement", style_id: str) -> tuple[str, int]:
        """The marker with a blank, and its depth from 0; empty for what is no list item."""
        number, depth = self._list_of(paragraph, style_id)
        abstract = self._abstract.get(number)
        if abstract is None:
            return "", 0
        form, text, start = self._levels.get((abstract, depth), ("bullet", "", 1))
        if form == "none":
            return "", 0
        if form == "bullet":
            return "- ", depth
        count = self._count(number, depth, start)
        return self._written(abstract, text, count), depth

    def _list_of(self, paragraph: "BaseOxmlElement", style_id: str) -> tuple[str, int]:
        own = _num_pr(paragraph.find(qn("w:pPr")))
        if own is not None:
            return own
        return self._style_lists.get(style_id, ("", 0))

    def _count(self, number: str, depth: int, start: int) -> list[int]:
        """Count one more item at this depth; deeper levels begin anew."""
        counts = self._counts.setdefault(number, [])
        del counts[depth + 1 :]
        while len(counts) <= depth:
            abstract = self._abstract[number]
            first = self._levels.get((abstract, len(counts)), ("", "", 1))[2]
            counts.append(first - 1 if len(counts) == depth else first)
        counts[depth] += 1
        return counts if counts[depth] else [start]

    def _written(self, abstract: str, text: str, counts: list[int]) -> str:
        """The level's pattern, such as "%1.%2", with its numbers put in."""
        for level, count in enumerate(counts):
            form = self._levels.get((abstract, level), ("decimal", "", 1))[0]
            text = text.replace(f"%{level + 1}", _digits(count, form))
        text = text.strip()
        return f"{text} " if text else ""

    def _read(self, numbering: "BaseOxmlElement") -> None:
        for abstract in numbering.findall(qn("w:abstractNum")):
            name = abstract.get(qn("w:abstractNumId"), "")
            for level in abstract.findall(qn("w:lvl")):
                depth = _int(level.get(qn("w:ilvl")), 0)
                self._levels[name, depth] = (
                    _value(level, "w:numFmt") or "decimal",
                    _value(level, "w:lvlText"),
                    _int(_value(level, "w:start"), 1),
                )
        for number in numbering.findall(qn("w:num")):
            self._abstract[number.get(qn("w:numId"), "")] = _value(number, "w:abstractNumId")

    def _read_styles(self, document: "WordDocument") -> None:
        for style in document.styles.element.iter(qn("w:style")):
            own = _num_pr(style.find(qn("w:pPr")))
            if own is not None:
                self._style_lists[style.get(qn("w:styleId"), "")] = own


def _num_pr(properties: "BaseOxmlElement | None") -> tuple[str, int] | None:
    element = properties.find(qn("w:numPr")) if properties is not None else None
    if element is None or not _value(element, "w:numId"):
        return None
    return _value(element, "w:numId"), min(_int(_value(element, "w:ilvl"), 0), _DEEPEST)


def _value(parent: "BaseOxmlElement", tag: str) -> str:
    child = parent.find(qn(tag))
    return child.get(qn("w:val"), "") if child is not None else ""


def _int(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 6 else otherwise


def _digits(count: int, form: str) -> str:
    if form in ("lowerLetter", "upperLetter"):
        letter = chr(ord("a") + (count - 1) % 26) * (1 + min(count - 1, 260) // 26)
        return letter.upper() if form == "upperLetter" else letter
    if form in ("lowerRoman", "upperRoman"):
        return _roman(count).upper() if form == "upperRoman" else _roman(count)
    return str(count)


def _roman(count: int) -> str:
    text = ""
    for value, letters in _ROMAN:
        while count >= value and len(text) < 20:
            text += letters
            count -= value
    return text
