"""The door to llama.cpp: the only file that imports it.

Everything here works on numbers: tokens, slots and batches. What to compute, and when, is decided
by the scheduler; this file only does it.

Why this file is long: a model, its context and its samplers are freed together, and divided they
would be three files that know each other's pointers.
"""

import ctypes
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
from llama_cpp import llama_grammar
from numpy.typing import NDArray

from runtime.errors import BadRequest, LoadFailed
from runtime.sampling import Sampler, SamplerStep

PIECE_BYTES = 256
KEPT_LOG_LINES = 8
LOG_LEVEL_WARN = 2
Float32Array = NDArray[np.float32]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class BatchPart:
    """Tokens of one slot that follow each other; logits: of how many of the last ones wanted."""

    slot: int
    start: int
    tokens: Sequence[int]
    logits: int


class _Log:
    """Keeps llama.cpp's last complaints instead of printing everything."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        # Kept in a field: llama.cpp holds only the bare pointer.
        self.callback = llama_cpp.llama_log_callback(self._take)
        llama_cpp.llama_log_set(self.callback, ctypes.c_void_p(0))

    def _take(self, level: int, text: bytes, _data: Any) -> None:
        if level >= LOG_LEVEL_WARN and text.strip(b". \n"):
            self.lines = [*self.lines, text.decode(errors="replace").strip()][-KEPT_LOG_LINES:]


class Backend:
    """One model in memory with one context.

    path: the GGUF file. cells: size of the key-value memory, shared by all slots. gpu_layers: how
    many layers a graphics card computes, -1 for all; a build without one leaves it unread.
    adapters: files that change its weights, all at full strength. exact: what is computed depends
    less on what else is in the batch, and takes a little longer.
    """

    def __init__(
        self,
        path: Path,
        *,
        cells: int,
        slots: int,
        batch_tokens: int,
        threads: int,
        embeds: bool,
        gpu_layers: int = -1,
        adapters: Sequence[Path] = (),
        exact: bool = False,
    ) -> None:
        self._log = _Log()
        llama_cpp.llama_backend_init()
        self._model = self._load(path, gpu_layers)
        # Before the context, which makes room for what they add to each step.
        self._adapters = [self._load_adapter(file) for file in adapters]
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self._context = self._open(cells, slots, batch_tokens, threads, embeds, exact)
        self._adapt()
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(batch_tokens, 0, 1)
        self._rows: Any = None
        self._batch_tokens = batch_tokens
        self.vocabulary_size = int(llama_cpp.llama_vocab_n_tokens(self._vocab))
        self._pieces: dict[int, bytes] = {}

    def _load(self, path: Path, gpu_layers: int) -> Any:
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = gpu_layers
        model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
        if not model:
            raise LoadFailed(
                f"{path.name} could not be loaded: {self._complaint()}",
                "The file may be damaged or of an unknown kind, or memory may be short:"
                " pull the model again, or use a smaller one.",
            )
        return model

    def _load_adapter(self, path: Path) -> Any:
        adapter = llama_cpp.llama_adapter_lora_init(self._model, str(path).encode())
        if not adapter:
            raise LoadFailed(
                f"the adapter {path.name} could not be applied: {self._complaint()}",
                "Use it with the model that it was trained for.",
            )
        return adapter

    def _adapt(self) -> None:
        count = len(self._adapters)
        if not count:
            return
        handles = (llama_cpp.llama_adapter_lora_p_ctypes * count)(
            *(ctypes.cast(one, llama_cpp.llama_adapter_lora_p_ctypes) for one in self._adapters)
        )
        scales = (ctypes.c_float * count)(*[1.0] * count)
        if llama_cpp.llama_set_adapters_lora(self._context, handles, count, scales):
            raise LoadFailed("the adapters could not be applied", "Use fewer of them.")

    def _open(
        self,
        cells: int,
        slots: int,
        batch_tokens: int,
        threads: int,
        embeds: bool,
        exact: bool,
    ) -> Any:
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = cells
        parameters.n_batch = parameters.n_ubatch = batch_tokens
        parameters.n_seq_max = slots
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.embeddings = embeds
        parameters.kv_unified = True
        parameters.no_perf = True
        if exact:
            # Flash attention takes other paths for other sizes: scores differed in the third place.
            parameters.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        context = llama_cpp.llama_init_from_model(self._model, parameters)
        if not context:
            raise LoadFailed(
                f"no memory for a context of {cells} tokens: {self._complaint()}",
                "Ask for a smaller num_ctx, or lower LAMPLIGHT_RUNTIME_CONTEXT_LENGTH_TOKENS.",
            )
        return context

    def _complaint(self) -> str:
        return self._log.lines[-1] if self._log.lines else "llama.cpp gave no reason"

    def close(self) -> None:
        """Free everything."""
        llama_cpp.llama_batch_free(self._batch)
        if self._rows is not None:
            llama_cpp.llama_batch_free(self._rows)
        llama_cpp.llama_free(self._context)
        llama_cpp.llama_model_free(self._model)

    # --- What the model is -----------------------------------------------------------------

    @property
    def trained_context(self) -> int:
        """Tokens of context that the model was trained for."""
        return int(llama_cpp.llama_model_n_ctx_train(self._model))

    @property
    def keeps_prefixes(self) -> bool:
        """Whether its memory can be cut and copied by position; that of some kinds cannot."""
        return not (
            llama_cpp.llama_model_is_recurrent(self._model)
            or llama_cpp.llama_model_is_hybrid(self._model)
        )

    @property
    def vector_length(self) -> int:
        """Numbers in one vector, or outputs of a model that scores."""
        if llama_cpp.llama_pooling_type(self._context) == llama_cpp.LLAMA_POOLING_TYPE_RANK:
            return int(llama_cpp.llama_model_n_cls_out(self._model))
        return int(llama_cpp.llama_model_n_embd_out(self._model))

    @property
    def log_callback(self) -> Any:
        """Where llama.cpp's other libraries may complain."""
        return self._log.callback

    @property
    def model(self) -> Any:
        """llama.cpp's own handle, for the projector that sees for it."""
        return self._model

    @property
    def row_length(self) -> int:
        """Numbers in a row that is read in place of a token."""
        return int(llama_cpp.llama_model_n_embd_inp(self._model))

    @property
    def size_bytes(self) -> int:
        """What its weights take."""
        return int(llama_cpp.llama_model_size(self._model))

    # --- Words and tokens ------------------------------------------------------------------

    def tokenize(self, text: str, *, special: bool, framed: bool = True) -> list[int]:
        """Text to tokens. special: names of control tokens in the text become those tokens.

        framed: with the marks that the model wants around a whole text.
        """
        data = text.encode("utf-8", errors="replace")
        room = len(data) + 8
        while True:
            tokens = (llama_cpp.llama_token * room)()
            count = llama_cpp.llama_tokenize(
                self._vocab, data, len(data), tokens, room, framed, special
            )
            if count >= 0:
                return list(tokens[:count])
            room = -count

    def piece(self, token: int) -> bytes:
        """The bytes of a token; none for a control token."""
        if token not in self._pieces:
            self._pieces[token] = self._piece(token, special=False)
        return self._pieces[token]

    def _piece(self, token: int, *, special: bool) -> bytes:
        buffer = ctypes.create_string_buffer(PIECE_BYTES)
        size = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, PIECE_BYTES, 0, special)
        if size < 0:
            buffer = ctypes.create_string_buffer(-size)
            size = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, -size, 0, special)
        return buffer.raw[: max(size, 0)]

    def ends(self, token: int) -> bool:
        """Whether a token ends an answer."""
        return bool(llama_cpp.llama_vocab_is_eog(self._vocab, token))

    def control_words(self) -> list[str]:
        """The written names of the control tokens."""
        words = [
            self._piece(token, special=True).decode(errors="replace")
            for token in range(self.vocabulary_size)
            if llama_cpp.llama_vocab_is_control(self._vocab, token)
        ]
        return [word for word in words if word.strip()]

    def begin_and_end(self) -> tuple[str, str]:
        """The names of the tokens that begin and end a text, empty where there are none."""
        tokens = (
            llama_cpp.llama_vocab_bos(self._vocab),
            llama_cpp.llama_vocab_eos(self._vocab),
        )
        begin, end = (
            self._piece(token, special=True).decode(errors="replace") if token >= 0 else ""
            for token in tokens
        )
        return begin, end

    def pair_marks(self) -> tuple[list[int], list[int], list[int]]:
        """The tokens that stand before, between and behind two texts that are read together."""
        vocab, end = self._vocab, llama_cpp.llama_vocab_eos(self._vocab)
        separator = llama_cpp.llama_vocab_sep(vocab)
        ends = [end if end >= 0 else separator] if llama_cpp.llama_vocab_get_add_eos(vocab) else []
        separates = [separator] if llama_cpp.llama_vocab_get_add_sep(vocab) else []
        frame = self.tokenize("", special=False)
        begins = int(llama_cpp.llama_vocab_get_add_bos(vocab))
        between = [token for token in (*ends, *separates) if token >= 0]
        return frame[:begins], between, frame[begins:]

    # --- Memory ----------------------------------------------------------------------------

    def copy(self, source: int, target: int, length: int) -> None:
        """Let a slot hold the first tokens of another one, and nothing else."""
        llama_cpp.llama_memory_seq_rm(self._memory, target, -1, -1)
        llama_cpp.llama_memory_seq_cp(self._memory, source, target, 0, length)

    def truncate(self, slot: int, length: int) -> None:
        """Let a slot keep only its first tokens."""
        llama_cpp.llama_memory_seq_rm(self._memory, slot, length, -1)

    def save(self, slot: int) -> Bytes:
        """All that a slot holds, to be brought back by `restore`: (bytes,)."""
        size = llama_cpp.llama_state_seq_get_size(self._context, slot)
        state = np.empty(size, dtype=np.uint8)
        written = llama_cpp.llama_state_seq_get_data(self._context, _address(state), size, slot)
        return state[:written]

    def restore(self, slot: int, state: Bytes) -> None:
        """Let a slot hold what was saved, and nothing else. Raises LoadFailed."""
        if not llama_cpp.llama_state_seq_set_data(
            self._context, _address(state), state.nbytes, slot
        ):
            raise LoadFailed(
                f"an earlier beginning could not be brought back: {self._complaint()}", "Try again."
            )

    def forget(self) -> None:
        """Empty the whole memory."""
        if self._memory:
            llama_cpp.llama_memory_clear(self._memory, True)

    # --- Computing -------------------------------------------------------------------------

    def decode(self, parts: Sequence[BatchPart]) -> list[range]:
        """Compute a batch; returns the places of each part's logits. Raises LoadFailed."""
        places = self._fill(parts, every_output=False)
        status = llama_cpp.llama_decode(self._context, self._batch)
        if status != 0:
            raise LoadFailed(
                f"the model could not compute a step (status {status}): {self._complaint()}",
                "Try again; if it repeats, the model file may be damaged.",
            )
        return places

    def decode_rows(self, slot: int, start: int, rows: Float32Array) -> None:
        """Compute rows that stand in place of tokens: (count, row_length). Raises LoadFailed."""
        if self._rows is None:
            self._rows = llama_cpp.llama_batch_init(self._batch_tokens, self.row_length, 1)
        batch, content = self._rows, np.ascontiguousarray(rows, dtype=np.float32)
        assert len(content) <= self._batch_tokens
        ctypes.memmove(batch.embd, content.ctypes.data, content.nbytes)
        for at in range(len(content)):
            batch.pos[at] = start + at
            batch.n_seq_id[at] = 1
            batch.seq_id[at][0] = slot
            batch.logits[at] = False
        batch.n_tokens = len(content)
        status = llama_cpp.llama_decode(self._context, batch)
        if status != 0:
            raise LoadFailed(
                f"the model could not read an image (status {status}): {self._complaint()}",
                "Try again, or without it.",
            )

    def embed(self, texts: Sequence[Sequence[int]]) -> list[Float32Array]:
        """One pooled vector for each list of tokens, in one batch. Raises LoadFailed."""
        self.forget()
        parts = [BatchPart(slot, 0, tokens, 1) for slot, tokens in enumerate(texts)]
        self._fill(parts, every_output=True)
        run = llama_cpp.llama_decode if self._memory else llama_cpp.llama_encode
        status = run(self._context, self._batch)
        if status != 0:
            raise LoadFailed(
                f"the model could not embed (status {status}): {self._complaint()}", "Try again."
            )
        return [self._vector(slot) for slot in range(len(texts))]

    def _vector(self, slot: int) -> Float32Array:
        pointer = llama_cpp.llama_get_embeddings_seq(self._context, slot)
        if not pointer:
            raise LoadFailed("the model gave no vector", "It is not a model for embeddings.")
        return np.ctypeslib.as_array(pointer, shape=(self.vector_length,)).copy()

    def _fill(self, parts: Sequence[BatchPart], *, every_output: bool) -> list[range]:
        batch, at, places = self._batch, 0, list[range]()
        assert sum(len(part.tokens) for part in parts) <= self._batch_tokens
        for part in parts:
            quiet = len(part.tokens) - part.logits
            for offset, token in enumerate(part.tokens):
                batch.token[at] = token
                batch.pos[at] = part.start + offset
                batch.n_seq_id[at] = 1
                batch.seq_id[at][0] = part.slot
                batch.logits[at] = every_output or offset >= quiet
                at += 1
            places.append(range(at - part.logits, at))
        batch.n_tokens = at
        return places

    def log_chances(self, place: int) -> Float32Array:
        """The natural logarithm of every token's probability, before any sampler."""
        logits = self._logits(place)
        highest = float(logits.max())
        total = math.log(float(np.exp(logits - highest).sum())) + highest
        return (logits - np.float32(total)).astype(np.float32)

    def likeliest(self, place: int) -> int:
        """The token with the highest probability; the first of equals, as llama.cpp has it."""
        return int(self._logits(place).argmax())

    def _logits(self, place: int) -> Float32Array:
        """What the model said at a place; valid until the next batch."""
        pointer = llama_cpp.llama_get_logits_ith(self._context, place)
        return np.ctypeslib.as_array(pointer, shape=(self.vocabulary_size,))

    # --- Choosing --------------------------------------------------------------------------

    def new_chain(self, steps: Sequence[SamplerStep], schema: str | None = None) -> "Chain":
        """A chain of samplers; with a schema (empty: any JSON) the answer follows it.

        Raises BadRequest.
        """
        parameters = llama_cpp.llama_sampler_chain_default_params()
        chain = llama_cpp.llama_sampler_chain_init(parameters)
        if schema is not None:
            llama_cpp.llama_sampler_chain_add(chain, self._grammar(schema))
        for step in steps:
            llama_cpp.llama_sampler_chain_add(chain, self._sampler(step))
        plain = schema is None and [step.kind for step in steps] == [Sampler.GREEDY]
        return Chain(chain, self._context, self.likeliest if plain else None)

    def _grammar(self, schema: str) -> Any:
        try:
            text = llama_grammar.json_schema_to_gbnf(schema) if schema else llama_grammar.JSON_GBNF
        except Exception as error:  # the converter raises whatever comes
            raise BadRequest(f"the JSON schema cannot be used: {error}") from error
        grammar = llama_cpp.llama_sampler_init_grammar(self._vocab, text.encode(), b"root")
        if not grammar:
            raise BadRequest(f"the JSON schema cannot be used: {self._complaint()}")
        return grammar

    def _sampler(self, step: SamplerStep) -> Any:
        numbers = step.numbers
        match step.kind:
            case Sampler.PENALTIES:
                return llama_cpp.llama_sampler_init_penalties(
                    self.vocabulary_size, int(numbers[0]), *numbers[1:]
                )
            case Sampler.TOP_K:
                return llama_cpp.llama_sampler_init_top_k(int(numbers[0]))
            case Sampler.TYPICAL:
                return llama_cpp.llama_sampler_init_typical(numbers[0], 1)
            case Sampler.TOP_P:
                return llama_cpp.llama_sampler_init_top_p(numbers[0], 1)
            case Sampler.MIN_P:
                return llama_cpp.llama_sampler_init_min_p(numbers[0], 1)
            case Sampler.TEMPERATURE:
                return llama_cpp.llama_sampler_init_temp(numbers[0])
            case Sampler.GREEDY:
                return llama_cpp.llama_sampler_init_greedy()
            case Sampler.RANDOM:
                return llama_cpp.llama_sampler_init_dist(int(numbers[0]))


def _address(state: Bytes) -> Any:
    return state.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))


class Chain:
    """The samplers of one answer, with their memory of it.

    likeliest: stands in for a chain that only takes the likeliest token and remembers nothing;
    llama.cpp would copy the whole vocabulary for that.
    """

    def __init__(
        self, chain: Any, context: Any, likeliest: Callable[[int], int] | None = None
    ) -> None:
        self._chain = chain
        self._context = context
        self._likeliest = likeliest

    def accept(self, token: int) -> None:
        """Let the chain know a token of the prompt."""
        llama_cpp.llama_sampler_accept(self._chain, token)

    def sample(self, place: int) -> int:
        """Choose the token that follows the one at a place of the last batch."""
        if self._likeliest is not None:
            return self._likeliest(place)
        return int(llama_cpp.llama_sampler_sample(self._chain, self._context, place))

    def close(self) -> None:
        """Free the samplers."""
        llama_cpp.llama_sampler_free(self._chain)
