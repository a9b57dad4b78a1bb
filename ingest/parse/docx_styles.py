"""Which paragraphs of a Word document are headings: by outline level, or by their style's name."""

import re
from typing import TYPE_CHECKING

from docx.oxml.ns import qn

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from docx.oxml.xmlchemy import BaseOxmlElement

_HEADING_NAME = re.compile(r"(?:heading|titre|überschrift|encabezado)\s*(\d)$", re.IGNORECASE)
_BODY_TEXT_LEVEL = 9
_MAX_CHAIN = 20


class Styles:
    """The document's paragraph styles, each with the level its headings have (0: none)."""

    def __init__(self, document: "WordDocument") -> None:
        self._elements: dict[str, BaseOxmlElement] = {}
        self._default = ""
        for style in document.styles.element.iter(qn("w:style")):
            style_id = style.get(qn("w:styleId"), "")
            self._elements[style_id] = style
            if style.get(qn("w:type")) == "paragraph" and style.get(qn("w:default")) == "1":
                self._default = style_id

    def style_id(self, paragraph: "BaseOxmlElement") -> str:
        """The style of a paragraph; the document's default if it names none."""
        style = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
        return style.get(qn("w:val"), "") if style is not None else self._default

    def chain(self, style_id: str) -> list["BaseOxmlElement"]:
        """A style and those it is based on, nearest first."""
        found: list[BaseOxmlElement] = []
        while style_id in self._elements and len(found) < _MAX_CHAIN:
            style = self._elements[style_id]
            found.append(style)
            base = style.find(qn("w:basedOn"))
            style_id = base.get(qn("w:val"), "") if base is not None else ""
        return found

    def heading_level(self, paragraph: "BaseOxmlElement") -> int:
        """1 to 9 for a heading, 0 for any other paragraph."""
        own = _outline_level(paragraph.find(qn("w:pPr")))
        if own is not None:
            return own
        for style in self.chain(self.style_id(paragraph)):
            level = _level_of(style)
            if level is not None:
                return level
        return 0

    def is_bold(self, paragraph: "BaseOxmlElement") -> bool:
        """Whether all letters and figures of a paragraph are bold."""
        usual = self._bold_by_style(self.style_id(paragraph))
        printed = [
            run
            for run in paragraph.iter(qn("w:r"))
            if any(char.isalnum() for text in run.iter(qn("w:t")) for char in text.text or "")
        ]
        return bool(printed) and all(self._is_bold_run(run, usual) for run in printed)

    def _is_bold_run(self, run: "BaseOxmlElement", usual: bool) -> bool:
        own = run.find(qn("w:rPr"))
        said = _bold(own)
        if said is not None:
            return said
        style = own.find(qn("w:rStyle")) if own is not None else None
        return usual or (style is not None and self._bold_by_style(style.get(qn("w:val"), "")))

    def _bold_by_style(self, style_id: str) -> bool:
        said = (_bold(style.find(qn("w:rPr"))) for style in self.chain(style_id))
        return next((bold for bold in said if bold is not None), False)


def _bold(properties: "BaseOxmlElement | None") -> bool | None:
    """What the properties of a run say of its weight; None where they say nothing."""
    mark = properties.find(qn("w:b")) if properties is not None else None
    return None if mark is None else mark.get(qn("w:val"), "1") not in ("0", "false", "off")


def _level_of(style: "BaseOxmlElement") -> int | None:
    name_element = style.find(qn("w:name"))
    name = name_element.get(qn("w:val"), "") if name_element is not None else ""
    match = _HEADING_NAME.match(name.strip())
    if match:
        return int(match.group(1)) or 1
    if name.lower() == "title":
        return 1
    return _outline_level(style.find(qn("w:pPr")))


def _outline_level(properties: "BaseOxmlElement | None") -> int | None:
    """The stated outline level from 1; 0 where it says body text; None where it says nothing."""
    if properties is None:
        return None
    outline = properties.find(qn("w:outlineLvl"))
    value = outline.get(qn("w:val"), "") if outline is not None else ""
    if not value.isdecimal():
        return None
    level = int(value[:3])
    return level + 1 if level < _BODY_TEXT_LEVEL else 0
