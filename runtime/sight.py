"""The door to mtmd, llama.cpp's library that turns pictures into rows that a model reads as words.

It runs in the walled process of a model and nowhere else. Rows are computed when they are first
needed, and not at all where another prompt has left the same picture in the memory.
"""

import ctypes
import hashlib
import weakref
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from llama_cpp import mtmd_cpp

from runtime.backend import Backend
from runtime.errors import BadRequest, LoadFailed
from runtime.seeing import Floats, Picture, place_of, placeholder

KEPT_PICTURES = 16


class Sight:
    """The projector of one model."""

    def __init__(self, path: Path, backend: Backend, *, threads: int, use_gpu: bool) -> None:
        self._width = backend.row_length
        mtmd_cpp.mtmd_log_set(backend.log_callback, ctypes.c_void_p(0))
        mtmd_cpp.mtmd_helper_log_set(backend.log_callback, ctypes.c_void_p(0))
        parameters = mtmd_cpp.mtmd_context_params_default()
        parameters.use_gpu = use_gpu
        parameters.n_threads = threads
        parameters.print_timings = False
        parameters.warmup = False
        self._context: Any = mtmd_cpp.mtmd_init_from_file(
            str(path).encode(), backend.model, parameters
        )
        if not self._context:
            raise LoadFailed(
                f"the projector {path.name} does not fit the model",
                "Use the mmproj file that was made for it.",
            )
        self._kept: OrderedDict[int, Picture] = OrderedDict()

    def look(self, content: bytes) -> Picture:
        """A picture's place in a prompt. Raises BadRequest."""
        digest = int.from_bytes(hashlib.sha256(content).digest())
        picture = self._kept.pop(digest, None) or self._unpacked(content, digest)
        self._kept[digest] = picture
        while len(self._kept) > KEPT_PICTURES:
            self._kept.popitem(last=False)
        return picture

    def rows(self, picture: Picture, numbers: Iterable[int]) -> Floats:
        """The rows that these numbers stand for: (count, width). Raises LoadFailed."""
        if picture.rows is None:
            picture.rows = self._computed(picture)
        return picture.rows[[place_of(number)[1] for number in numbers]]

    def _unpacked(self, content: bytes, digest: int) -> Picture:
        if mtmd_cpp.mtmd_decode_use_mrope(self._context):
            raise BadRequest("the model counts the places of an image in a way that is not served")
        buffer = (ctypes.c_uint8 * len(content)).from_buffer_copy(content)
        options = mtmd_cpp.mtmd_helper_init_opt_default()
        found = mtmd_cpp.mtmd_helper_bitmap_init_from_buf_wrapper(
            self._context, buffer, len(content), False, options
        )
        if found.video_ctx:
            mtmd_cpp.mtmd_helper_video_free(found.video_ctx)
        if not found.bitmap or found.video_ctx:
            raise BadRequest("the image cannot be read", "Send it as JPEG or PNG.")
        try:
            chunks = self._divided(found.bitmap)
        finally:
            mtmd_cpp.mtmd_bitmap_free(found.bitmap)
        picture = Picture(digest, [], chunks)
        weakref.finalize(picture, mtmd_cpp.mtmd_input_chunks_free, chunks)
        picture.tokens = self._tokens(picture)
        return picture

    def _divided(self, bitmap: Any) -> Any:
        """The picture between the words that the model wants around it."""
        marker = mtmd_cpp.mtmd_default_marker()
        text = mtmd_cpp.mtmd_input_text(marker, len(marker), False, True)
        chunks: Any = mtmd_cpp.mtmd_input_chunks_init()
        bitmaps = (mtmd_cpp.mtmd_bitmap_p_ctypes * 1)(bitmap)
        if mtmd_cpp.mtmd_tokenize(self._context, chunks, ctypes.byref(text), bitmaps, 1):
            mtmd_cpp.mtmd_input_chunks_free(chunks)
            raise BadRequest("the image cannot be read", "Send another size of it.")
        return chunks

    def _tokens(self, picture: Picture) -> list[int]:
        tokens: list[int] = []
        row = 0
        for chunk in _each(picture.chunks):
            count = int(mtmd_cpp.mtmd_input_chunk_get_n_tokens(chunk))
            if not _is_picture(chunk):
                tokens += _words(chunk)
                continue
            if mtmd_cpp.mtmd_decode_use_non_causal(self._context, chunk):
                raise BadRequest("the model looks at an image in a way that is not served")
            tokens += [placeholder(picture.digest, row + n) for n in range(count)]
            row += count
        return tokens

    def _computed(self, picture: Picture) -> Floats:
        parts = []
        for chunk in _each(picture.chunks):
            if not _is_picture(chunk):
                continue
            if mtmd_cpp.mtmd_encode_chunk(self._context, chunk):
                raise LoadFailed("the model could not look at an image", "Send another one.")
            count = int(mtmd_cpp.mtmd_input_chunk_get_n_tokens(chunk))
            pointer: Any = mtmd_cpp.mtmd_get_output_embd(self._context)
            parts.append(np.ctypeslib.as_array(pointer, shape=(count, self._width)).copy())
        return np.concatenate(parts)


def _each(chunks: Any) -> list[Any]:
    count = mtmd_cpp.mtmd_input_chunks_size(chunks)
    return [mtmd_cpp.mtmd_input_chunks_get(chunks, n) for n in range(count)]


def _is_picture(chunk: Any) -> bool:
    kind = mtmd_cpp.mtmd_input_chunk_get_type(chunk)
    return bool(kind == mtmd_cpp.MTMD_INPUT_CHUNK_TYPE_IMAGE)


def _words(chunk: Any) -> list[int]:
    count = ctypes.c_size_t()
    pointer: Any = mtmd_cpp.mtmd_input_chunk_get_tokens_text(chunk, ctypes.byref(count))
    return [int(pointer[n]) for n in range(count.value)]
