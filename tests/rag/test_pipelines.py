"""Answers over a real index and a real HTTP runtime whose words the test decides."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from rag.asker import Asker
from rag.config import RagSettings
from rag.events import AskEvent, PassagesFound, TokenReleased
from rag.pipelines import Assistant
from rag.schema import AnswerStatus, Turn
from rag.testing import Script
from rag.testing_assistant import GOOD, QUESTION, TEXTS, Policies, answered, ask, opened


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
    assert settings.min_confidence <= (answered([last]).checks.confidence or 0) <= 1


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


def test_an_answer_at_its_limit_ends_at_a_sentence(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """A sentence that the token limit cut is not shown."""
    script.pieces = [GOOD, " Staff must not share vials"]
    script.finish_reason = "length"
    assert answered(ask(settings, policies)).answer.answer == f"{GOOD} [1]"


def test_the_model_reads_numbered_passages(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """The prompt holds the fixed text first, the passages by the numbers of the page, no more."""
    ask(replace(settings, prompt_passages=2), policies)
    (request,) = script.asked
    system, user = request["messages"]
    assert system["role"] == "system"
    assert "extracts" in system["content"]
    assert TEXTS[0] in user["content"]
    assert user["content"].startswith("Extract 1, Medicines handbook > Part 1:\n")
    assert "Extract 3" not in user["content"]
    assert QUESTION in user["content"]
    assert (request["temperature"], request["stream"]) == (0.0, True)


def test_the_model_says_first_whether_it_can_answer(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """Its verdict is asked for over the same text; after a No nothing is written."""
    script.pieces, script.yes = [GOOD], -6.0
    assert answered(ask(settings, policies)).answer.status is AnswerStatus.NOT_FOUND
    assert script.asked == []
    script.yes = 6.0
    assert answered(ask(settings, policies)).answer.status is AnswerStatus.ANSWERED
    verdict, answer = script.judged[-1], script.asked[0]
    assert (verdict["max_tokens"], verdict["logprobs"]) == (1, True)
    texts = [one["messages"][1]["content"].rpartition("\n")[0] for one in (verdict, answer)]
    assert texts[0] == texts[1]


def test_a_server_that_tells_no_probabilities_is_taken_at_its_word(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """Then Yes and No weigh less than a sure one would."""
    script.pieces, script.yes = [GOOD], None
    assert answered(ask(settings, policies)).answer.status is AnswerStatus.ANSWERED


def test_an_emergency_gets_a_set_reply_and_no_model(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """It is refused at once, with the number to call; policies are shown beside it."""
    known = replace(settings, emergency_number="2222")
    events = ask(known, policies, "Help, my patient is not breathing!")
    answer = answered(events).answer
    assert answer.status is AnswerStatus.REFUSED
    assert "2222" in answer.answer
    assert not answer.citations
    assert (script.asked, script.judged) == ([], [])


def test_a_follow_up_is_asked_as_it_is_understood(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """The model writes it out with the conversation's words; that is searched and answered."""
    turn = Turn(QUESTION, f"{GOOD} [1]")
    script.pieces = [GOOD]
    script.rewritten = "When must vials be discarded after first puncture?"

    async def run() -> list[AskEvent]:
        async with opened(settings, policies) as assistant:
            return [
                event
                async for event in assistant.ask("When after puncture?", "demo", earlier=[turn])
            ]

    events = asyncio.run(run())
    assert isinstance(events[0], PassagesFound)
    assert events[0].understood == "When must vials be discarded after first puncture?"
    assert answered(events).answer.status is AnswerStatus.ANSWERED


def test_abbreviations_of_the_department_are_written_out(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """The page can say how the question was understood."""
    script.pieces = [GOOD]

    async def run() -> PassagesFound:
        async with opened(settings, policies, {"MDV": ("multi-dose vials",)}) as assistant:
            events = assistant.ask("When must MDV be discarded?", "demo")
            found = await anext(events)
            await events.aclose()
            assert isinstance(found, PassagesFound)
            return found

    found = asyncio.run(run())
    assert found.understood == "When must MDV be discarded? (multi-dose vials)"
    assert found.passages[0].text == TEXTS[0]


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
    vector, judge, chat, tags = script.headers
    assert {one["authorization"] for one in script.headers} == {"Bearer lrt_start"}
    assert "x-lamplight-request" not in tags  # it asks for the model's digest, for nobody
    for one in (vector, judge, chat):
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
