"""A question from the first search to its end."""

import asyncio

from web.asked import Asked, Stage, follow
from web.testing import ScriptedAssistant


async def _all(assistant: ScriptedAssistant, question: str) -> list[Asked]:
    asked = Asked("1", "local|me", question, "A", 3)
    return [step async for step in follow(assistant.ask(question, "A"), asked)]


def test_a_question_without_passages_ends_as_not_found() -> None:
    """It is read before it is done."""
    steps = asyncio.run(_all(ScriptedAssistant(), "anything"))
    assert [step.stage for step in steps] == [Stage.READING, Stage.DONE]


def test_an_error_ends_it_with_a_problem() -> None:
    """And the assistant is told to stop."""
    assistant = ScriptedAssistant()
    steps = asyncio.run(_all(assistant, "silent"))
    assert steps[-1].problem is not None
    assert steps[-1].problem.type == "runtime_unreachable"
    assert assistant.stopped == ["silent"]
