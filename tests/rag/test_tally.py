"""What a question took: the runtime's own count, or both texts measured."""

import asyncio
from dataclasses import replace

from rag.config import RagSettings
from rag.tally import Counted, Tally
from rag.testing import Script
from rag.testing_assistant import GOOD, QUESTION, Policies, opened


def tallied(settings: RagSettings, policies: Policies, question: str = QUESTION) -> Tally:
    """What a question took, to its end."""
    tally = Tally()

    async def run() -> None:
        async with opened(settings, policies) as assistant:
            async for _ in assistant.ask(question, "demo", tally=tally):
                pass

    asyncio.run(run())
    return tally


def test_qta_1_what_a_question_took_is_what_the_runtime_counted(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """It is asked to say so, and its figures stand before any guess."""
    script.pieces, script.counted = [GOOD], (412, 17)
    tally = tallied(settings, policies)
    assert tally.counted == Counted(412, 17)
    assert tally.tokens == 429


def test_qta_1_where_no_runtime_counts_both_texts_are_measured(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """What the model wrote counts, shown or not."""
    script.pieces = [GOOD, " Vials must be boiled for ten minutes."]
    tally = tallied(settings, policies)
    assert tally.counted is None
    assert tally.answer_chars == len("".join(["Yes", *script.pieces]))
    prompt = sum(len(message["content"]) for message in script.asked[0]["messages"])
    assert tally.tokens == -(-prompt // 4) + -(-tally.answer_chars // 4)


def test_qta_1_a_question_that_no_passage_answers_begins_no_model(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """Then there is nothing to count."""
    strict = replace(settings, min_evidence=2.0)
    tally = tallied(strict, policies)
    assert (tally.began, tally.tokens, script.asked) == (False, 0, [])


def test_qta_1_who_goes_away_before_the_first_word_has_begun_the_model(
    settings: RagSettings, policies: Policies, script: Script
) -> None:
    """The prompt is counted though nothing was heard."""
    script.pieces, script.piece_delay_s = [GOOD], 30.0
    tally = Tally()

    async def run() -> None:
        async with opened(settings, policies) as assistant:
            events = assistant.ask(QUESTION, "demo", tally=tally)
            await anext(events)
            waiting = asyncio.ensure_future(anext(events))
            while not script.asked:  # noqa: ASYNC110 - the runtime is in another thread
                await asyncio.sleep(0.01)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await events.aclose()

    asyncio.run(run())
    assert (tally.began, tally.answer_chars) == (True, len("Yes"))
    assert tally.tokens > len(QUESTION) // 4
