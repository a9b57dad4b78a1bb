"""A strict reader of GGUF headers: every count, length, type and offset is checked before use.

`gguf.GGUFReader` trusts what a file says of itself, and llama.cpp has had overflows in the same
place (CVE-2025-53630, CVE-2026-27940). Here sizes are Python's integers, which do not overflow,
and nothing is read that does not lie in the file. What is refused here llama.cpp never sees.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from typing import Any, Protocol

MAGIC = b"GGUF"
VERSIONS = (2, 3)
DEFAULT_ALIGNMENT = 32
MAX_ALIGNMENT = 64 * 1024
MAX_HEADER_BYTES = 64 * 1024 * 1024  # the largest vocabularies take 16 MiB
MAX_KEYS = 4096
MAX_KEY_BYTES = 256
MAX_TENSORS = 65_536
MAX_TENSOR_NAME_BYTES = 63  # what llama.cpp keeps of it, without the zero at its end
MAX_DIMENSIONS = 4
MAX_ELEMENTS = 2**48
MAX_ARRAY = 2**20
MAX_TEXT_BYTES = 1024 * 1024
MAX_WORD_BYTES = 64 * 1024
# Longer arrays are vocabularies; they are counted and left out unless asked for.
SHORT_ARRAY = 5
# Arrays of numbers up to this length say something of each layer.
LAYER_ARRAY = 1024

BOOL, STRING, ARRAY = 7, 8, 9
UINT32, INT32, FLOAT32 = 4, 5, 6
SCALARS = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    UINT32: struct.Struct("<I"),
    INT32: struct.Struct("<i"),
    FLOAT32: struct.Struct("<f"),
    BOOL: struct.Struct("<B"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
# By number: name, elements of a block, bytes of a block. Numbers that are missing were withdrawn.
TENSOR_TYPES = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    9: ("Q8_1", 32, 40),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36),
    41: ("Q1_0", 128, 18),
}


class DamagedHeader(ValueError):
    """The header is not one that a whole file of this format has."""


class Content(Protocol):
    """Bytes, or a mapped file."""

    def __len__(self) -> int: ...
    def __getitem__(self, place: slice, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor's place in the file. shape: as stored, fastest dimension first."""

    name: str
    shape: tuple[int, ...]
    type_name: str
    size_bytes: int
    offset: int


@dataclass(frozen=True, slots=True)
class Array:
    """A list in the header. kind: of its elements. at: where the first one begins."""

    kind: int
    count: int
    at: int


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the weights.

    kinds: the type of each key's value. layer_lists: lists of numbers that are left out of keys.
    end: the first byte that is not the header's.
    """

    keys: dict[str, Any] = field(repr=False)
    kinds: dict[str, int] = field(repr=False)
    arrays: dict[str, Array] = field(repr=False)
    layer_lists: dict[str, list[Any]] = field(repr=False)
    tensors: tuple[Tensor, ...] = field(repr=False)
    end: int


def read_header(content: Content, file_bytes: int, *, whole_arrays: bool = False) -> Header:
    """Read a header and check that all its tensors lie in the file. Raises DamagedHeader.

    content: the file, or its first MAX_HEADER_BYTES.
    """
    try:
        return _Reader(content, whole_arrays).read(file_bytes)
    except struct.error as error:
        raise DamagedHeader("it ends too early") from error


def words(content: Content, array: Array) -> Iterator[bytes]:
    """The texts of a list of texts that was read without fault."""
    at = array.at
    for _ in range(array.count):
        (size,) = struct.unpack_from("<Q", content, at)  # type: ignore[arg-type]
        yield content[at + 8 : at + 8 + size]
        at += 8 + size


class _Reader:
    """Walks through the header once."""

    def __init__(self, content: Content, whole_arrays: bool) -> None:
        self._content = content
        self._size = min(len(content), MAX_HEADER_BYTES)
        self._at = len(MAGIC)
        self._whole_arrays = whole_arrays
        self._arrays: dict[str, Array] = {}
        self._layer_lists: dict[str, list[Any]] = {}

    def read(self, file_bytes: int) -> Header:
        if self._content[: len(MAGIC)] != MAGIC:
            raise DamagedHeader("it does not begin as a GGUF file does")
        version = self._number("<I")
        if version not in VERSIONS:
            raise DamagedHeader(f"format version {version} is not known")
        tensor_count = _bounded(self._number("<Q"), MAX_TENSORS, "tensors")
        key_count = _bounded(self._number("<Q"), MAX_KEYS, "keys")
        keys, kinds = self._keys(key_count)
        tensors = self._tensors(tensor_count)
        header = Header(keys, kinds, self._arrays, self._layer_lists, tensors, self._at)
        _check_places(header, file_bytes)
        return header

    def _keys(self, count: int) -> tuple[dict[str, Any], dict[str, int]]:
        keys: dict[str, Any] = {}
        kinds: dict[str, int] = {}
        for _ in range(count):
            key = self._name(MAX_KEY_BYTES)
            if key in keys:
                raise DamagedHeader(f"the key {key!r} is there twice")
            kinds[key] = self._number("<I")
            keys[key] = self._value(key, kinds[key])
        return keys, kinds

    def _value(self, key: str, kind: int) -> Any:
        if kind == ARRAY:
            return self._array(key)
        if kind == STRING:
            return self._text(MAX_TEXT_BYTES)
        return self._scalar(kind)

    def _array(self, key: str) -> list[Any]:
        kind = self._number("<I")
        count = _bounded(self._number("<Q"), MAX_ARRAY, f"elements of {key!r}")
        self._arrays[key] = Array(kind, count, self._at)
        if kind == STRING:
            return self._words(count)
        if kind not in SCALARS:
            raise DamagedHeader(f"{key!r} holds elements of the unknown type {kind}")
        self._need(count * SCALARS[kind].size)
        if count > LAYER_ARRAY and not self._whole_arrays:
            self._at += count * SCALARS[kind].size
            return []
        numbers = [self._scalar(kind) for _ in range(count)]
        if self._whole_arrays or count <= SHORT_ARRAY:
            return numbers
        self._layer_lists[key] = numbers
        return []

    def _words(self, count: int) -> list[str]:
        if self._whole_arrays or count <= SHORT_ARRAY:
            return [self._text(MAX_WORD_BYTES) for _ in range(count)]
        for _ in range(count):
            self._pass(_bounded(self._number("<Q"), MAX_WORD_BYTES, "bytes of a word"))
        return []

    def _tensors(self, count: int) -> tuple[Tensor, ...]:
        tensors: dict[str, Tensor] = {}
        for _ in range(count):
            tensor = self._tensor()
            if tensor.name in tensors:
                raise DamagedHeader(f"the tensor {tensor.name!r} is there twice")
            tensors[tensor.name] = tensor
        return tuple(tensors.values())

    def _tensor(self) -> Tensor:
        name = self._name(MAX_TENSOR_NAME_BYTES)
        dimensions = _bounded(self._number("<I"), MAX_DIMENSIONS, "dimensions")
        shape = tuple(self._number("<Q") for _ in range(dimensions))
        kind = self._number("<I")
        if kind not in TENSOR_TYPES:
            raise DamagedHeader(f"{name!r} has the unknown type {kind}")
        type_name, block, block_bytes = TENSOR_TYPES[kind]
        if not shape or not 0 < prod(shape) <= MAX_ELEMENTS:
            raise DamagedHeader(f"{name!r} cannot have the shape {shape}")
        if shape[0] % block:
            raise DamagedHeader(f"a row of {name!r} has {shape[0]} elements, not whole blocks")
        size_bytes = prod(shape) // block * block_bytes
        return Tensor(name, shape, type_name, size_bytes, self._number("<Q"))

    def _name(self, limit: int) -> str:
        name = self._text(limit)
        if not name or not name.isprintable() or "\ufffd" in name:
            raise DamagedHeader(f"{name!r} cannot be a name")
        return name

    def _text(self, limit: int) -> str:
        size = _bounded(self._number("<Q"), limit, "bytes of text")
        start = self._at
        self._pass(size)
        return self._content[start : self._at].decode("utf-8", errors="replace")

    def _scalar(self, kind: int) -> Any:
        form = SCALARS.get(kind)
        if form is None:
            raise DamagedHeader(f"a value has the unknown type {kind}")
        self._need(form.size)
        (value,) = form.unpack_from(self._content, self._at)  # type: ignore[arg-type]
        self._at += form.size
        if kind == BOOL:
            if value > 1:
                raise DamagedHeader(f"{value} is neither true nor false")
            return bool(value)
        return value

    def _number(self, form: str) -> int:
        size = struct.calcsize(form)
        self._need(size)
        (value,) = struct.unpack_from(form, self._content, self._at)  # type: ignore[arg-type]
        self._at += size
        return int(value)

    def _pass(self, size: int) -> None:
        self._need(size)
        self._at += size

    def _need(self, size: int) -> None:
        if size > self._size - self._at:
            raise DamagedHeader("its header ends too early, or is longer than a header can be")


def _check_places(header: Header, file_bytes: int) -> None:
    """Tensors follow each other without gaps, as llama.cpp wants them, and all are there."""
    alignment = _alignment(header)
    start = _padded(header.end, alignment)
    expected = 0
    for tensor in header.tensors:
        if tensor.offset != expected:
            raise DamagedHeader(
                f"{tensor.name!r} lies at {tensor.offset} and belongs at {expected}"
            )
        end = start + tensor.offset + tensor.size_bytes
        if end > file_bytes:
            raise DamagedHeader(
                f"it should have at least {end} bytes for {tensor.name!r} and has {file_bytes}"
            )
        expected = _padded(tensor.offset + tensor.size_bytes, alignment)


def _alignment(header: Header) -> int:
    key = "general.alignment"
    alignment = header.keys.get(key, DEFAULT_ALIGNMENT)
    if header.kinds.get(key, UINT32) != UINT32:
        raise DamagedHeader("its alignment has the wrong type")
    if not 8 <= alignment <= MAX_ALIGNMENT or alignment & (alignment - 1):
        raise DamagedHeader(f"its alignment cannot be {alignment}")
    return int(alignment)


def _padded(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment


def _bounded(value: int, limit: int, what: str) -> int:
    if value > limit:
        raise DamagedHeader(f"{value} {what} cannot be; the limit is {limit}")
    return value
