"""Renders templates of Go's `text/template` language, bounded in steps and in output. Pure.

A template comes with a model file and is trusted as little: it can read the values that it is given
and nothing else, and one that would not end is refused.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runtime import go_functions
from runtime.go_functions import MAX_TEXT_CHARS, failed, is_true, shown
from runtime.go_syntax import (
    Action,
    Branch,
    Field,
    Function,
    Leave,
    Literal,
    Nested,
    Node,
    Operand,
    Pipe,
    Text,
    Tree,
    Use,
    Variable,
    parse,
)

MAX_STEPS = 400_000
MAX_DEPTH = 120
STEP_CHARS = 64  # so many characters cost as much as one step
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_JSON_NAMES = {"AnyOf": "anyOf", "Defs": "$defs"}


def read_template(source: str) -> Tree:
    """The tree of a template. Raises BadTemplate."""
    return parse(source, go_functions.NAMES)


def render(tree: Tree, values: Mapping[str, Any]) -> str:
    """The text that a template makes of values. Raises BadTemplate."""
    run = _Run(tree, values)
    try:
        run.walk(tree.nodes, values)
    except (OverflowError, ValueError, TypeError) as error:  # numbers and texts without measure
        raise failed(str(error)) from error
    return "".join(run.written)


class _Broken(Exception):
    """Out of a range."""


class _Continued(Exception):
    """On to the next round of a range."""


class _Run:
    """One rendering."""

    def __init__(self, tree: Tree, values: Mapping[str, Any]) -> None:
        self._tree = tree
        self._variables: list[tuple[str, Any]] = [("$", values)]
        self._steps = 0
        self._depth = 0
        self._size = 0
        self.written: list[str] = []

    def walk(self, nodes: Sequence[Node], dot: Any) -> None:
        """Do what nodes say, one after the other."""
        self._deeper()
        for node in nodes:
            self._step()
            match node:
                case Text(text):
                    self._write(text)
                case Action(pipe):
                    value = self._pipe(pipe, dot)
                    self._write("" if pipe.names else shown(value))
                case Branch(kind="range"):
                    self._range(node, dot)
                case Branch():
                    self._branch(node, dot)
                case Leave(kind):
                    raise _Broken if kind == "break" else _Continued
                case Use():
                    self._use(node, dot)
        self._depth -= 1

    def _branch(self, node: Branch, dot: Any) -> None:
        scope = len(self._variables)
        value = self._pipe(node.pipe, dot)
        if is_true(value):
            self.walk(node.body, value if node.kind == "with" else dot)
        else:
            self.walk(node.other, dot)
        del self._variables[scope:]

    def _range(self, node: Branch, dot: Any) -> None:
        scope, depth = len(self._variables), self._depth
        over = self._pipe(Pipe(node.pipe.commands), dot)
        pairs, is_empty = _pairs(over), True
        for key, value in pairs:
            is_empty = False
            self._step()
            names = node.pipe.names
            given = (value,) if len(names) == 1 else (key, value)
            for name, one in zip(names, given, strict=False):
                if node.pipe.declares:
                    self._variables.append((name, one))
                else:
                    self._assign(name, one)
            try:
                self.walk(node.body, value)
            except _Continued:
                self._depth = depth
            except _Broken:
                self._depth = depth
                break
            finally:
                del self._variables[scope:]
        if is_empty:
            self.walk(node.other, dot)
            del self._variables[scope:]

    def _use(self, node: Use, dot: Any) -> None:
        if node.name not in self._tree.defined:
            raise failed(f'template "{node.name}" not defined')
        value = None if node.pipe is None else self._pipe(node.pipe, dot)
        kept, self._variables = self._variables, [("$", value)]
        self.walk(self._tree.defined[node.name], value)
        self._variables = kept

    # --- Values ----------------------------------------------------------------------------

    def _pipe(self, pipe: Pipe, dot: Any) -> Any:
        self._deeper()
        value = self._command(pipe.commands[0], dot, ())
        for command in pipe.commands[1:]:
            value = self._command(command, dot, (value,))
        for name in pipe.names:
            if pipe.declares:
                self._variables.append((name, value))
            else:
                self._assign(name, value)
        self._depth -= 1
        return value

    def _command(self, command: Sequence[Operand], dot: Any, piped: tuple[Any, ...]) -> Any:
        self._step()
        first, *others = command
        if not isinstance(first, Function):
            if others or piped:
                raise failed(f"can't give argument to non-function {_named(first)}")
            return self._operand(first, dot)
        if first.name in ("and", "or"):
            return self._one_of(first.name, others, dot, piped)
        values = [*(self._operand(one, dot) for one in others), *piped]
        self._charge(*values)
        found = go_functions.call(first.name, values)
        self._charge(found)
        return found

    def _one_of(
        self, name: str, operands: Sequence[Operand], dot: Any, piped: tuple[Any, ...]
    ) -> Any:
        """The first that decides; the others are not looked at."""
        if not operands and not piped:
            raise failed(f"wrong number of args for {name}: want at least 1 got 0")
        value: Any = None
        for operand in operands:
            value = self._operand(operand, dot)
            if is_true(value) == (name == "or"):
                return value
        return piped[0] if piped else value

    def _operand(self, operand: Operand, dot: Any) -> Any:
        self._step()
        match operand:
            case Literal(value):
                return value
            case Field(names):
                return _field(dot, names)
            case Variable(name, names):
                value = next(v for known, v in reversed(self._variables) if known == name)
                return _field(value, names)
            case Nested(pipe, names):
                return _field(self._pipe(pipe, dot), names)
            case Function(name):
                return self._command((operand,), dot, ())

    def _assign(self, name: str, value: Any) -> None:
        for place in range(len(self._variables) - 1, -1, -1):
            if self._variables[place][0] == name:
                self._variables[place] = (name, value)
                return

    # --- Bounds ----------------------------------------------------------------------------

    def _write(self, text: str) -> None:
        self._size += len(text)
        if self._size > MAX_TEXT_CHARS:
            raise failed("it writes too much")
        self.written.append(text)

    def _step(self, count: int = 1) -> None:
        self._steps += count
        if self._steps > MAX_STEPS:
            raise failed("it takes too many steps")

    def _charge(self, *values: Any) -> None:
        """Long texts and lists take longer."""
        self._step(sum(len(v) for v in values if isinstance(v, str | list | tuple)) // STEP_CHARS)

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise failed("exceeded maximum template depth")


def identifiers(tree: Tree) -> frozenset[str]:
    """The fields and variables that a template speaks of, in lower case."""
    names: set[str] = set()
    for nodes in (tree.nodes, *tree.defined.values()):
        names.update(name.lower() for node in nodes for name in _names(node))
    return frozenset(names)


def _names(part: Node | Pipe | Operand) -> Iterator[str]:
    match part:
        case Field(names):
            yield from names
        case Variable(name, names):
            yield from (name, *names)
        case Nested(pipe, names):
            yield from (*_names(pipe), *names)
        case Pipe(commands):
            for command in commands:
                for operand in command:
                    yield from _names(operand)
        case Action(pipe):
            yield from _names(pipe)
        case Branch(_, pipe, body, other):
            yield from _names(pipe)
            for node in (*body, *other):
                yield from _names(node)
        case Use(_, pipe) if pipe is not None:
            yield from _names(pipe)
        case _:
            return


def _pairs(value: Any) -> Iterator[tuple[Any, Any]]:
    """Keys and values of what a range goes over. Raises BadTemplate."""
    if isinstance(value, Mapping):
        return iter([(key, value[key]) for key in value])
    if isinstance(value, list | tuple):
        return enumerate(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return ((number, number) for number in range(value))
    if value is None:
        return iter(())
    raise failed(f"range can't iterate over {shown(value)[:40]}")


def _field(value: Any, names: Sequence[str]) -> Any:
    """A field of a field of a value; nothing where the last is missing. Raises BadTemplate."""
    for name in names:
        if not isinstance(value, Mapping):
            kind = "nil data" if value is None else f"type {type(value).__name__}"
            raise failed(f"can't evaluate field {name} in {kind}")
        value = value[name] if name in value else value.get(_json_name(name))
    return value


def _json_name(name: str) -> str:
    return _JSON_NAMES.get(name) or _WORD_START.sub("_", name).lower()


def _named(operand: Operand) -> str:
    return ".".join(getattr(operand, "names", ()) or (type(operand).__name__.lower(),))
