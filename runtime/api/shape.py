"""What a request may hold, written down once: bodies are read by it and described by it.

A handler cannot read a field that its shape does not name, nor as another kind, so what is
described and what is read cannot differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

JsonSchema = Mapping[str, Any]


class Kind(StrEnum):
    """What a field holds, by JSON's name; ANY says more in its own schema."""

    TEXT = "string"
    FLAG = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    ITEMS = "array"
    OBJECT = "object"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Field:
    """One field. inside: the shape of an object, or of each item; schema: what else is known."""

    kind: Kind
    says: str = ""
    inside: "Shape | None" = None
    schema: JsonSchema = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        """Its JSON schema; null is as good as absent everywhere."""
        found = {"description": self.says} if self.says else {}
        if self.kind is Kind.ANY:
            return found | dict(self.schema)
        inside = {} if self.inside is None else self.inside.described()
        if self.kind is Kind.ITEMS:
            inside = {"items": inside} if inside else {}
        return found | inside | dict(self.schema) | {"type": [self.kind.value, "null"]}


@dataclass(frozen=True, slots=True)
class Shape:
    """An object that is read. name: Go's for it, which the error messages use."""

    name: str
    fields: Mapping[str, Field]
    required: tuple[str, ...] = ()

    def described(self) -> dict[str, Any]:
        """Its JSON schema; what it does not name is ignored."""
        properties = {name: one.described() for name, one in self.fields.items()}
        required = {"required": list(self.required)} if self.required else {}
        return {"type": "object", "properties": properties, **required}


def text(says: str = "", **schema: Any) -> Field:
    """A string."""
    return Field(Kind.TEXT, says, schema=schema)


def flag(says: str = "") -> Field:
    """A boolean."""
    return Field(Kind.FLAG, says)


def integer(says: str = "", **schema: Any) -> Field:
    """A whole number."""
    return Field(Kind.INTEGER, says, schema=schema)


def number(says: str = "") -> Field:
    """A number."""
    return Field(Kind.NUMBER, says)


def items(says: str = "", inside: Shape | None = None, **schema: Any) -> Field:
    """An array."""
    return Field(Kind.ITEMS, says, inside, schema)


def a(inside: Shape, says: str = "") -> Field:
    """An object of this shape."""
    return Field(Kind.OBJECT, says, inside)


def free(says: str = "") -> Field:
    """An object whose fields are the client's."""
    return Field(Kind.OBJECT, says)


def one_of(says: str, *schemas: JsonSchema) -> Field:
    """A value of several kinds, or null."""
    return Field(Kind.ANY, says, schema={"anyOf": [*schemas, {"type": "null"}]})
