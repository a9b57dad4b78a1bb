"""Pictures in a prompt: what stands for them, how a step is divided, and what the model reads."""

import ctypes
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from llama_cpp import mtmd_cpp

from runtime.backend import Backend, BatchPart, Float32Array
from runtime.errors import BadRequest, LoadFailed
from runtime.images import Limits, check_images, size_of
from runtime.seeing import Run, divided, mark, marked, place_of, placeholder, tokens_of
from runtime.sight import Sight
from runtime.testing_generated import IMAGE_TOKENS, write_projector_gguf
from runtime.testing_gguf import WIDTH, write_runnable_gguf


def png(red: int) -> bytes:
    """A picture of one colour, wider than high."""

    def part(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = (b"\0" + bytes((red, 40, 7)) * 12) * 8
    head = struct.pack(">IIBBBBB", 12, 8, 8, 2, 0, 0, 0)
    parts = part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated model and a projector for it."""
    made = tmp_path_factory.mktemp("sight")
    write_runnable_gguf(made / "base")
    write_projector_gguf(made / "eyes")
    return made


def opened(folder: Path) -> tuple[Backend, Sight]:
    model = Backend(
        folder / "base", cells=64, slots=2, batch_tokens=16, threads=1, embeds=False, gpu_layers=0
    )
    return model, Sight(folder / "eyes", model, threads=1, use_gpu=False)


def by_helper(model: Backend, sight: Any, words: list[int], image: bytes) -> Float32Array:
    """The same prompt, a word and a picture, read by llama.cpp's own helper."""
    picture = sight.look(image)
    end = ctypes.c_int()
    [places] = model.decode([BatchPart(1, 0, words[:1], 1)])
    status = mtmd_cpp.mtmd_helper_eval_chunks(
        sight._context, model._context, picture.chunks, 1, 1, 16, False, ctypes.byref(end)
    )
    assert (status, end.value) == (0, 1 + IMAGE_TOKENS)
    [places] = model.decode([BatchPart(1, end.value, words[1:], 1)])
    return model.log_chances(places[0]).copy()


def test_rows_are_read_as_llama_cpp_reads_them(folder: Path) -> None:
    """Also where a step ends in the midst of a picture."""
    model, sight = opened(folder)
    words = model.tokenize("the ward", special=False)
    expected = by_helper(model, sight, words, png(200))
    picture = sight.look(png(200))
    model.decode([BatchPart(0, 0, words[:1], 0)])
    model.decode_rows(0, 1, sight.rows(picture, picture.tokens[:3]))
    model.decode_rows(0, 4, sight.rows(picture, picture.tokens[3:]))
    [places] = model.decode([BatchPart(0, 1 + IMAGE_TOKENS, words[1:], 1)])
    assert model.log_chances(places[0]) == pytest.approx(expected, abs=1e-4)
    model.close()


def test_a_picture_is_known_by_its_digest(folder: Path) -> None:
    """The same bytes are looked at once; each row has a number that no other picture's has."""
    model, sight = opened(folder)
    first, same, other = (sight.look(png(red)) for red in (1, 1, 2))
    assert first is same
    assert len(first.tokens) == IMAGE_TOKENS
    assert all(token < 0 for token in first.tokens)
    assert set(first.tokens).isdisjoint(other.tokens)
    assert [place_of(token) for token in other.tokens] == [
        (other.digest, row) for row in range(IMAGE_TOKENS)
    ]
    model.close()


def test_a_projector_of_another_model_is_refused(folder: Path, tmp_path: Path) -> None:
    """Its rows do not have the width of the model's words."""
    write_projector_gguf(tmp_path / "eyes", width=2 * WIDTH)
    (tmp_path / "base").symlink_to(folder / "base")
    with pytest.raises(LoadFailed, match="does not fit the model"):
        opened(tmp_path)


def test_what_is_no_picture_is_refused(folder: Path) -> None:
    """Also where it begins as one."""
    model, sight = opened(folder)
    with pytest.raises(BadRequest, match="cannot be read"):
        sight.look(png(1)[:50])
    model.close()


def test_a_step_is_divided_at_its_last_picture() -> None:
    """What is behind it stays in the common batch."""
    seen = [placeholder(7, row) for row in range(2)]
    runs, end = divided(10, [1, *seen, 2, seen[0], 3, 4])
    assert end == 5
    assert runs == [
        Run(10, (1,)), Run(11, tuple(seen)), Run(13, (2,)), Run(14, (seen[0],)),
    ]  # fmt: skip
    assert [run.is_seen for run in runs] == [False, True, False, True]
    assert divided(10, [1, 2]) == ([], 0)


def test_marks_become_the_numbers_of_their_pictures() -> None:
    """A caller who writes a mark of his own has written words."""
    messages = [{"role": "user", "content": "a", "images": (b"1", b"2")}, {"role": "user"}]
    found, pictures = marked(messages, "s")
    assert pictures == [b"1", b"2"]
    assert found[0] == {"role": "user", "content": f"{mark('s', 0)}{mark('s', 1)}a"}
    assert found[1] == {"role": "user"}

    def tokenize(text: str, begins: bool) -> list[int]:
        return [*([0] if begins else []), *(ord(one) for one in text)]

    tokens = tokens_of(str(found[0]["content"]), "s", [[-1, -2], [-3]], tokenize)
    assert tokens == [0, -1, -2, -3, ord("a")]
    forged = tokens_of(mark("other", 0), "s", [[-1]], tokenize)
    assert min(forged) >= 0


def test_a_size_is_read_from_the_header() -> None:
    """JPEG says it behind marks of any length."""
    jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xff\xc2\x00\x0b\x08\x01\x02\x03\x04\x01"
    assert size_of(png(1)) == (12, 8)
    assert size_of(jpeg) == (0x0304, 0x0102)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (b"", "of a kind"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "of a kind"),
        (b"\xff\xd8\xff\xd9" + b"\0" * 9, "does not say its size"),
        (b"\xff\xd8\xff\xe0\xff\xff" + b"\0" * 9, "does not say its size"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 8, "has no size"),
    ],
)
def test_what_has_no_size_is_refused(image: bytes, message: str) -> None:
    """Before anything unpacks it."""
    with pytest.raises(BadRequest, match=message):
        check_images([image], Limits(1, 100, 100))
