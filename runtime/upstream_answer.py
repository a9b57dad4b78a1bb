"""What another server answers, as the messages that our own workers would send. Pure.

An answer is whole only when it says why it ended; a stream that just stops is a failure. What does
not look like OpenAI's form is refused, and no text of another server's errors is handed on: it may
quote the prompt or name what is inside their network.
"""

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from runtime.errors import (
    BadRequest,
    InputTooLong,
    ModelRuntimeError,
    ServerBusy,
    UpstreamChanged,
    UpstreamDown,
    UpstreamFailed,
)
from runtime.protocol import Delta, Done, Embed, Generate, TokenChance, Vectors
from runtime.speech import Called
from runtime.upstream_config import UpstreamSettings

END = "[DONE]"
AGAIN = "Ask again in a moment."
LOOK = "Whoever runs it should look into its log."
MAX_RETRY_AFTER_S = 300
CHARS_PER_TOKEN = 3  # where a server does not count a prompt; rather too many
REASONS = {"length": "length", "max_tokens": "length"}


@dataclass(slots=True)
class PartialCall:
    """A call of a function while it is written."""

    name: str = ""
    arguments: str = ""


@dataclass(slots=True)
class AnswerReader:
    """Reads the events of one answer. started_ns: when it was asked."""

    settings: UpstreamSettings
    job: Generate
    started_ns: int
    _reason: str | None = None
    _first_ns: int = 0
    _parts: int = 0
    _usage: Mapping[str, Any] = field(default_factory=dict)
    _calls: dict[int, PartialCall] = field(default_factory=dict)

    def read(self, data: str) -> list[Delta]:
        """What an event adds to the answer. Raises UpstreamFailed."""
        try:
            event = json.loads(data)
            if event.get("error"):
                raise failed(self.settings, "broke off its answer")
            check_model(self.settings, event.get("model"))
            self._usage = event.get("usage") or self._usage
            return [one for choice in event.get("choices") or [] for one in self._read(choice)]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise unreadable(self.settings) from error

    def end(self) -> Done:
        """The end of the answer, with its figures. Raises UpstreamFailed if it is not whole."""
        if self._reason is None:
            raise failed(self.settings, "ended in the middle of the answer")
        now = time.perf_counter_ns()
        first = self._first_ns or now
        details = self._usage.get("prompt_tokens_details")
        cached = details.get("cached_tokens") if isinstance(details, Mapping) else 0
        return Done(
            id=self.job.id,
            reason=REASONS.get(self._reason, "stop"),
            prompt_tokens=_count(self._usage.get("prompt_tokens")) or _about(self.job),
            cached_tokens=_count(cached),
            # Servers that do not count send one token in each part.
            answer_tokens=_count(self._usage.get("completion_tokens")) or self._parts,
            prompt_ns=first - self.started_ns,
            answer_ns=now - first,
        )

    def _read(self, choice: Mapping[str, Any]) -> list[Delta]:
        delta = choice.get("delta") or {"content": choice.get("text")}
        text, thought = _text(delta, "content"), _text(delta, "reasoning_content", "reasoning")
        chances = _chances(choice.get("logprobs"))
        for part in delta.get("tool_calls") or []:
            self._add_to_call(part)
        found = []
        if text or thought or chances or delta.get("tool_calls"):
            self._first_ns = self._first_ns or time.perf_counter_ns()
            self._parts += 1
        if text or thought or chances:
            found.append(Delta(self.job.id, text, chances, thought))
        if choice.get("finish_reason"):
            self._reason = str(choice["finish_reason"])
            found += [self._whole(call) for _, call in sorted(self._calls.items())]
            self._calls.clear()
        return found

    def _add_to_call(self, part: Mapping[str, Any]) -> None:
        call = self._calls.setdefault(int(part.get("index") or 0), PartialCall())
        function = part["function"]
        call.name += _text(function, "name")
        call.arguments += _text(function, "arguments")

    def _whole(self, call: PartialCall) -> Delta:
        arguments = json.loads(call.arguments or "{}")
        if not call.name or not isinstance(arguments, dict):
            raise ValueError("no call")
        return Delta(self.job.id, "", call=Called(call.name, arguments))


def vectors_of(settings: UpstreamSettings, job: Embed, body: Any) -> Vectors:
    """The vectors of a response, in order. Raises UpstreamFailed, BadRequest."""
    try:
        check_model(settings, body.get("model"))
        rows = sorted(body["data"], key=lambda row: int(row["index"]))
        found = [np.asarray(row["embedding"], dtype=np.float32) for row in rows]
        indices = [int(row["index"]) for row in rows]
        usage = body.get("usage") or {}
        counted = _count(usage.get("prompt_tokens"))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise unreadable(settings) from error
    shapes = {vector.shape for vector in found}
    if indices != list(range(len(job.texts))) or len(shapes) != 1 or len(shapes.pop()) != 1:
        raise unreadable(settings)
    units = [_unit(settings, one, scaled=job.unit_length) for one in found]
    counted = counted or sum(-(-len(text) // CHARS_PER_TOKEN) for text in job.texts)
    return Vectors(job.id, tuple(one.astype("<f4").tobytes() for one in units), counted)


def _unit(
    settings: UpstreamSettings, vector: "np.ndarray[Any, np.dtype[np.float32]]", *, scaled: bool
) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """A vector of length one if scaled, else as it came. Raises UpstreamFailed."""
    if not vector.size or not np.isfinite(vector).all():
        raise unreadable(settings)
    length = float(np.linalg.norm(vector))
    return vector / np.float32(length) if scaled and length > 0 else vector


def check_model(settings: UpstreamSettings, told: object) -> None:
    """Refuse the answer of another model than the one that was asked. Raises UpstreamChanged."""
    if told and told != settings.remote_model:
        raise changed(settings)


def lists_model(settings: UpstreamSettings, body: Any) -> bool:
    """Whether a server's list has the model as it was pinned. Raises UpstreamFailed."""
    try:
        entries = [one for one in body["data"] if one["id"] == settings.remote_model]
        return any(not settings.root or one.get("root") == settings.root for one in entries)
    except (TypeError, KeyError, AttributeError) as error:
        raise unreadable(settings) from error


def refusal_of(
    settings: UpstreamSettings, status: int, body: bytes, retry_after: str
) -> ModelRuntimeError:
    """What a status other than 200 means for the caller. body: looked at, never handed on."""
    who = f"the server of model '{settings.name}'"
    match status:
        case 401 | 403:
            return failed(settings, "does not accept our key", "Check its key_file.")
        case 404:
            return failed(settings, "offers no such model or kind of request", LOOK)
        case 413:
            return InputTooLong(f"{who} takes no input of this length", "Send less.")
        case 400 | 422 if _is_too_long(body):
            return InputTooLong("the input length exceeds the context length", "Send less.")
        case 400 | 422:
            return BadRequest(f"{who} cannot do what was asked", f"Leave options out. {LOOK}")
        case 429:
            busy = ServerBusy(f"{who} is busy, please try again", AGAIN)
            busy.retry_after_s = _seconds(retry_after) or busy.retry_after_s
            return busy
        case 502 | 503 | 504:
            down = UpstreamDown(f"{who} is not ready", AGAIN)
            down.retry_after_s = _seconds(retry_after) or down.retry_after_s
            return down
    return failed(settings, f"failed (status {status})")


def failed(settings: UpstreamSettings, what: str, hint: str = "") -> UpstreamFailed:
    """The error for a server that did something wrong."""
    return UpstreamFailed(
        f"the server of model '{settings.name}' {what}", hint or f"{AGAIN} {LOOK}"
    )


def unreadable(settings: UpstreamSettings) -> UpstreamFailed:
    """The error for what is not in OpenAI's form."""
    return failed(settings, "did not answer as OpenAI-compatible servers do", LOOK)


def changed(settings: UpstreamSettings) -> UpstreamChanged:
    """The error for a server that has another model than the one that was approved."""
    return UpstreamChanged(
        f"the server of model '{settings.name}' no longer offers the model that was approved",
        "Whoever runs Lamplight should compare runtime.upstreams with what it serves.",
    )


def _is_too_long(body: bytes) -> bool:
    text = body.decode(errors="replace").lower()
    marks = ("context_length_exceeded", "context length", "context window", "context size")
    return any(mark in text for mark in marks)


def _seconds(text: str) -> int | None:
    return min(max(int(text), 1), MAX_RETRY_AFTER_S) if text.isascii() and text.isdigit() else None


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _about(job: Generate) -> int:
    said = [str(message.get("content", "")) for message in job.messages or ()]
    return sum(-(-len(text) // CHARS_PER_TOKEN) for text in [*said, job.text or ""])


def _text(given: Mapping[str, Any], *names: str) -> str:
    value = next((given[name] for name in names if given.get(name)), "")
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _chances(given: Any) -> tuple[TokenChance, ...]:
    """Probabilities in the form of chats; a bare text's older form has no bytes."""
    if not given:
        return ()
    if given.get("content") is not None:
        return tuple(_chance(one) for one in given["content"])
    tops = given.get("top_logprobs") or []
    found = []
    for index, (token, chance) in enumerate(
        zip(given["tokens"], given["token_logprobs"], strict=True)
    ):
        top = (tops[index] if index < len(tops) else None) or {}
        likeliest = tuple(TokenChance(t.encode(), _log(v)) for t, v in top.items())
        found.append(TokenChance(token.encode(), _log(chance), likeliest))
    return tuple(found)


def _chance(one: Mapping[str, Any]) -> TokenChance:
    token = bytes(one["bytes"]) if one.get("bytes") else one["token"].encode()
    likeliest = tuple(_chance(top) for top in one.get("top_logprobs") or ())
    return TokenChance(token, _log(one["logprob"]), likeliest)


def _log(value: Any) -> float:
    number = 0.0 if value is None else float(value)
    if math.isnan(number):
        raise ValueError("no probability")
    return max(number, -9999.0)
