"""What a header must say so that llama.cpp can use it without ending its process.

llama.cpp trusts many of these values: it asserts, divides or allocates by them. Each rule here
stands for one such place; a file that breaks one is refused by the key's name.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from runtime.gguf import (
    FLOAT32,
    INT32,
    STRING,
    Content,
    DamagedHeader,
    Header,
    Tensor,
    words,
)

MAX_TEMPLATE_BYTES = 256 * 1024
MAX_VOCABULARY = 2**20
MAX_NUMBER = 2**31 - 1  # llama.cpp puts most of them into 32 bits
ARCHITECTURE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
# Tokenizers whose loading was read and mutated; others may abort on what they are given.
TOKENIZERS = ("llama", "gpt2", "bert", "t5", "gemma4", "none", "no_vocab")
# Architectures whose graph asserts that a whole head is rotated and that values are as long as keys
# (`n_embd_head == n_rot` in llama.cpp's src/models).
WHOLE_HEADS = frozenset(  # as words, for a list of sixty lines says no more
    """apertus arcee arctic baichuan chameleon codeshell cogvlm cohere2moe dbrx deci deepseek dots1
    dream ernie4_5 ernie4_5-moe exaone exaone-moe exaone4 falcon granite granite_swa granitemoe
    graniteswitch grok grovemoe hunyuan-dense hunyuan-moe hunyuan_vl hy_v3 internlm2 jais2 llada
    llada-moe llama llama4 maincoder mellum minimax-01 minimax-m2 mistral3 nemotron olmo olmo2 olmoe
    orion paddleocr pangu-embedded plamo qwen2 qwen2moe qwen2vl qwen3 qwen3moe qwen3vl qwen3vlmoe
    rnd1 seed_oss smallthinker smollm3 starcoder2 talkie xverse""".split()  # noqa: SIM905
)
# Kinds that no weight has: llama.cpp computes with them only between steps, or not at all.
NO_WEIGHTS = frozenset({"I8", "I16", "I32", "I64", "F64", "Q8_1", "Q8_K"})
RANK_POOLING = 4  # LLAMA_POOLING_TYPE_RANK: scores in place of vectors
ROPE_SCALINGS = ("none", "linear", "yarn", "longrope")
# Keys of the architecture: the least and the most that each may be, in every layer.
BOUNDS = {
    "block_count": (1, 512),
    "nextn_predict_layers": (0, 512),
    "context_length": (1, 2**27),
    "embedding_length": (1, 2**20),
    "embedding_length_out": (0, 2**20),
    "feed_forward_length": (0, 2**24),
    "expert_feed_forward_length": (0, 2**24),
    "attention.head_count": (0, 2**14),
    "attention.head_count_kv": (0, 2**14),
    "attention.key_length": (0, 2**16),
    "attention.value_length": (0, 2**16),
    "attention.key_length_swa": (0, 2**16),
    "attention.value_length_swa": (0, 2**16),
    "rope.dimension_count": (0, 2**16),
    "vocab_size": (0, MAX_VOCABULARY),
    "expert_count": (0, 1024),
    "expert_used_count": (0, 1024),
    "expert_shared_count": (0, 1024),
    "expert_group_count": (0, 1023),
    "expert_group_used_count": (0, 1022),
    "pooling_type": (-1, 4),
}


def check_header(header: Header, content: Content) -> None:
    """Refuse a header that llama.cpp would trip over. Raises DamagedHeader."""
    architecture = header.keys.get("general.architecture")
    if not isinstance(architecture, str) or not ARCHITECTURE.fullmatch(architecture):
        raise DamagedHeader("it does not name its architecture")
    _check_template(header.keys)
    _check_tokenizer(header, content)
    _check_adapter(header)
    _check_kinds(header.tensors)
    own = _of_architecture(header, architecture)
    _check_numbers(own)
    _check_experts(own)
    _check_heads(own)
    _check_rank_head(own, header.tensors)
    _check_head_lengths(own, whole=architecture in WHOLE_HEADS)


def _check_adapter(header: Header) -> None:
    """llama.cpp ends its process where the scale of an adapter is no number of the right kind."""
    kind = header.kinds.get("adapter.lora.alpha", FLOAT32)
    scale = header.keys.get("adapter.lora.alpha", 1.0)
    if kind != FLOAT32 or not math.isfinite(scale):
        raise DamagedHeader("its 'adapter.lora.alpha' is no number")
    for key in ("general.type", "adapter.type"):
        if not isinstance(header.keys.get(key, ""), str):
            raise DamagedHeader(f"{key!r} is no text")


def _check_kinds(tensors: Iterable[Tensor]) -> None:
    """What is added or multiplied number by number is not compressed; nothing else is whole."""
    for tensor in tensors:
        single = tensor.name.endswith(("norm.weight", ".bias"))
        if single and len(tensor.shape) == 1 and tensor.type_name != "F32":
            raise DamagedHeader(f"{tensor.name!r} cannot be of type {tensor.type_name}")
        if tensor.name.endswith(".weight") and tensor.type_name in NO_WEIGHTS:
            raise DamagedHeader(f"{tensor.name!r} cannot be of type {tensor.type_name}")


def _check_template(keys: Mapping[str, Any]) -> None:
    for key, value in keys.items():
        if not key.startswith("tokenizer.chat_template"):
            continue
        if isinstance(value, str) and len(value.encode()) > MAX_TEMPLATE_BYTES:
            raise DamagedHeader(f"{key!r} has more than {MAX_TEMPLATE_BYTES} bytes")


def _check_tokenizer(header: Header, content: Content) -> None:
    model = header.keys.get("tokenizer.ggml.model")
    if model is None:
        return  # an adapter or a projector; a model without one is refused by llama.cpp
    if model not in TOKENIZERS:
        raise DamagedHeader(f"its tokenizer {str(model)[:40]!r} is not one that we know")
    if model in ("none", "no_vocab"):
        return
    tokens = header.arrays.get("tokenizer.ggml.tokens")
    if tokens is None or tokens.kind != STRING or not tokens.count:
        raise DamagedHeader("its tokenizer has no list of tokens")
    _check_lengths(header, tokens.count)
    seen = _check_tokens(words(content, tokens))
    if model == "llama":
        _check_bytes(seen)


def _check_lengths(header: Header, count: int) -> None:
    """Scores and types belong to tokens one by one."""
    for name, kinds in (("scores", (FLOAT32, INT32)), ("token_type", (INT32,))):
        key = f"tokenizer.ggml.{name}"
        if key not in header.keys:
            continue
        array = header.arrays.get(key)
        if array is None or array.kind not in kinds or array.count != count:
            raise DamagedHeader(f"{key!r} does not belong to {count} tokens")
    merges = header.arrays.get("tokenizer.ggml.merges")
    if merges is not None and merges.kind != STRING:
        raise DamagedHeader("'tokenizer.ggml.merges' is no list of texts")


def _check_tokens(tokens: Iterator[bytes]) -> set[bytes]:
    """No token twice: llama.cpp counts them and aborts. It reads each up to its first zero."""
    seen: set[bytes] = set()
    for number, token in enumerate(tokens):
        word = token.partition(b"\0")[0] or b"[EMPTY_%d]" % number
        if word in seen:
            raise DamagedHeader(f"token {number} is there twice")
        seen.add(word)
    return seen


def _check_bytes(tokens: set[bytes]) -> None:
    """What no token covers is written byte by byte, so there must be a token for each byte."""
    for byte in range(1, 256):
        if b"<0x%02X>" % byte not in tokens and bytes([byte]) not in tokens:
            raise DamagedHeader(f"it has no token for the byte {byte}")


def _of_architecture(header: Header, architecture: str) -> dict[str, Any]:
    """The keys of the architecture without its name; lists for values that differ by layer."""
    prefix = f"{architecture}."
    values = {**header.keys, **header.layer_lists}
    return {
        key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)
    }


def _check_numbers(own: Mapping[str, Any]) -> None:
    for key, value in own.items():
        for number in value if isinstance(value, list) else [value]:
            if isinstance(number, float) and not math.isfinite(number):
                raise DamagedHeader(f"{key!r} is no number")
            if isinstance(number, int) and not -1 <= number <= MAX_NUMBER:
                raise DamagedHeader(f"{key!r} cannot be {number}")
            if key.endswith(("epsilon", "_eps")) and not 0 <= _number(number) <= 1:
                raise DamagedHeader(f"{key!r} cannot be {number}")
    for key, (least, most) in BOUNDS.items():
        for number in _each(own, key):
            if not isinstance(number, int) or not least <= number <= most:
                raise DamagedHeader(f"{key!r} cannot be {number!r}")
    if own.get("rope.scaling.type", "none") not in ROPE_SCALINGS:
        raise DamagedHeader("its 'rope.scaling.type' is not known")


def _check_rank_head(own: Mapping[str, Any], tensors: Iterable[Tensor]) -> None:
    """Without its last layer llama.cpp would read scores where none are."""
    ranks = RANK_POOLING in _each(own, "pooling_type")
    if ranks and all(tensor.name != "cls.output.weight" for tensor in tensors):
        raise DamagedHeader("it says that it ranks, and has no 'cls.output.weight'")


def _check_experts(own: Mapping[str, Any]) -> None:
    count = _most(own, "expert_count")
    used = _most(own, "expert_used_count")
    groups = _most(own, "expert_group_count")
    used_groups = _most(own, "expert_group_used_count")
    if used > count or (count and not used):
        raise DamagedHeader(f"it cannot use {used} of {count} experts")
    if groups and groups >= count:
        raise DamagedHeader(f"{count} experts cannot stand in {groups} groups")
    if groups > 1 and (count % groups or not 0 < used_groups < groups):
        raise DamagedHeader(f"{count} experts cannot stand in {groups} groups")
    if _most(own, "nextn_predict_layers") > _most(own, "block_count"):
        raise DamagedHeader("it has more layers that look ahead than layers")


def _check_heads(own: Mapping[str, Any]) -> None:
    """Heads share their keys evenly, in each layer."""
    heads, shared = _layers(own, "attention.head_count"), _layers(own, "attention.head_count_kv")
    if not heads or not shared:
        return
    count = max(len(heads), len(shared))
    for query, key in zip(_filled(heads, count), _filled(shared, count), strict=False):
        if key and (query < key or query % key):
            raise DamagedHeader(f"{query} heads cannot share {key} keys")


def _check_head_lengths(own: Mapping[str, Any], *, whole: bool) -> None:
    heads = _most(own, "attention.head_count")
    if not heads:
        return
    usual = _most(own, "embedding_length") // heads
    key, value = (_usually(own, f"attention.{x}_length", usual) for x in ("key", "value"))
    turned = _usually(own, "rope.dimension_count", key)
    if turned > key or (whole and not turned == value == key):
        raise DamagedHeader(f"heads of {key} and {value} numbers cannot have {turned} turned")


def _usually(own: Mapping[str, Any], key: str, usual: int) -> int:
    return _most(own, key) if key in own else usual


def _filled(values: list[int], count: int) -> list[int]:
    return values * count if len(values) == 1 else values


def _layers(own: Mapping[str, Any], key: str) -> list[int]:
    return [value for value in _each(own, key) if isinstance(value, int)]


def _most(own: Mapping[str, Any], key: str) -> int:
    return max(_layers(own, key), default=0)


def _each(own: Mapping[str, Any], key: str) -> list[Any]:
    value = own.get(key, [])
    return value if isinstance(value, list) else [value]


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) else math.nan
