"""A page of a PDF as a picture, with quoted words marked; drawn in a child process with limits.

A mark is a tint and an outline, so that it shows without colour; the tint is multiplied into
the page, so that the words under it stay as dark as they were.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest import errors
from ingest.child import (
    ChildCrashError,
    ChildLimits,
    ChildMemoryError,
    ChildTimeoutError,
    run_child,
    serve_once,
)
from ingest.config import IngestSettings
from ingest.document import ScanLine
from ingest.letters import Span
from ingest.ocr import lines_from, plain
from ingest.quotes import Finder, Quote
from ingest.scan_marks import ScanText

if TYPE_CHECKING:
    import pypdfium2 as pdfium  # type: ignore[import-untyped]
    from PIL.Image import Image

_TINT = (255, 236, 120)
_LIGHT_TINT = (255, 246, 200)
_OUTLINE = (122, 66, 0)
_OUTLINE_PX = 2
_MARGIN_PX = 2
_MAX_BOXES = 500
_ANSWER_BYTES_PER_PIXEL = 4
_HEADER_BYTES = 4


@dataclass(frozen=True, slots=True)
class Box:
    """A marked place, in pixels from the picture's upper left corner.

    current: whether it is the one that a reader has come for, among several.
    """

    left: int
    top: int
    right: int
    bottom: int
    current: bool = True


@dataclass(frozen=True, slots=True)
class PageImage:
    """A page as PNG, its size in pixels, and the boxes that are marked in it."""

    png: bytes
    width_px: int
    height_px: int
    boxes: tuple[Box, ...]


def render_page(
    path: Path,
    page_number: int,
    quotes: Sequence[str | Quote] = (),
    scale: float = 1.5,
    settings: IngestSettings | None = None,
    lines: Sequence[ScanLine] = (),
) -> PageImage:
    """Draw a page (numbers from 1; scale 1 is 72 dots an inch); raises RefusedFile.

    quotes: what of them stands on this page is marked. lines: what OCR read on it, if it is a
    picture and has no text of its own.
    """
    limits = settings or IngestSettings()
    task = {
        "path": str(path.resolve()),
        "page_number": page_number,
        "quotes": [asdict(one if isinstance(one, Quote) else Quote(one)) for one in quotes],
        "scale": scale,
        "lines": plain({page_number: lines}),
        "max_pixels": limits.max_image_pixels,
    }
    allowed = ChildLimits(
        timeout_s=limits.image_timeout_s,
        memory_bytes=limits.parse_memory_bytes,
        answer_bytes=_ANSWER_BYTES_PER_PIXEL * limits.max_image_pixels,
    )
    try:
        return _decoded(run_child("ingest.page_image", task, allowed, [path]))
    except (ChildTimeoutError, ChildMemoryError, ChildCrashError) as error:
        raise _undrawable(page_number) from error


def _undrawable(page_number: int) -> errors.DamagedFile:
    return errors.DamagedFile(
        f"Page {page_number} cannot be shown as a picture.", "Read its text, or open the file."
    )


def _decoded(answer: bytes) -> PageImage:
    length = int.from_bytes(answer[:_HEADER_BYTES], "big")
    header = json.loads(answer[_HEADER_BYTES : _HEADER_BYTES + length])
    if "undrawable" in header:
        raise _undrawable(int(header["undrawable"]))
    return PageImage(
        png=answer[_HEADER_BYTES + length :],
        width_px=int(header["width_px"]),
        height_px=int(header["height_px"]),
        boxes=tuple(_box_of(box) for box in header["boxes"]),
    )


def _box_of(box: dict[str, Any]) -> Box:
    sides = {side: int(box[side]) for side in ("left", "top", "right", "bottom")}
    return Box(**sides, current=bool(box["current"]))


def _answer(header: dict[str, Any], png: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(_HEADER_BYTES, "big") + text + png


def _work(task: dict[str, Any]) -> bytes:
    """In the child: draw, mark, and answer with sizes and PNG."""
    import pypdfium2 as pdfium

    number = int(task["page_number"])
    try:
        document = pdfium.PdfDocument(Path(task["path"]).read_bytes())
        if not 1 <= number <= len(document):
            return _answer({"undrawable": number})
        image, boxes = _draw(document[number - 1], task)
    except (pdfium.PdfiumError, ValueError):
        return _answer({"undrawable": number})
    buffer = BytesIO()
    image.save(buffer, "PNG", compress_level=3)
    header = {
        "width_px": image.width,
        "height_px": image.height,
        "boxes": [asdict(box) for box in boxes],
    }
    return _answer(header, buffer.getvalue())


def _draw(page: "pdfium.PdfPage", task: dict[str, Any]) -> tuple["Image", list[Box]]:
    width, height = page.get_size()
    most = math.sqrt(task["max_pixels"] / max(width * height, 1.0))
    bitmap = page.render(scale=min(float(task["scale"]), most))
    image = bitmap.to_pil().convert("RGB")
    quotes = [Quote(**one) for one in task["quotes"]]
    lines = lines_from(task["lines"])[int(task["page_number"])]
    boxes: list[Box] = []
    if quotes:
        boxes = _scanned(page, bitmap, quotes, lines) if lines else _boxes(page, bitmap, quotes)
    return _marked(image, boxes), boxes


def _boxes(page: "pdfium.PdfPage", bitmap: "pdfium.PdfBitmap", quotes: list[Quote]) -> list[Box]:
    """The places of the quoted words, in pixels of the bitmap."""
    import pypdfium2.raw as raw  # type: ignore[import-untyped]

    text_page = page.get_textpage()
    convert = bitmap.get_posconv(page)
    chars = [
        chr(raw.FPDFText_GetUnicode(text_page, index)) for index in range(text_page.count_chars())
    ]
    boxes: list[Box] = []
    finder = Finder(chars)
    for (start, end), current in _marks(finder, quotes).items():
        for index in range(text_page.count_rects(start, end - start)):
            left, bottom, right, top = text_page.get_rect(index)
            corners = convert.to_bitmap(left, bottom), convert.to_bitmap(right, top)
            box = _box(*corners, bitmap.width, bitmap.height)
            boxes.append(replace(box, current=current))
    return _solid(boxes)


def _scanned(
    page: "pdfium.PdfPage",
    bitmap: "pdfium.PdfBitmap",
    quotes: list[Quote],
    lines: Sequence[ScanLine],
) -> list[Box]:
    """The places of the quoted words on a picture that OCR has read, in pixels of the bitmap."""
    width, height = page.get_size()
    across, down = bitmap.width / max(width, 1.0), bitmap.height / max(height, 1.0)
    text = ScanText(lines, width, height)
    boxes: list[Box] = []
    for span, current in _marks(Finder(text.chars), quotes).items():
        for left, top, right, bottom in text.boxes(*span):
            corners = (
                (round(left * across), round(top * down)),
                (round(right * across), round(bottom * down)),
            )
            box = _box(*corners, bitmap.width, bitmap.height)
            boxes.append(replace(box, current=current))
    return _solid(boxes)


def _solid(boxes: Sequence[Box]) -> list[Box]:
    solid = [box for box in boxes if box.right > box.left and box.bottom > box.top]
    return merged(solid[:_MAX_BOXES])


def _marks(finder: Finder, quotes: Sequence[Quote]) -> dict[Span, bool]:
    """The stretches of the page to mark, none twice, and whether each is the current one."""
    marks: dict[Span, bool] = {}
    for quote in quotes:
        for span in finder.find(quote):
            marks[span] = marks.get(span, False) or quote.current
    return marks


def merged(boxes: Sequence[Box]) -> list[Box]:
    """The boxes with neighbours in one line made one: a change of type splits what is one quote."""
    joined: list[Box] = []
    for box in boxes:
        before = joined[-1] if joined else None
        if before is not None and _are_neighbours(before, box):
            joined[-1] = Box(
                min(before.left, box.left),
                min(before.top, box.top),
                max(before.right, box.right),
                max(before.bottom, box.bottom),
                before.current,
            )
        else:
            joined.append(box)
    return joined


def _are_neighbours(one: Box, other: Box) -> bool:
    overlap = min(one.bottom, other.bottom) - max(one.top, other.top)
    low = min(one.bottom - one.top, other.bottom - other.top)
    alike = one.current == other.current
    return alike and overlap > low / 2 and -low < other.left - one.right < low


def _box(one: tuple[int, int], other: tuple[int, int], width: int, height: int) -> Box:
    """A box around two opposite corners, which a turned page may give in any order."""
    (x1, y1), (x2, y2) = one, other
    return Box(
        left=max(0, min(x1, x2) - _MARGIN_PX),
        top=max(0, min(y1, y2) - _MARGIN_PX),
        right=min(width, max(x1, x2) + _MARGIN_PX),
        bottom=min(height, max(y1, y2) + _MARGIN_PX),
    )


def _marked(image: "Image", boxes: Sequence[Box]) -> "Image":
    """A copy of the picture with the boxes tinted and outlined."""
    from PIL import Image, ImageChops, ImageDraw

    tint = Image.new("RGB", image.size, (255, 255, 255))
    draw = ImageDraw.Draw(tint)
    for box in boxes:
        tinted = _TINT if box.current else _LIGHT_TINT
        draw.rectangle((box.left, box.top, box.right - 1, box.bottom - 1), fill=tinted)
    marked = ImageChops.multiply(image, tint)
    outline = ImageDraw.Draw(marked)
    for box in boxes:
        outline.rectangle(
            (box.left, box.top, box.right - 1, box.bottom - 1),
            outline=_OUTLINE,
            width=_OUTLINE_PX if box.current else 1,
        )
    return marked


if __name__ == "__main__":
    serve_once(_work)
