"""What the front and a model's worker process say to each other, as values that can be pickled."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runtime.sampling import Options
from runtime.speech import Called

# Besides the slots of running sequences, so many keep the beginnings of earlier ones.
CACHE_SLOTS = 54
MAX_SLOTS = 256  # what llama.cpp can tell apart
# Attention inside a batch costs the square of its length, so more texts at once are not faster.
MAX_TEXTS = 32


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """What a worker loads.

    context_tokens: of one sequence. memory_contexts: how many such contexts the memory holds.
    cached_contexts: how many more are kept in ordinary memory after they were used.
    adapters: files that change its weights. projector: the file through which it sees images.
    draft_tokens: most tokens of a guess at what comes next; 0 for none. gpu_layers: how many a
    graphics card computes, -1 for all.
    """

    path: Path
    embeds: bool
    context_tokens: int
    threads: int
    max_sequences: int
    batch_tokens: int
    gentle_threads: bool = False
    memory_contexts: int = 4
    cached_contexts: int = 0
    draft_tokens: int = 15
    gpu_layers: int = -1
    adapters: tuple[Path, ...] = ()
    projector: Path | None = None

    @property
    def slots(self) -> int:
        """How many sequence numbers the model's memory needs."""
        return MAX_TEXTS if self.embeds else min(self.max_sequences + CACHE_SLOTS, MAX_SLOTS)

    @property
    def cells(self) -> int:
        """How many tokens it holds; what a sequence may need is promised before it runs."""
        contexts = 1 if self.embeds else min(self.max_sequences, self.memory_contexts)
        # llama.cpp aborts where a batch, or one token of each slot, does not fit.
        return max(self.context_tokens * contexts, self.slots, self.batch_tokens)

    @property
    def idle_cells(self) -> int:
        """How many may hold what nobody uses now: every cell in use makes every step longer."""
        return self.context_tokens // 4 if self.kept_tokens else self.cells

    @property
    def kept_tokens(self) -> int:
        """How many tokens are kept elsewhere after they were used."""
        return 0 if self.embeds else self.context_tokens * self.cached_contexts


@dataclass(frozen=True, slots=True)
class Rendering:
    """How a chat becomes a prompt.

    template: in place of the model's own. tools: functions that it may call, as OpenAI describes
    them. think: whether, or how hard, it shall think; None leaves that to the template.
    suffix: what follows the answer, for a template that inserts.
    """

    template: str = ""
    tools: tuple[Mapping[str, Any], ...] = ()
    think: bool | str | None = None
    suffix: str = ""


# --- To the worker -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Generate:
    """Write an answer.

    Exactly one of messages (a chat, put through the model's template) and text (taken as it is)
    is given. context: tokens of an earlier answer that come first.
    schema: None for free text, "" for any JSON, else a JSON schema that the answer must follow.
    share: who takes turns with others in the line (a department). drafts: whether what comes next
    may be guessed and checked; the answer is the same.
    images: pictures that come before the text; those of a chat stand in its messages.
    """

    id: int
    options: Options
    messages: tuple[Mapping[str, Any], ...] | None = None
    text: str | None = None
    context: tuple[int, ...] = ()
    schema: str | None = None
    truncate: bool = True
    shift: bool = True
    share: str = ""
    drafts: bool = True
    rendering: Rendering = Rendering()
    images: tuple[bytes, ...] = field(default=(), repr=False)
    logprobs: int | None = None  # None: no; 0: of the token itself; n: and of the n likeliest


@dataclass(frozen=True, slots=True)
class Embed:
    """Make a vector of each text. context_tokens: where a text is cut, 0 for the model's limit.

    unit_length: whether vectors are brought to length one.
    """

    id: int
    texts: tuple[str, ...]
    context_tokens: int = 0
    truncate: bool = True
    unit_length: bool = True


@dataclass(frozen=True, slots=True)
class Rank:
    """Score each text by how well it answers a question.

    truncate: whether a text that does not fit beside the question is cut.
    """

    id: int
    question: str
    texts: tuple[str, ...]
    truncate: bool = True


@dataclass(frozen=True, slots=True)
class Tokenize:
    """Say which tokens a text is made of."""

    id: int
    text: str


@dataclass(frozen=True, slots=True)
class Detokenize:
    """Say which text tokens stand for."""

    id: int
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cancel:
    """Nobody listens to this request any more."""

    id: int


# --- From the worker ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ready:
    """The model is in memory. context_tokens: of one sequence, as loaded."""

    context_tokens: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class CannotLoad:
    """The model cannot be loaded; the worker ends."""

    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class TokenChance:
    """A token and the natural logarithm of its probability."""

    token: bytes
    logprob: float
    likeliest: "tuple[TokenChance, ...]" = ()


@dataclass(frozen=True, slots=True)
class Delta:
    """More of an answer.

    thought, call: what another server has told apart already; our own workers write only text.
    """

    id: int
    text: str
    chances: tuple[TokenChance, ...] = ()
    thought: str = ""
    call: Called | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The end of an answer, with its figures. Durations in nanoseconds."""

    id: int
    reason: str
    prompt_tokens: int
    cached_tokens: int
    answer_tokens: int
    prompt_ns: int
    answer_ns: int
    tokens: tuple[int, ...] = field(default=(), repr=False)  # prompt and answer


@dataclass(frozen=True, slots=True)
class Vectors:
    """The vectors of an embedding request: little-endian float32, normalised, in order."""

    id: int
    vectors: tuple[bytes, ...] = field(repr=False)
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of a request to rank, in the order of its texts; as the model gives them."""

    id: int
    scores: tuple[float, ...]
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class Words:
    """A text and its tokens."""

    id: int
    text: str
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """A request that could not be served. kind: name of a class in `runtime.errors`."""

    id: int
    kind: str
    message: str
    hint: str


ToWorker = Generate | Embed | Rank | Tokenize | Detokenize | Cancel
FromWorker = Ready | CannotLoad | Delta | Done | Vectors | Scores | Words | Failed
