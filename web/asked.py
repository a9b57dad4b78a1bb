"""One question from the first search to its end, as the page shows it.

A question is `searching` until its passages are found, `reading` until the first checked sentence
is released, `writing` until its end, and then `done` (an answer or a problem). A question whose
reader went away before the end stays behind as `cut_short`; nothing leads back.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from governance.errors import GovernanceError
from rag.asker import NOBODY, Asker
from rag.errors import RagError
from rag.events import Answered, AskEvent, Checks, PassagesFound, TokenReleased
from rag.schema import Answer, Passage, Turn
from rag.tally import Tally
from web.conversation import MAX_TURNS
from web.errors import AccessEnded, PolicyChanged
from web.problems import Problem, problem_of


class Stage(StrEnum):
    """How far a question is."""

    SEARCHING = "searching"
    READING = "reading"
    WRITING = "writing"
    DONE = "done"
    CUT_SHORT = "cut_short"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and all that is known of its answer so far; nobody but its owner sees it.

    understood: as it was searched, where that is not as it was asked. earlier: what it follows on.
    """

    id: str
    owner: str
    question: str
    department: str
    policies: int
    stage: Stage = Stage.SEARCHING
    passages: tuple[Passage, ...] = ()
    keyword_only: bool = False
    understood: str | None = None
    earlier: tuple[Turn, ...] = ()
    text: str = ""
    answer: Answer | None = None
    checks: Checks | None = None
    problem: Problem | None = None


class Asks(Protocol):
    """What the pages need of the assistant; `rag.pipelines.Assistant` is one."""

    async def search(
        self,
        query: str,
        department: str,
        k: int | None = None,
        asker: Asker = NOBODY,
        as_of: datetime | None = None,
    ) -> tuple[Passage, ...]:
        """The passages nearest to a question, of what is in force at a time. Raises RagError."""
        ...

    def ask(
        self,
        question: str,
        department: str,
        asker: Asker = NOBODY,
        tally: Tally | None = None,
        as_of: datetime | None = None,
        earlier: Sequence[Turn] = (),
    ) -> AsyncGenerator[AskEvent, None]:
        """What happens while the question is answered. Raises RagError.

        tally: is told what the model took, as it happens. earlier: the conversation before it.
        """
        ...


def outdated(asked: Asked) -> Asked:
    """The question without its answer: a policy that it was taken from has changed since."""
    return replace(
        asked,
        stage=Stage.DONE,
        passages=(),
        text="",
        answer=None,
        checks=None,
        problem=problem_of(PolicyChanged()),
    )


def conversation(asked: Asked) -> tuple[Turn, ...]:
    """What a question that follows on this one goes on with; nothing where it has no answer."""
    if asked.answer is None:
        return ()
    return (*asked.earlier, Turn(asked.question, asked.answer.answer))[-MAX_TURNS:]


async def follow(
    events: AsyncGenerator[AskEvent, None], asked: Asked
) -> AsyncGenerator[Asked, None]:
    """The question after each event; the model stops as soon as nobody listens any more."""
    try:
        async with aclosing(events):
            async for event in events:
                asked = after(asked, event)
                yield asked
    except (RagError, AccessEnded, PolicyChanged, GovernanceError) as error:
        yield replace(asked, stage=Stage.DONE, problem=problem_of(error))


def after(asked: Asked, event: AskEvent) -> Asked:
    """What is known once this event has happened."""
    match event:
        case PassagesFound(passages, keyword_only, understood):
            return replace(
                asked,
                stage=Stage.READING,
                passages=passages,
                keyword_only=keyword_only,
                understood=understood,
            )
        case TokenReleased(text):
            return replace(asked, stage=Stage.WRITING, text=asked.text + text)
        case Answered(answer, checks):
            return replace(asked, stage=Stage.DONE, answer=answer, checks=checks)
