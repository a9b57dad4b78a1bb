"""Puts a conversation into the form that a model was trained on: its own chat template.

Templates come with model files, so they are rendered in a sandbox that can read the messages and
nothing else. Those inside of model files are written in Jinja, those packed beside them for Ollama
in Go's language.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from jinja2 import Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runtime.capabilities import is_go_template
from runtime.errors import BadModelFile, BadRequest, BadTemplate
from runtime.go_chat import Asked, GoChat
from runtime.protocol import Rendering

MAX_TEMPLATE_CHARS = 200_000
KEPT_TEMPLATES = 16
PLAIN = Rendering()
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
        self._environment = environment
        self._others: dict[str, Template | GoChat] = {}
        self._begin, self._end = begin, end
        self._control = _any_of(control_words)

    def render(self, messages: Sequence[Message], rendering: Rendering = PLAIN) -> str:
        """The whole prompt, up to where the answer begins. Raises BadRequest."""
        clean = [self._disarmed(message) for message in messages]
        template = self._other(rendering.template) if rendering.template else self._template
        tools = [self._clean(tool) for tool in rendering.tools]
        if template is None:
            return "\n\n".join(str(message["content"]) for message in clean)
        if isinstance(template, GoChat):
            asked = Asked(tools, rendering.think, str(self._clean(rendering.suffix)))
            return self._begun(template.render(clean, asked))
        try:
            text = template.render(
                messages=clean,
                tools=tools or None,
                add_generation_prompt=True,
                bos_token=self._begin,
                eos_token=self._end,
                **_think_words(rendering.think),
            )
        except (TemplateError, TypeError, ValueError) as error:
            raise BadRequest(
                f"the model's chat template refuses these messages: {error}"
            ) from error
        return self._begun(text)

    def _begun(self, text: str) -> str:
        # The tokenizer adds the beginning itself where the model wants one.
        return text.removeprefix(self._begin) if self._begin else text

    def _disarmed(self, message: Message) -> dict[str, Any]:
        """A message whose text cannot end its turn and begin another one's."""
        return {"content": "", **{k: self._clean(v) for k, v in message.items() if v is not None}}

    def _clean(self, value: Any) -> Any:
        """A value without control words in any of its texts."""
        if isinstance(value, str):
            return self._control.sub(_spaced, value)
        if isinstance(value, Mapping):
            return {self._clean(key): self._clean(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._clean(one) for one in value]
        return value

    def _other(self, source: str) -> Template | GoChat:
        """A template that stands in for the model's own. Raises BadRequest."""
        if source not in self._others:
            found = self._read(source[: MAX_TEMPLATE_CHARS + 1])
            if len(self._others) >= KEPT_TEMPLATES:
                self._others.clear()
            self._others[source] = found
        return self._others[source]

    def _read(self, source: str) -> Template | GoChat:
        if is_go_template(source):
            return GoChat(source)
        try:
            return self._environment.from_string(source)
        except TemplateError as error:
            raise BadRequest(f"the template cannot be read: {error}") from error


@lru_cache(maxsize=64)
def is_readable(source: str) -> bool:
    """Whether we could render a template."""
    try:
        check_template(source)
    except BadRequest:
        return False
    return True


def check_template(source: str) -> None:
    """Refuse a template that we could not render. Raises BadRequest."""
    try:
        if is_go_template(source):
            GoChat(source)
        else:
            ChatTemplate(source, "", "", ())
    except BadTemplate as error:
        raise BadTemplate(f"template error: {error.message}", error.hint) from error
    except BadModelFile as error:
        raise BadRequest(error.message, "Correct the template.") from error


def may_go(messages: Sequence[Message]) -> int:
    """How many messages a conversation can do without: neither a system text nor the last one."""
    return sum(message["role"] != "system" for message in messages[:-1])


def shortened(messages: Sequence[Message], count: int) -> list[Message]:
    """The messages without so many of the oldest that may go."""
    kept, left = list[Message](), count
    for message in messages:
        if left and message["role"] != "system":
            left -= 1
        else:
            kept.append(message)
    return kept


def _think_words(think: bool | str | None) -> dict[str, Any]:
    """What templates of different makers call the wish to think."""
    if think is None:
        return {}
    effort = {"reasoning_effort": think} if isinstance(think, str) else {}
    return {"enable_thinking": bool(think), "thinking": bool(think), **effort}


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
