"""The assistant: two Haystack pipelines, one that finds passages and one that answers from them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import perf_counter
from typing import Any
from uuid import uuid4

import openai
from haystack import Pipeline
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.core.errors import PipelineRuntimeError
from haystack.dataclasses import ChatMessage, StreamingChunk

from rag import followup, generate, prompt, scope
from rag.abstain import confidence
from rag.answer import Draft, cite
from rag.asker import NOBODY, Asker
from rag.check import gather
from rag.config import RagSettings
from rag.embed import Embedder
from rag.errors import RagError, RuntimeTooSlow
from rag.events import Answered, AskEvent, PassagesFound, TokenReleased
from rag.forms import wants_sentence
from rag.index import Hit, PassageIndex
from rag.query import Forms, written_out
from rag.retrieve import citable, clean_limit, clean_question, elsewhere
from rag.schema import Answer, AnswerStatus, Citation, Passage, Turn
from rag.steps import (
    Gate,
    HybridSearch,
    PassagesInForce,
    PromptWriter,
    QuestionVector,
    RecordCheck,
    Verdict,
)
from rag.tally import Tally

__all__ = ["Answered", "AskEvent", "Assistant", "PassagesFound", "PassagesInForce", "TokenReleased"]

NOT_FOUND_TEXT = "We did not find this in the current {department} policies."


def search_pipeline(
    settings: RagSettings,
    index: PassageIndex,
    embedder: Embedder,
    passages_in_force: PassagesInForce,
) -> Pipeline:
    """question → vector → hits of both searches, fused → passages that the record confirms."""
    pipeline = Pipeline()
    pipeline.add_component("vector", QuestionVector(embedder, settings))
    pipeline.add_component("search", HybridSearch(index))
    pipeline.add_component("record", RecordCheck(passages_in_force))
    pipeline.connect("vector.vector", "search.vector")
    pipeline.connect("search.hits", "record.hits")
    return pipeline


def answer_pipeline(
    settings: RagSettings, judge: OpenAIChatGenerator, model: OpenAIChatGenerator
) -> Pipeline:
    """passages → may they answer? → prompts → does the model think so? → its text, streamed."""
    pipeline = Pipeline()
    pipeline.add_component("gate", Gate(settings))
    pipeline.add_component("prompt", PromptWriter(settings))
    pipeline.add_component("judge", judge)
    pipeline.add_component("verdict", Verdict(settings))
    pipeline.add_component("model", model)
    pipeline.connect("gate.sources", "prompt.sources")
    pipeline.connect("gate.evidence", "verdict.evidence")
    pipeline.connect("prompt.judge", "judge.messages")
    pipeline.connect("prompt.answer", "verdict.messages")
    pipeline.connect("judge.replies", "verdict.replies")
    pipeline.connect("verdict.messages", "model.messages")
    return pipeline


@dataclass(frozen=True, slots=True)
class _Found:
    """What a search brought: passages, and the cosine of each to the question."""

    passages: tuple[Passage, ...]
    similarities: tuple[float | None, ...]
    keyword_only: bool


@dataclass(slots=True)
class _Clock:
    """Milliseconds since a question came in."""

    start: float = field(default_factory=perf_counter)
    timings_ms: dict[str, int] = field(default_factory=dict)

    def note(self, name: str) -> None:
        """Note the time of an event, the first time it happens."""
        self.timings_ms.setdefault(name, round(1000 * (perf_counter() - self.start)))


def _no_forms(_department: str) -> Forms:
    return {}


class Assistant:
    """Answers questions from one department's policies in force; one object serves many at once."""

    def __init__(
        self,
        settings: RagSettings,
        index: PassageIndex,
        embedder: Embedder,
        passages_in_force: PassagesInForce,
        abbreviations: Callable[[str], Forms] = _no_forms,
    ) -> None:
        """abbreviations: those of a department, by its name."""
        self._settings = settings
        self._embedder = embedder
        self._abbreviations = abbreviations
        self._rewriter = generate.rewriter(settings)
        self._search = search_pipeline(settings, index, embedder, passages_in_force)
        self._judge = generate.judge(settings)
        self._model = generate.generator(settings)
        self._answer = answer_pipeline(settings, self._judge, self._model)
        self._identity = generate.ModelIdentity(settings)

    async def search(
        self,
        query: str,
        department: str,
        k: int | None = None,
        asker: Asker = NOBODY,
        as_of: datetime | None = None,
    ) -> tuple[Passage, ...]:
        """Return the passages nearest to a question, best first. Raises RagError.

        as_of: search what was, or will be, in force then; None is now.
        """
        query = clean_question(query, self._settings)
        limit = clean_limit(k, self._settings)
        query = await self._written_out(query, department)
        return (await self._find(query, department, limit, asker, as_of)).passages

    async def ask(
        self,
        question: str,
        department: str,
        asker: Asker = NOBODY,
        tally: Tally | None = None,
        as_of: datetime | None = None,
        earlier: Sequence[Turn] = (),
    ) -> AsyncGenerator[AskEvent, None]:
        """Yield what happens; closing the generator stops the model. Raises RagError.

        tally: is told what the model took, as it happens. as_of: as for `search`. earlier: the
        conversation that the question goes on with.
        """
        clock, tally = _Clock(), tally or Tally()
        given = asked = clean_question(question, self._settings)
        reply = scope.guard(asked, self._settings.emergency_number)
        if reply is None:
            asked = await self._understood(asked, earlier, asker, tally)
        question = await self._written_out(asked, department)
        found = await self._find(question, department, self._settings.search_limit, asker, as_of)
        clock.note("search")
        as_understood = question if question != given else None
        yield PassagesFound(found.passages, found.keyword_only, as_understood)
        if reply is not None:
            yield await self._refused(found, reply, clock)
            return
        texts = [(one.text, f"{one.title} > {one.section}".strip(" >")) for one in found.passages]
        may = citable(found.passages, self._settings.prompt_passages)
        sources = gather(question, texts, may)
        draft = Draft(sources, self._settings.min_support, verbatim=wants_sentence(question))
        pieces = self._write(question, found, draft, asker, tally)
        try:
            async for piece in pieces:
                clock.note("first_token")
                yield TokenReleased(piece)
        finally:
            await pieces.aclose()
        yield replace(await self._answered(found, draft, department, clock), took=tally.took)

    async def aclose(self) -> None:
        """Close the connections to the runtime; the index belongs to who passed it."""
        await self._embedder.aclose()
        await self._rewriter.close_async()
        await self._judge.close_async()
        await self._model.close_async()

    async def _written_out(self, question: str, department: str) -> str:
        return written_out(question, await asyncio.to_thread(self._abbreviations, department))

    async def _understood(
        self, question: str, earlier: Sequence[Turn], asker: Asker, tally: Tally
    ) -> str:
        """The question as it can be understood alone; without the model, with the last one."""
        if not earlier or followup.stands_alone(question):
            return question
        told = followup.told(question, earlier)
        messages = [ChatMessage.from_system(prompt.followup()), ChatMessage.from_user(told)]
        tally.begin(told)
        sent = {"extra_headers": asker.headers()}
        try:
            result = await self._rewriter.run_async(messages, generation_kwargs=sent)
        except openai.OpenAIError as error:
            raise generate.fault(error, self._settings, started=False) from error
        reply = result["replies"][0]
        tally.hear(reply.text or "", generate.counted(reply.meta))
        return followup.understood(reply.text or "", question, earlier)

    async def _find(
        self, question: str, department: str, limit: int, asker: Asker, as_of: datetime | None
    ) -> _Found:
        at = as_of or datetime.now(UTC)
        depth = max(limit, self._settings.search_candidates)
        given = {
            "vector": {"question": question, "asker": asker},
            "search": {"question": question, "department": department, "depth": depth, "at": at},
            "record": {"department": department, "limit": limit, "at": at, "question": question},
        }
        try:
            result = await self._search.run_async(given, include_outputs_from={"vector", "search"})
        except PipelineRuntimeError as error:
            raise _own(error) from error
        hits: list[Hit] = result["search"]["hits"]
        near = {hit.passage_id: hit.similarity for hit in hits}
        passages: tuple[Passage, ...] = result["record"]["passages"]
        similarities = tuple(near[one.passage_id] for one in passages)
        return _Found(passages, similarities, result["vector"]["vector"] is None)

    async def _write(
        self, question: str, found: _Found, draft: Draft, asker: Asker, tally: Tally
    ) -> AsyncGenerator[str, None]:
        """Yield released text. Raises ModelError."""
        given = {
            "gate": {
                "question": question,
                "sources": draft.sources,
                "similarities": found.similarities,
            },
            # A plain function: Haystack copies what it is given, and a copy would count for nobody.
            "prompt": {"question": question, "written_to": lambda text: tally.begin(text)},
            "judge": {"generation_kwargs": {"extra_headers": asker.headers()}},
            "verdict": {"heard": lambda text, counted: tally.hear(text, counted)},
            "model": {"generation_kwargs": {"extra_headers": asker.headers()}},
        }
        handle = self._answer.stream(given, streaming_components=["model"])
        chunks = aiter(handle)
        deadline = asyncio.get_running_loop().time() + self._settings.answer_timeout_s
        started = False
        try:
            # The limit stands around each wait, not around a yield: there it would stop the reader.
            while (chunk := await _next(chunks, deadline)) is not None:
                started = True
                tally.hear(chunk.content, generate.counted(chunk.meta))
                if released := draft.feed(chunk.content):
                    yield released
        except TimeoutError as error:
            raise RuntimeTooSlow(self._settings.answer_timeout_s) from error
        except PipelineRuntimeError as error:
            raise generate.fault(error, self._settings, started=started) from error
        finally:
            await handle.aclose()  # ends the request to the model, whoever left first
        draft.checks = replace(draft.checks, confidence=self._confidence(handle.result))
        if "model" in handle.result:
            reason = generate.finish_reason(handle.result["model"])
            if released := draft.finish(cut_off=reason == "length"):
                yield released
            if released := draft.fall_back(question):
                yield released
            if released := draft.point_out(elsewhere(found.passages)):
                yield released

    def _confidence(self, result: Mapping[str, Mapping[str, Any]]) -> float | None:
        """How sure the last step was that weighed the evidence; None where none did."""
        if judged := result.get("verdict", {}).get("evidence"):
            return confidence(judged, self._settings.chat_model)
        weak = result.get("gate", {}).get("weak")
        return None if weak is None else confidence(weak)

    async def _answered(
        self, found: _Found, draft: Draft, department: str, clock: _Clock
    ) -> Answered:
        text = draft.text or NOT_FOUND_TEXT.format(department=department)
        status = AnswerStatus.ANSWERED if draft.text else AnswerStatus.NOT_FOUND
        cited = cite(draft.cited, found.passages, datetime.now(UTC).date())
        return Answered(await self._made(found, status, text, cited, clock), draft.checks)

    async def _refused(self, found: _Found, reply: scope.Reply, clock: _Clock) -> Answered:
        """The set reply to a question that no policy answers, with the policies near it."""
        return Answered(await self._made(found, AnswerStatus.REFUSED, reply.text, (), clock))

    async def _made(
        self,
        found: _Found,
        status: AnswerStatus,
        text: str,
        citations: tuple[Citation, ...],
        clock: _Clock,
    ) -> Answer:
        model = await self._identity.describe()
        clock.note("total")
        return Answer(
            id=uuid4().hex,
            status=status,
            answer=text,
            citations=citations,
            passages=found.passages,
            model=model,
            prompt_version=prompt.version(),
            timings_ms=clock.timings_ms,
        )


async def _next(chunks: AsyncIterator[StreamingChunk], deadline: float) -> StreamingChunk | None:
    async with asyncio.timeout_at(deadline):
        return await anext(chunks, None)


def _own(error: BaseException) -> RagError:
    """Return our own error inside Haystack's, which quotes it and must not be shown."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, RagError):
            return cause
        cause = cause.__cause__ or cause.__context__
    raise error
