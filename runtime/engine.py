"""Keeps models loaded and passes requests to their processes.

A model is loaded by its first request and unloaded when it has been idle for its keep-alive time.
One that is asked for a larger context than it was loaded with is loaded again beside the old one,
which ends with its last request. What a model needs is weighed before it is loaded: when too many
are loaded, or too much memory is taken, the longest idle one makes room; one that can never fit is
refused. One whose process keeps dying is set aside.
"""

import asyncio
import itertools
import json
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from runtime import errors
from runtime.config import RuntimeSettings
from runtime.errors import ModelRuntimeError, ServerBusy, TooLarge
from runtime.inspect import ModelFile, inspect
from runtime.manifest import PARAMS_TYPE
from runtime.memory import cells_bytes, default_budget_bytes, need_of
from runtime.parts import parts_of
from runtime.process import PROGRAM, WorkerProcess
from runtime.protocol import (
    CACHE_SLOTS,
    MAX_SLOTS,
    Cancel,
    Delta,
    Detokenize,
    Done,
    Embed,
    Failed,
    FromWorker,
    Generate,
    Rank,
    Scores,
    Tokenize,
    Vectors,
    Words,
    WorkerConfig,
)
from runtime.quarantine import Quarantine
from runtime.sampling import Options, read_options
from runtime.store import InstalledModel, Store

EMBED_BATCH_TOKENS = 512
SIGHT_BYTES = 256 * 1024 * 1024  # a picture unpacked, and what is computed of it


@dataclass(eq=False)
class Loaded:
    """A model in memory. idle_since: on the engine's clock. need_bytes: as weighed beforehand."""

    model: InstalledModel
    process: WorkerProcess
    keep_alive_s: float
    need_bytes: int = 0
    active: int = 0
    idle_since: float = 0.0
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)

    @property
    def context_tokens(self) -> int:
        """Context of one request, as loaded."""
        return self.process.config.context_tokens

    @property
    def size_bytes(self) -> int:
        """What its weights take in memory."""
        return self.process.ready.size_bytes if self.process.ready else 0


class Engine:
    """The loaded models of one store. on_quarantine: told of a model that was just set aside."""

    def __init__(
        self,
        settings: RuntimeSettings,
        store: Store,
        clock: Callable[[], float] = time.monotonic,
        on_quarantine: Callable[[InstalledModel], None] = lambda _: None,
        worker_program: str = PROGRAM,
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._on_quarantine = on_quarantine
        self._worker_program = worker_program
        self._quarantine = Quarantine.of(settings)
        self.budget_bytes = settings.memory_bytes or default_budget_bytes()
        self._loaded: dict[str, Loaded] = {}
        self._retiring: set[Loaded] = set()
        self._locks: dict[str, asyncio.Lock] = {}
        self._loading = asyncio.Lock()  # one model at a time, so that there is room for it
        self._waiting: dict[str, int] = {}
        self._rested = asyncio.Event()
        self._numbers = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()

    def loaded(self) -> list[Loaded]:
        """Models in memory that take requests."""
        return [entry for entry in self._loaded.values() if not entry.process.is_dead]

    def expires_in_s(self, entry: Loaded) -> float | None:
        """Seconds until a model is unloaded if nobody asks; None for never."""
        if entry.keep_alive_s < 0:
            return None
        since = self._clock() if entry.active else entry.idle_since
        return max(since + entry.keep_alive_s - self._clock(), 0.0)

    def options(self, model: InstalledModel) -> Options:
        """The options that a model comes with. Raises BadRequest."""
        text = self._store.layer_text(model, PARAMS_TYPE)
        return read_options(json.loads(text)) if text else Options()

    @asynccontextmanager
    async def use(
        self, model: InstalledModel, context_tokens: int, keep_alive_s: float | None
    ) -> AsyncIterator[Loaded]:
        """Hold a model in memory for the length of the block.

        context_tokens: wanted, 0 for the usual. Raises ServerBusy, LoadFailed, TooLarge,
        WrongDigest, BadModelFile, Quarantined.
        """
        key = model.manifest.digest
        self._check_queue(key)
        self._waiting[key] = self._waiting.get(key, 0) + 1
        try:
            async with self._locks.setdefault(key, asyncio.Lock()):
                entry = await self._ensure(model, context_tokens)
            if keep_alive_s is not None:
                entry.keep_alive_s = keep_alive_s
            entry.active += 1
        finally:
            self._waiting[key] -= 1
        self._stop_timer(entry)
        try:
            yield entry
        finally:
            entry.active -= 1
            self._rest(entry)

    async def generate(self, entry: Loaded, job: Generate) -> AsyncGenerator[Delta | Done, None]:
        """Write an answer. Raises ModelRuntimeError. Leaving early cancels it."""
        async with aclosing(self._ask(entry.process, job)) as messages:
            async for message in messages:
                if isinstance(message, Delta | Done):
                    yield message
                if isinstance(message, Done):
                    return

    async def embed(self, entry: Loaded, job: Embed) -> Vectors:
        """Make vectors. Raises ModelRuntimeError."""
        async with aclosing(self._ask(entry.process, job)) as messages:
            async for message in messages:
                assert isinstance(message, Vectors)
                return message
        raise AssertionError("a request ends with an answer")

    async def rank(self, entry: Loaded, job: Rank) -> Scores:
        """Score texts against a question. Raises ModelRuntimeError."""
        async with aclosing(self._ask(entry.process, job)) as messages:
            async for message in messages:
                assert isinstance(message, Scores)
                return message
        raise AssertionError("a request ends with an answer")

    async def words(self, entry: Loaded, job: Tokenize | Detokenize) -> Words:
        """Tokens of a text, or the text of tokens. Raises ModelRuntimeError."""
        async with aclosing(self._ask(entry.process, job)) as messages:
            async for message in messages:
                assert isinstance(message, Words)
                return message
        raise AssertionError("a request ends with an answer")

    def number(self) -> int:
        """A number for the next request."""
        return next(self._numbers)

    async def unload(self, model: InstalledModel) -> None:
        """Unload a model as soon as nobody uses it."""
        entry = self._loaded.get(model.manifest.digest)
        if entry is not None:
            entry.keep_alive_s = 0.0
            if not entry.active:
                await self._unload(entry)

    async def close(self) -> None:
        """End every process."""
        for entry in [*self._loaded.values(), *self._retiring]:
            self._stop_timer(entry)
            await asyncio.to_thread(entry.process.kill)
        self._loaded.clear()
        self._retiring.clear()
        await asyncio.gather(*self._tasks)

    async def _ask(
        self, process: WorkerProcess, job: Generate | Embed | Rank | Tokenize | Detokenize
    ) -> AsyncGenerator[FromWorker, None]:
        queue = process.open(job.id)
        over = False
        try:
            await process.send(job)
            while True:
                message = await queue.get()
                if message is None:
                    over = True
                    raise process.death()
                over = isinstance(message, Done | Vectors | Scores | Words | Failed)
                if isinstance(message, Failed):
                    raise _error_of(message)
                yield message
        finally:
            process.close(job.id)
            if not over:
                process.send_soon(Cancel(job.id))

    def _check_queue(self, key: str) -> None:
        entry = self._loaded.get(key)
        there = (entry.active if entry else 0) + self._waiting.get(key, 0)
        if there >= self._settings.max_sequences + self._settings.max_queue:
            raise ServerBusy(
                "server busy, please try again.  maximum pending requests exceeded",
                "Ask again in a moment.",
            )

    async def _ensure(self, model: InstalledModel, context_tokens: int) -> Loaded:
        key = model.manifest.digest
        entry = self._loaded.get(key)
        if entry is not None and entry.process.is_dead:
            self._drop(entry)
            entry = None
        if entry is not None and context_tokens > entry.context_tokens:
            config = await self._config(model, context_tokens)
            if config.context_tokens > entry.context_tokens:
                self._retire(entry)
                entry = None
        if entry is None:
            entry = await self._load(model, context_tokens)
        return entry

    async def _load(self, model: InstalledModel, context_tokens: int) -> Loaded:
        self._quarantine.check(model.manifest.loaded_digest, str(model.name))
        await asyncio.to_thread(self._store.verify, model)
        config = await self._config(model, context_tokens)
        file = await asyncio.to_thread(inspect, model.path)
        need_bytes = need_bytes_of(file, config)
        async with self._loading:
            await self._make_room(model, need_bytes)
            process = WorkerProcess(config, partial(self._note_death, model), self._worker_program)
            try:
                await process.load(self._settings.load_timeout_s)
            except BaseException:
                process.kill()
                raise
            entry = Loaded(model, process, self._settings.keep_alive_s, need_bytes)
            entry.idle_since = self._clock()
            self._loaded[model.manifest.digest] = entry
            return entry

    async def _config(self, model: InstalledModel, context_tokens: int) -> WorkerConfig:
        file = await asyncio.to_thread(inspect, model.path)
        parts = await asyncio.to_thread(parts_of, self._store, model.manifest)
        settings = self._settings
        wanted = context_tokens or self.options(model).num_ctx or settings.context_length_tokens
        # An embedding model without a wish of its own may use all that it was trained for.
        if file.embeds and not context_tokens:
            wanted = self.options(model).num_ctx or file.context_length
        limits = (wanted, file.context_length or wanted, settings.max_context_length_tokens)
        # llama.cpp aborts where one token of each slot does not fit a step.
        least = min(settings.max_sequences + CACHE_SLOTS, MAX_SLOTS)
        batch = max(settings.batch_tokens, least)
        if file.embeds:
            batch = max(EMBED_BATCH_TOKENS, min(limits))
        return WorkerConfig(
            path=model.path,
            embeds=file.embeds,
            context_tokens=max(min(limits), 4),
            threads=settings.threads or len(os.sched_getaffinity(0)),
            max_sequences=settings.max_sequences,
            batch_tokens=batch,
            gentle_threads=settings.gentle_threads,
            memory_contexts=settings.memory_contexts,
            cached_contexts=settings.cached_contexts,
            draft_tokens=settings.draft_tokens,
            gpu_layers=settings.gpu_layers,
            adapters=parts.adapters,
            projector=parts.projector,
        )

    async def _make_room(self, model: InstalledModel, need_bytes: int) -> None:
        """Unload idle models until one more may be loaded; wait if all are at work.

        Raises TooLarge.
        """
        if need_bytes > self.budget_bytes:
            raise TooLarge(
                f"model '{model.name}' needs about {need_bytes / 2**30:.1f} GiB of memory, and"
                f" models may take {self.budget_bytes / 2**30:.1f} GiB",
                "Use a smaller model, ask for a smaller num_ctx, or raise"
                " LAMPLIGHT_RUNTIME_MEMORY_BYTES.",
            )
        while self._is_full(need_bytes):
            idle = [entry for entry in self._loaded.values() if not entry.active]
            if idle:
                await self._unload(min(idle, key=lambda entry: entry.idle_since))
            else:
                self._rested.clear()
                await self._rested.wait()

    def _is_full(self, need_bytes: int) -> bool:
        taken = sum(entry.need_bytes for entry in [*self._loaded.values(), *self._retiring])
        too_many = len(self._loaded) >= self._settings.max_loaded_models
        return too_many or taken + need_bytes > self.budget_bytes

    def _note_death(self, model: InstalledModel) -> None:
        if self._quarantine.note_death(model.manifest.loaded_digest):
            self._on_quarantine(model)

    def _retire(self, entry: Loaded) -> None:
        del self._loaded[entry.model.manifest.digest]
        self._stop_timer(entry)
        if entry.active:
            self._retiring.add(entry)
        else:
            self._spawn(entry)

    def _rest(self, entry: Loaded) -> None:
        """A request has ended: start the clock of an idle model, or let it go."""
        if entry.active:
            return
        entry.idle_since = self._clock()
        if entry in self._retiring:
            self._retiring.discard(entry)
            self._spawn(entry)
        elif entry.keep_alive_s == 0 or entry.process.is_dead:
            self._drop(entry)
            self._spawn(entry)
        elif entry.keep_alive_s > 0:
            loop = asyncio.get_running_loop()
            entry.timer = loop.call_later(entry.keep_alive_s, self._expire, entry)
        self._rested.set()

    def _expire(self, entry: Loaded) -> None:
        if not entry.active:
            self._drop(entry)
            self._spawn(entry)

    async def _unload(self, entry: Loaded) -> None:
        self._drop(entry)
        await asyncio.to_thread(entry.process.kill)

    def _spawn(self, entry: Loaded) -> None:
        """End a process without waiting for it."""
        task = asyncio.create_task(asyncio.to_thread(entry.process.kill))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _drop(self, entry: Loaded) -> None:
        self._stop_timer(entry)
        key = entry.model.manifest.digest
        if self._loaded.get(key) is entry:
            del self._loaded[key]

    def _stop_timer(self, entry: Loaded) -> None:
        if entry.timer is not None:
            entry.timer.cancel()
            entry.timer = None


def need_bytes_of(file: ModelFile, config: WorkerConfig) -> int:
    """What a worker with this configuration will take in memory."""
    batch_tokens = config.batch_tokens
    extra = sum(inspect(part).weights_bytes for part in config.adapters)
    if config.projector is not None:
        extra += inspect(config.projector).weights_bytes + SIGHT_BYTES
    if config.kept_tokens:
        extra += cells_bytes(file, config.kept_tokens)
    need = need_of(file, cells=config.cells, slots=config.slots, batch_tokens=batch_tokens)
    return need.total_bytes + extra


def _error_of(failed: Failed) -> ModelRuntimeError:
    kind: Any = getattr(errors, failed.kind, ModelRuntimeError)
    error: ModelRuntimeError = kind(failed.message, failed.hint)
    return error
