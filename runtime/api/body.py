"""Reads a request's body as Go would: any content type, unknown fields ignored, null is absent."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from runtime.api.refusal import Refused
from runtime.api.shape import Kind, Shape

_GO_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (str, "string"),
    (int, "number"),
    (float, "number"),
    (list, "array"),
    (dict, "object"),
)


class Fields:
    """The fields of one JSON object, of which only those of its shape can be read.

    struct: the name that the error messages use, where it is not the shape's.
    """

    def __init__(self, values: Mapping[str, Any], shape: Shape, struct: str = "") -> None:
        self._values = values
        self._shape = shape
        self._struct = struct or shape.name

    def get(self, name: str) -> Any:
        """A field of several kinds as it came; None if it is absent or null."""
        return self._value(name, Kind.ANY)

    def text(self, name: str, default: str = "") -> str:
        """A string. Raises Refused."""
        value = self._typed(name, Kind.TEXT, str, "string")
        return default if value is None else str(value)

    def flag(self, name: str, default: bool) -> bool:
        """A boolean. Raises Refused."""
        value = self._typed(name, Kind.FLAG, bool, "bool")
        return default if value is None else bool(value)

    def integer(self, name: str) -> int | None:
        """A whole number. Raises Refused."""
        value = self._value(name, Kind.INTEGER)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._mismatch(name, value, "int")
        return value

    def number(self, name: str) -> float | None:
        """A number. Raises Refused."""
        value = self._value(name, Kind.NUMBER)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._mismatch(name, value, "float64")
        return _float(value)

    def items(self, name: str) -> list[Any]:
        """An array; empty if absent. Raises Refused."""
        value = self._typed(name, Kind.ITEMS, list, "[]")
        return [] if value is None else list(value)

    def object(self, name: str) -> dict[str, Any]:
        """An object; empty if absent. Raises Refused."""
        value = self._typed(name, Kind.OBJECT, dict, "map[string]interface {}")
        return {} if value is None else dict(value)

    def within(self, name: str) -> "Fields":
        """The fields of an object. Raises Refused."""
        return Fields(self.object(name), self._inside(name))

    def part(self, name: str, value: Any) -> "Fields":
        """An object inside one of our arrays. Raises Refused."""
        if not isinstance(value, dict):
            raise self._mismatch(name, value, "object")
        return Fields(value, self._inside(name), f"{self._struct}.{name}")

    def block(self, name: str, value: Any) -> "Fields":
        """An object inside an array that stands in a field of several kinds. Raises Refused."""
        if not isinstance(value, dict):
            raise self._mismatch(name, value, "object")
        return Fields(value, self._inside(name), f"{self._struct}.{name}")

    def _inside(self, name: str) -> Shape:
        inside = self._shape.fields[name].inside
        assert inside is not None, name
        return inside

    def _value(self, name: str, kind: Kind) -> Any:
        # Another kind here is a bug of ours: the description would say what is not so.
        assert self._shape.fields[name].kind is kind, (self._shape.name, name, kind)
        return self._values.get(name)

    def _typed(self, name: str, kind: Kind, python_type: type, go_type: str) -> Any:
        value = self._value(name, kind)
        if value is not None and not isinstance(value, python_type):
            raise self._mismatch(name, value, go_type)
        return value

    def _mismatch(self, name: str, value: Any, go_type: str) -> Refused:
        found = next((word for kind, word in _GO_TYPES if isinstance(value, kind)), "null")
        field = f"{self._struct}.{name}"
        return Refused(
            400, f"json: cannot unmarshal {found} into Go struct field {field} of type {go_type}"
        )


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise Refused(400, "json: cannot unmarshal number into Go value of type float64") from error


async def read_fields(request: Request, shape: Shape, limit_bytes: int) -> Fields:
    """The JSON object of a request. Raises Refused."""
    body = await _read(request, limit_bytes)
    if not body.strip():
        openai = request.url.path.startswith("/v1/")
        raise Refused(400, "EOF" if openai else "missing request body")
    values = _decode(body)
    if not isinstance(values, dict):
        found = next((word for kind, word in _GO_TYPES if isinstance(values, kind)), "null")
        raise Refused(400, f"json: cannot unmarshal {found} into Go value of type api.{shape.name}")
    return Fields(values, shape)


async def _read(request: Request, limit_bytes: int) -> bytes:
    """The body, refused while it comes in once it is too long."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit_bytes:
            raise Refused(413, "http: request body too large", f"The limit is {limit_bytes} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)


def decode_text(text: str) -> Any:
    """JSON inside of JSON. Raises Refused."""
    return _decode(text.encode("utf-8", errors="replace"))


def _decode(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8", errors="replace"), parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise Refused(400, _go_words(error)) from error
    except RecursionError as error:
        raise Refused(400, "exceeded max depth") from error
    except ValueError as error:
        raise Refused(400, f"invalid JSON: {error}") from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _go_words(error: json.JSONDecodeError) -> str:
    if error.pos >= len(error.doc.rstrip()):
        return "unexpected EOF"
    character = error.doc[error.pos]
    return f"invalid character '{character}' looking for beginning of value"
