"""Reads templates written in Go's `text/template` language into trees. Pure.

Models that were packed for Ollama carry their chat template in it. What is refused here, Go
refuses too, in the same words.
"""

from dataclasses import dataclass

from runtime.go_tokens import Token, character_of, number_of, pieces, refused, unquoted

MAX_DEPTH = 60
BRANCHES = ("if", "with", "range")


@dataclass(frozen=True, slots=True)
class Text:
    """What is copied as it stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant; None is Go's nil."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Field:
    """Fields of the value at hand; no names for that value itself."""

    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable, or fields of it; `$` is the value that the whole is given."""

    name: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    """The name of a function."""

    name: str


@dataclass(frozen=True, slots=True)
class Nested:
    """A pipeline in parentheses, or fields of what it gives."""

    pipe: "Pipe"
    names: tuple[str, ...] = ()


Operand = Literal | Field | Variable | Function | Nested


@dataclass(frozen=True, slots=True)
class Pipe:
    """Commands, each given what the one before gave. names: variables that take the result."""

    commands: tuple[tuple[Operand, ...], ...]
    names: tuple[str, ...] = ()
    declares: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """A pipeline whose result is written."""

    pipe: Pipe


@dataclass(frozen=True, slots=True)
class Branch:
    """`if`, `with` or `range`, and what stands after its `else`."""

    kind: str
    pipe: Pipe
    body: "tuple[Node, ...]"
    other: "tuple[Node, ...]" = ()


@dataclass(frozen=True, slots=True)
class Leave:
    """Out of a range, or on to its next round."""

    kind: str


@dataclass(frozen=True, slots=True)
class Use:
    """Another template of the same text."""

    name: str
    pipe: Pipe | None


Node = Text | Action | Branch | Leave | Use


@dataclass(frozen=True, slots=True)
class Tree:
    """A whole text. defined: the templates that it defines beside itself."""

    nodes: tuple[Node, ...]
    defined: dict[str, tuple[Node, ...]]


def parse(source: str, functions: frozenset[str]) -> Tree:
    """The tree of a template that may use these functions. Raises BadTemplate."""
    return _Parser(source, functions).tree()


class _Parser:
    def __init__(self, source: str, functions: frozenset[str]) -> None:
        self._pieces = list(pieces(source))
        self._at = 0
        self._functions = functions
        self._known = ["$"]
        self._ranges = 0
        self._depth = 0
        self._line = 1
        self._defined: dict[str, tuple[Node, ...]] = {}

    def tree(self) -> Tree:
        nodes, stop = self._list()
        if stop is not None:
            raise refused(self._line, f"unexpected {{{{{stop.word}}}}}")
        return Tree(nodes, self._defined)

    def _list(self) -> "tuple[tuple[Node, ...], _Cursor | None]":
        """Nodes up to an `end` or `else`, which is given back; None at the end of the text."""
        self._depth += 1
        self._check_depth()
        nodes: list[Node] = []
        stop: _Cursor | None = None
        while self._at < len(self._pieces) and stop is None:
            piece = self._pieces[self._at]
            self._at += 1
            if isinstance(piece, str):
                nodes += [Text(piece)] if piece else []
                continue
            cursor = _Cursor(piece, self._line)
            self._line = cursor.line
            if cursor.word in ("end", "else"):
                stop = cursor
            else:
                nodes += self._node(cursor)
        self._depth -= 1
        return tuple(nodes), stop

    def _node(self, cursor: "_Cursor") -> list[Node]:
        word = cursor.word
        if word in BRANCHES:
            cursor.take()
            return [self._branch(word, cursor)]
        if word in ("break", "continue"):
            cursor.take()
            if not self._ranges:
                raise refused(self._line, f"{{{{{word}}}}} outside {{{{range}}}}")
            self._ended(cursor, word)
            return [Leave(word)]
        if word in ("define", "block", "template"):
            cursor.take()
            return self._template(word, cursor)
        return [Action(self._pipe(cursor, "command"))]

    def _branch(self, kind: str, cursor: "_Cursor") -> Branch:
        self._check_depth()
        scope = len(self._known)
        pipe = self._pipe(cursor, kind)
        self._ranges += kind == "range"
        body, stop = self._list()
        self._ranges -= kind == "range"
        other: tuple[Node, ...] = ()
        if stop is not None and stop.word == "else":
            stop.take()
            stop.skip()
            if stop.word == "if" or (stop.word == "with" and kind == "with"):
                chained = stop.word
                stop.take()
                self._depth += 1
                other, stop = (self._branch(chained, stop),), None
                self._depth -= 1
                del self._known[scope:]
                return Branch(kind, pipe, body, other)
            self._ended(stop, "else")
            other, stop = self._list()
        self._end(stop)
        del self._known[scope:]
        return Branch(kind, pipe, body, other)

    def _template(self, word: str, cursor: "_Cursor") -> list[Node]:
        cursor.skip()
        token = cursor.take()
        if token is None or token.kind not in ("string", "raw"):
            raise refused(self._line, f"missing value for {word} clause")
        name = unquoted(token)
        pipe = None if cursor.is_over else self._pipe(cursor, word)
        if word != "template":
            known, self._known = self._known, ["$"]
            ranges, self._ranges = self._ranges, 0
            nodes, stop = self._list()
            self._known, self._ranges = known, ranges
            self._end(stop)
            self._defined[name] = nodes
        return [] if word == "define" else [Use(name, pipe)]

    def _check_depth(self) -> None:
        if self._depth > MAX_DEPTH:
            raise refused(self._line, "exceeded max depth")

    def _end(self, stop: "_Cursor | None") -> None:
        if stop is None:
            raise refused(self._line, "unexpected EOF")
        if stop.word != "end":
            raise refused(self._line, f"unexpected {{{{{stop.word}}}}}")
        stop.take()
        self._ended(stop, "end")

    def _ended(self, cursor: "_Cursor", word: str) -> None:
        cursor.skip()
        token = cursor.take()
        if token is not None:
            raise refused(self._line, f'unexpected "{token.text}" in {word}')

    # --- Pipelines -------------------------------------------------------------------------

    def _pipe(self, cursor: "_Cursor", where: str, closing: bool = False) -> Pipe:
        names, declares = self._declaration(cursor, where)
        commands = []
        while True:
            command = self._command(cursor, closing)
            if not command:
                raise refused(self._line, f"missing value for {where}")
            commands.append(command)
            cursor.skip()
            token = cursor.peek()
            if token is None or token.text == ")":
                break
            cursor.take()
        for name in names:
            if declares:
                self._known.append(name)
            elif name not in self._known:
                raise refused(self._line, f'undefined variable "{name}"')
        return Pipe(tuple(commands), names, declares)

    def _declaration(self, cursor: "_Cursor", where: str) -> tuple[tuple[str, ...], bool]:
        most = 2 if where == "range" else 1
        signs = [t for t in cursor.rest() if t.kind != "space"][: 2 * most]
        for count in range(1, most + 1):
            parts = signs[: 2 * count]
            names = tuple(t.text for t in parts[::2])
            between = [t.text for t in parts[1::2]]
            are_names = len(parts) == 2 * count and all(t.kind == "variable" for t in parts[::2])
            if are_names and between in ([*[","] * (count - 1), end] for end in (":=", "=")):
                cursor.drop(2 * count)
                return names, between[-1] == ":="
        return (), False

    def _command(self, cursor: "_Cursor", closing: bool) -> tuple[Operand, ...]:
        operands: list[Operand] = []
        while True:
            cursor.skip()
            token = cursor.peek()
            if token is None or token.text == "|" or (token.text == ")" and closing):
                return tuple(operands)
            if operands and not cursor.was_space:
                raise refused(self._line, f'unexpected "{token.text}" in operand')
            operands.append(self._operand(cursor))

    def _operand(self, cursor: "_Cursor") -> Operand:
        token = cursor.take()
        assert token is not None
        self._line = token.line
        match token.kind:
            case "string" | "raw":
                return Literal(unquoted(token))
            case "char":
                return Literal(character_of(token))
            case "number":
                return Literal(number_of(token))
            case "dot":
                return Field()
            case "field":
                return Field((token.text[1:], *cursor.fields()))
            case "variable":
                if token.text not in self._known:
                    raise refused(token.line, f'undefined variable "{token.text}"')
                return Variable(token.text, cursor.fields())
            case "word":
                return self._named(token)
        if token.text == "(":
            return self._nested(cursor)
        raise refused(token.line, f'unexpected "{token.text}" in operand')

    def _named(self, token: Token) -> Operand:
        constants = {"true": True, "false": False, "nil": None}
        if token.text in constants:
            return Literal(constants[token.text])
        if token.text not in self._functions:
            raise refused(token.line, f'function "{token.text}" not defined')
        return Function(token.text)

    def _nested(self, cursor: "_Cursor") -> Nested:
        self._depth += 1
        self._check_depth()
        pipe = self._pipe(cursor, "parenthesized pipeline", closing=True)
        token = cursor.take()
        if token is None or token.text != ")":
            raise refused(self._line, "unclosed left paren")
        self._depth -= 1
        return Nested(pipe, cursor.fields())


class _Cursor:
    """A place in the tokens of one action."""

    def __init__(self, tokens: list[Token], line: int) -> None:
        self._tokens = tokens
        self._at = 0
        self.line = tokens[0].line if tokens else line
        self.was_space = True
        self.skip()

    @property
    def word(self) -> str:
        """The word that stands here, if one does."""
        token = self.peek()
        return token.text if token is not None and token.kind == "word" else ""

    @property
    def is_over(self) -> bool:
        """Whether nothing but space is left."""
        return all(token.kind == "space" for token in self.rest())

    def peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def rest(self) -> list[Token]:
        return self._tokens[self._at :]

    def take(self) -> Token | None:
        token = self.peek()
        self._at += token is not None
        return token

    def skip(self) -> None:
        """Go over space, and remember whether there was some."""
        start = self._at
        while (token := self.peek()) is not None and token.kind == "space":
            self._at += 1
        self.was_space = self._at > start or self._at == 0

    def drop(self, count: int) -> None:
        """Go over so many tokens that are no space."""
        for _ in range(count):
            self.skip()
            self.take()

    def fields(self) -> tuple[str, ...]:
        """The fields that hang on what was taken last."""
        names = []
        while (token := self.peek()) is not None and token.kind == "field":
            names.append(token.text[1:])
            self._at += 1
        return tuple(names)
