"""What a model will need, against what it takes."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.config import RuntimeSettings
from runtime.engine import Engine
from runtime.gguf import Tensor
from runtime.inspect import ModelFile
from runtime.memory import available_bytes, cells_bytes, default_budget_bytes, need_of
from runtime.names import parse_name
from runtime.protocol import Embed, Generate
from runtime.sampling import Options
from runtime.store import Store

MIB = 1024 * 1024
# How far the estimate may lie from the highest resident size; never below what is taken.
LEAST, MOST = 1.0, 1.6


def model(**keys: object) -> ModelFile:
    """A model of the family `m` with one table of 100 words."""
    usual = {"block_count": 2, "embedding_length": 64, "attention.head_count": 4}
    own = {f"m.{key}": value for key, value in (usual | keys).items()}
    table = Tensor("token_embd.weight", (64, 100), "F16", 12_800, 0)
    return ModelFile({"general.architecture": "m", **own}, (table,))


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, 2 * 4 * (16 + 16) * 2 * 512),
        ({"attention.head_count_kv": 1}, 2 * 1 * (16 + 16) * 2 * 512),
        ({"attention.head_count_kv": [1, 0]}, 1 * (16 + 16) * 2 * 512),
        ({"attention.key_length": 32}, 2 * 4 * (32 + 16) * 2 * 512),
        ({"pooling_type": 1}, 0),
    ],
)
def test_cells_hold_keys_and_values_of_each_layer(keys: dict[str, object], expected: int) -> None:
    """Two bytes a number; cells come in steps of 256; a model that only embeds has none."""
    assert cells_bytes(model(**keys), 300) == expected


def test_a_larger_batch_or_context_needs_more() -> None:
    """Weights once, cells by context, a step's buffers by batch."""
    small = need_of(model(), cells=256, slots=1, batch_tokens=32)
    assert small.weights_bytes == 12_800
    wide = need_of(model(), cells=256, slots=1, batch_tokens=64)
    long = need_of(model(), cells=512, slots=1, batch_tokens=32)
    assert wide.step_bytes > small.step_bytes
    assert long.cells_bytes == 2 * small.cells_bytes
    assert small.total_bytes < min(wide.total_bytes, long.total_bytes)


def test_the_machine_has_memory() -> None:
    """The usual budget is a part of what is free."""
    assert 0 < default_budget_bytes() < available_bytes() * 2


def peak_bytes(process_id: int) -> int:
    """The highest resident size of a process so far."""
    for line in Path(f"/proc/{process_id}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("Linux tells it")


@pytest.mark.parametrize("name", ["smollm2:135m", "all-minilm"])
def test_flt_7_the_estimate_is_what_a_model_takes(settings: RuntimeSettings, name: str) -> None:
    """Not less than its highest resident size after a full prompt, and at most 1.6 times that."""

    async def story() -> tuple[int, int]:
        store = Store(settings.models_dir)
        # What is kept of earlier prompts comes with use, and is not used here.
        engine = Engine(replace(settings, cached_contexts=0), store)
        try:
            async with engine.use(store.read(parse_name(name)), 0, None) as entry:
                if entry.process.config.embeds:
                    texts = ("The ward. " * 60,) * 8
                    await engine.embed(entry, Embed(engine.number(), texts))
                else:
                    job = Generate(engine.number(), Options(num_predict=8), text="The ward. " * 200)
                    async for _ in engine.generate(entry, job):
                        pass
                return entry.need_bytes, peak_bytes(entry.process.pid)
        finally:
            await engine.close()

    need_bytes, taken_bytes = asyncio.run(story())
    assert LEAST <= need_bytes / taken_bytes <= MOST, (need_bytes // MIB, taken_bytes // MIB)
