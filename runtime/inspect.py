"""What a GGUF file says of itself: keys, tensors, and whether it may be given to llama.cpp.

A file is read in a process of its own, with limits, before anything else opens it; the process
that serves people only sees the answer. A file that has not changed is not read twice.
"""

import json
import mmap
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

from runtime.errors import BadModelFile, WrongParts
from runtime.gguf import MAX_HEADER_BYTES, DamagedHeader, Tensor, read_header
from runtime.gguf_checks import RANK_POOLING, check_header

TIMEOUT_S = 60.0  # a large vocabulary takes 0.5 s; a busy machine takes longer
MAX_ANSWER_BYTES = 64 * 1024 * 1024
KEPT_FILES = 64
# What `general.file_type` says of the weights.
FILE_TYPES = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    19: "IQ2_XXS",
    20: "IQ2_XS",
    21: "Q2_K_S",
    22: "IQ3_XS",
    23: "IQ3_XXS",
    24: "IQ1_S",
    25: "IQ4_NL",
    26: "IQ3_S",
    27: "IQ3_M",
    28: "IQ2_S",
    29: "IQ2_M",
    30: "IQ4_XS",
    31: "IQ1_M",
    32: "BF16",
    36: "TQ1_0",
    37: "TQ2_0",
    38: "MXFP4_MOE",
    39: "NVFP4",
    40: "Q1_0",
    1024: "GUESSED",
}


@dataclass(frozen=True, slots=True)
class ModelFile:
    """The header of a GGUF file. layer_lists: lists of numbers, by layer, that keys leave out."""

    keys: dict[str, Any] = field(repr=False)
    tensors: tuple[Tensor, ...] = field(repr=False)
    layer_lists: dict[str, list[Any]] = field(default_factory=dict, repr=False)

    @property
    def architecture(self) -> str:
        """The family, which is also the prefix of its keys."""
        return str(self.keys.get("general.architecture", "unknown"))

    def number(self, key: str) -> int:
        """An architecture's key, 0 if it is not there."""
        value = self.keys.get(f"{self.architecture}.{key}", 0)
        return value if isinstance(value, int) else 0

    def by_layer(self, key: str) -> list[int]:
        """An architecture's key for each layer; empty if it is not there."""
        name = f"{self.architecture}.{key}"
        value = self.layer_lists.get(name) or self.keys.get(name)
        if isinstance(value, list):
            return [int(number) for number in value]
        return [value] * self.number("block_count") if isinstance(value, int) else []

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
    def weights_bytes(self) -> int:
        """What its weights take."""
        return sum(tensor.size_bytes for tensor in self.tensors)

    @property
    def quantization(self) -> str:
        """As `Q4_K_M`."""
        return FILE_TYPES.get(self.keys.get("general.file_type", -1), "unknown")

    @property
    def chat_template(self) -> str:
        """The Jinja template of a chat model, else empty."""
        return str(self.keys.get("tokenizer.chat_template", ""))

    @property
    def parts(self) -> int:
        """How many files the model was split into; this is one of them."""
        count = self.keys.get("split.count", 1)
        return count if isinstance(count, int) else 1

    @property
    def reranks(self) -> bool:
        """Whether it scores a text against a question, and makes no vectors of use."""
        return self.number("pooling_type") == RANK_POOLING

    @property
    def embeds(self) -> bool:
        """Whether it makes vectors, or scores in place of them, and cannot write."""
        return bool(self.number("pooling_type")) or self.architecture in ("bert", "nomic-bert")


def parameter_size(count: int) -> str:
    """A number of weights as `135M` or `1.5B`."""
    if count >= 10**9:
        return f"{count / 10**9:.1f}B"
    if count >= 10**6:
        return f"{count / 10**6:.0f}M" if count >= 10**8 else f"{count / 10**6:.2f}M"
    return f"{count / 10**3:.0f}K"


def inspect(path: Path, *, whole_arrays: bool = False) -> ModelFile:
    """Let a limited process read a GGUF file's header and check it.

    Raises BadModelFile, WrongParts.
    """
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise BadModelFile(f"{path.name} is not a GGUF file", "Choose a file in GGUF format.")
    status = path.stat()
    state = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    # A vocabulary is too large to keep for a rare question.
    return _read_apart(path, True) if whole_arrays else _kept(path, state)


@lru_cache(maxsize=KEPT_FILES)
def _kept(path: Path, _state: tuple[int, ...]) -> ModelFile:
    """The answer for one state of a file: it depends on nothing else."""
    return _read_apart(path, False)


def _read_apart(path: Path, whole_arrays: bool) -> ModelFile:
    command = [sys.executable, "-I", "-m", "runtime.inspector", str(path), str(int(whole_arrays))]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
    ) as process:
        answer = _answer_of(process)
    try:
        said = json.loads(answer)
    except ValueError as error:
        raise BadModelFile(
            f"{path.name} could not be inspected: its reader ended (status {process.returncode})",
            "The file is damaged, or made to do harm: do not use it.",
        ) from error
    if "message" in said:
        raise BadModelFile(said["message"], said["hint"])
    tensors = tuple(
        Tensor(**{**tensor, "shape": tuple(tensor["shape"])}) for tensor in said["tensors"]
    )
    found = ModelFile(said["keys"], tensors, said["layer_lists"])
    if found.parts > 1:
        raise WrongParts(
            f"{path.name} is one of {found.parts} parts of a split model",
            "Put the parts together first: llama-gguf-split --merge FIRST_PART WHOLE.gguf",
        )
    return found


def _answer_of(process: "subprocess.Popen[bytes]") -> bytes:
    """What it writes before its time is up; nothing if it writes more than it may."""
    assert process.stdout is not None
    timer = threading.Timer(TIMEOUT_S, process.kill)
    timer.start()
    try:
        answer = process.stdout.read(MAX_ANSWER_BYTES + 1)
        if len(answer) > MAX_ANSWER_BYTES:
            process.kill()
        process.wait()
    finally:
        timer.cancel()
    return answer if len(answer) <= MAX_ANSWER_BYTES and process.returncode == 0 else b""


def inspect_here(path: Path, *, whole_arrays: bool = False) -> ModelFile:
    """Read and check a header in this process, which should be one with walls around it.

    Raises BadModelFile.
    """
    size = path.stat().st_size
    if not size:
        raise BadModelFile(f"{path.name} is empty", "Fetch or copy the file again.")
    with path.open("rb") as file:
        length = min(size, MAX_HEADER_BYTES)
        with mmap.mmap(file.fileno(), length, access=mmap.ACCESS_READ) as content:
            try:
                header = read_header(content, size, whole_arrays=whole_arrays)
                check_header(header, content)
            except DamagedHeader as error:
                raise BadModelFile(
                    f"{path.name} is damaged: {error}", "Fetch or copy the file again."
                ) from error
    return ModelFile(header.keys, header.tensors, header.layer_lists)
