"""A BERT-type folder becomes a GGUF file, always the same one."""

import json
from pathlib import Path
from typing import Any

import pytest

from runtime.errors import BadModelFile
from runtime.importer import convert_bert
from runtime.inspect import inspect


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_folder_becomes_one_file(bert_folder: Path, tmp_path: Path) -> None:
    """Matrices in F16, vectors and positions in F32, the pooler left out."""
    convert_bert(bert_folder, tmp_path / "m.gguf")
    file = inspect(tmp_path / "m.gguf", whole_arrays=True)
    types = {tensor.name: tensor.type_name for tensor in file.tensors}
    assert (file.architecture, file.embeds, file.context_length) == ("bert", True, 16)
    assert types["token_embd.weight"] == types["blk.0.attn_q.weight"] == "F16"
    assert types["position_embd.weight"] == types["blk.0.attn_q.bias"] == "F32"
    assert not any("pool" in name for name in types)
    assert file.keys["tokenizer.ggml.tokens"][-3:] == ["[MASK]", "\u2581ward", "s"]


def test_the_same_folder_gives_the_same_bytes(bert_folder: Path, tmp_path: Path) -> None:
    """That is why the digest of the result can be pinned."""
    convert_bert(bert_folder, tmp_path / "a.gguf")
    convert_bert(bert_folder, tmp_path / "b.gguf")
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
    bert_folder: Path, tmp_path: Path, file: str, values: dict[str, Any], words: str
) -> None:
    """A model that would come out wrong does not come out at all."""
    change(bert_folder / file, **values)
    with pytest.raises(BadModelFile, match=words):
        convert_bert(bert_folder, tmp_path / "m.gguf")


@pytest.mark.parametrize("name", ["config.json", "vocab.txt", "model.safetensors"])
def test_a_missing_or_damaged_file_is_named(bert_folder: Path, tmp_path: Path, name: str) -> None:
    """The error says which file of the folder is at fault."""
    (bert_folder / name).write_bytes(b"\xff\xfe")
    with pytest.raises(BadModelFile, match=name):
        convert_bert(bert_folder, tmp_path / "m.gguf")
    (bert_folder / name).unlink()
    with pytest.raises(BadModelFile, match=name):
        convert_bert(bert_folder, tmp_path / "m.gguf")
