"""Lets a model work for a request and counts it: reserved before, charged and recorded once after.

Every way to a model leads through here, so this is where the gate is asked whether the model is
approved for whom it works for: before it is loaded, and by the gatekeeper again while it works.

The record is written before the last piece of an answer goes out, so that a whole answer that
somebody has is always one that is recorded. Where a request is cut short it is written all the
same, by a task that the cut does not reach.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from runtime.api.gate import Change, Gate, Use, Visit
from runtime.errors import Cancelled, ModelRuntimeError
from runtime.protocol import Embed, Generate, Rank
from runtime.seeing import IMAGES
from runtime.store import InstalledModel

# English has about four characters to a token; a reservation may rather be too high.
CHARS_PER_TOKEN = 3
IMAGE_TOKENS = 1024  # of one picture; models count from 64 to some thousands
# Well within the five minutes for which a reservation outlives a process that died.
RENEW_S = 120.0


@dataclass(slots=True)
class Tally:
    """The tokens of a request so far. began: a model was given the prompt."""

    prompt_tokens: int
    answer_tokens: int = 0
    began: bool = False


class Meter:
    """Reserves, charges and records for all requests of one runtime."""

    def __init__(self, gate: Gate, renew_s: float = RENEW_S) -> None:
        self._gate = gate
        self._renew_s = renew_s
        self._writing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def charged(
        self,
        visit: Visit,
        model: InstalledModel,
        prompt_tokens: int,
        answer_tokens: int = 0,
        *,
        works: bool = True,
    ) -> AsyncIterator[Tally]:
        """Let a model work in this block for what is set aside. Raises Forbidden, LimitReached.

        works: False where it is only put away, for which it needs no approval.
        """
        gate = self._gate
        if works:
            await asyncio.to_thread(gate.approve, visit, model)
        reservation = await asyncio.to_thread(gate.reserve, visit, prompt_tokens + answer_tokens)
        if works:
            visit.models.append(model)
        tally = Tally(prompt_tokens)

        def used(outcome: str = "done", reason: str | None = None) -> Use:
            name, digest = str(model.name), model.manifest.digest
            return Use(name, digest, tally.prompt_tokens, tally.answer_tokens, outcome, reason)

        def cut_short(error: BaseException) -> Use:
            if not was_read(tally, error):
                tally.prompt_tokens = 0
            return used("failed", why(error))

        renewal = asyncio.create_task(self._renew(reservation))
        try:
            yield tally
        except BaseException as error:
            renewal.cancel()
            _gone(visit, model)
            await self._write(gate.record_use, visit, cut_short(error), reservation)
            raise
        renewal.cancel()
        _gone(visit, model)
        await self._write(gate.record_use, visit, used(), reservation)

    async def changed(self, visit: Visit, change: Change) -> None:
        """Record what was done to a model."""
        await self._write(self._gate.record_change, visit, change)

    async def close(self) -> None:
        """Wait for what is still being written."""
        await asyncio.gather(*self._writing, return_exceptions=True)

    async def _renew(self, reservation: str | None) -> None:
        while reservation is not None:
            await asyncio.sleep(self._renew_s)
            await asyncio.to_thread(self._gate.renew, reservation)

    async def _write(self, write: Callable[..., None], *arguments: Any) -> None:
        task = asyncio.create_task(asyncio.to_thread(write, *arguments))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        await asyncio.shield(task)


def _gone(visit: Visit, model: InstalledModel) -> None:
    if model in visit.models:
        visit.models.remove(model)


def was_read(tally: Tally, error: BaseException) -> bool:
    """Whether a request that was cut short is to be counted with its prompt.

    Whoever goes away before the first word has used the model all the same; a model that ends with
    an error before it has been of no use.
    """
    return bool(tally.answer_tokens) or (tally.began and _is_gone(error))


def why(error: BaseException) -> str:
    """The kind of an error, never its text: that may quote what was asked."""
    if isinstance(error, ModelRuntimeError):
        return type(error).__name__
    return "Cancelled" if _is_gone(error) else "Broken"


def _is_gone(error: BaseException) -> bool:
    return isinstance(error, GeneratorExit | asyncio.CancelledError | Cancelled)


def prompt_tokens_of(job: Generate | Embed | Rank) -> int:
    """About how many tokens a prompt has; the model counts them exactly, later."""
    if isinstance(job, Embed):
        return _tokens(job.texts)
    if isinstance(job, Rank):  # the question is read again with each text
        return _tokens(job.texts) + len(job.texts) * _tokens([job.question])
    messages = job.messages or ()
    texts = [str(message.get("content", "")) for message in messages]
    images = len(job.images) + sum(len(message.get(IMAGES) or ()) for message in messages)
    return _tokens([*texts, job.text or ""]) + len(job.context) + images * IMAGE_TOKENS


def answer_tokens_of(job: Generate, context_tokens: int) -> int:
    """The most tokens an answer is reserved for: what it asks for, else one context.

    context_tokens: where the job names no context of its own.
    """
    context = job.options.num_ctx or context_tokens
    return context if job.options.num_predict < 0 else job.options.max_new_tokens(context)


def _tokens(texts: Iterable[str]) -> int:
    return sum(-(-len(text) // CHARS_PER_TOKEN) for text in texts)
