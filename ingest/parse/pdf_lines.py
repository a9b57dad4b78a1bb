"""Lines of text out of a PDF page, with what their look tells: place, size, weight.

pdfium gives characters in reading order and marks line ends; everything else is asked for once
per line, because a call per character would cost more than the text itself.
"""

import ctypes
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import pypdfium2 as pdfium  # type: ignore[import-untyped]
import pypdfium2.raw as raw  # type: ignore[import-untyped]

from ingest.clean import LINE_END_HYPHEN, clean_line
from ingest.parse.pdf_turned import Edges, Frame, downwards, main_turn, quarter

_BOLD_WEIGHT = 600
_BOLD_NAMES = ("bold", "black", "heavy", "demi")
_FAMILY_END = re.compile(r"[-,]|mt$|bold|italic")
_LINE_ENDS = (13, 10)
_BLANK = 32
# From here on scripts may run from right to left.
_LATIN_END = 0x0590
# pdfium writes either where a hyphen broke a word at a line's end.
_HYPHENS = (0x02, 0xFFFE)
_NAME_BYTES = 128
# Of so many characters one is asked which way it stands.
_ASKED = 16
# A space wider than this, in sizes of the type, may be a gutter.
_WIDE = 0.9


@dataclass(frozen=True, slots=True)
class Line:
    """One line; distances in points, y from the page's upper edge down to the baseline.

    font: the family of its type, if its first and last characters share one.
    hyphen: whether it ends in a hyphen that breaks a word.
    turn: how it stands on the upright page, degrees against the clock.
    start, end: its characters on the page (end not included).
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
    turn: int = 0
    start: int = 0
    end: int = 0

    @property
    def style(self) -> tuple[float, bool]:
        """What headings of one rank share: the size to half a point, and the weight."""
        return round(self.size_pt * 2) / 2, self.bold

    @property
    def raw_text(self) -> str:
        """The text as `join_lines` wants it: with its line-end hyphen marked."""
        return self.text + LINE_END_HYPHEN if self.hyphen else self.text


def codes_of(text_page: pdfium.PdfTextPage) -> list[int]:
    """The characters of a page as numbers; those beyond 16 bits may come as two."""
    return [raw.FPDFText_GetUnicode(text_page, index) for index in range(text_page.count_chars())]


def frame_of(page: pdfium.PdfPage, text_page: pdfium.PdfTextPage, codes: Sequence[int]) -> Frame:
    """The page turned the way that most of its characters stand."""
    asked = [index for index, code in enumerate(codes) if code > _BLANK][::_ASKED]
    turn = main_turn([_turn(text_page, codes, index) for index in asked])
    return Frame(page.get_bbox(), turn, page.get_rotation())


def read_lines(
    text_page: pdfium.PdfTextPage, codes: Sequence[int], page: int, frame: Frame
) -> list[Line]:
    """The lines of a page, turned upright."""
    lines: list[Line] = []
    start = 0
    for index, code in enumerate([*codes, _LINE_ENDS[0]]):
        if code in _LINE_ENDS or code in _HYPHENS:
            line = line_at(text_page, codes, range(start, index), page, frame)
            if line is not None:
                lines.append(line)
            start = index + 1
    return _with_lone_bullets(downwards(lines, frame))


def line_at(
    text_page: pdfium.PdfTextPage, codes: Sequence[int], span: range, page: int, frame: Frame
) -> Line | None:
    """The line, or part of one, that a range of characters makes; None if they are blank."""
    text = clean_line(decoded(codes[span.start : span.stop]))
    inked = [index for index in span if codes[index] > _BLANK and codes[index] != 0xA0]
    if not text or not inked:
        return None
    first, middle, last = inked[0], inked[len(inked) // 2], inked[-1]
    fonts = [_font(text_page, first), _font(text_page, last)]
    turn = _turn(text_page, codes, middle)
    # What stands in another direction than the page has its place as it would if turned itself.
    own = frame if turn == frame.turn else replace(frame, turn=turn)
    x, y = own.place(*_origin(text_page, first))
    return Line(
        text=text,
        page=page,
        left=x,
        right=max(x, own.box(*char_box(text_page, last))[2]),
        y=own.height - y,
        # A list's number or bullet may have a size of its own, so the middle speaks for the line.
        size_pt=_size_pt(text_page, middle),
        bold=all(bold for _, bold in fonts),
        font=fonts[0][0] if fonts[0][0] == fonts[1][0] else "",
        # pdfium ends no line at such a hyphen: the next line's first word follows at once.
        hyphen=span.stop < len(codes) and codes[span.stop] in _HYPHENS,
        turn=(turn - frame.turn) % 360,
        start=span.start,
        end=span.stop,
    )


def pieces_of(
    text_page: pdfium.PdfTextPage, codes: Sequence[int], line: Line, frame: Frame
) -> list[Line]:
    """What a line falls into where it is parted by wide spaces; the line itself if by none."""
    if line.turn or not line.size_pt:
        return [line]
    cuts = list(_wide_spaces(text_page, codes, line, frame))
    if not cuts:
        return [line]
    spans = pairwise([line.start, *cuts, line.end])
    found = [line_at(text_page, codes, range(*span), line.page, frame) for span in spans]
    return [piece for piece in found if piece is not None]


def _wide_spaces(
    text_page: pdfium.PdfTextPage, codes: Sequence[int], line: Line, frame: Frame
) -> Iterator[int]:
    """Where after a space, wider than the type is high, the next word of a line begins."""
    blank = False
    last = line.start
    for index in range(line.start, line.end):
        if codes[index] <= _BLANK:
            blank = True
            continue
        if blank and index > line.start:
            left = frame.box(*char_box(text_page, index))[0]
            if left - frame.box(*char_box(text_page, last))[2] > _WIDE * line.size_pt:
                yield index
        blank, last = False, index


def decoded(codes: Sequence[int]) -> str:
    """Characters out of codes, among which surrogates may come in pairs or alone."""
    text = "".join(map(chr, codes))
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _origin(text_page: pdfium.PdfTextPage, index: int) -> tuple[float, float]:
    x, y = ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(text_page, index, x, y)
    return x.value, y.value


def char_box(text_page: pdfium.PdfTextPage, index: int) -> Edges:
    """Left, bottom, right, top of a character's ink, as the file has the page."""
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    raw.FPDFText_GetCharBox(text_page, index, left, right, bottom, top)
    return left.value, bottom.value, right.value, top.value


def _turn(text_page: pdfium.PdfTextPage, codes: Sequence[int], index: int) -> int:
    """How a character stands, degrees against the clock."""
    angle = float(raw.FPDFText_GetCharAngle(text_page, index))
    turn = quarter(math.degrees(angle)) if math.isfinite(angle) and angle >= 0 else 0
    return (turn + 180) % 360 if _runs_back(text_page, codes, index, turn) else turn


def _runs_back(text_page: pdfium.PdfTextPage, codes: Sequence[int], index: int, turn: int) -> bool:
    """Whether its word runs against it: a negative size turns type over, and pdfium misses that."""
    pair = codes[index : index + 2]
    if len(pair) < 2 or not all(_BLANK < code < _LATIN_END for code in pair):
        return False
    (x1, y1), (x2, y2) = _origin(text_page, index), _origin(text_page, index + 1)
    radians = math.radians(turn)
    return (x2 - x1) * math.cos(radians) + (y2 - y1) * math.sin(radians) < 0


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
            joined[-1] = replace(
                line, text=f"{before.text} {line.text}", left=before.left, start=before.start
            )
        else:
            joined.append(line)
    return joined
