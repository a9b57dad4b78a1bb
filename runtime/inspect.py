"""Reads what a GGUF file says of itself: keys, tensors, and whether the file is whole.

`gguf.GGUFReader` builds an array view per vocabulary entry, which takes seconds; this reads the
same header in a tenth of a second, bounds every length by the size of the file, and so finds a
damaged file before the native loader meets it.
"""

import mmap
import struct
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType, LlamaFileType

from runtime.errors import BadModelFile

MAGIC = b"GGUF"
DEFAULT_ALIGNMENT = 32
MAX_KEYS = 10_000
MAX_TENSORS = 100_000
MAX_DIMENSIONS = 4
# Longer arrays are vocabularies; they are counted and left out unless asked for.
SHORT_ARRAY = 5

_STRING, _ARRAY = 8, 9
_SCALARS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor's place in the file. shape: as stored, fastest dimension first."""

    name: str
    shape: tuple[int, ...]
    type_name: str
    size_bytes: int
    offset: int


@dataclass(frozen=True, slots=True)
class ModelFile:
    """The header of a GGUF file."""

    keys: dict[str, Any] = field(repr=False)
    tensors: tuple[Tensor, ...] = field(repr=False)

    @property
    def architecture(self) -> str:
        """The family, which is also the prefix of its keys."""
        return str(self.keys.get("general.architecture", "unknown"))

    def number(self, key: str) -> int:
        """An architecture's key, 0 if it is not there."""
        value = self.keys.get(f"{self.architecture}.{key}", 0)
        return value if isinstance(value, int) else 0

    @property
    def context_length(self) -> int:
        """Tokens of context that the model was trained for."""
        return self.number("context_length")

    @property
    def embedding_length(self) -> int:
        """Length of its vectors."""
        return self.number("embedding_length")

    @property
    def parameter_count(self) -> int:
        """How many weights it has."""
        return sum(prod(tensor.shape) for tensor in self.tensors)

    @property
    def quantization(self) -> str:
        """As `Q4_K_M`."""
        try:
            name = LlamaFileType(self.keys.get("general.file_type", -1)).name
        except ValueError:
            return "unknown"
        return name.removeprefix("MOSTLY_").removeprefix("ALL_")

    @property
    def chat_template(self) -> str:
        """The Jinja template of a chat model, else empty."""
        return str(self.keys.get("tokenizer.chat_template", ""))

    @property
    def embeds(self) -> bool:
        """Whether it makes vectors and cannot write."""
        return bool(self.number("pooling_type")) or self.architecture in ("bert", "nomic-bert")


def parameter_size(count: int) -> str:
    """A number of weights as `135M` or `1.5B`."""
    if count >= 10**9:
        return f"{count / 10**9:.1f}B"
    if count >= 10**6:
        return f"{count / 10**6:.0f}M" if count >= 10**8 else f"{count / 10**6:.2f}M"
    return f"{count / 10**3:.0f}K"


def inspect(path: Path, *, whole_arrays: bool = False) -> ModelFile:
    """Read a GGUF file's header and check that all its tensors are there. Raises BadModelFile."""
    with path.open("rb") as file:
        if path.stat().st_size < len(MAGIC) or file.read(len(MAGIC)) != MAGIC:
            raise BadModelFile(f"{path.name} is not a GGUF file", "Choose a file in GGUF format.")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            try:
                return _Header(content, whole_arrays).read()
            except (struct.error, ValueError, KeyError, UnicodeDecodeError) as error:
                raise BadModelFile(
                    f"{path.name} is damaged: {error}", "Fetch or copy the file again."
                ) from error


class _Header:
    """Walks through the header once."""

    def __init__(self, content: mmap.mmap, whole_arrays: bool) -> None:
        self._content = content
        self._at = len(MAGIC)
        self._whole_arrays = whole_arrays

    def read(self) -> ModelFile:
        version = self._scalar("<I")
        if version not in (2, 3):
            raise ValueError(f"format version {version} is not known")
        tensor_count = self._bounded(self._scalar("<Q"), MAX_TENSORS, "tensors")
        key_count = self._bounded(self._scalar("<Q"), MAX_KEYS, "keys")
        keys = {self._string(): self._value(self._scalar("<I")) for _ in range(key_count)}
        tensors = tuple(self._tensor() for _ in range(tensor_count))
        self._check_whole(keys, tensors)
        return ModelFile(keys, tensors)

    def _check_whole(self, keys: dict[str, Any], tensors: tuple[Tensor, ...]) -> None:
        alignment = int(keys.get("general.alignment", DEFAULT_ALIGNMENT)) or DEFAULT_ALIGNMENT
        start = -(-self._at // alignment) * alignment
        end = max((start + tensor.offset + tensor.size_bytes for tensor in tensors), default=start)
        if end > len(self._content):
            raise ValueError(f"it should have {end} bytes and has {len(self._content)}")

    def _tensor(self) -> Tensor:
        name = self._string()
        dimensions = self._bounded(self._scalar("<I"), MAX_DIMENSIONS, "dimensions")
        shape = tuple(self._scalar("<Q") for _ in range(dimensions))
        kind = GGMLQuantizationType(self._scalar("<I"))
        block, block_bytes = GGML_QUANT_SIZES[kind]
        return Tensor(
            name, shape, kind.name, prod(shape) // block * block_bytes, self._scalar("<Q")
        )

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            return self._array()
        return self._scalar(_SCALARS[kind])

    def _array(self) -> list[Any]:
        kind = self._scalar("<I")
        count = self._bounded(self._scalar("<Q"), len(self._content), "array elements")
        if self._whole_arrays or count <= SHORT_ARRAY:
            return [self._value(kind) for _ in range(count)]
        if kind == _STRING:
            for _ in range(count):
                self._skip(self._scalar("<Q"))
        else:
            self._skip(count * struct.calcsize(_SCALARS[kind]))
        return []

    def _string(self) -> str:
        size = self._scalar("<Q")
        start = self._at
        self._skip(size)
        return self._content[start : self._at].decode("utf-8", errors="replace")

    def _scalar(self, form: str) -> Any:
        (value,) = struct.unpack_from(form, self._content, self._at)
        self._at += struct.calcsize(form)
        return value

    def _skip(self, size: int) -> None:
        if size > len(self._content) - self._at:
            raise ValueError("it ends too early")
        self._at += size

    def _bounded(self, value: int, limit: int, what: str) -> int:
        if value > limit:
            raise ValueError(f"{value} {what} cannot be")
        return value
