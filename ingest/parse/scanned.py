"""Scanned pages: which pages need OCR, and lines of text out of what OCR saw on them.

OCR sees pieces: a row of the page may come in several, and their sizes waver with the letters in
them. Rows are made whole here, and sizes are brought to those few that the page was set in, so that
headings can be told from text as on any other page.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import median

import pypdfium2 as pdfium  # type: ignore[import-untyped]
import pypdfium2.raw as raw  # type: ignore[import-untyped]

from ingest.clean import clean_line
from ingest.document import ScanLine
from ingest.parse.lines import could_be_heading
from ingest.parse.pdf_lines import Line
from ingest.parse.reading_order import goes_on

# A page of a picture may carry a stamp or a scanner's name and still be a picture.
_SCAN_CHARS = 25
_PICTURE_OF_PAGE = 0.5
_PICTURES = (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_FORM)
# So many curves and no character: a page whose letters were drawn as outlines.
_MANY_CURVES = 20
# Type is about so much of the height of the box that OCR draws around a line.
_TYPE_OF_BOX = 0.83
# From here on a line is larger or smaller than the text; sizes lie on steps of so much.
_SMALLER, _LARGER, _SIZE_STEP = 0.8, 1.25, 1.2
# A size is believed of a line that was read well: handwriting is tall and is no heading.
_SURE = 0.9
_SAME_TYPE = 1.25
# Rows of one paragraph or heading: how far apart, in heights, and how unlike in height.
_CLOSE, _SAME_ROWS = 1.9, 1.25
_HEADING_ROWS = 4
_Row = Sequence[ScanLine]
_EAST_ASIAN = re.compile("[\u2e80-\u2fff\u3000-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff]")
_FULL_WIDTH = re.compile("[\uff01-\uff5e]")
_LATIN_SHARE = 0.8


def picture_share(objects: Sequence[pdfium.PdfObject], width: float, height: float) -> float:
    """How much of a page its largest picture covers, 0 to 1; letters drawn as curves are one."""
    if sum(1 for item in objects if item.type == raw.FPDF_PAGEOBJ_PATH) >= _MANY_CURVES:
        return _PICTURE_OF_PAGE
    pictures = [item for item in objects if item.type in _PICTURES]
    return max((_share(item, width * height) for item in pictures), default=0.0)


def _share(picture: pdfium.PdfObject, page_area: float) -> float:
    left, bottom, right, top = picture.get_bounds()
    area = max(right - left, 0.0) * max(top - bottom, 0.0)
    return float(min(max(area / max(page_area, 1.0), 0.01), 1.0))


def needs_scan(inked: int, share: float) -> bool:
    """Whether a page is to be read by OCR: a picture with no text, or with next to none."""
    return share > 0 and (inked == 0 or (share >= _PICTURE_OF_PAGE and inked < _SCAN_CHARS))


def lines_of(
    scans: Mapping[int, Sequence[ScanLine]], text_pt: float = 0.0
) -> Mapping[int, list[Line]]:
    """The lines of scanned pages; text_pt: the size of the text of the other pages, if any."""
    read = {number: [line for line in scan if line.is_read] for number, scan in scans.items()}
    typical = _typical_height([line for scan in read.values() for line in scan])
    body_pt = typical * _TYPE_OF_BOX
    if text_pt and max(text_pt, body_pt) < _SAME_TYPE * min(text_pt, body_pt):
        body_pt = text_pt
    return {number: _page_lines(number, scan, typical, body_pt) for number, scan in read.items()}


def _typical_height(lines: Sequence[ScanLine]) -> float:
    """The height of the boxes in which most characters stand, points."""
    heights = sorted((_height(line), len(line.text)) for line in lines)
    left = sum(count for _, count in heights) / 2
    for height, count in heights:
        left -= count
        if left <= 0:
            return height
    return 0.0


def _height(line: ScanLine) -> float:
    """How tall its type is: of a line that runs up the margin, its box's width."""
    left, top, right, bottom = line.place
    return min(bottom - top, right - left) if len(line.text) > 2 else bottom - top


def _page_lines(
    number: int, scan: Sequence[ScanLine], typical: float, body_pt: float
) -> list[Line]:
    latin = _is_latin(scan)
    lines: list[Line] = []
    for run in _runs_of_one_type(_rows_in_order(scan)):
        size_pt = _size_pt(run, typical, body_pt)
        rows = [_line(number, row, size_pt, latin) for row in run]
        lines.extend(line for line in _settled(rows, body_pt) if line.text)
    return lines


def _line(number: int, row: _Row, size_pt: float, latin: bool) -> Line:
    return Line(
        text=clean_line(" ".join(_plain(piece.text, latin) for piece in row)),
        page=number,
        left=min(piece.place[0] for piece in row),
        right=max(piece.place[2] for piece in row),
        y=median(piece.place[3] for piece in row),
        size_pt=size_pt,
    )


def _settled(rows: Sequence[Line], body_pt: float) -> Sequence[Line]:
    """Rows of larger type: made one if they are a heading; a paragraph is text for all its size."""
    if len(rows) == 1 or rows[0].size_pt <= body_pt:
        return rows
    text = " ".join(row.text for row in rows)
    if len(rows) > _HEADING_ROWS or not could_be_heading(text):
        return [replace(row, size_pt=body_pt) for row in rows]
    return [replace(rows[0], text=text, right=max(row.right for row in rows), y=rows[-1].y)]


def _runs_of_one_type(rows: Sequence[_Row]) -> list[list[_Row]]:
    """The rows, those together that follow closely and are about as tall."""
    runs: list[list[_Row]] = []
    for row in rows:
        if runs and _follows(runs[-1], row):
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs


def _follows(run: Sequence[_Row], row: _Row) -> bool:
    before, height = run[-1][0], _row_height(row)
    usual = _run_height(run)
    step = row[0].place[3] - before.place[3]
    return 0 < step < _CLOSE * usual and max(height, usual) < _SAME_ROWS * min(height, usual)


def _run_height(run: Sequence[_Row]) -> float:
    return median(_row_height(row) for row in run)


def _row_height(row: _Row) -> float:
    return _height(max(row, key=lambda piece: len(piece.text)))


def _size_pt(run: Sequence[_Row], typical: float, body_pt: float) -> float:
    """The size of the type of some rows, brought to the text's own or a step above or below it."""
    ratio = _run_height(run) / max(typical, 1.0)
    sure = all(piece.score >= _SURE for row in run for piece in row)
    if _SMALLER <= ratio < _LARGER or ratio <= 0 or not sure:
        return body_pt
    return body_pt * _SIZE_STEP ** round(math.log(ratio, _SIZE_STEP))


def _is_latin(lines: Iterable[ScanLine]) -> bool:
    letters = [char for line in lines for char in line.text if char.isalpha()]
    others = sum(1 for char in letters if _EAST_ASIAN.match(char))
    return bool(letters) and others < (1 - _LATIN_SHARE) * len(letters)


def _plain(text: str, latin: bool) -> str:
    """A line's text; on a page of Latin letters without what OCR took for East Asian ones."""
    if not latin:
        return text
    text = _FULL_WIDTH.sub(lambda match: unicodedata.normalize("NFKC", match.group()), text)
    return _EAST_ASIAN.sub("", text)


def _rows_in_order(lines: Sequence[ScanLine]) -> list[list[ScanLine]]:
    """The pieces in reading order, those of one row of one column together."""
    rows: list[list[ScanLine]] = []
    for line in lines:
        if rows and goes_on(rows[-1][-1], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows
