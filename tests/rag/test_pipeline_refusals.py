"""Questions without an answer: nothing was found, they are none, or the runtime fails."""

import asyncio
import socket
from dataclasses import replace

import pytest

from rag.config import RagSettings
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
from rag.events import AskEvent, PassagesFound, TokenReleased
from rag.schema import AnswerStatus
from rag.testing import Script
from rag.testing_assistant import GOOD, QUESTION, TEXTS, Policies, answered, ask, opened


def test_not_found_shows_the_nearest_passages(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """After the model's No nothing is written; the passages are shown."""
    script.pieces, script.yes = ["But I think it is fine."], -6.0
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
