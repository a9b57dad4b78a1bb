"""What the dialects have in common once they are read: messages, tools, and the wish to think."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from runtime.api.asked import refuse_capability
from runtime.api.refusal import Refused
from runtime.api.service import Service
from runtime.capabilities import THINKING, TOOLS, inserted, inserts
from runtime.protocol import Rendering
from runtime.speech import Speech, form_of
from runtime.store import InstalledModel
from runtime.upstream_model import UpstreamModel

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of an answer besides its words.

    tools: functions, as OpenAI describes them. think: None leaves it to the model.
    template: in place of the model's own.
    """

    tools: tuple[Mapping[str, Any], ...] = ()
    think: bool | str | None = None
    template: str = ""


@dataclass(frozen=True, slots=True)
class Manner:
    """How an answer is asked for, and how it is listened to."""

    rendering: Rendering
    thinks: bool
    shows_thoughts: bool
    tools: frozenset[str]
    template: str
    is_told_apart: bool = False

    def speech(self) -> Speech | None:
        """Who tells its parts apart; None where it has only words, or comes told apart."""
        if self.is_told_apart or (not self.thinks and not self.tools):
            return None
        return Speech(thinks=self.thinks, tools=self.tools, form=form_of(self.template))


async def manner_of(
    service: Service,
    model: InstalledModel,
    name: str,
    wish: Wish,
    *,
    schema: str | None = None,
    must_think: bool = True,
) -> Manner:
    """How a model does what is wished. must_think: refuse where it cannot. Raises Refused."""
    template = wish.template or await service.template(model)
    can = await service.capabilities(model, template)
    if wish.tools and TOOLS not in can:
        raise refuse_capability(model, "tools")
    think = wish.think
    if think and THINKING not in can:
        if must_think:
            raise Refused(400, f'"{name}" does not support thinking', "Leave think out.")
        think = None
    if think and schema is not None:
        raise Refused(400, "think and format do not go together", "Leave one of them out.")
    if schema is not None and THINKING in can:
        think = False  # the answer follows the schema from its first token on
    replaced = wish.template or service.own_template(model)
    return Manner(
        rendering=Rendering(replaced, wish.tools, think),
        thinks=THINKING in can and schema is None,
        shows_thoughts=think is not False,
        tools=frozenset(_name_of(tool) for tool in wish.tools),
        template=template,
        is_told_apart=isinstance(model, UpstreamModel),
    )


async def insertion(
    service: Service, model: InstalledModel, manner: Manner, prompt: str, suffix: str
) -> dict[str, Any]:
    """What a job has that fills in between two texts. Raises Refused."""
    if inserts(manner.template):
        rendering = replace(manner.rendering, suffix=suffix)
        return {"messages": ({"role": "user", "content": prompt},), "rendering": rendering}
    marks = await service.insert_marks(model)
    if marks is None:
        raise refuse_capability(model, "insert")
    return {"text": inserted(marks, prompt, suffix)}


def with_beginning(
    service: Service, model: InstalledModel, messages: Sequence[Message], system: str | None = None
) -> tuple[Message, ...]:
    """The messages after those that a model comes with. system: in place of its own."""
    first = list(service.first_messages(model))
    own = service.system_text(model) if system is None else system
    if own and messages[0]["role"] != "system":
        return ({"role": "system", "content": own}, *first, *messages)
    if first and messages[0]["role"] == "system":
        return (messages[0], *first, *messages[1:])
    return (*first, *messages)


def _name_of(tool: Mapping[str, Any]) -> str:
    function = tool.get("function")
    return str(function.get("name", "")) if isinstance(function, Mapping) else ""
