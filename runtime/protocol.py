"""What the front and a model's worker process say to each other, as values that can be pickled."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runtime.sampling import Options


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """What a worker loads. context_tokens: of one sequence."""

    path: Path
    embeds: bool
    context_tokens: int
    threads: int
    max_sequences: int
    batch_tokens: int
    gentle_threads: bool = False


# --- To the worker -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Generate:
    """Write an answer.

    Exactly one of messages (a chat, put through the model's template) and text (taken as it is)
    is given. context: tokens of an earlier answer that come first.
    schema: None for free text, "" for any JSON, else a JSON schema that the answer must follow.
    """

    id: int
    options: Options
    messages: tuple[Mapping[str, Any], ...] | None = None
    text: str | None = None
    context: tuple[int, ...] = ()
    schema: str | None = None
    truncate: bool = True
    shift: bool = True
    logprobs: int | None = None  # None: no; 0: of the token itself; n: and of the n likeliest


@dataclass(frozen=True, slots=True)
class Embed:
    """Make a vector of each text. context_tokens: where a text is cut, 0 for the model's limit."""

    id: int
    texts: tuple[str, ...]
    context_tokens: int = 0
    truncate: bool = True


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
    """More of an answer."""

    id: int
    text: str
    chances: tuple[TokenChance, ...] = ()


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
class Failed:
    """A request that could not be served. kind: name of a class in `runtime.errors`."""

    id: int
    kind: str
    message: str
    hint: str


ToWorker = Generate | Embed | Cancel
FromWorker = Ready | CannotLoad | Delta | Done | Vectors | Failed
