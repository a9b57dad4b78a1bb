"""A chat template in Go's language, given what Ollama gives it.

One that speaks of `.Messages` is rendered once. An older one, which knows a system text, a prompt
and a response, is rendered once for each turn, and the last time only up to its `.Response`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from runtime.go_syntax import Action, Branch, Field, Node, Pipe
from runtime.go_template import identifiers, read_template, render

_RESPONSE = Action(Pipe(((Field(("Response",)),),)))
_TOOL = ("type", "items", "function")
_FUNCTION = ("name", "description", "parameters")
_PARAMETERS = ("type", "$defs", "items", "required", "properties")
_PROPERTY = ("anyOf", "type", "items", "description", "enum", "properties", "required")
Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a chat is besides its messages. suffix: what follows the answer."""

    tools: Sequence[Mapping[str, Any]] = ()
    think: bool | str | None = None
    suffix: str = ""


class GoChat:
    """One template. Raises BadTemplate."""

    def __init__(self, source: str) -> None:
        tree = read_template(source)
        self.names = identifiers(tree)
        if not self.names & {"messages", "response"}:
            tree = replace(tree, nodes=(*tree.nodes, _RESPONSE))
        self._tree = tree
        self._cut = replace(tree, nodes=_up_to_response(tree.nodes)[0])

    @property
    def inserts(self) -> bool:
        """Whether it knows what to do with a text that follows the answer."""
        return "suffix" in self.names

    def render(self, messages: Sequence[Message], asked: Asked) -> str:
        """The prompt. Raises BadTemplate."""
        system, turns = _collated(messages)
        wish: dict[str, Any] = {
            "Think": bool(asked.think),
            "ThinkLevel": asked.think if isinstance(asked.think, str) else "",
            "IsThinkSet": asked.think is not None,
            "Response": "",
        }
        if asked.suffix and messages:
            prompt = str(messages[-1].get("content", ""))
            return render(self._tree, wish | {"Prompt": prompt, "Suffix": asked.suffix})
        if "messages" in self.names:
            tools = [_tool(tool) for tool in asked.tools]
            return render(self._tree, wish | {"System": system, "Messages": turns, "Tools": tools})
        return self._by_turns(turns, wish)

    def _by_turns(self, turns: Sequence[Message], wish: Mapping[str, Any]) -> str:
        written: list[str] = []
        empty = {"System": "", "Prompt": "", "Response": ""}
        now = dict(empty)
        for turn in turns:
            content = str(turn.get("content", ""))
            match turn["role"]:
                case "system":
                    is_over, place = bool(now["Prompt"] or now["Response"]), "System"
                case "user":
                    is_over, place = bool(now["Response"]), "Prompt"
                case "assistant":
                    is_over, place = False, "Response"
                case _:
                    continue
            if is_over:
                written.append(render(self._tree, {**wish, **now}))
                now = dict(empty)
            now[place] = content
        return "".join([*written, render(self._cut, {**wish, **now})])


def _collated(messages: Sequence[Message]) -> tuple[str, list[Message]]:
    """All system texts, and the messages with neighbours of one role put together."""
    system = "\n\n".join(str(m.get("content", "")) for m in messages if m["role"] == "system")
    turns: list[Message] = []
    for message in messages:
        last = turns[-1] if turns else None
        if last is not None and last["role"] == message["role"] != "tool":
            content = f"{last.get('content', '')}\n\n{message.get('content', '')}"
            turns[-1] = {**last, "content": content}
        else:
            turns.append(message)
    return system, turns


def _up_to_response(nodes: Sequence[Node]) -> tuple[tuple[Node, ...], bool]:
    """The nodes without those after the first that writes the response, and whether one did."""
    kept: list[Node] = []
    for node in nodes:
        if isinstance(node, Action) and "Response" in _names_of(node.pipe):
            return (*kept, node), True
        if isinstance(node, Branch):
            body, is_cut = _up_to_response(node.body)
            other, is_cut_there = ((), True) if is_cut else _up_to_response(node.other)
            kept.append(replace(node, body=body, other=other))
            if is_cut or is_cut_there:
                return tuple(kept), True
        else:
            kept.append(node)
    return tuple(kept), False


def _names_of(pipe: Pipe) -> set[str]:
    operands = [operand for command in pipe.commands for operand in command]
    return {name for one in operands if isinstance(one, Field) for name in one.names}


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    """A tool with its fields in the order in which Ollama writes them."""
    found = _ordered(tool, _TOOL)
    if isinstance(found.get("function"), Mapping):
        function = _ordered(found["function"], _FUNCTION)
        if isinstance(function.get("parameters"), Mapping):
            function["parameters"] = _parameters(function["parameters"])
        found["function"] = function
    return found


def _parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    found = _ordered(given, _PARAMETERS)
    properties = found.get("properties")
    if isinstance(properties, Mapping):
        found["properties"] = {
            name: _ordered(one, _PROPERTY) if isinstance(one, Mapping) else one
            for name, one in properties.items()
        }
    return found


def _ordered(given: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    first = {name: given[name] for name in names if name in given}
    return first | {name: value for name, value in given.items() if name not in first}
