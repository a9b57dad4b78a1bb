"""Lines of text out of a PDF page, with what their look tells: place, size, weight.

pdfium gives characters in reading order and marks line ends; everything else is asked for once
per line, because a call per character would cost more than the text itself.
"""

import ctypes
import math
import re
from dataclasses import dataclass, replace

import pypdfium2 as pdfium  # type: ignore[import-untyped]
import pypdfium2.raw as raw  # type: ignore[import-untyped]

from ingest.clean import LINE_END_HYPHEN, clean_line

_BOLD_WEIGHT = 600
_BOLD_NAMES = ("bold", "black", "heavy", "demi")
_FAMILY_END = re.compile(r"[-,]|mt$|bold|italic")
_LINE_ENDS = (13, 10)
# pdfium writes either where a hyphen broke a word at a line's end.
_HYPHENS = (0x02, 0xFFFE)
_NAME_BYTES = 128


@dataclass(frozen=True, slots=True)
class Line:
    """One line; distances in points, y from the page's upper edge down to the baseline.

    font: the family of its type, if its first and last characters share one.
    hyphen: whether it ends in a hyphen that breaks a word.
    """

    text: str
    page: int
    left: float = 0.0
    right: float = 0.0
    y: float = 0.0
    size_pt: float = 0.0
    bold: bool = False
    font: str = ""
    hyphen: bool = False

    @property
    def style(self) -> tuple[float, bool]:
        """What headings of one rank share: the size to half a point, and the weight."""
        return round(self.size_pt * 2) / 2, self.bold

    @property
    def raw_text(self) -> str:
        """The text as `join_lines` wants it: with its line-end hyphen marked."""
        return self.text + LINE_END_HYPHEN if self.hyphen else self.text


def read_lines(text_page: pdfium.PdfTextPage, page: int, top: float) -> list[Line]:
    """The lines of a page; top: y of its upper edge in PDF coordinates, points."""
    lines: list[Line] = []
    start = 0
    codes = [raw.FPDFText_GetUnicode(text_page, index) for index in range(text_page.count_chars())]
    for index, code in enumerate([*codes, _LINE_ENDS[0]]):
        if code in _LINE_ENDS or code in _HYPHENS:
            line = _line(text_page, codes, range(start, index), page, top)
            if line is not None:
                lines.append(line)
            start = index + 1
    return _with_lone_bullets(lines)


def _line(
    text_page: pdfium.PdfTextPage, codes: list[int], span: range, page: int, top: float
) -> Line | None:
    text = clean_line(_decoded(codes[span.start : span.stop]))
    inked = [index for index in span if codes[index] > 32 and codes[index] != 0xA0]
    if not text or not inked:
        return None
    first, middle, last = inked[0], inked[len(inked) // 2], inked[-1]
    fonts = [_font(text_page, first), _font(text_page, last)]
    x, y = _origin(text_page, first)
    return Line(
        text=text,
        page=page,
        left=x,
        right=max(x, _right_edge(text_page, last)),
        y=top - y,
        # A list's number or bullet may have a size of its own, so the middle speaks for the line.
        size_pt=_size_pt(text_page, middle),
        bold=all(bold for _, bold in fonts),
        font=fonts[0][0] if fonts[0][0] == fonts[1][0] else "",
        # pdfium ends no line at such a hyphen: the next line's first word follows at once.
        hyphen=span.stop < len(codes) and codes[span.stop] in _HYPHENS,
    )


def _decoded(codes: list[int]) -> str:
    """Characters out of codes, among which surrogates may come in pairs or alone."""
    text = "".join(map(chr, codes))
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _origin(text_page: pdfium.PdfTextPage, index: int) -> tuple[float, float]:
    x, y = ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(text_page, index, x, y)
    return x.value, y.value


def _right_edge(text_page: pdfium.PdfTextPage, index: int) -> float:
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    raw.FPDFText_GetCharBox(text_page, index, left, right, bottom, top)
    return right.value


def _size_pt(text_page: pdfium.PdfTextPage, index: int) -> float:
    """The size as printed: the font's own, times what the text matrix makes of it."""
    matrix = raw.FS_MATRIX()
    size = float(raw.FPDFText_GetFontSize(text_page, index))
    if raw.FPDFText_GetMatrix(text_page, index, matrix):
        size *= math.hypot(matrix.c, matrix.d)
    return size if math.isfinite(size) else 0.0


def _font(text_page: pdfium.PdfTextPage, index: int) -> tuple[str, bool]:
    """The family of a character's font, without the marks of subset and style; if it is bold."""
    buffer = ctypes.create_string_buffer(_NAME_BYTES)
    raw.FPDFText_GetFontInfo(text_page, index, buffer, _NAME_BYTES, ctypes.c_int())
    name = buffer.value.decode("utf-8", "replace").rpartition("+")[2].lower()
    bold = any(part in name for part in _BOLD_NAMES)
    weight = int(raw.FPDFText_GetFontWeight(text_page, index))
    return _FAMILY_END.split(name)[0], bold or weight >= _BOLD_WEIGHT


def _with_lone_bullets(lines: list[Line]) -> list[Line]:
    """Bullets that came as lines of their own, put before the lines they belong to."""
    joined: list[Line] = []
    for line in lines:
        before = joined[-1] if joined else None
        if before is not None and before.text in ("•", "▪", "◦", "–", "o", "■", "➢"):
            joined[-1] = replace(line, text=f"{before.text} {line.text}", left=before.left)
        else:
            joined.append(line)
    return joined
