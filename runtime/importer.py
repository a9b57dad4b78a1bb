"""Converts a safetensors folder of a BERT-type embedding model to one GGUF file in F16.

The same folder always gives the same bytes: keys and tensors are written in one fixed order and
nothing of the machine or the time goes in, so that the digest of the result can be pinned.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from gguf import (
    MODEL_ARCH,
    GGUFWriter,
    LlamaFileType,
    PoolingType,
    TensorNameMap,
    TokenType,
    get_tensor_name_map,
)
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from runtime.errors import BadModelFile

CONFIG = "config.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
VOCABULARY = "vocab.txt"
WEIGHTS = "model.safetensors"
POOLING_CONFIG = "1_Pooling/config.json"
MAX_SMALL_FILE_BYTES = 16 * 1024 * 1024

# The pooler is for classification, the position ids are a constant.
_UNUSED = ("pooler.", "embeddings.position_ids")
_ALWAYS_F32 = ("position_embd.weight", "token_types.weight")
_CONTROL = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}


def convert_bert(folder: Path, target: Path) -> None:
    """Write the model of a folder as GGUF. Raises BadModelFile."""
    config = _json(folder / CONFIG)
    tokenizer = _json(folder / TOKENIZER_CONFIG)
    _check_kind(config, tokenizer)
    vocabulary = _vocabulary(folder / VOCABULARY, config)
    tensors = _tensors(folder / WEIGHTS, int(config["num_hidden_layers"]))
    writer = GGUFWriter(target, "bert")
    try:
        _write_hyperparameters(writer, config, _pooling(folder))
        _write_vocabulary(writer, vocabulary, config)
        for name in sorted(tensors):
            writer.add_tensor(name, tensors[name])
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def maximum_tokens(folder: Path) -> int | None:
    """Where the model's authors cut a text, if they say so."""
    path = folder / "sentence_bert_config.json"
    value = _json(path).get("max_seq_length") if path.exists() else None
    return value if isinstance(value, int) else None


def _check_kind(config: dict[str, Any], tokenizer: dict[str, Any]) -> None:
    faults = {
        "its model_type is not bert": config.get("model_type") != "bert",
        "its positions are not absolute": config.get("position_embedding_type", "absolute")
        != "absolute",
        "its activation is not gelu": config.get("hidden_act") != "gelu",
        # The WordPiece tokenizer of the runtime folds case in every model.
        "it distinguishes upper and lower case": tokenizer.get("do_lower_case") is False,
    }
    found = [fault for fault, is_so in faults.items() if is_so]
    if found:
        raise BadModelFile(
            f"the model cannot be converted: {'; '.join(found)}",
            "Only uncased embedding models of the BERT type are converted here."
            " Bring other models as GGUF files.",
        )


def _write_hyperparameters(
    writer: GGUFWriter, config: dict[str, Any], pooling: PoolingType
) -> None:
    writer.add_type("model")
    writer.add_block_count(int(config["num_hidden_layers"]))
    writer.add_context_length(int(config["max_position_embeddings"]))
    writer.add_embedding_length(int(config["hidden_size"]))
    writer.add_feed_forward_length(int(config["intermediate_size"]))
    writer.add_head_count(int(config["num_attention_heads"]))
    writer.add_layer_norm_eps(float(config["layer_norm_eps"]))
    writer.add_causal_attention(False)
    writer.add_pooling_type(pooling)
    writer.add_file_type(LlamaFileType.MOSTLY_F16)


def _write_vocabulary(writer: GGUFWriter, words: list[str], config: dict[str, Any]) -> None:
    ids = {word: number for number, word in enumerate(words)}
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_type_count(int(config.get("type_vocab_size", 1)))
    writer.add_token_list([_with_space(word) for word in words])
    writer.add_token_types(
        [TokenType.CONTROL if word in _CONTROL else TokenType.NORMAL for word in words]
    )
    writer.add_bos_token_id(ids["[CLS]"])
    writer.add_unk_token_id(ids["[UNK]"])
    writer.add_sep_token_id(ids["[SEP]"])
    writer.add_pad_token_id(ids["[PAD]"])
    writer.add_mask_token_id(ids["[MASK]"])


def _with_space(word: str) -> str:
    """llama.cpp marks the start of a word, BERT marks what continues one."""
    if word in _CONTROL:
        return word
    return word.removeprefix("##") if word.startswith("##") else f"\u2581{word}"


def _vocabulary(path: Path, config: dict[str, Any]) -> list[str]:
    # One word per line feed: other line separators are words of the vocabulary.
    words = _text(path).removesuffix("\n").split("\n")
    if len(words) != config.get("vocab_size") or not set(words) >= _CONTROL:
        raise BadModelFile(
            f"{path.name} does not fit {CONFIG}: {len(words)} words", "Copy the folder again."
        )
    return words


def _tensors(path: Path, layers: int) -> dict[str, NDArray[Any]]:
    names = get_tensor_name_map(MODEL_ARCH.BERT, layers)
    tensors = {}
    try:
        with safe_open(path, framework="numpy") as weights:
            for key in weights.keys():  # noqa: SIM118 - the reader is no dictionary
                if not key.removeprefix("bert.").startswith(_UNUSED):
                    name = _gguf_name(names, key)
                    tensors[name] = _stored(name, weights.get_tensor(key))
    except (SafetensorError, OSError) as error:
        raise BadModelFile(f"{path.name} cannot be read: {error}", "Copy it again.") from error
    return tensors


def _gguf_name(names: TensorNameMap, key: str) -> str:
    name = names.get_name(key.removeprefix("bert."), try_suffixes=(".weight", ".bias"))
    if name is None:
        raise BadModelFile(
            f"the tensor {key} is not part of a BERT model", "Bring this model as a GGUF file."
        )
    return name


def _stored(name: str, tensor: NDArray[Any]) -> NDArray[Any]:
    exact = tensor.ndim == 1 or name in _ALWAYS_F32
    return np.ascontiguousarray(tensor, dtype=np.float32 if exact else np.float16)


def _pooling(folder: Path) -> PoolingType:
    path = folder / POOLING_CONFIG
    config = _json(path) if path.exists() else {"pooling_mode_mean_tokens": True}
    if config.get("pooling_mode_cls_token"):
        return PoolingType.CLS
    if config.get("pooling_mode_mean_tokens"):
        return PoolingType.MEAN
    raise BadModelFile("the model pools neither by mean nor by CLS", "Bring it as a GGUF file.")


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(_text(path))
    except ValueError as error:
        raise BadModelFile(f"{path.name} is not JSON", "Copy the folder again.") from error
    if not isinstance(content, dict):
        raise BadModelFile(f"{path.name} is not a JSON object", "Copy the folder again.")
    return content


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_SMALL_FILE_BYTES:
            raise BadModelFile(f"{path.name} is too large", "Check that it is the right folder.")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadModelFile(
            f"{path.name} cannot be read in {path.parent}",
            f"The folder needs {CONFIG}, {TOKENIZER_CONFIG}, {VOCABULARY} and {WEIGHTS}.",
        ) from error
