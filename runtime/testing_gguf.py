"""Model files of a few kilobytes that llama.cpp really runs, and broken ones made from them."""

import random
import struct
from pathlib import Path

import numpy as np
from gguf import GGUFWriter, TokenType
from numpy.typing import NDArray

from runtime.gguf import read_header

WIDTH, LAYERS, HEADS, SHARED_HEADS, HEAD, INNER = 32, 2, 2, 1, 16, 64
CONTEXT_TOKENS = 128
# Where numbers turn over, and what is one too many or too few.
EDGES = (
    *range(43),  # which are the kinds of tensors, too
    *(127, 128, 255, 256, 257, 512, 513, 1023, 1024, 65_535),
    *(65_536, 2**20, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40, 2**61, 2**62),
    *(2**63 - 1, 2**63, 2**64 - 32, 2**64 - 1),
)


def write_runnable_gguf(
    path: Path, architecture: str = "llama", writer_type: type[GGUFWriter] = GGUFWriter
) -> bytes:
    """A chat model with random weights, of `llama` or `qwen2`; returns its bytes."""
    writer = writer_type(path, architecture)
    writer.add_name("tiny")
    writer.add_context_length(CONTEXT_TOKENS)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(SHARED_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(HEAD)
    writer.add_rope_freq_base(10_000.0)
    writer.add_file_type(0)
    words = _pieces(writer) if architecture == "llama" else _byte_pairs(writer)
    for name, shape in _shapes(words, biased=architecture == "qwen2").items():
        writer.add_tensor(name, _weights(name, shape))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path.read_bytes()


def _pieces(writer: GGUFWriter) -> int:
    """A vocabulary as SentencePiece has it."""
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{n:02X}>" for n in range(256))]
    kinds = [TokenType.UNKNOWN, *[TokenType.CONTROL] * 2, *[TokenType.BYTE] * 256]
    words = ["\u2581", "\u2581t", "he", "\u2581the", "w", "ard", "\u2581ward", "a", "r", "d"]
    tokens += words
    kinds += [TokenType.NORMAL] * len(words)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([-float(n) for n in range(len(tokens))])
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)
    return len(tokens)


def _byte_pairs(writer: GGUFWriter) -> int:
    """A vocabulary as GPT-2 has it."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    odd = [256 + n for n in range(256 - len(plain))]
    tokens = [chr(n) for n in [*plain, *odd]] + ["wa", "war", "ward", "<|im_end|>"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([TokenType.NORMAL] * (len(tokens) - 1) + [TokenType.CONTROL])
    writer.add_token_merges(["w a", "wa r", "war d"])
    writer.add_eos_token_id(len(tokens) - 1)
    writer.add_add_bos_token(False)
    return len(tokens)


def _shapes(words: int, biased: bool) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (words, WIDTH),
        "output_norm.weight": (WIDTH,),
        "output.weight": (words, WIDTH),
    }
    for layer in range(LAYERS):
        own = {
            "attn_norm.weight": (WIDTH,),
            "attn_q.weight": (HEADS * HEAD, WIDTH),
            "attn_k.weight": (SHARED_HEADS * HEAD, WIDTH),
            "attn_v.weight": (SHARED_HEADS * HEAD, WIDTH),
            "attn_output.weight": (WIDTH, HEADS * HEAD),
            "ffn_norm.weight": (WIDTH,),
            "ffn_gate.weight": (INNER, WIDTH),
            "ffn_up.weight": (INNER, WIDTH),
            "ffn_down.weight": (WIDTH, INNER),
        }
        if biased:
            own |= {
                "attn_q.bias": (HEADS * HEAD,),
                "attn_k.bias": (SHARED_HEADS * HEAD,),
                "attn_v.bias": (SHARED_HEADS * HEAD,),
            }
        shapes |= {f"blk.{layer}.{name}": shape for name, shape in own.items()}
    return shapes


def _weights(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    chosen = np.random.default_rng(len(name))
    return chosen.normal(0, 0.1, shape).astype(np.float32)


class Mutator:
    """Breaks the header of one good file in many ways, the same ones for the same number."""

    def __init__(self, good: bytes) -> None:
        self._good = good
        header = read_header(good, len(good))
        self._end = header.end
        self._names = [*header.keys, *(tensor.name for tensor in header.tensors)]
        self._ways = (self._flip, self._replace, self._edge, self._edge, self._edge, self._cut,
                      self._insert, self._remove, self._copy)  # fmt: skip

    def mutant(self, seed: int, number: int) -> bytes:
        """The broken file of this number."""
        chosen = random.Random(f"{seed}/{number}")  # noqa: S311 - no secret
        content = bytearray(self._good)
        for _ in range(chosen.choice((1, 1, 1, 2, 3))):
            chosen.choice(self._ways)(content, chosen)
        return bytes(content)

    def _flip(self, content: bytearray, chosen: random.Random) -> None:
        at = chosen.randrange(min(self._end, len(content)))
        content[at] ^= 1 << chosen.randrange(8)

    def _replace(self, content: bytearray, chosen: random.Random) -> None:
        content[chosen.randrange(min(self._end, len(content)))] = chosen.randrange(256)

    def _edge(self, content: bytearray, chosen: random.Random) -> None:
        """A number that belongs to a key or a tensor becomes one at the edge of what can be."""
        name = chosen.choice(self._names).encode()
        found = content.find(struct.pack("<Q", len(name)) + name)
        at = max(found, 0) + 8 + len(name) + 4 * chosen.randrange(-1, 10)
        size = chosen.choice((4, 4, 8))
        value = chosen.choice(EDGES) % 2 ** (8 * size)
        if at + size <= len(content):
            content[at : at + size] = value.to_bytes(size, "little")

    def _cut(self, content: bytearray, chosen: random.Random) -> None:
        if chosen.random() < 0.2:
            del content[chosen.randrange(1, len(content)) :]

    def _insert(self, content: bytearray, chosen: random.Random) -> None:
        at = chosen.randrange(min(self._end, len(content)))
        content[at:at] = bytes(chosen.choice((1, 4, 8, 32)))

    def _remove(self, content: bytearray, chosen: random.Random) -> None:
        at = chosen.randrange(min(self._end, len(content)))
        del content[at : at + chosen.choice((1, 4, 8, 32))]

    def _copy(self, content: bytearray, chosen: random.Random) -> None:
        """A piece of the header is written over another."""
        size = chosen.choice((1, 2, 4, 8, 16, 64))
        limit = max(min(self._end, len(content)) - size, 1)
        source, target = chosen.randrange(limit), chosen.randrange(limit)
        content[target : target + size] = content[source : source + size]
