"""Questions over a real index and a real HTTP runtime whose words the test decides."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest

from governance.policies import PassageRecord
from rag.asker import Asker
from rag.config import RagSettings
from rag.embed import Embedder
from rag.errors import (
    AnswerCutShort,
    LimitRefused,
    ModelFailed,
    ModelMissing,
    QuestionEmpty,
    QuestionTooLong,
    RagError,
    RuntimeBusy,
    RuntimeTooSlow,
    RuntimeUnreachable,
)
from rag.events import Answered, AskEvent, PassagesFound, TokenReleased
from rag.index import IndexPoint
from rag.index.edge import EdgeIndex
from rag.pipelines import Assistant
from rag.schema import AnswerStatus
from rag.testing import DIMENSIONS, Script, scripted_runtime, word_vector

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

    def in_force(self, ids: Sequence[str], department: str) -> Mapping[str, PassageRecord]:
        found = (self.records[i] for i in ids if i in self.records)
        return {one.passage_id: one for one in found if one.department == department}


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def policies() -> Policies:
    return Policies()


@pytest.fixture
def settings(tmp_path: Path, script: Script) -> Iterator[RagSettings]:
    with scripted_runtime(script) as url:
        yield RagSettings(
            index_dir=tmp_path / "index",
            index_reserve_bytes=0,
            chat_url=url,
            embed_url=url,
            chat_model="scripted",
            embed_dimensions=DIMENSIONS,
        )


@asynccontextmanager
async def opened(settings: RagSettings, policies: Policies) -> AsyncIterator[Assistant]:
    index = EdgeIndex(settings)
    index.upsert(
        [
            IndexPoint(
                one.passage_id, one.document_id, one.version_id, "demo", one.text,
                word_vector(one.text),
            )
            for one in policies.records.values()
        ]
    )  # fmt: skip
    assistant = Assistant(settings, index, Embedder(settings), policies.in_force)
    try:
        yield assistant
    finally:
        await assistant.aclose()
        index.close()


def ask(settings: RagSettings, policies: Policies, question: str = QUESTION) -> list[AskEvent]:
    async def run() -> list[AskEvent]:
        async with opened(settings, policies) as assistant:
            return [event async for event in assistant.ask(question, "demo")]

    return asyncio.run(run())


def answered(events: list[AskEvent]) -> Answered:
    assert isinstance(events[-1], Answered)
    return events[-1]


def test_a_supported_answer_is_released_with_our_marker(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """Passages first, then checked text, then the answer whose text is what was released."""
    script.pieces = ["Multi-dose vials must be ", "discarded 28 days after first puncture", "."]
    events = ask(settings, policies)
    found, *released, last = events
    assert isinstance(found, PassagesFound)
    assert not found.keyword_only
    assert all(isinstance(event, TokenReleased) for event in released)
    answer = answered([last]).answer
    assert answer.status is AnswerStatus.ANSWERED
    assert answer.answer == "".join(e.text for e in released if isinstance(e, TokenReleased))
    assert answer.answer == f"{GOOD} [1]"
    assert answer.model == {"name": "scripted", "digest": "0" * 64}
    assert re.fullmatch(r"[0-9a-f]{12}", answer.prompt_version)
    assert set(answer.timings_ms) == {"search", "first_token", "total"}


def test_a_citation_is_a_slice_of_its_passage(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """The quote stands verbatim where the address says, with the passage's dates."""
    script.pieces = [GOOD]
    answer = answered(ask(settings, policies)).answer
    (citation,) = answer.citations
    passage = answer.passages[citation.marker - 1]
    assert citation.quote == GOOD
    assert citation.url == (
        f"/documents/doc1/versions/2?passage={passage.passage_id}&from=0&to={len(GOOD)}#p1"
    )
    assert (citation.effective_from, citation.review_due) == ("2026-03-01", "2020-01-01")
    assert citation.overdue


def test_an_invented_sentence_never_reaches_the_screen(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """Sentences that no passage supports are dropped and counted, forged markers included."""
    script.pieces = [GOOD, " Vials must be boiled for ten minutes [1].", " Call the police [9]."]
    last = answered(ask(settings, policies))
    assert last.answer.answer == f"{GOOD} [1]"
    assert (last.checks.released, last.checks.dropped) == (1, 2)


def test_steps_stay_a_numbered_list(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """List numbers are not sentence ends, and each step carries its own marker."""
    script.pieces = re.findall(r".{1,7}", TEXTS[1].replace("\n", "\0"), re.S)
    script.pieces = [piece.replace("\0", "\n") for piece in script.pieces]
    lenient = replace(settings, min_evidence=0.0)  # hashed words are no measure of meaning
    answer = answered(ask(lenient, policies, "What to do after a wound?")).answer
    place = next(n for n, one in enumerate(answer.passages, 1) if one.text == TEXTS[1])
    assert answer.answer == "\n".join(f"{line} [{place}]" for line in TEXTS[1].split("\n"))
    assert [one.quote for one in answer.citations] == TEXTS[1].split("\n")


def test_not_found_shows_the_nearest_passages(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """When the model gives up nothing generated is shown; the passages are."""
    script.pieces = ["NOT_", "FOUND", " But I think it is fine."]
    events = ask(settings, policies)
    answer = answered(events).answer
    assert answer.status is AnswerStatus.NOT_FOUND
    assert answer.answer == "We did not find this in the current demo policies."
    assert not answer.citations
    assert answer.passages
    assert not any(isinstance(event, TokenReleased) for event in events)


def test_nothing_supported_is_not_found(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """An answer of which nothing stands is no answer."""
    script.pieces = ["Boil everything for ten minutes."]
    last = answered(ask(settings, policies))
    assert last.answer.status is AnswerStatus.NOT_FOUND
    assert last.checks.dropped == 1


def test_weak_evidence_does_not_reach_the_model(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """A question that shares nothing with the policies costs no generation."""
    answer = answered(ask(settings, policies, "Who won the chess olympiad?")).answer
    assert answer.status is AnswerStatus.NOT_FOUND
    assert script.asked == []


def test_an_empty_department_is_not_found(settings: RagSettings, policies: Policies) -> None:
    """With no passages there is nothing to answer from."""
    policies.records.clear()
    answer = answered(ask(settings, policies)).answer
    assert (answer.status, answer.passages) == (AnswerStatus.NOT_FOUND, ())


def test_what_the_record_does_not_confirm_does_not_exist(
    settings: RagSettings, policies: Policies
) -> None:
    """A passage that is still indexed but no longer in force is neither shown nor read."""

    async def run() -> tuple[str, ...]:
        async with opened(settings, policies) as assistant:
            del policies.records[str(UUID(int=1))]
            return tuple(one.text for one in await assistant.search(QUESTION, "demo"))

    assert TEXTS[0] not in asyncio.run(run())


def test_search_keeps_the_limit_and_the_department(
    settings: RagSettings, policies: Policies
) -> None:
    """k passages at most, best first, and none for another department."""

    async def run() -> tuple[int, str, int]:
        async with opened(settings, policies) as assistant:
            found = await assistant.search("wash the wound", "demo", 2)
            return len(found), found[0].text, len(await assistant.search("wound", "other"))

    assert asyncio.run(run()) == (2, TEXTS[1], 0)


def test_search_still_works_without_the_runtime(settings: RagSettings, policies: Policies) -> None:
    """No vector: the passages are found by words, it says so, and asking names the runtime."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        dead = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    down = replace(settings, chat_url=dead, embed_url=dead)
    events: list[AskEvent] = []

    async def collect() -> None:
        async with opened(down, policies) as assistant:
            async for event in assistant.ask(QUESTION, "demo"):
                events.append(event)

    with pytest.raises(RuntimeUnreachable, match=dead):
        asyncio.run(collect())
    (found,) = events
    assert isinstance(found, PassagesFound)
    assert found.keyword_only
    assert found.passages[0].text == TEXTS[0]


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, ModelMissing), (429, RuntimeBusy), (503, RuntimeBusy), (500, ModelFailed)],
)
def test_each_refusal_of_the_runtime_has_a_name(
    settings: RagSettings, policies: Policies, script: Script, status: int, error: type[RagError]
) -> None:
    """What the runtime refuses becomes our error with something to do next, at once."""
    script.status = status
    with pytest.raises(error) as raised:
        ask(settings, policies)
    assert raised.value.hint


@pytest.mark.parametrize("broken", [True, False])
def test_a_stream_cut_short_is_an_error(
    settings: RagSettings, policies: Policies, script: Script, broken: bool
) -> None:
    """Neither a lost connection nor a stream without a finish reason counts as an answer."""
    script.pieces = [GOOD, " More"]
    script.break_off = broken
    script.finish_reason = None
    with pytest.raises(AnswerCutShort):
        ask(settings, policies)


def test_an_answer_at_its_limit_ends_at_a_sentence(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """A sentence that the token limit cut is not shown."""
    script.pieces = [GOOD, " Staff must not share vials"]
    script.finish_reason = "length"
    assert answered(ask(settings, policies)).answer.answer == f"{GOOD} [1]"


def test_a_silent_model_is_given_up(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """The whole answer has a time limit, whatever the model does."""
    script.pieces, script.piece_delay_s = ["slow"] * 50, 0.1
    with pytest.raises(RuntimeTooSlow):
        ask(replace(settings, answer_timeout_s=0.3), policies)


def test_leaving_stops_the_model(settings: RagSettings, policies: Policies, script: Script) -> None:
    """When the reader goes away the request to the runtime ends, and no further token is made."""
    script.pieces, script.piece_delay_s = [f"{GOOD} "] + ["And more "] * 200, 0.05

    async def run() -> None:
        async with opened(settings, policies) as assistant:
            events = assistant.ask(QUESTION, "demo")
            async for event in events:
                if isinstance(event, TokenReleased):
                    break
            await events.aclose()

    asyncio.run(run())
    assert script.cancelled.wait(timeout=10)
    assert script.sent < len(script.pieces)


def test_the_model_reads_numbered_passages(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """The prompt holds the fixed text first, the passages by the numbers of the page, no more."""
    ask(replace(settings, prompt_passages=2), policies)
    (request,) = script.asked
    system, user = request["messages"]
    assert system["role"] == "system"
    assert "NOT_FOUND" in system["content"]
    assert TEXTS[0] in user["content"]
    assert user["content"].startswith("Extract [1], Medicines handbook > Part 1:\n")
    assert "[3]" not in user["content"]
    assert QUESTION in user["content"]
    assert (request["temperature"], request["stream"]) == (0.0, True)


@pytest.mark.parametrize(
    ("question", "error"),
    [("", QuestionEmpty), (" \n", QuestionEmpty), ("x" * 100_000, QuestionTooLong)],
)
def test_a_question_that_is_none_is_refused(
    settings: RagSettings, policies: Policies, script: Script, question: str, error: type[RagError]
) -> None:
    """Empty and huge questions cost neither a search nor a token."""
    with pytest.raises(error) as refused:
        ask(settings, policies, question)
    assert refused.value.hint
    assert (script.embedded, script.asked) == ([], [])


@pytest.mark.parametrize("k", [0, -1, 101])
def test_a_limit_out_of_range_is_refused(settings: RagSettings, policies: Policies, k: int) -> None:
    """The number of passages is bounded by the settings."""

    async def run() -> None:
        async with opened(settings, policies) as assistant:
            await assistant.search(QUESTION, "demo", k)

    with pytest.raises(LimitRefused, match="1 to 100"):
        asyncio.run(run())


def test_many_questions_share_one_assistant(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """Questions at the same time each get their own answer."""
    script.pieces, script.piece_delay_s = [GOOD], 0.01

    async def one(assistant: Assistant) -> str:
        events = [event async for event in assistant.ask(QUESTION, "demo")]
        return answered(events).answer.answer

    async def run() -> list[str]:
        async with opened(settings, policies) as assistant:
            return await asyncio.gather(*(one(assistant) for _ in range(10)))

    assert asyncio.run(run()) == [f"{GOOD} [1]"] * 10


def test_each_call_of_a_question_carries_the_start_key_and_who_asks(
    settings: RagSettings, policies: Policies, script: Script, tmp_path: Path
) -> None:
    """The runtime then neither charges nor records what the platform does itself."""
    script.pieces = [GOOD]
    key_path = tmp_path / "runtime.key"
    key_path.write_text("lrt_start")
    ours = replace(settings, runtime_url=settings.chat_url, runtime_key_path=key_path)
    asker = Asker("p-1", "d-1", "r-1")

    async def run() -> list[AskEvent]:
        async with opened(ours, policies) as assistant:
            return [event async for event in assistant.ask(QUESTION, "demo", asker)]

    assert answered(asyncio.run(run())).answer.status is AnswerStatus.ANSWERED
    vector, chat, tags = script.headers
    assert {one["authorization"] for one in script.headers} == {"Bearer lrt_start"}
    assert "x-lamplight-request" not in tags  # it asks for the model's digest, for nobody
    for one in (vector, chat):
        sent = {name: value for name, value in one.items() if name.startswith("x-lamplight-")}
        assert list(sent.values()) == ["p-1", "d-1", "r-1"]


def test_another_server_hears_neither_the_key_nor_who_asks(
    settings: RagSettings, policies: Policies, script: Script, tmp_path: Path
) -> None:
    """It gets the key that was made for it."""
    key_path = tmp_path / "runtime.key"
    key_path.write_text("lrt_start")
    foreign = replace(
        settings, runtime_url="http://127.0.0.1:1/", runtime_key_path=key_path, chat_key="vllm"
    )

    async def run() -> None:
        async with opened(foreign, policies) as assistant:
            async for _ in assistant.ask(QUESTION, "demo", Asker("p-1", "d-1", "r-1")):
                pass

    asyncio.run(run())
    assert script.headers
    assert {one["authorization"] for one in script.headers} == {"Bearer vllm"}
    assert not any(name.startswith("x-lamplight-") for one in script.headers for name in one)
