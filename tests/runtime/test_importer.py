"""A BERT-type folder becomes a GGUF file, always the same one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from runtime.errors import BadModelFile
from runtime.importer import convert_bert
from runtime.inspect import inspect

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ward", "##s"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A BERT of one layer and seven words, with weights from a fixed seed."""
    folder = tmp_path / "bert"
    (folder / "1_Pooling").mkdir(parents=True)
    config = {
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": 4,
        "intermediate_size": 8,
        "num_attention_heads": 2,
        "num_hidden_layers": 1,
        "max_position_embeddings": 16,
        "layer_norm_eps": 1e-12,
        "type_vocab_size": 2,
        "vocab_size": len(WORDS),
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": true}')
    (folder / "1_Pooling/config.json").write_text('{"pooling_mode_mean_tokens": true}')
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    save_file(weights(), folder / "model.safetensors")
    return folder


def weights() -> dict[str, Any]:
    random = np.random.default_rng(1)
    shapes = {
        "embeddings.word_embeddings.weight": (len(WORDS), 4),
        "embeddings.position_embeddings.weight": (16, 4),
        "embeddings.token_type_embeddings.weight": (2, 4),
        "embeddings.LayerNorm.weight": (4,),
        "encoder.layer.0.attention.self.query.weight": (4, 4),
        "encoder.layer.0.attention.self.query.bias": (4,),
        "pooler.dense.weight": (4, 4),
    }
    return {name: random.random(shape, dtype=np.float32) for name, shape in shapes.items()}


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_folder_becomes_one_file(folder: Path, tmp_path: Path) -> None:
    """Matrices in F16, vectors and positions in F32, the pooler left out."""
    convert_bert(folder, tmp_path / "m.gguf")
    file = inspect(tmp_path / "m.gguf", whole_arrays=True)
    types = {tensor.name: tensor.type_name for tensor in file.tensors}
    assert (file.architecture, file.embeds, file.context_length) == ("bert", True, 16)
    assert types["token_embd.weight"] == types["blk.0.attn_q.weight"] == "F16"
    assert types["position_embd.weight"] == types["blk.0.attn_q.bias"] == "F32"
    assert not any("pool" in name for name in types)
    assert file.keys["tokenizer.ggml.tokens"][-3:] == ["[MASK]", "\u2581ward", "s"]


def test_the_same_folder_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """That is why the digest of the result can be pinned."""
    convert_bert(folder, tmp_path / "a.gguf")
    convert_bert(folder, tmp_path / "b.gguf")
    assert (tmp_path / "a.gguf").read_bytes() == (tmp_path / "b.gguf").read_bytes()


@pytest.mark.parametrize(
    ("file", "values", "words"),
    [
        ("config.json", {"model_type": "roberta"}, "model_type is not bert"),
        ("config.json", {"hidden_act": "relu"}, "activation"),
        ("config.json", {"vocab_size": 9}, "does not fit"),
        ("tokenizer_config.json", {"do_lower_case": False}, "upper and lower case"),
        ("1_Pooling/config.json", {"pooling_mode_mean_tokens": False}, "neither by mean"),
    ],
)
def test_what_we_cannot_convert_is_refused(
    folder: Path, tmp_path: Path, file: str, values: dict[str, Any], words: str
) -> None:
    """A model that would come out wrong does not come out at all."""
    change(folder / file, **values)
    with pytest.raises(BadModelFile, match=words):
        convert_bert(folder, tmp_path / "m.gguf")


@pytest.mark.parametrize("name", ["config.json", "vocab.txt", "model.safetensors"])
def test_a_missing_or_damaged_file_is_named(folder: Path, tmp_path: Path, name: str) -> None:
    """The error says which file of the folder is at fault."""
    (folder / name).write_bytes(b"\xff\xfe")
    with pytest.raises(BadModelFile, match=name):
        convert_bert(folder, tmp_path / "m.gguf")
    (folder / name).unlink()
    with pytest.raises(BadModelFile, match=name):
        convert_bert(folder, tmp_path / "m.gguf")
