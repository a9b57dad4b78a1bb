"""Text of a Word document that nobody sees: marked as hidden, white on white, one point high."""

from typing import TYPE_CHECKING

from docx.oxml.ns import qn

from ingest.document import Finding, FindingKind

if TYPE_CHECKING:
    from docx.oxml.xmlchemy import BaseOxmlElement

_OFF = frozenset(("0", "false", "off"))
_SMALLEST_HALF_POINTS = 2
# Where the ground may be dark: shaded by a table's style or filled as a shape is.
_OTHER_GROUNDS = frozenset(map(qn, ("w:tbl", "w:txbxContent")))
_SHADES = frozenset(map(qn, ("w:shd", "w:highlight")))


def is_hidden(run: "BaseOxmlElement") -> bool:
    """Whether a run of text says of itself that it is not to be seen."""
    properties = run.find(qn("w:rPr"))
    if properties is None:
        return False
    vanish = properties.find(qn("w:vanish"))
    if vanish is not None and vanish.get(qn("w:val"), "1") not in _OFF:
        return True
    size = _value(properties, "w:sz")
    if size.isdecimal() and len(size) < 6 and int(size) <= _SMALLEST_HALF_POINTS:
        return True
    return _value(properties, "w:color").upper() == "FFFFFF" and _is_on_white(run)


def hidden_findings(body: "BaseOxmlElement") -> tuple[Finding, ...]:
    """How many characters were left out as hidden, if any were."""
    texts = (
        text.text or ""
        for run in body.iter(qn("w:r"))
        if is_hidden(run)
        for text in run.iter(qn("w:t"))
    )
    count = sum(len("".join(text.split())) for text in texts)
    words = "Text that nobody sees (hidden, white or tiny) was left out."
    return (Finding(FindingKind.HIDDEN, 1, words, count),) if count else ()


def _is_on_white(run: "BaseOxmlElement") -> bool:
    """Whether nothing around the run gives it another ground than the page's."""
    if any(parent.tag in _OTHER_GROUNDS for parent in run.iterancestors()):
        return False
    paragraph = next(run.iterancestors(qn("w:p")), None)
    styled = paragraph is not None and paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}") is not None
    shaded = paragraph is not None and any(e.tag in _SHADES for e in paragraph.iter())
    return not styled and not shaded


def _value(parent: "BaseOxmlElement", tag: str) -> str:
    child = parent.find(qn(tag))
    return child.get(qn("w:val"), "") if child is not None else ""
