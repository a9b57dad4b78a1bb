"""Works through runs over gold questions, one question after the other.

What is asked, and what came back, lies in the record question by question: a run that was cut off
goes on at the question it had reached. Each is asked as a person asks, by the same assistant and
behind the same walls, and before each it is looked at again whether whoever started the run may
still do so and whether the model may still work.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, nullcontext
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Protocol

import structlog

from governance.clock import Clock
from governance.errors import GovernanceError
from governance.evaluation_runs import FoundPassage, Measured, Run, RunStore
from governance.gold_questions import GoldQuestion, GoldQuestions
from governance.policies import PassageRecord, PolicyStore
from rag import prompt
from rag.asker import Asker
from rag.config import RagSettings
from rag.errors import AnswerCutShort, RagError
from rag.evaluate import Found, contains, exact, f1, is_hit
from rag.events import Answered, AskEvent, Checks
from rag.figures import figures_of
from rag.questions import Gold
from rag.schema import Answer, AnswerStatus, Passage

DEPTH = 10
# Where models and index are, for how long something is waited for, and keys decide no answer.
DECIDES_NOTHING = frozenset(
    {
        "index_dir",
        "chat_url",
        "embed_url",
        "api_key",
        "chat_key",
        "runtime_url",
        "runtime_key_path",
        "index_reserve_bytes",
        "question_max_chars",
        "search_max",
    }
)

# Whether the turn is still ours, or None where it is somebody else's.
Turn = AbstractContextManager[Callable[[], bool] | None]

log = structlog.get_logger(__name__)


class Answers(Protocol):
    """What a run needs of the assistant; `rag.pipelines.Assistant` is one."""

    async def search(
        self,
        query: str,
        department: str,
        k: int | None = None,
        asker: Asker = ...,
        as_of: datetime | None = None,
    ) -> tuple[Passage, ...]:
        """The passages nearest to a question. Raises RagError."""
        ...

    def ask(
        self, question: str, department: str, asker: Asker = ...
    ) -> AsyncGenerator[AskEvent, None]:
        """What happens while a question is answered. Raises RagError."""
        ...

    async def aclose(self) -> None:
        """Close its connections."""
        ...


def configuration_of(settings: RagSettings, chat_model: str) -> dict[str, Any]:
    """Everything that decides how a question is answered."""
    left_out = ("qdrant_", "runtime_")
    used = {
        one.name: getattr(settings, one.name)
        for one in fields(settings)
        if one.name not in DECIDES_NOTHING
        and not one.name.startswith(left_out)
        and not one.name.endswith("timeout_s")
    }
    return {**used, "chat_model": chat_model, "prompt_version": prompt.version()}


class Evaluations:
    """Works through the runs that are open.

    make: an assistant with this chat model. admit: raises GovernanceError where a run may not go
    on. turn_of: keeps other processes from a run; None where one of them works through it.
    """

    def __init__(
        self,
        runs: RunStore,
        gold: GoldQuestions,
        policies: PolicyStore,
        make: Callable[[str], Answers],
        admit: Callable[[Run], None],
        clock: Clock,
        turn_of: Callable[[str], Turn] = lambda _run_id: nullcontext(lambda: True),
    ) -> None:
        self._turn_of = turn_of
        self._runs = runs
        self._gold = gold
        self._policies = policies
        self._make = make
        self._admit = admit
        self._clock = clock

    def work(self, is_stopping: Callable[[], bool]) -> None:
        """Work until no run is open, or until we are to stop; for a thread."""
        for run in self._runs.open_runs():
            if is_stopping():
                return
            with self._turn_of(run.id) as is_ours:
                if is_ours is not None:
                    asyncio.run(self._work_on(run, is_stopping, is_ours))

    async def _work_on(
        self, run: Run, is_stopping: Callable[[], bool], is_ours: Callable[[], bool]
    ) -> None:
        assistant = self._make(run.configuration["chat_model"])
        try:
            for item in self._runs.items(run.id):
                if item.measured is not None:
                    continue
                if is_stopping() or not is_ours() or not self._runs.run(run.id).is_open:
                    return
                self._admit(run)
                gold = self._gold.one(run.department_id, item.asked.gold_id, self._clock())
                measured = await self._measured(run, item.asked.question, gold, assistant)
                # What failed because we end is asked again after the next start.
                if measured.status == "failed" and is_stopping():
                    return
                if not is_ours():
                    return
                self._runs.note(run.id, item.number, measured, self._clock())
        except GovernanceError as error:
            self._runs.fail(run.id, error.message, error.hint, self._clock())
            return
        except Exception:
            # Or it would be begun again every second.
            hint = "Start it again; what happened stands in the log of the platform."
            self._runs.fail(run.id, "The evaluation ended in an error.", hint, self._clock())
            raise
        finally:
            await assistant.aclose()
        self._runs.finish(run.id, figures_of(self._runs.items(run.id)), self._clock())

    async def _measured(
        self, run: Run, question: str, gold: GoldQuestion, assistant: Answers
    ) -> Measured:
        place = next(one for one in self._policies.departments() if one.id == run.department_id)
        asker = Asker(run.actor.person_id, run.department_id, run.id)
        began = time.perf_counter()
        try:
            found = await assistant.search(question, place.name, DEPTH, asker)
            search_ms = 1000 * (time.perf_counter() - began)
            answered = await _answered(assistant.ask(question, place.name, asker))
        except RagError as error:
            log.warning("a gold question was not answered", run=run.id, error=str(error))
            return Measured("failed", error=error.message)
        measured = self._scored(gold, place.name, found, answered.answer, search_ms)
        return replace(measured, scores={**measured.scores, **_how_sure(answered.checks)})

    def _scored(
        self,
        gold: GoldQuestion,
        department: str,
        found: Sequence[Passage],
        answer: Answer,
        search_ms: float,
    ) -> Measured:
        by_id = {one.passage_id: one for one in (*found, *answer.passages)}
        valid = self._policies.passages_in_force(tuple(by_id), department)
        places = tuple(Gold(place.doc, place.evidence) for place in gold.places)
        judged = {name: _judged(one, valid, places, department) for name, one in by_id.items()}
        text = answer.answer if answer.status is AnswerStatus.ANSWERED else ""
        scores = {
            "exact": exact(text, gold.answers),
            "f1": f1(text, gold.answers),
            "contains": contains(text, gold.answers, gold.answer_type),
        }
        return Measured(
            answer.status.value,
            answer.answer,
            tuple(judged[one.passage_id] for one in found),
            tuple(judged[one.passage_id] for one in answer.citations),
            scores if gold.answerable else {},
            {**answer.timings_ms, "search": search_ms},
        )


async def _answered(events: AsyncGenerator[AskEvent, None]) -> Answered:
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Answered):
                return event
    raise AnswerCutShort


def _how_sure(checks: Checks) -> dict[str, float]:
    return {} if checks.confidence is None else {"confidence": checks.confidence}


def _judged(
    passage: Passage,
    valid: Mapping[str, PassageRecord],
    gold: Sequence[Gold],
    department: str,
) -> FoundPassage:
    known = valid.get(passage.passage_id)
    file_name = known.file_name if known else ""
    return FoundPassage(
        passage.passage_id,
        passage.document_id,
        passage.version,
        is_hit=is_hit(Found(file_name, passage.text), gold),
        in_force=known is not None,
        is_own=passage.department == department,
    )
