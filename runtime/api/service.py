"""What both dialects do with models: find one, check what it can do, and let it work."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from runtime.api.gate import Visit
from runtime.api.meter import Meter, answer_tokens_of, prompt_tokens_of
from runtime.api.refusal import Refused
from runtime.capabilities import (
    EMBEDDING,
    INSERT,
    InsertMarks,
    capabilities_of,
    insert_marks,
    is_go_template,
)
from runtime.config import RuntimeSettings
from runtime.engine import Engine
from runtime.errors import BadName, BadRequest, ModelRuntimeError
from runtime.inspect import ModelFile, inspect
from runtime.manifest import ADAPTER_TYPE, MESSAGES_TYPE, SYSTEM_TYPE, TEMPLATE_TYPE
from runtime.modelfile import read_messages
from runtime.names import parse_name
from runtime.protocol import (
    Delta,
    Detokenize,
    Done,
    Embed,
    Generate,
    Tokenize,
    Vectors,
    Words,
)
from runtime.sampling import Options, read_options
from runtime.store import InstalledModel, Store


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of an answer with the times that only the front knows, in nanoseconds."""

    done: Done
    total_ns: int
    load_ns: int


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors with the times of the front, in nanoseconds."""

    vectors: Vectors
    total_ns: int
    load_ns: int


@dataclass(frozen=True, slots=True)
class Worded:
    """A text and its tokens with the times of the front, in nanoseconds."""

    words: Words
    total_ns: int
    load_ns: int


class Service:
    """The models of one runtime."""

    def __init__(
        self, settings: RuntimeSettings, store: Store, engine: Engine, meter: Meter
    ) -> None:
        self.settings = settings
        self.store = store
        self.engine = engine
        self.meter = meter
        self._marks: dict[str, InsertMarks | None] = {}
        self._files: dict[tuple[str, bool], ModelFile] = {}

    def find(self, name: str) -> InstalledModel:
        """An installed model. Raises BadName, UnknownModel."""
        return self.store.read(parse_name(name))

    def installed(self, name: str) -> InstalledModel:
        """An installed model, under the name as it was asked for. Raises BadName, Refused."""
        known = self.store.find(parse_name(name))
        if known is None:
            raise Refused(404, f"model '{name}' not found", f"Run: lamplight pull {name}")
        return self.store.read(known)

    async def for_embedding(self, name: str) -> InstalledModel:
        """A model for vectors. Raises Refused."""
        hint = f"Run: lamplight pull {name}"
        if not name:
            raise Refused(404, "model '' not found", "Name a model.")
        try:
            known = self.store.find(parse_name(name))
        except BadName:
            known = None
        if known is None:
            raise Refused(404, f'model "{name}" not found, try pulling it first', hint)
        model = self.store.read(known)
        if EMBEDDING not in await self.capabilities(model):
            raise Refused(
                400,
                f'"{name}" does not support embeddings',
                "Use an embedding model, such as all-minilm.",
            )
        return model

    async def for_answers(self, name: str, verb: str) -> InstalledModel:
        """A model that writes. verb: `chat` or `generate`. Raises Refused, BadName."""
        model = self.installed(name)
        if model.manifest.layers_of(ADAPTER_TYPE):
            raise Refused(400, f'"{name}" has adapters, which are not supported', "Merge them.")
        if "completion" not in await self.capabilities(model):
            raise Refused(400, f'"{name}" does not support {verb}', "Use a model that writes text.")
        return model

    def options(self, model: InstalledModel, given: Mapping[str, Any]) -> Options:
        """The options of a request over those of the model. Raises BadRequest."""
        options = read_options(given, self.engine.options(model))
        limit = self.settings.max_context_length_tokens
        if options.num_ctx > limit:
            raise BadRequest(
                f"num_ctx {options.num_ctx} is over the limit of {limit}", "Ask for less."
            )
        return options

    def system_text(self, model: InstalledModel) -> str:
        """The system message that a model comes with."""
        return self.store.layer_text(model, SYSTEM_TYPE)

    def own_template(self, model: InstalledModel) -> str:
        """The template that a model has in place of its file's; empty where it has none of ours.

        What Ollama keeps beside a file is written in Go's language; the file's own serves then.
        """
        text = self.store.layer_text(model, TEMPLATE_TYPE)
        return "" if is_go_template(text) else text

    async def template(self, model: InstalledModel) -> str:
        """The template that a model is asked with."""
        return self.own_template(model) or (await self.file(model)).chat_template

    def first_messages(self, model: InstalledModel) -> list[dict[str, str]]:
        """The messages that begin every conversation with a model."""
        text = self.store.layer_text(model, MESSAGES_TYPE)
        return read_messages(text) if text else []

    async def capabilities(
        self, model: InstalledModel, template: str | None = None
    ) -> tuple[str, ...]:
        """What a model can be asked for; what its list says where its file cannot be read."""
        try:
            file = await self.file(model)
        except (ModelRuntimeError, OSError):
            return model.capabilities
        template = await self.template(model) if template is None else template
        found = capabilities_of(file, template)
        known = self._marks.get(model.manifest.model.digest) or INSERT in model.capabilities
        return (*found, INSERT) if known and not file.embeds and INSERT not in found else found

    async def insert_marks(self, model: InstalledModel) -> InsertMarks | None:
        """The marks for filling in, if its vocabulary has them. Raises BadModelFile."""
        digest = model.manifest.model.digest
        if digest not in self._marks:
            file = await self.file(model, whole=True)
            words = file.keys.get("tokenizer.ggml.tokens")
            self._marks[digest] = insert_marks(words if isinstance(words, list) else [])
        return self._marks[digest]

    async def words(
        self, visit: Visit, model: InstalledModel, job: Tokenize | Detokenize, keep: float | None
    ) -> Worded:
        """Tokens of a text, or the text of tokens. Raises ModelRuntimeError."""
        started = time.perf_counter_ns()
        async with self.meter.charged(visit, model, 0), self.engine.use(model, 0, keep) as entry:
            loaded = time.perf_counter_ns()
            words = await self.engine.words(entry, replace(job, id=self.engine.number()))
        return Worded(words, time.perf_counter_ns() - started, loaded - started)

    async def file(self, model: InstalledModel, *, whole: bool = False) -> ModelFile:
        """What the model file says of itself. Raises BadModelFile."""
        key = (model.manifest.model.digest, whole)
        if key not in self._files:
            found = await asyncio.to_thread(inspect, model.path, whole_arrays=whole)
            if whole:
                return found  # a vocabulary is too large to keep for a rare question
            self._files[key] = found
        return self._files[key]

    async def load(self, visit: Visit, model: InstalledModel, keep_alive_s: float | None) -> None:
        """Bring a model into memory, or take it out if it shall not stay. Raises LoadFailed."""
        if keep_alive_s == 0:
            await self.unload(visit, model)
            return
        async with self.meter.charged(visit, model, 0), self.engine.use(model, 0, keep_alive_s):
            return

    async def unload(self, visit: Visit, model: InstalledModel) -> None:
        """Take a model out of memory."""
        async with self.meter.charged(visit, model, 0, works=False):
            await self.engine.unload(model)

    async def answer(
        self, visit: Visit, model: InstalledModel, job: Generate, keep_alive_s: float | None
    ) -> AsyncGenerator[Delta | Finished, None]:
        """Write an answer; its end is given once it is recorded. Raises ModelRuntimeError."""
        started = time.perf_counter_ns()
        most = answer_tokens_of(job, self.settings.context_length_tokens)
        async with (
            self.meter.charged(visit, model, prompt_tokens_of(job), most) as tally,
            self.engine.use(model, job.options.num_ctx, keep_alive_s) as entry,
        ):
            loaded = time.perf_counter_ns()
            share = visit.visitor.department_id or ""
            numbered = replace(job, id=self.engine.number(), share=share)
            tally.began = True
            async with aclosing(self.engine.generate(entry, numbered)) as messages:
                async for message in messages:
                    if isinstance(message, Delta):
                        tally.answer_tokens += 1
                        yield message
                    else:
                        tally.prompt_tokens = message.prompt_tokens
                        tally.answer_tokens = message.answer_tokens
                        now = time.perf_counter_ns()
                        finished = Finished(message, now - started, loaded - started)
        yield finished

    async def embed(
        self, visit: Visit, model: InstalledModel, job: Embed, keep_alive_s: float | None
    ) -> Embedded:
        """Make vectors. Raises ModelRuntimeError."""
        if len(job.texts) > self.settings.max_embed_inputs:
            limit = self.settings.max_embed_inputs
            raise BadRequest(f"more than {limit} inputs", "Send them in several requests.")
        started = time.perf_counter_ns()
        async with (
            self.meter.charged(visit, model, prompt_tokens_of(job)) as tally,
            self.engine.use(model, 0, keep_alive_s) as entry,
        ):
            loaded = time.perf_counter_ns()
            numbered = replace(job, id=self.engine.number())
            tally.began = True
            vectors = await self.engine.embed(entry, numbered)
            tally.prompt_tokens = vectors.prompt_tokens
            total_ns = time.perf_counter_ns() - started
        return Embedded(vectors, total_ns, loaded - started)
