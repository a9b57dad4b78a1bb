"""Puts a conversation into the form that a model was trained on: its own chat template.

Templates come with model files, so they are rendered in a sandbox that can read the messages and
nothing else.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runtime.errors import BadModelFile, BadRequest

MAX_TEMPLATE_CHARS = 200_000
Message = Mapping[str, Any]


class ChatTemplate:
    """A model's template. begin, end: names of the tokens that begin and end a text."""

    def __init__(self, source: str, begin: str, end: str, control_words: Sequence[str]) -> None:
        if len(source) > MAX_TEMPLATE_CHARS:
            raise BadModelFile("the model's chat template is too long", "Use another model.")
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        environment.globals["raise_exception"] = _refuse
        environment.globals["strftime_now"] = _now
        environment.filters["tojson"] = _to_json
        try:
            self._template = environment.from_string(source) if source else None
        except TemplateError as error:
            raise BadModelFile(
                f"the model's chat template cannot be read: {error}", "Use another model."
            ) from error
        self._begin, self._end = begin, end
        self._control = _any_of(control_words)

    def render(self, messages: Sequence[Message]) -> str:
        """The whole prompt, up to where the answer begins. Raises BadRequest."""
        clean = [self._disarmed(message) for message in messages]
        if self._template is None:
            return "\n\n".join(str(message["content"]) for message in clean)
        try:
            text = self._template.render(
                messages=clean,
                add_generation_prompt=True,
                bos_token=self._begin,
                eos_token=self._end,
            )
        except (TemplateError, TypeError, ValueError) as error:
            raise BadRequest(
                f"the model's chat template refuses these messages: {error}"
            ) from error
        # The tokenizer adds the beginning itself where the model wants one.
        return text.removeprefix(self._begin) if self._begin else text

    def _disarmed(self, message: Message) -> dict[str, Any]:
        """A message whose text cannot end its turn and begin another one's."""
        content = self._control.sub(_spaced, str(message.get("content") or ""))
        return {**message, "content": content}


def shorten(messages: Sequence[Message]) -> list[Message] | None:
    """The messages without the oldest that may go; None if only what must stay is left."""
    for index, message in enumerate(messages[:-1]):
        if message["role"] != "system":
            return [*messages[:index], *messages[index + 1 :]]
    return None


def _any_of(words: Sequence[str]) -> re.Pattern[str]:
    # A pattern that never matches stands for no words.
    return re.compile("|".join(re.escape(w) for w in words if len(w) > 1) or r"(?!)")


def _spaced(match: re.Match[str]) -> str:
    return f"{match[0][0]} {match[0][1:]}"


def _refuse(message: str) -> None:
    raise TemplateError(message)


def _now(form: str) -> str:
    return datetime.now(UTC).strftime(form)


def _to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)
