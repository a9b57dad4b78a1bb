"""Text of a PDF page that nobody can see: found, switched off before the page is read, counted.

Such text is there for machines alone: instructions to a model, words that lure a search. What can
be told from the file is told from it (invisible by its drawing mode, tiny, off the page). For the
rest the page is drawn with and without the text in doubt: where that makes no difference, nobody
sees it. The invisible text that OCR programs lay over a scan is that scan's text, and stays.
"""

import ctypes
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import pypdfium2 as pdfium  # type: ignore[import-untyped]
import pypdfium2.raw as raw  # type: ignore[import-untyped]

from ingest.clean import HIDDEN_CODES
from ingest.document import Finding
from ingest.parse.markup import hidden_findings
from ingest.parse.pdf_stand_ins import drop_stand_ins
from ingest.parse.pdf_turned import Edges

_DEPTH = 6
_SMALLEST_PT = 1.0
_PICTURE_OF_PAGE = 0.5
# From here on a colour is light enough to vanish on white paper; so much is one colour to the eye.
_LIGHT, _SAME_COLOUR = 190, 24
# Steps of 256 by which a page must change for anybody to see that something left it.
_SEEN = 8
_OPAQUE = 8
_MAX_PIXELS = 3_000_000
_MAX_SHAPES = 300
# Anything thinner is a rule of a table and hides nothing.
_THIN_PT = 3.0
_BYTES_PER_CHAR = 2


class Why(StrEnum):
    """Why nobody can see a text, in words."""

    NOT_DRAWN = "drawn without ink"
    TINY = "one point high or less"
    OFF_PAGE = "off the page"
    NO_CONTRAST = "in the colour of its ground, or covered"
    STAND_IN = "said to be there and not drawn (ActualText)"
    CODES = "codes without a shape (Unicode tags, marks that turn the reading order)"


@dataclass(frozen=True, slots=True)
class _Mark:
    """Anything drawn on the page: its place in the order of drawing, its box, its colour."""

    item: pdfium.PdfObject
    order: int
    box: Edges
    colour: tuple[int, int, int, int]

    @property
    def area(self) -> float:
        left, bottom, right, top = self.box
        return max(right - left, 0.0) * max(top - bottom, 0.0)

    @property
    def middle(self) -> tuple[float, float]:
        left, bottom, right, top = self.box
        return (left + right) / 2, (bottom + top) / 2

    def holds(self, other: "_Mark") -> bool:
        """Whether the other's middle lies within this one's box."""
        x, y = other.middle
        return self.box[0] <= x <= self.box[2] and self.box[1] <= y <= self.box[3]


def hide_unseen(page: pdfium.PdfPage) -> dict[Why, int]:
    """Switch off what nobody can see on a page; the characters of it, by why."""
    marks = list(_marks(page))
    texts = [mark for mark in marks if mark.item.type == raw.FPDF_PAGEOBJ_TEXT]
    scan = _scan(page, marks)
    unseen: dict[int, tuple[_Mark, Why]] = {}
    in_doubt: list[_Mark] = []
    grounds = _grounds(marks)
    for text in texts:
        why = _told_by_file(page, text)
        on_scan = scan is not None and scan.holds(text)
        if why is not None:
            if not (on_scan and why is Why.NOT_DRAWN):
                unseen[text.order] = text, why
        elif not (on_scan and _is_under(text, scan)) and _is_in_doubt(text, grounds):
            in_doubt.append(text)
    for text in _without_effect(page, in_doubt):
        unseen[text.order] = text, Why.NO_CONTRAST
    hidden = _switched_off(page, list(unseen.values())) if unseen else {}
    if count := drop_stand_ins(page):
        hidden[Why.STAND_IN] = count
    return hidden


def hidden_codes(text: str) -> int:
    """How many characters without a shape a text holds that carry messages or turn it over."""
    return len(HIDDEN_CODES.findall(text))


def findings_of(page: int, hidden: dict[Why, int]) -> list[Finding]:
    """What a person is told of a page's hidden text: how much, and why nobody sees it."""
    return list(hidden_findings(sum(hidden.values()), "; ".join(hidden), page))


def _marks(page: pdfium.PdfPage) -> Iterator[_Mark]:
    for order, item in enumerate(page.get_objects(max_depth=_DEPTH)):
        if item.type != raw.FPDF_PAGEOBJ_FORM:
            yield _Mark(item, order, _box(item), _fill_colour(item))


def _box(item: pdfium.PdfObject) -> Edges:
    """Where an object stands on the page, be it in a form object or not."""
    left, bottom, right, top = item.get_bounds()
    form = item.container
    while form is not None:
        corners = [form.get_matrix().on_point(x, y) for x in (left, right) for y in (bottom, top)]
        left, right = min(x for x, _ in corners), max(x for x, _ in corners)
        bottom, top = min(y for _, y in corners), max(y for _, y in corners)
        form = form.container
    return left, bottom, right, top


def _fill_colour(item: pdfium.PdfObject) -> tuple[int, int, int, int]:
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if not raw.FPDFPageObj_GetFillColor(item, red, green, blue, alpha):
        return 0, 0, 0, 255
    return red.value, green.value, blue.value, alpha.value


def _scan(page: pdfium.PdfPage, marks: Sequence[_Mark]) -> _Mark | None:
    """The picture of the page, if it is a scan: as one mark, be it in strips or whole."""
    pictures = [mark for mark in marks if mark.item.type == raw.FPDF_PAGEOBJ_IMAGE]
    width, height = page.get_size()
    if sum(picture.area for picture in pictures) < _PICTURE_OF_PAGE * width * height:
        return None
    boxes = [picture.box for picture in pictures]
    around = (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )
    last = max(pictures, key=lambda picture: picture.order)
    return _Mark(last.item, last.order, around, last.colour)


def _is_under(text: _Mark, scan: _Mark | None) -> bool:
    """Whether the picture of a scan was laid over a text: some programs put its text there."""
    return scan is not None and text.order < scan.order


def _told_by_file(page: pdfium.PdfPage, text: _Mark) -> Why | None:
    mode = raw.FPDFTextObj_GetTextRenderMode(text.item)
    if mode == raw.FPDF_TEXTRENDERMODE_INVISIBLE:
        return Why.NOT_DRAWN
    if mode == raw.FPDF_TEXTRENDERMODE_FILL and text.colour[3] < _OPAQUE:
        return Why.NOT_DRAWN
    left, bottom, right, top = page.get_bbox()
    if text.box[2] < left or text.box[0] > right or text.box[3] < bottom or text.box[1] > top:
        return Why.OFF_PAGE
    return Why.TINY if _size_pt(text.item) <= _SMALLEST_PT else None


def _size_pt(item: pdfium.PdfObject) -> float:
    """The size as printed, along the shorter side of its characters."""
    size = ctypes.c_float()
    raw.FPDFTextObj_GetFontSize(item, size)
    scale = 1.0
    part: pdfium.PdfObject | None = item
    while part is not None:
        matrix = part.get_matrix()
        scale *= min(math.hypot(matrix.a, matrix.b), math.hypot(matrix.c, matrix.d))
        part = part.container
    return abs(size.value) * scale


def _grounds(marks: Sequence[_Mark]) -> list[_Mark]:
    """Pictures and filled shapes, which text may stand on or under; the largest of them."""
    found = [mark for mark in marks if _is_thick(mark.box) and _is_ground(mark.item)]
    return sorted(found, key=lambda mark: -mark.area)[:_MAX_SHAPES]


def _is_thick(box: Edges) -> bool:
    return box[2] - box[0] > _THIN_PT and box[3] - box[1] > _THIN_PT


def _is_ground(item: pdfium.PdfObject) -> bool:
    if item.type != raw.FPDF_PAGEOBJ_PATH:
        return bool(item.type in (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_SHADING))
    mode, stroke = ctypes.c_int(), ctypes.c_int()
    raw.FPDFPath_GetDrawMode(item, mode, stroke)
    return mode.value != int(raw.FPDF_FILLMODE_NONE)


def _is_in_doubt(text: _Mark, grounds: Sequence[_Mark]) -> bool:
    """Whether a text could be unseen: light, covered, or on a shape of its own colour."""
    if min(text.colour[:3]) >= _LIGHT:
        return True
    x, y = text.middle
    for ground in grounds:
        left, bottom, right, top = ground.box
        inside = left <= x <= right and bottom <= y <= top
        if inside and (ground.order > text.order or _is_same_colour(ground, text)):
            return True
    return False


def _is_same_colour(one: _Mark, other: _Mark) -> bool:
    pairs = zip(one.colour[:3], other.colour[:3], strict=True)
    return max(abs(a - b) for a, b in pairs) <= _SAME_COLOUR


def _without_effect(page: pdfium.PdfPage, texts: Sequence[_Mark]) -> list[_Mark]:
    """Those of the texts without which the page looks the same."""
    if not texts:
        return []
    from PIL import ImageChops

    width, height = page.get_size()
    scale = min(1.0, math.sqrt(_MAX_PIXELS / max(width * height, 1.0)))
    bitmap = page.render(scale=scale)
    _set_active([text.item for text in texts], active=False)
    other = page.render(scale=scale)
    _set_active([text.item for text in texts], active=True)
    before, after = bitmap.to_pil().convert("RGB"), other.to_pil().convert("RGB")
    changed = ImageChops.difference(before, after).point(lambda step: 255 * (step >= _SEEN))
    place = bitmap.get_posconv(page)
    unseen = []
    for text in texts:
        left, bottom, right, top = text.box
        (x1, y1), (x2, y2) = place.to_bitmap(left, bottom), place.to_bitmap(right, top)
        area = min(x1, x2) - 1, min(y1, y2) - 1, max(x1, x2) + 2, max(y1, y2) + 2
        if changed.crop(area).getbbox() is None:
            unseen.append(text)
    return unseen


def _set_active(items: Sequence[pdfium.PdfObject], *, active: bool) -> None:
    for item in items:
        raw.FPDFPageObj_SetIsActive(item, active)


def _switched_off(page: pdfium.PdfPage, unseen: Sequence[tuple[_Mark, Why]]) -> dict[Why, int]:
    """Switch texts off, blanks excepted: they part the words around them."""
    text_page = page.get_textpage()
    found: dict[Why, int] = {}
    for text, why in unseen:
        count = sum(1 for char in _text_of(text.item, text_page) if not char.isspace())
        if count:
            found[why] = found.get(why, 0) + count
            _set_active([text.item], active=False)
    text_page.close()
    return found


def _text_of(item: pdfium.PdfObject, text_page: pdfium.PdfTextPage) -> str:
    size = raw.FPDFTextObj_GetText(item, text_page, None, 0)
    buffer = ctypes.create_string_buffer(max(size, _BYTES_PER_CHAR))
    raw.FPDFTextObj_GetText(
        item, text_page, ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), size
    )
    return buffer.raw[: max(size - _BYTES_PER_CHAR, 0)].decode("utf-16-le", "replace")
