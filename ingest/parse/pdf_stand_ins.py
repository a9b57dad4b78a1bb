"""Text that stands in for what is drawn (ActualText), and says more than there is to see.

A PDF may say that some of its glyphs are to be read as other text, for ligatures and the like.
pdfium reads that text instead, so that one visible dot may read as a paragraph. Where more is said
than could stand in the place, what is drawn is read.
"""

import ctypes
from collections.abc import Iterator
from itertools import groupby

import pypdfium2 as pdfium  # type: ignore[import-untyped]
import pypdfium2.raw as raw  # type: ignore[import-untyped]

_KEY = b"ActualText"
_DEPTH = 6
_BYTES_PER_CHAR = 2
# A character is wider than this, in heights of its type; a few more are allowed to a ligature.
_NARROWEST, _ALLOWED = 0.3, 4
_Marked = tuple[pdfium.PdfObject, object, str]


def drop_stand_ins(page: pdfium.PdfPage) -> int:
    """Let what is drawn be read where a stand-in says too much; the characters dropped."""
    dropped = 0
    # One stand-in may be for several texts drawn one after the other.
    for text, group in groupby(_marked(page), lambda marked: marked[2]):
        marked = list(group)
        count = sum(1 for char in text if not char.isspace())
        if count > _ALLOWED + sum(_room(item) for item, _, _ in marked):
            dropped += count
            for item, mark, _ in marked:
                raw.FPDFPageObj_RemoveMark(item, mark)
    return dropped


def _marked(page: pdfium.PdfPage) -> Iterator[_Marked]:
    for item in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT], max_depth=_DEPTH):
        for index in range(max(0, raw.FPDFPageObj_CountMarks(item))):
            mark = raw.FPDFPageObj_GetMark(item, index)
            text = _stand_in(mark)
            if text:
                yield item, mark, text


def _stand_in(mark: object) -> str:
    size = ctypes.c_ulong()
    if not raw.FPDFPageObjMark_GetParamStringValue(mark, _KEY, None, 0, size):
        return ""
    buffer = ctypes.create_string_buffer(max(size.value, _BYTES_PER_CHAR))
    chars = ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR))
    raw.FPDFPageObjMark_GetParamStringValue(mark, _KEY, chars, size.value, size)
    text = buffer.raw[: max(size.value - _BYTES_PER_CHAR, 0)].decode("utf-16-le", "replace")
    # pdfium gives a string in UTF-16 byte by byte, so that Latin letters come with zeros between.
    return text.replace("\0", "")


def _room(item: pdfium.PdfObject) -> float:
    """How many characters could stand where a text is drawn, at most."""
    left, bottom, right, top = item.get_bounds()
    along, across = max(right - left, top - bottom), min(right - left, top - bottom)
    return float(along / (_NARROWEST * across)) if across > 0 else 0.0
