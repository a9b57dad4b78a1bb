"""The strict reader of GGUF headers, and the rules of what llama.cpp can be given."""

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gguf import GGUFWriter
from gguf.constants import GGML_QUANT_SIZES, LlamaFileType

from runtime.gguf import MAX_HEADER_BYTES, TENSOR_TYPES, DamagedHeader, read_header
from runtime.gguf_checks import MAX_TEMPLATE_BYTES, check_header
from runtime.inspect import FILE_TYPES
from runtime.testing_gguf import write_runnable_gguf

UINT32, STRING, ARRAY, INT32, BOOL = 4, 8, 9, 5, 7


def text(value: str | bytes) -> bytes:
    content = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(content)) + content


def key(name: str, kind: int, value: bytes) -> bytes:
    return text(name) + struct.pack("<I", kind) + value


def u32(value: int) -> bytes:
    return struct.pack("<I", value)


def tensor(name: str, shape: tuple[int, ...], kind: int = 0, offset: int = 0) -> bytes:
    dimensions = struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", n) for n in shape)
    return text(name) + dimensions + struct.pack("<IQ", kind, offset)


def made(
    *keys: bytes,
    tensors: tuple[bytes, ...] = (),
    version: int = 3,
    counts: tuple[int, int] | None = None,
) -> bytes:
    """A file of these parts, with a kilobyte of weights behind the header."""
    tensor_count, key_count = counts or (len(tensors), len(keys))
    start = b"GGUF" + struct.pack("<IQQ", version, tensor_count, key_count)
    return start + b"".join(keys) + b"".join(tensors) + bytes(1024)


WHOLE = made(key("a", UINT32, u32(1)), tensors=(tensor("t", (4,)),))


def test_gguf_1_a_whole_header_is_read() -> None:
    """What stands in it comes out, and where it ends."""
    header = read_header(WHOLE, len(WHOLE))
    assert header.keys == {"a": 1}
    assert header.tensors[0].size_bytes == 16
    assert header.end == len(WHOLE) - 1024


BIG = 2**64 - 32
REFUSED = {
    "no magic": (b"GGML" + WHOLE[4:], "begin"),
    "old version": (made(version=1), "version"),
    "other byte order": (made(version=3 << 24), "version"),
    "too many keys": (made(counts=(0, 2**63)), "keys"),
    "too many tensors": (made(counts=(2**62, 0)), "tensors"),
    "more keys than there are": (made(counts=(0, 4000)), "name|ends"),
    "key without name": (made(key("", UINT32, u32(1))), "name"),
    "key with a zero": (made(key("a\0", UINT32, u32(1))), "name"),
    "key that is no text": (made(text(b"\xff\xfe") + u32(UINT32) + u32(1)), "name"),
    "key twice": (made(key("a", UINT32, u32(1)), key("a", UINT32, u32(1))), "twice"),
    "unknown kind": (made(key("a", 13, u32(1))), "unknown type"),
    "neither true nor false": (made(key("a", BOOL, b"\x02")), "neither"),
    "long text": (made(key("a", STRING, struct.pack("<Q", BIG))), "bytes of text"),
    "text over the end": (made(key("a", STRING, struct.pack("<Q", 100_000))), "ends"),
    "long list": (made(key("a", ARRAY, struct.pack("<IQ", UINT32, BIG))), "elements"),
    "list over the end": (made(key("a", ARRAY, struct.pack("<IQ", UINT32, 4096))), "ends"),
    "list of lists": (made(key("a", ARRAY, struct.pack("<IQ", ARRAY, 1))), "unknown type"),
    "tensor twice": (made(tensors=(tensor("t", (4,)), tensor("t", (4,), 0, 32))), "twice"),
    "tensor with a long name": (made(tensors=(tensor("t" * 64, (4,)),)), "bytes of text"),
    "no dimensions": (made(tensors=(tensor("t", ()),)), "shape"),
    "five dimensions": (made(tensors=(tensor("t", (1,) * 5),)), "dimensions"),
    "empty dimension": (made(tensors=(tensor("t", (4, 0)),)), "shape"),
    "product over 64 bits": (made(tensors=(tensor("t", (2**33, 2**33)),)), "shape"),
    "product that turns over to 4": (made(tensors=(tensor("t", (2**63, 2)),)), "shape"),
    "withdrawn kind": (made(tensors=(tensor("t", (4,), 4),)), "unknown type"),
    "kind of no one": (made(tensors=(tensor("t", (4,), 2**32 - 1),)), "unknown type"),
    "half a block": (made(tensors=(tensor("t", (31, 32), 2),)), "blocks"),
    "larger than the file": (made(tensors=(tensor("t", (4096,)),)), "at least"),
    "offset beyond": (made(tensors=(tensor("t", (4,), 0, 2048),)), "belongs"),
    "offset that turns over": (made(tensors=(tensor("t", (4,), 0, BIG),)), "belongs"),
    "offset not aligned": (made(tensors=(tensor("t", (4,), 0, 1),)), "belongs"),
    "overlapping": (made(tensors=(tensor("t", (4,)), tensor("u", (4,)))), "belongs"),
    "alignment of the wrong kind": (made(key("general.alignment", INT32, u32(32))), "alignment"),
    "alignment 0": (made(key("general.alignment", UINT32, u32(0))), "alignment"),
    "alignment 48": (made(key("general.alignment", UINT32, u32(48))), "alignment"),
    "alignment over all": (made(key("general.alignment", UINT32, u32(2**31))), "alignment"),
}


@pytest.mark.parametrize(("content", "why"), REFUSED.values(), ids=REFUSED)
def test_gguf_1_oll_3_a_header_that_lies_is_refused(content: bytes, why: str) -> None:
    """Each count, length, type, size and offset is checked against what the file really has."""
    with pytest.raises(DamagedHeader, match=why):
        read_header(content, len(content))


def test_a_header_over_the_limit_is_refused() -> None:
    """What is not in the first 64 MiB is not looked for."""
    content = made(key("a", ARRAY, struct.pack("<IQ", UINT32, 2**20)))
    with pytest.raises(DamagedHeader, match="longer than a header"):
        read_header(content, MAX_HEADER_BYTES * 2)


def test_sizes_of_tensor_types_are_those_of_the_library() -> None:
    """Our table of types is the `gguf` package's."""
    theirs = {kind.value: (kind.name, *sizes) for kind, sizes in GGML_QUANT_SIZES.items()}
    assert theirs == TENSOR_TYPES


def test_names_of_file_types_are_those_of_the_library() -> None:
    """So is the table of what `general.file_type` says."""
    names = (kind.name.removeprefix("MOSTLY_").removeprefix("ALL_") for kind in LlamaFileType)
    assert list(FILE_TYPES.values()) == list(names)


def changed(path: Path, change: Callable[[GGUFWriter], None]) -> bytes:
    """A llama whose keys were changed before they were written."""

    class Changed(GGUFWriter):
        def write_header_to_file(self, path: Any = None) -> None:
            change(self)
            super().write_header_to_file(path)

    return write_runnable_gguf(path, writer_type=Changed)


def put(name: str, value: Any) -> Callable[[GGUFWriter], None]:
    """Give a key another value and leave its kind."""

    def change(writer: GGUFWriter) -> None:
        writer.kv_data[0][name].value = value

    return change


def put_token(number: int, value: bytes) -> Callable[[GGUFWriter], None]:
    def change(writer: GGUFWriter) -> None:
        writer.kv_data[0]["tokenizer.ggml.tokens"].value[number] = value

    return change


CANNOT = {
    "no architecture": (put("general.architecture", "../x"), "architecture"),
    "no layers": (put("llama.block_count", 0), "block_count"),
    "too many layers": (put("llama.block_count", 513), "block_count"),
    "no width": (put("llama.embedding_length", 0), "embedding_length"),
    "over 31 bits": (put("llama.context_length", 2**31), "context_length"),
    "heads that do not share": (put("llama.attention.head_count_kv", 3), "share"),
    "rotates half a head": (put("llama.rope.dimension_count", 8), "turned"),
    "negative epsilon": (put("llama.attention.layer_norm_rms_epsilon", -1.0), "epsilon"),
    "endless epsilon": (put("llama.attention.layer_norm_rms_epsilon", float("nan")), "no number"),
    "unknown tokenizer": (put("tokenizer.ggml.model", "rwkv"), "tokenizer"),
    "fewer scores than tokens": (put("tokenizer.ggml.scores", [0.5]), "scores"),
    "fewer types than tokens": (put("tokenizer.ggml.token_type", [1]), "token_type"),
    "a token twice": (put_token(260, b"<s>"), "twice"),
    "a token twice up to its zero": (put_token(260, b"<s>\0x"), "twice"),
    "a byte without token": (put_token(70, b"other"), "byte"),
    "a template without end": (
        lambda writer: writer.add_chat_template("x" * (MAX_TEMPLATE_BYTES + 1)),
        "chat_template",
    ),
}


@pytest.mark.parametrize(("change", "why"), CANNOT.values(), ids=CANNOT)
def test_prv_3_what_llama_cpp_trips_over_is_refused(
    tmp_path: Path, change: Callable[[GGUFWriter], None], why: str
) -> None:
    """A header can be whole and still end llama.cpp's process."""
    content = changed(tmp_path / "m.gguf", change)
    header = read_header(content, len(content))
    with pytest.raises(DamagedHeader, match=why):
        check_header(header, content)


@pytest.mark.parametrize(
    ("name", "kind"), [("output_norm.weight", 1), ("output.weight", 26), ("output.weight", 9)]
)
def test_prv_3_a_kind_that_cannot_be_computed_with_is_refused(
    tmp_path: Path, name: str, kind: int
) -> None:
    """Half-precision norms, whole numbers as weights, and kinds that only exist between steps."""
    content = write_runnable_gguf(tmp_path / "m.gguf")
    header = read_header(content, len(content))
    tensors = [
        replace(x, type_name=TENSOR_TYPES[kind][0]) for x in header.tensors if x.name == name
    ]
    with pytest.raises(DamagedHeader, match="cannot be of type"):
        check_header(replace(header, tensors=tuple(tensors)), content)


@pytest.mark.parametrize("architecture", ["llama", "qwen2"])
def test_a_sound_header_passes(tmp_path: Path, architecture: str) -> None:
    """The same files, unchanged."""
    content = write_runnable_gguf(tmp_path / "m.gguf", architecture)
    check_header(read_header(content, len(content)), content)
