"""How much memory a model will need, said before it is loaded, and how much there is.

The estimate follows what llama.cpp allocates: the weights as they lie in the file, some of which
are kept a second time in an order that the processor reads faster; keys and values of each cell of
the context; and buffers for one step, of which the logits are the largest. It is made to be a
little high: a model that is refused can be asked for with a smaller context, one that is too
large takes the machine down.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from runtime.inspect import ModelFile

HALF_BYTES, FLOAT_BYTES = 2, 4  # of a number in the key-value memory, and in a step
CELL_STEP = 256  # llama.cpp rounds the cells up to this
PROCESS_BYTES = 96 * 1024 * 1024  # the interpreter, numpy and llama.cpp itself
# Kinds of weights that llama.cpp copies into another order for wide registers (ggml's repack.cpp).
REPACKED = frozenset({"Q4_0", "Q4_K", "IQ4_NL", "Q2_K"})
# Tables that are looked up and never multiplied stay as they are.
LOOKED_UP = ("token_embd", "position_embd", "token_types")
STEP_TENSORS = 6  # as wide as the model or its inner layer, alive at the same time
DEFAULT_SHARE = 0.8  # of the free memory; the rest is for the platform and the page cache


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes that a model takes, by what takes them."""

    weights_bytes: int
    repacked_bytes: int
    cells_bytes: int
    step_bytes: int
    process_bytes: int = PROCESS_BYTES

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return (
            self.weights_bytes
            + self.repacked_bytes
            + self.cells_bytes
            + self.step_bytes
            + self.process_bytes
        )


def need_of(file: ModelFile, *, cells: int, slots: int, batch_tokens: int) -> Need:
    """What a model needs with a memory of so many tokens, shared by so many sequences."""
    repacked = sum(
        tensor.size_bytes
        for tensor in file.tensors
        if tensor.type_name in REPACKED and not tensor.name.startswith(LOOKED_UP)
    )
    return Need(
        weights_bytes=file.weights_bytes,
        repacked_bytes=repacked,
        cells_bytes=cells_bytes(file, cells),
        step_bytes=_step_bytes(file, cells, slots, batch_tokens),
    )


def cells_bytes(file: ModelFile, cells: int) -> int:
    """Keys and values of so many tokens; models that only embed keep none."""
    if file.embeds and not file.keys.get(f"{file.architecture}.attention.causal", False):
        return 0
    usual = file.embedding_length // max(max(file.by_layer("attention.head_count"), default=1), 1)
    key = file.number("attention.key_length") or usual
    value = file.number("attention.value_length") or usual
    heads = file.by_layer("attention.head_count_kv") or file.by_layer("attention.head_count")
    rounded = -(-cells // CELL_STEP) * CELL_STEP
    return sum(heads) * (key + value) * HALF_BYTES * rounded


def _step_bytes(file: ModelFile, cells: int, slots: int, batch_tokens: int) -> int:
    words = _words(file)
    inner = max(file.by_layer("feed_forward_length"), default=0)
    heads = max(file.by_layer("attention.head_count"), default=0)
    logits = 0 if file.embeds else (batch_tokens + slots) * words * FLOAT_BYTES
    wide = batch_tokens * (file.embedding_length + inner) * FLOAT_BYTES * STEP_TENSORS
    # Without a cache a step looks at itself, in full; with one, at all cells, a part at a time.
    looked_at = batch_tokens if file.embeds else 0
    attention = batch_tokens * looked_at * heads * FLOAT_BYTES
    mask = batch_tokens * max(cells, batch_tokens) * (FLOAT_BYTES + HALF_BYTES)
    return logits + wide + attention + mask


def _words(file: ModelFile) -> int:
    """Tokens of the vocabulary: rows of the table of embeddings."""
    for tensor in file.tensors:
        if tensor.name == "token_embd.weight" and len(tensor.shape) > 1:
            return tensor.shape[1]
    return file.number("vocab_size")


def default_budget_bytes() -> int:
    """What models may take where no setting says it: most of what is free at the start."""
    return int(available_bytes() * DEFAULT_SHARE)


def available_bytes() -> int:
    """Memory that programs can have now, of the machine or of our container."""
    free = [_meminfo("MemAvailable:"), _container_free()]
    return min(found for found in free if found is not None)


def _meminfo(name: str) -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    # Not Linux: half of what is built in.
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def _container_free() -> int | None:
    folder = Path("/sys/fs/cgroup")
    try:
        limit = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
    except (OSError, ValueError):
        return None
    return None if limit == "max" else max(int(limit) - used, 0)
