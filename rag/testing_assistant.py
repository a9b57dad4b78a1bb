"""For tests: an assistant over a real index of three passages, and one question to it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from types import MappingProxyType
from uuid import UUID

from governance.policies import PassageRecord
from rag.config import RagSettings
from rag.embed import Embedder
from rag.events import Answered, AskEvent
from rag.index import OPEN, IndexPoint
from rag.index.edge import EdgeIndex
from rag.pipelines import Assistant
from rag.query import Forms
from rag.testing import word_vector

TEXTS = (
    "Multi-dose vials must be discarded 28 days after first puncture. "
    "Staff must not share vials between patients.",
    "1. Wash the wound with soap and water.\n"
    "2. Report to Occupational Health within two hours.\n"
    "3. Complete form OH-12.",
    "Visitors may stay until 8 pm. Children under 12 must be accompanied.",
)
QUESTION = "When must multi-dose vials be discarded?"
GOOD = "Multi-dose vials must be discarded 28 days after first puncture."


def record(number: int, text: str, department: str = "demo") -> PassageRecord:
    """A passage of the medicines handbook; the first is overdue for review."""
    return PassageRecord(
        passage_id=str(UUID(int=number)),
        document_id=f"doc{number}",
        version_id=f"v{number}",
        policy_number=f"PH-{number:03}",
        title="Medicines handbook",
        version=2,
        department=department,
        section=f"Part {number}",
        page_from=number,
        page_to=number,
        text=text,
        effective_from=date(2026, 3, 1),
        review_due=date(2020, 1, 1) if number == 1 else None,
        file_name=f"file{number}.pdf",
    )


class Policies:
    """The record as the assistant sees it: what is in force, department by department."""

    def __init__(self) -> None:
        self.records = {one.passage_id: one for one in map(record, range(1, 4), TEXTS)}

    def in_force(
        self, ids: Sequence[str], department: str, at: datetime
    ) -> Mapping[str, PassageRecord]:
        """Those of these passages that the department has, at any time."""
        del at
        found = (self.records[i] for i in ids if i in self.records)
        return {one.passage_id: one for one in found if one.department == department}


@asynccontextmanager
async def opened(
    settings: RagSettings, policies: Policies, forms: Forms = MappingProxyType({})
) -> AsyncIterator[Assistant]:
    """An assistant whose index holds these policies, and who knows these abbreviations."""
    index = EdgeIndex(settings)
    index.upsert(
        [
            IndexPoint(
                one.passage_id, one.document_id, one.version_id, "demo", one.text,
                word_vector(one.text), OPEN,
            )
            for one in policies.records.values()
        ]
    )  # fmt: skip
    assistant = Assistant(
        settings, index, Embedder(settings), policies.in_force, lambda _department: forms
    )
    try:
        yield assistant
    finally:
        await assistant.aclose()
        index.close()


def ask(settings: RagSettings, policies: Policies, question: str = QUESTION) -> list[AskEvent]:
    """Everything that comes of one question."""

    async def run() -> list[AskEvent]:
        async with opened(settings, policies) as assistant:
            return [event async for event in assistant.ask(question, "demo")]

    return asyncio.run(run())


def answered(events: list[AskEvent]) -> Answered:
    """The last event, which is the answer."""
    assert isinstance(events[-1], Answered)
    return events[-1]
