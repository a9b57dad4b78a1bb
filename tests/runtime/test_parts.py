"""Adapters and projectors beside a model file: they fit it, or the model is refused whole."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGUFReader, GGUFWriter

from runtime.backend import Backend, BatchPart, Float32Array
from runtime.errors import BadModelFile, LoadFailed, WrongDigest
from runtime.inspect import ModelFile, inspect
from runtime.manifest import ADAPTER_TYPE, MODEL_TYPE
from runtime.parts import check_adapter, check_base, check_projector, parts_of
from runtime.store import Store
from runtime.testing_generated import install, write_adapter_gguf, write_reranker_gguf
from runtime.testing_gguf import INNER, WIDTH, write_runnable_gguf

CHANGED = "blk.1.ffn_down.weight"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated base `llama`, and an adapter for it."""
    folder = tmp_path_factory.mktemp("parts")
    write_runnable_gguf(folder / "llama")
    write_adapter_gguf(folder / "adapter")
    return folder


def chances(path: Path, adapters: Sequence[Path] = ()) -> Float32Array:
    """What a model thinks of the word after two others."""
    model = Backend(
        path, cells=64, slots=1, batch_tokens=16, threads=1, embeds=False, adapters=adapters
    )
    try:
        tokens = model.tokenize("the ward", special=False)
        [places] = model.decode([BatchPart(0, 0, tokens, 1)])
        return model.log_chances(places[0]).copy()
    finally:
        model.close()


def merged(base: Path, adapter: Path, target: Path) -> Path:
    """The base with the adapter's product added to its weights, by hand."""
    halves = {tensor.name: tensor.data for tensor in GGUFReader(adapter).tensors}
    product = halves[f"{CHANGED}.lora_b"] @ halves[f"{CHANGED}.lora_a"]  # alpha is the rank
    content = bytearray(base.read_bytes())
    tensor = next(one for one in GGUFReader(base).tensors if one.name == CHANGED)
    weights = np.asarray(tensor.data) + product
    content[tensor.data_offset : tensor.data_offset + weights.nbytes] = weights.tobytes()
    target.write_bytes(content)
    return target


def test_an_adapter_does_what_merging_it_would(files: Path) -> None:
    """Not more and not less, as seen on every token's probability."""
    plain, adapted = chances(files / "llama"), chances(files / "llama", [files / "adapter"])
    assert np.abs(plain - adapted).max() > 0.01
    by_hand = merged(files / "llama", files / "adapter", files / "merged")
    assert chances(by_hand) == pytest.approx(adapted, abs=1e-4)


def test_two_adapters_add_up(files: Path) -> None:
    """Each at its full strength."""
    once = merged(files / "llama", files / "adapter", files / "once")
    twice = merged(once, files / "adapter", files / "twice")
    both = chances(files / "llama", [files / "adapter"] * 2)
    assert chances(twice) == pytest.approx(both, abs=1e-4)


def test_llama_cpp_refuses_it_too(files: Path, tmp_path: Path) -> None:
    """Were our own look wrong, nothing would be applied in part."""
    write_adapter_gguf(tmp_path / "other", "qwen2")
    with pytest.raises(LoadFailed, match=r"could not be applied: .*mismatch"):
        chances(files / "llama", [tmp_path / "other"])


def adapter(files: Path, **changes: Any) -> ModelFile:
    """The adapter's header with other keys; None takes one away."""
    file = inspect(files / "adapter")
    keys = {k: v for k, v in (file.keys | changes).items() if v is not None}
    return replace(file, keys=keys)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"general.type": "model"}, "no LoRA adapter"),
        ({"adapter.type": None}, "no LoRA adapter"),
        ({"general.architecture": "qwen2"}, "the adapter is for qwen2, and the model is llama"),
        ({"adapter.alora.invocation_tokens": [1]}, "aLoRA"),
    ],
)
def test_an_adapter_of_another_kind_is_refused(
    files: Path, changes: dict[str, Any], message: str
) -> None:
    """By what its header says."""
    with pytest.raises(BadModelFile, match=message):
        check_adapter(inspect(files / "llama"), adapter(files, **changes))


@pytest.mark.parametrize(
    ("tensor", "shape", "message"),
    [
        (CHANGED, (WIDTH, INNER + 1), "does not have the model's shape"),
        (CHANGED, (WIDTH + 1, INNER), "does not have the model's shape"),
        ("blk.9.ffn_down.weight", (WIDTH, INNER), "has nothing that 'blk.9.ffn_down.weight'"),
        ("blk.1.ffn_norm.weight", (WIDTH, WIDTH), "has nothing that 'blk.1.ffn_norm.weight'"),
    ],
)
def test_an_adapter_of_another_model_is_refused(
    files: Path, tmp_path: Path, tensor: str, shape: tuple[int, int], message: str
) -> None:
    """By the shape of what it would change."""
    write_adapter_gguf(tmp_path / "other", tensor=tensor, shape=shape)
    with pytest.raises(BadModelFile, match=message):
        check_adapter(inspect(files / "llama"), inspect(tmp_path / "other"))


def test_half_an_adapter_is_refused(files: Path) -> None:
    """Both matrices of each pair must be there, and there must be one."""
    file, base = inspect(files / "adapter"), inspect(files / "llama")
    with pytest.raises(BadModelFile, match="both halves"):
        check_adapter(base, replace(file, tensors=file.tensors[:1]))
    with pytest.raises(BadModelFile, match="changes nothing"):
        check_adapter(base, replace(file, tensors=()))


def test_a_strength_of_another_kind_is_refused(tmp_path: Path) -> None:
    """llama.cpp would end its process."""
    writer = GGUFWriter(tmp_path / "odd", "llama")
    writer.add_type("adapter")
    writer.add_uint32("adapter.lora.alpha", 2)
    writer.add_tensor("a.lora_a", np.zeros((2, 2), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(BadModelFile, match=r"adapter\.lora\.alpha"):
        inspect(tmp_path / "odd")


def test_an_adapter_is_no_model_and_no_projector(files: Path) -> None:
    """Nor is a model a projector."""
    with pytest.raises(BadModelFile, match="is an adapter, not a model"):
        check_base(inspect(files / "adapter"))
    with pytest.raises(BadModelFile, match="no projector"):
        check_projector(inspect(files / "llama"))


def test_an_adapter_that_changed_is_not_loaded(tmp_path: Path) -> None:
    """Its digest is checked at each load like the model's own; what is set aside is both."""
    write_runnable_gguf(tmp_path / "llama")
    write_adapter_gguf(tmp_path / "adapter")
    store = Store(tmp_path)
    made = {MODEL_TYPE: tmp_path / "llama", ADAPTER_TYPE: tmp_path / "adapter"}
    model = install(store, "adapted", made)
    store.verify(model)
    [path] = parts_of(store, model.manifest).adapters
    assert model.manifest.loaded_digest == f"sha256:{model.manifest.digest}"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(WrongDigest, match="damaged"):
        store.verify(model)


def test_one_part_of_a_split_model_is_refused(tmp_path: Path) -> None:
    """It says how many there are, and how to put them together."""
    writer = GGUFWriter(tmp_path / "part", "llama")
    writer.add_uint16("split.count", 3)
    writer.add_tensor("a.weight", np.zeros((2, 2), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(BadModelFile, match="one of 3 parts of a split model") as caught:
        inspect(tmp_path / "part")
    assert "llama-gguf-split --merge" in caught.value.hint


def test_a_ranking_model_needs_its_head(tmp_path: Path) -> None:
    """llama.cpp would read scores where there are none."""
    write_reranker_gguf(tmp_path / "ranks", headless=True)
    with pytest.raises(BadModelFile, match=r"cls\.output\.weight"):
        inspect(tmp_path / "ranks")
