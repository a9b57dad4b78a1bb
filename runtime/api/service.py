"""What both dialects do with models: find one, check what it can do, and let it work."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, replace
from typing import Any, Protocol

from runtime.api.gate import Visit
from runtime.api.meter import Meter, answer_tokens_of, prompt_tokens_of
from runtime.api.refusal import Refused
from runtime.capabilities import (
    COMPLETION,
    EMBEDDING,
    INSERT,
    RERANK,
    VISION,
    InsertMarks,
    capabilities_of,
    insert_marks,
)
from runtime.chat import is_readable
from runtime.config import RuntimeSettings
from runtime.engine import Engine
from runtime.errors import BadName, BadRequest, ModelRuntimeError
from runtime.images import Limits, check_images
from runtime.inspect import ModelFile, inspect
from runtime.manifest import MESSAGES_TYPE, PROJECTOR_TYPE, SYSTEM_TYPE, TEMPLATE_TYPE
from runtime.modelfile import read_messages
from runtime.names import parse_name
from runtime.protocol import (
    Delta,
    Detokenize,
    Done,
    Embed,
    Generate,
    Rank,
    Scores,
    Tokenize,
    Vectors,
    Words,
)
from runtime.sampling import Options, read_options
from runtime.seeing import IMAGES
from runtime.store import InstalledModel, Store
from runtime.upstream_model import UpstreamModel
from runtime.upstreams import Upstreams


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


class Works(Protocol):
    """Who lets models work: our engine, or the servers that answer for them."""

    def use(
        self, model: InstalledModel, context_tokens: int, keep_alive_s: float | None, /
    ) -> AbstractAsyncContextManager[Any]:
        """Hold a model for the length of the block. Raises ModelRuntimeError."""
        ...

    def generate(self, entry: Any, job: Generate) -> AsyncGenerator[Delta | Done, None]:
        """Write an answer. Raises ModelRuntimeError. Leaving early cancels it."""
        ...

    async def embed(self, entry: Any, job: Embed) -> Vectors:
        """Make vectors. Raises ModelRuntimeError."""
        ...

    async def words(self, entry: Any, job: Tokenize | Detokenize, /) -> Words:
        """Tokens of a text, or the text of tokens. Raises ModelRuntimeError."""
        ...

    async def unload(self, model: InstalledModel, /) -> None:
        """Let a model go as soon as nobody uses it."""
        ...


class Service:
    """The models of one runtime."""

    def __init__(
        self,
        settings: RuntimeSettings,
        store: Store,
        engine: Engine,
        meter: Meter,
        upstreams: Upstreams | None = None,
    ) -> None:
        self.settings = settings
        self.store = store
        self.engine = engine
        self.upstreams = upstreams or Upstreams(())
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

    async def for_ranking(self, name: str) -> InstalledModel:
        """A model that scores texts. Raises Refused, BadName."""
        model = self.installed(name)
        if RERANK not in await self.capabilities(model):
            raise Refused(
                400,
                f'"{name}" does not support reranking',
                "Use a model with a rank head, such as a bge-reranker in GGUF form.",
            )
        return model

    async def for_answers(self, name: str, verb: str) -> InstalledModel:
        """A model that writes. verb: `chat` or `generate`. Raises Refused, BadName."""
        model = self.installed(name)
        if "image" in (model.config.get("capabilities") or ()):
            raise Refused(400, "image generation models are not currently supported")
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
        """The template that a model has in place of its file's; empty where it has none.

        Where it has one that we cannot read the file's own serves; so it does where upstream would
        use a renderer of its program, and the layer only fills the place.
        """
        if model.config.get("renderer"):
            return ""
        text = self.store.layer_text(model, TEMPLATE_TYPE)
        return text if is_readable(text) else ""

    async def template(self, model: InstalledModel) -> str:
        """The template that a model is asked with."""
        if isinstance(model, UpstreamModel):
            return ""  # its server has it, and we need not know it
        return self.own_template(model) or (await self.file(model)).chat_template

    def first_messages(self, model: InstalledModel) -> list[dict[str, str]]:
        """The messages that begin every conversation with a model."""
        text = self.store.layer_text(model, MESSAGES_TYPE)
        return read_messages(text) if text else []

    async def capabilities(
        self, model: InstalledModel, template: str | None = None
    ) -> tuple[str, ...]:
        """What a model can be asked for; what its list says where its file cannot be read."""
        if isinstance(model, UpstreamModel):
            return model.capabilities
        try:
            file = await self.file(model)
        except (ModelRuntimeError, OSError):
            return model.capabilities
        template = await self.template(model) if template is None else template
        found = capabilities_of(file, template)
        if COMPLETION in found and model.manifest.layers_of(PROJECTOR_TYPE):
            found = (*found, VISION)
        known = self._marks.get(model.manifest.model.digest) or INSERT in model.capabilities
        return (*found, INSERT) if known and not file.embeds and INSERT not in found else found

    async def insert_marks(self, model: InstalledModel) -> InsertMarks | None:
        """The marks for filling in, if its vocabulary has them. Raises BadModelFile."""
        if isinstance(model, UpstreamModel):
            return None
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
        works = self._works(model)
        async with self.meter.charged(visit, model, 0), works.use(model, 0, keep) as entry:
            loaded = time.perf_counter_ns()
            words = await works.words(entry, replace(job, id=self.engine.number()))
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
        works = self._works(model)
        async with self.meter.charged(visit, model, 0), works.use(model, 0, keep_alive_s):
            return

    async def unload(self, visit: Visit, model: InstalledModel) -> None:
        """Take a model out of memory."""
        async with self.meter.charged(visit, model, 0, works=False):
            await self._works(model).unload(model)

    async def answer(
        self, visit: Visit, model: InstalledModel, job: Generate, keep_alive_s: float | None
    ) -> AsyncGenerator[Delta | Finished, None]:
        """Write an answer; its end is given once it is recorded. Raises ModelRuntimeError."""
        check_images(images_of(job), self._image_limits)
        started = time.perf_counter_ns()
        works = self._works(model)
        most = answer_tokens_of(job, self._context_tokens(model))
        async with (
            self.meter.charged(visit, model, prompt_tokens_of(job), most) as tally,
            works.use(model, job.options.num_ctx, keep_alive_s) as entry,
        ):
            loaded = time.perf_counter_ns()
            share = visit.visitor.department_id or ""
            numbered = replace(job, id=self.engine.number(), share=share)
            tally.began = True
            async with aclosing(works.generate(entry, numbered)) as messages:
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
        works = self._works(model)
        async with (
            self.meter.charged(visit, model, prompt_tokens_of(job)) as tally,
            works.use(model, 0, keep_alive_s) as entry,
        ):
            loaded = time.perf_counter_ns()
            numbered = replace(job, id=self.engine.number())
            tally.began = True
            vectors = await works.embed(entry, numbered)
            tally.prompt_tokens = vectors.prompt_tokens
            total_ns = time.perf_counter_ns() - started
        return Embedded(vectors, total_ns, loaded - started)

    async def rank(self, visit: Visit, model: InstalledModel, job: Rank) -> Scores:
        """Score texts against a question. Raises ModelRuntimeError."""
        check_ranking(job, self.settings)
        async with (
            self.meter.charged(visit, model, prompt_tokens_of(job)) as tally,
            self.engine.use(model, 0, None) as entry,
        ):
            tally.began = True
            scores = await self.engine.rank(entry, replace(job, id=self.engine.number()))
            tally.prompt_tokens = scores.prompt_tokens
        return scores

    @property
    def _image_limits(self) -> Limits:
        settings = self.settings
        return Limits(settings.max_images, settings.max_image_bytes, settings.max_image_pixels)

    def _works(self, model: InstalledModel) -> Works:
        return self.upstreams if isinstance(model, UpstreamModel) else self.engine

    def _context_tokens(self, model: InstalledModel) -> int:
        """What an answer without a limit may take, for its reservation."""
        if isinstance(model, UpstreamModel):
            return model.upstream.context_tokens
        return self.settings.context_length_tokens


def images_of(job: Generate) -> list[bytes]:
    """Every picture of a request."""
    messages = job.messages or ()
    return [*job.images, *(one for message in messages for one in message.get(IMAGES) or ())]


def check_ranking(job: Rank, settings: RuntimeSettings) -> None:
    """Refuse too many or too long texts. Raises BadRequest."""
    limit, limit_bytes = settings.max_rerank_documents, settings.max_rerank_bytes
    if len(job.texts) > limit:
        raise BadRequest(f"more than {limit} documents", "Send them in several requests.")
    if any(len(text.encode(errors="replace")) > limit_bytes for text in (job.question, *job.texts)):
        raise BadRequest(
            f"the query or a document has more than {limit_bytes} bytes", "Send shorter texts."
        )
