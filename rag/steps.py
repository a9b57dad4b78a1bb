"""The Haystack components: thin shells around the plain functions and the doors.

A component with `run` alone runs in a thread of the default pool, which is where the index and
the record belong: both block.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from haystack import component
from haystack.dataclasses import ChatMessage

from governance.policies import PassageRecord
from rag import abstain, generate, prompt
from rag.asker import NOBODY, Asker
from rag.check import Sources
from rag.config import RagSettings
from rag.embed import Embedder
from rag.errors import ModelError
from rag.index import Hit, PassageIndex
from rag.retrieve import confirmed
from rag.schema import Passage
from rag.tally import Counted

PassagesInForce = Callable[[Sequence[str], str, datetime], Mapping[str, PassageRecord]]


@component
class QuestionVector:
    """Turns the question into a vector; where the runtime gives none, into None."""

    def __init__(self, embedder: Embedder, settings: RagSettings) -> None:
        self._embedder = embedder
        self._timeout_s = settings.question_timeout_s

    @component.output_types(vector=list[float] | None)
    def run(self, question: str, asker: Asker = NOBODY) -> dict[str, list[float] | None]:
        """Serve Haystack's blocking form, which nothing here calls."""
        return {"vector": self._embedder.embed([question], asker)[0]}

    @component.output_types(vector=list[float] | None)
    async def run_async(
        self, question: str, asker: Asker = NOBODY
    ) -> dict[str, list[float] | None]:
        """Search must work while the runtime restarts, so its failure is a value here."""
        try:
            vectors = await self._embedder.aembed([question], self._timeout_s, asker)
            return {"vector": vectors[0]}
        except ModelError:
            return {"vector": None}


@component
class HybridSearch:
    """Asks the index once for both kinds of nearness."""

    def __init__(self, index: PassageIndex) -> None:
        self._index = index

    @component.output_types(hits=list[Hit])
    def run(
        self,
        question: str,
        department: str,
        vector: list[float] | None,
        depth: int,
        at: datetime,
    ) -> dict[str, list[Hit]]:
        """Search deeper than is shown: the record may refuse some."""
        found = self._index.search(department, question, vector, depth, at.timestamp())
        return {"hits": found}


@component
class RecordCheck:
    """Drops every hit that the record does not confirm as in force."""

    def __init__(self, passages_in_force: PassagesInForce) -> None:
        self._passages_in_force = passages_in_force

    @component.output_types(passages=tuple[Passage, ...])
    def run(
        self, hits: list[Hit], department: str, limit: int, at: datetime, question: str = ""
    ) -> dict[str, tuple[Passage, ...]]:
        """Read the texts from the record; the index holds none."""
        records = self._passages_in_force([hit.passage_id for hit in hits], department, at)
        return {"passages": confirmed(hits, records, department, limit, question)}


def _nobody(_prompt: str) -> None:
    """Nobody counts."""


def _unheard(_text: str, _counted: Counted | None) -> None:
    """Nobody counts."""


@component
class Gate:
    """Lets the question through to the model only where the passages may answer it."""

    def __init__(self, settings: RagSettings) -> None:
        self._settings = settings

    @component.output_types(sources=Sources, evidence=abstain.Evidence, weak=abstain.Evidence)
    def run(
        self, question: str, sources: Sources, similarities: tuple[float | None, ...]
    ) -> dict[str, Sources | abstain.Evidence]:
        """Give `sources` and `evidence`, and the next step runs, or `weak`, and none does."""
        evidence = abstain.weigh_evidence(question, sources, similarities)
        if sources.all and abstain.confidence(evidence) >= self._settings.min_evidence:
            return {"sources": sources, "evidence": evidence}
        return {"weak": evidence}


@component
class PromptWriter:
    """Writes the numbered passages and the question into the templates."""

    def __init__(self, settings: RagSettings) -> None:
        self._settings = settings

    @component.output_types(judge=list[ChatMessage], answer=list[ChatMessage])
    def run(
        self, question: str, sources: Sources, written_to: Callable[[str], None] = _nobody
    ) -> dict[str, list[ChatMessage]]:
        """Give the messages of both prompts; written_to is told the text of the longer one."""
        limits = (self._settings.prompt_passages, self._settings.prompt_tokens)
        written = prompt.write(question, sources, *limits)
        written_to(written.system + max(written.judge, written.answer, key=len))
        system = ChatMessage.from_system(written.system)
        return {
            "judge": [system, ChatMessage.from_user(written.judge)],
            "answer": [system, ChatMessage.from_user(written.answer)],
        }


@component
class Verdict:
    """Adds the model's own chance to the evidence and decides whether an answer is written."""

    def __init__(self, settings: RagSettings) -> None:
        self._settings = settings

    @component.output_types(messages=list[ChatMessage], evidence=abstain.Evidence)
    def run(
        self,
        evidence: abstain.Evidence,
        replies: list[ChatMessage],
        messages: list[ChatMessage],
        heard: Callable[[str, Counted | None], None] = _unheard,
    ) -> dict[str, abstain.Evidence | list[ChatMessage]]:
        """Give the evidence, and `messages` where it is enough."""
        reply = replies[0]
        heard(reply.text or "", generate.counted(reply.meta))
        weighed = replace(evidence, chance=generate.chance(reply))
        sure = abstain.confidence(weighed, self._settings.chat_model)
        if sure >= self._settings.min_confidence:
            return {"evidence": weighed, "messages": messages}
        return {"evidence": weighed}
