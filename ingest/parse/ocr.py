"""Reads the pictures of pages by OCR, in a child process of its own: no text layer is looked at.

The models come with the library and are named one by one, so that it has nothing to download;
behind the child's walls it could not. A page that lies on its side or upside down is turned.
"""

import json
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.child import serve_once
from ingest.document import LEAST_SCORE
from ingest.parse.ocr_pieces import Seen, lines_of_picture, parted, seen_in

if TYPE_CHECKING:
    import numpy as np
    import pypdfium2 as pdfium  # type: ignore[import-untyped]

    Picture = np.ndarray[Any, np.dtype[np.uint8]]

_POINTS_PER_INCH = 72
_MAX_SIDE_PX = 3000
# Text that stands on its head is read at 0.57 on average, upright text at 0.99.
_READS_WELL = 0.8
_MODELS = {
    "Det.model_path": "PP-OCRv6_det_small.onnx",
    "Rec.model_path": "PP-OCRv6_rec_small.onnx",
    # Not used, for whole pages are turned; but without a path it would be looked for outside.
    "Cls.model_path": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
}
_MANNERS = {
    "Global.log_level": "critical",
    "Global.text_score": 0.0,
    "Global.use_cls": False,
    "Global.return_word_box": True,
    "Global.max_side_len": _MAX_SIDE_PX,
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}


class _Eye:
    """The OCR engine; made once, for loading its models takes longer than a short page."""

    def __init__(self) -> None:
        import rapidocr

        folder = Path(rapidocr.__file__).parent / "models"
        paths = {name: str(folder / file) for name, file in _MODELS.items()}
        self._engine = rapidocr.RapidOCR(params={**_MANNERS, **paths})

    def look(self, picture: "Picture") -> list[Seen]:
        """What stands in a picture, in the order in which it was found."""
        import numpy as np

        found: Any = self._engine(np.ascontiguousarray(picture))
        if found.boxes is None or not found.txts:
            return []
        seen = [
            seen_in(text, float(score), corners)
            for text, score, corners in zip(
                found.txts, found.scores, found.boxes.tolist(), strict=True
            )
        ]
        # Without the places of its words a piece is whole; they may be missing of single ones.
        words = found.word_results or ()
        if len(words) != len(seen):
            return seen
        return [
            part
            for piece, places in zip(seen, words, strict=True)
            for part in parted(piece, places)
        ]


def _look_upright(eye: _Eye, picture: "Picture") -> tuple[list[Seen], int]:
    """What stands in a picture, and the quarter turns to the left after which it stands upright."""
    import numpy as np

    best, quarters = eye.look(picture), 0
    for turn in _turns_to_try(best):
        seen = eye.look(np.rot90(picture, turn))
        if _legible(seen) > _legible(best):
            best, quarters = seen, turn
        if _mean_score(seen) >= _READS_WELL:
            break
    return best, quarters


def _turns_to_try(seen: list[Seen]) -> tuple[int, ...]:
    if not seen:
        return ()
    reads_well = _mean_score(seen) >= _READS_WELL
    if 2 * sum(len(piece.text) for piece in seen if piece.is_tall) > _chars(seen):
        # The engine turns tall pieces to the left before it reads them.
        return (1, 3) if reads_well else (3, 1)
    return () if reads_well else (2,)


def _chars(seen: list[Seen]) -> int:
    return sum(len(piece.text) for piece in seen)


def _mean_score(seen: list[Seen]) -> float:
    return sum(len(piece.text) * piece.score for piece in seen) / max(_chars(seen), 1)


def _legible(seen: list[Seen]) -> float:
    """How much was read, and how surely, of what stands upright."""
    read = [piece for piece in seen if piece.score >= LEAST_SCORE and not piece.is_tall]
    return sum(len(piece.text) * piece.score**2 for piece in read)


def _picture(page: "pdfium.PdfPage", dpi: float) -> tuple["Picture", float]:
    """The page as pixels, blue first, and how many of them are a point."""
    scale = min(dpi / _POINTS_PER_INCH, _MAX_SIDE_PX / max(*page.get_size(), 1.0))
    pixels: Picture = page.render(scale=scale).to_numpy()[:, :, :3]
    return pixels, scale


def _work(task: dict[str, Any]) -> Iterator[bytes]:
    """In the child: read each page that is asked for, one line of the answer for each."""
    import pypdfium2 as pdfium

    eye = _Eye()
    document = pdfium.PdfDocument(Path(task["path"]).read_bytes())
    for number in task["pages"]:
        picture, scale = _picture(document[number - 1], float(task["dpi"]))
        seen, quarters = _look_upright(eye, picture)
        height, width = picture.shape[:2]
        lines = lines_of_picture(seen, quarters, width, height, scale)
        yield json.dumps({number: [astuple(line) for line in lines]}).encode() + b"\n"


if __name__ == "__main__":
    serve_once(_work)
