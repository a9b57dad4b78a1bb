"""Conversations: what was asked and answered before, as clients and the page hand it back."""

from collections.abc import Sequence

from rag.schema import Turn
from web.errors import BadField

MAX_TURNS = 6
MAX_CHARS = 4000  # of one question or answer; an answer of ours is shorter


def turns_of(pairs: Sequence[tuple[str, str]]) -> tuple[Turn, ...]:
    """The last turns of a conversation. Raises BadField."""
    turns = tuple(Turn(question.strip(), answer.strip()) for question, answer in pairs)
    for turn in turns:
        if not turn.question or max(len(turn.question), len(turn.answer)) > MAX_CHARS:
            raise BadField(
                f"A turn of the conversation has no question or more than {MAX_CHARS} characters.",
                "Send the questions and answers as they were, or leave the conversation out.",
            )
    return turns[-MAX_TURNS:]


def turns_within(messages: Sequence[object]) -> tuple[Turn, ...]:
    """The turns in OpenAI's messages before the last one; what is no text is passed over."""
    pairs: list[tuple[str, str]] = []
    question = ""
    for message in messages[:-1]:
        role, text = _said(message)
        if role == "user":
            question = text
        elif role == "assistant" and question:
            pairs.append((question[:MAX_CHARS], text[:MAX_CHARS]))
            question = ""
    return turns_of(pairs)


def _said(message: object) -> tuple[str, str]:
    if not isinstance(message, dict):
        return "", ""
    role, content = message.get("role"), message.get("content")
    if not isinstance(role, str) or not isinstance(content, str):
        return "", ""
    return role, content.strip()
