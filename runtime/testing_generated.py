"""Generated model files of kinds whose real weights cannot be had here: nothing was trained.

A BERT that ranks, an adapter for the tiny chat model of `testing_gguf`, and a projector for it.
What they do is known from how they were made, so that a test can say what must come out.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from gguf import GGUFWriter, PoolingType, TokenType
from numpy.typing import NDArray

from runtime.manifest import CONFIG_TYPE, Layer, make_manifest
from runtime.names import parse_name
from runtime.store import InstalledModel, Store, sha256_of
from runtime.testing_gguf import INNER, WIDTH

Floats = NDArray[np.float32]
BERT_WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *("\u2581" + w for w in (
    "ward", "hand", "hygiene", "visitor", "hours", "fire", "drill", "who", "may", "visit",
)))  # fmt: skip
PATCH, SIGHT_WIDTH, IMAGE_TOKENS = 8, 16, 4
BERT_WIDTH, BERT_INNER, BERT_CONTEXT = 16, 32, 32


def write_reranker_gguf(path: Path, *, headless: bool = False) -> bytes:
    """A BERT of one layer with a head of one score; returns its bytes."""
    writer = GGUFWriter(path, "bert")
    writer.add_name("generated ranking model, of no use")
    writer.add_type("model")
    writer.add_block_count(1)
    writer.add_context_length(BERT_CONTEXT)
    writer.add_embedding_length(BERT_WIDTH)
    writer.add_feed_forward_length(BERT_INNER)
    writer.add_head_count(2)
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    writer.add_pooling_type(PoolingType.RANK)
    writer.add_file_type(0)
    _add_bert_words(writer)
    shapes = _bert_shapes()
    if headless:
        del shapes["cls.output.weight"]
    _write(writer, {name: _chosen(name, shape) for name, shape in shapes.items()})
    return path.read_bytes()


def _add_bert_words(writer: GGUFWriter) -> None:
    kinds = [TokenType.CONTROL if word.startswith("[") else TokenType.NORMAL for word in BERT_WORDS]
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_type_count(2)
    writer.add_token_list(list(BERT_WORDS))
    writer.add_token_types(kinds)
    writer.add_pad_token_id(0)
    writer.add_unk_token_id(1)
    writer.add_bos_token_id(2)
    writer.add_sep_token_id(3)
    writer.add_mask_token_id(4)


def _bert_shapes() -> dict[str, tuple[int, ...]]:
    wide, inner = BERT_WIDTH, BERT_INNER
    own: dict[str, tuple[int, ...]] = {
        **{f"attn_{x}.weight": (wide, wide) for x in ("q", "k", "v", "output")},
        **{f"attn_{x}.bias": (wide,) for x in ("q", "k", "v", "output")},
        "attn_output_norm.weight": (wide,),
        "attn_output_norm.bias": (wide,),
        "ffn_up.weight": (inner, wide),
        "ffn_up.bias": (inner,),
        "ffn_down.weight": (wide, inner),
        "ffn_down.bias": (wide,),
        "layer_output_norm.weight": (wide,),
        "layer_output_norm.bias": (wide,),
    }
    return {
        "token_embd.weight": (len(BERT_WORDS), wide),
        "token_types.weight": (2, wide),
        "position_embd.weight": (BERT_CONTEXT, wide),
        "token_embd_norm.weight": (wide,),
        "token_embd_norm.bias": (wide,),
        **{f"blk.0.{name}": shape for name, shape in own.items()},
        "cls.weight": (wide, wide),
        "cls.bias": (wide,),
        "cls.output.weight": (1, wide),
        "cls.output.bias": (1,),
    }


def write_adapter_gguf(
    path: Path,
    architecture: str = "llama",
    *,
    tensor: str = "blk.1.ffn_down.weight",
    shape: Sequence[int] = (WIDTH, INNER),
    strength: float = 4.0,
) -> bytes:
    """A LoRA of rank 2 for one tensor, whose shape is (out, in); returns its bytes."""
    writer = GGUFWriter(path, architecture)
    writer.add_name("generated adapter, of no use")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 2.0)
    out, inside = shape
    low, high = (_chosen(f"{tensor}{x}", size) for x, size in (("a", (2, inside)), ("b", (out, 2))))
    _write(writer, {f"{tensor}.lora_a": low * strength, f"{tensor}.lora_b": high * strength})
    return path.read_bytes()


def write_projector_gguf(path: Path, *, sees: bool = True, width: int = WIDTH) -> bytes:
    """A projector in LLaVA's form that makes four tokens of an image; returns its bytes.

    width: of the model that it sees for.
    """
    writer = GGUFWriter(path, "clip")
    writer.add_name("generated projector, of no use")
    writer.add_string("clip.projector_type", "mlp")
    writer.add_bool("clip.has_vision_encoder", sees)
    writer.add_bool("clip.use_gelu", True)
    numbers = {
        "image_size": 2 * PATCH,
        "patch_size": PATCH,
        "embedding_length": SIGHT_WIDTH,
        "feed_forward_length": 2 * SIGHT_WIDTH,
        "projection_dim": width,
        "block_count": 2,
        "attention.head_count": 2,
    }
    for name, number in numbers.items():
        writer.add_uint32(f"clip.vision.{name}", number)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-5)
    for name in ("image_mean", "image_std"):
        writer.add_array(f"clip.vision.{name}", [0.5, 0.5, 0.5])
    shapes = _sight_shapes(width)
    _write(writer, {name: _chosen(name, shape) for name, shape in shapes.items()})
    return path.read_bytes()


def _sight_shapes(width: int) -> dict[str, tuple[int, ...]]:
    wide = SIGHT_WIDTH
    own: dict[str, tuple[int, ...]] = {
        **{f"attn_{x}.weight": (wide, wide) for x in ("q", "k", "v", "out")},
        **{f"attn_{x}.bias": (wide,) for x in ("q", "k", "v", "out")},
        **{f"ln{n}.{x}": (wide,) for n in (1, 2) for x in ("weight", "bias")},
        "ffn_up.weight": (2 * wide, wide),
        "ffn_up.bias": (2 * wide,),
        "ffn_down.weight": (wide, 2 * wide),
        "ffn_down.bias": (wide,),
    }
    return {
        "v.patch_embd.weight": (wide, 3, PATCH, PATCH),
        "v.class_embd": (wide,),
        "v.position_embd.weight": (IMAGE_TOKENS + 1, wide),
        "v.pre_ln.weight": (wide,),
        "v.pre_ln.bias": (wide,),
        **{f"v.blk.{n}.{name}": shape for n in range(2) for name, shape in own.items()},
        "mm.0.weight": (width, wide),
        "mm.0.bias": (width,),
        "mm.2.weight": (width, width),
        "mm.2.bias": (width,),
    }


def _chosen(name: str, shape: tuple[int, ...]) -> Floats:
    """Random weights, the same ones for the same name; norms near one, so that words differ."""
    random = np.random.default_rng(sum(name.encode()))
    if name.endswith(("norm.weight", "ln.weight", "ln1.weight", "ln2.weight")):
        return np.ones(shape, dtype=np.float32)
    return random.normal(0, 0.5, shape).astype(np.float32)


def _write(writer: GGUFWriter, tensors: Mapping[str, Floats]) -> None:
    for name, weights in tensors.items():
        writer.add_tensor(name, np.ascontiguousarray(weights, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def install(store: Store, name: str, files: Mapping[str, Path]) -> InstalledModel:
    """A model of generated files, by the media types of their layers."""
    layers = []
    for media_type, path in files.items():
        size, digest = path.stat().st_size, sha256_of(path)
        store.add_file(path, digest)
        layers.append(Layer(media_type, digest, size))
    config = store.add_bytes(CONFIG_TYPE, b"{}")
    store.write_model(parse_name(name), make_manifest(config, tuple(layers)))
    return store.read(parse_name(name))
