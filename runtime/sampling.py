"""How the next token is chosen: the options of a request, and the chain of samplers they mean."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from runtime.errors import BadRequest

DEFAULT_SEED = -1  # a new one for every request
MAX_STOPS = 32
MAX_INT = 2**31 - 1  # what llama.cpp holds
# Without a limit of its own an answer ends here; Ollama has the same bound.
UNBOUNDED_CONTEXTS = 10


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a request that we use, with Ollama's names and defaults.

    num_ctx 0 means the setting of the server; num_predict below 0 means no limit of its own.
    """

    num_ctx: int = 0
    num_keep: int = 4
    num_predict: int = -1
    seed: int = DEFAULT_SEED
    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.9
    min_p: float = 0.0
    typical_p: float = 1.0
    repeat_last_n: int = 64
    repeat_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    stop: tuple[str, ...] = ()

    def max_new_tokens(self, context_tokens: int) -> int:
        """The most tokens of an answer."""
        bound = UNBOUNDED_CONTEXTS * context_tokens
        return bound if self.num_predict < 0 else min(max(self.num_predict, 1), bound)


class Sampler(StrEnum):
    """The kinds of samplers, in no order."""

    PENALTIES = "penalties"
    TOP_K = "top_k"
    TYPICAL = "typical"
    TOP_P = "top_p"
    MIN_P = "min_p"
    TEMPERATURE = "temperature"
    GREEDY = "greedy"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class SamplerStep:
    """One sampler of a chain, with its numbers in the order that llama.cpp takes them."""

    kind: Sampler
    numbers: tuple[float, ...] = ()


def chain_of(options: Options, context_tokens: int, seed: int) -> tuple[SamplerStep, ...]:
    """The samplers of a request; those that would change nothing are left out."""
    steps = []
    last = context_tokens if options.repeat_last_n < 0 else options.repeat_last_n
    penalties = (options.repeat_penalty, options.frequency_penalty, options.presence_penalty)
    if last and penalties != (1.0, 0.0, 0.0):
        steps.append(SamplerStep(Sampler.PENALTIES, (last, *penalties)))
    if options.temperature <= 0:
        return (*steps, SamplerStep(Sampler.GREEDY))
    if options.top_k > 0:
        steps.append(SamplerStep(Sampler.TOP_K, (options.top_k,)))
    if options.typical_p < 1:
        steps.append(SamplerStep(Sampler.TYPICAL, (options.typical_p,)))
    if options.top_p < 1:
        steps.append(SamplerStep(Sampler.TOP_P, (options.top_p,)))
    if options.min_p > 0:
        steps.append(SamplerStep(Sampler.MIN_P, (options.min_p,)))
    steps.append(SamplerStep(Sampler.TEMPERATURE, (options.temperature,)))
    steps.append(SamplerStep(Sampler.RANDOM, (seed,)))
    return tuple(steps)


def read_options(given: Mapping[str, Any], start: Options | None = None) -> Options:
    """Read a request's options over those of the model. Raises BadRequest.

    Unknown names are ignored: old clients send many that no longer mean anything.
    """
    known = {field.name for field in fields(Options)}
    start = start or Options()
    found = {
        name: _READERS[type(getattr(start, name))](name, value)
        for name, value in given.items()
        if name in known and value is not None
    }
    return replace(start, **found)


def _integer(name: str, value: Any) -> int:
    if isinstance(value, float) and (value.is_integer() or math.isinf(value)):
        value = int(max(min(value, MAX_INT), -MAX_INT))
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadRequest(f'option "{name}" must be of type integer')
    return max(min(value, MAX_INT), -MAX_INT)


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest(f'option "{name}" must be of type float32')
    return float(value)


def _strings(name: str, value: Any) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(item, str) for item in values):
        raise BadRequest(f'option "{name}" must be of type array')
    return tuple(item for item in values if item)[:MAX_STOPS]


_READERS: dict[type, Any] = {int: _integer, float: _number, tuple: _strings}
