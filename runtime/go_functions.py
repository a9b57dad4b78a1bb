"""The functions that Go's templates know, those of Go and those of Ollama, and how values look.

Values are those of JSON. Pure.
"""

import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from runtime.errors import BadTemplate

MAX_WIDTH = 1000
MAX_TEXT_CHARS = 8_000_000
_VERB = re.compile(r"%([-+# 0]*)(\d*)(?:\.(\d+))?([A-Za-z%])")
# What Go's encoder writes otherwise, so that JSON can stand in a web page.
_HTML = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def failed(message: str) -> BadTemplate:
    """What a template did that cannot be done."""
    return BadTemplate(f"template: {message}", "Correct the template.")


def is_true(value: Any) -> bool:
    """Go's truth: neither zero nor empty nor nothing."""
    return bool(value)


def shown(value: Any) -> str:
    """A value as an action writes it. What is missing is left out; Go writes `<no value>`."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, Mapping) or (_is_list(value) and _holds_objects(value)):
        return as_json(value)  # Ollama's own types write themselves so
    if _is_list(value):
        return f"[{' '.join(shown(one) for one in value)}]"
    return str(value)


def as_json(value: Any) -> str:
    """A value as Go's encoder writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_HTML)


def equal(first: Any, *others: Any) -> bool:
    """Whether the first is one of the others. Raises BadTemplate."""
    if not others:
        raise failed("error calling eq: missing argument for comparison")
    return any(_same(first, other) for other in others)


def length(value: Any) -> int:
    """Of a text in bytes, as Go counts."""
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, Mapping) or _is_list(value):
        return len(value)
    raise failed(f"error calling len: len of type {_type(value)}")


def indexed(value: Any, *places: Any) -> Any:
    """What stands at a place, and at a place in that, and so on. Raises BadTemplate."""
    for place in places:
        if isinstance(value, Mapping):
            value = value.get(place) if isinstance(place, str) else None
        elif _is_list(value):
            value = value[_place(place, len(value) - 1)]
        elif isinstance(value, str):
            content = value.encode("utf-8", "surrogatepass")
            value = content[_place(place, len(content) - 1)]
        else:
            raise failed(f"error calling index: can't index item of type {_type(value)}")
    return value


def sliced(value: Any, *places: Any) -> Any:
    """A part of a text or list. Raises BadTemplate."""
    if not (isinstance(value, str) or _is_list(value)) or len(places) > 2:
        raise failed(f"error calling slice: can't slice item of type {_type(value)}")
    whole = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    start = _place(places[0], len(whole)) if places else 0
    end = _place(places[1], len(whole)) if len(places) > 1 else len(whole)
    if start > end:
        raise failed(f"error calling slice: invalid slice index: {start} > {end}")
    part = whole[start:end]
    return part.decode("utf-8", "replace") if isinstance(part, bytes) else part


def printed(*values: Any) -> str:
    """Values one after the other, with a space between two that are no texts."""
    text = ""
    for index, value in enumerate(values):
        before = values[index - 1] if index else ""
        apart = index and not isinstance(value, str) and not isinstance(before, str)
        text += (" " if apart else "") + shown(value)
        _check_length(text)
    return text


def printed_line(*values: Any) -> str:
    """Values with spaces between them and a line feed."""
    text = " ".join(shown(value) for value in values) + "\n"
    _check_length(text)
    return text


def formatted(form: Any, *values: Any) -> str:
    """C's `printf`, as far as templates use it. Raises BadTemplate."""
    if not isinstance(form, str):
        raise failed(f"error calling printf: wrong type for value; expected string; got {form!r}")
    waiting = list(values)

    def put(match: re.Match[str]) -> str:
        flags, width, precision, verb = match.groups()
        if verb == "%":
            return "%"
        if not waiting:
            return f"%!{verb}(MISSING)"
        if int(width[:6] or 0) > MAX_WIDTH or int((precision or "0")[:6]) > MAX_WIDTH:
            raise failed("error calling printf: the width is too large")
        text = _by_verb(verb, waiting.pop(0), None if precision is None else int(precision))
        if "+" in flags and verb == "d" and not text.startswith("-"):
            text = f"+{text}"
        if "-" in flags:
            return text.ljust(int(width or 0))
        return text.rjust(int(width or 0), "0" if "0" in flags and verb in "dfxX" else " ")

    text = _VERB.sub(put, form)
    _check_length(text)
    return text


def type_script(value: Any) -> str:
    """The type of a tool's property, as one family of models reads it."""
    if not isinstance(value, Mapping):
        return "any"
    if isinstance(value.get("anyOf"), Sequence):
        return " | ".join(type_script(one) for one in value["anyOf"])
    kinds = value.get("type") or "any"
    kinds = [kinds] if isinstance(kinds, str) else kinds
    names = {"integer": "number", "array": "any[]", "object": "Record<string, any>"}
    known = {"string", "number", "boolean", "null"}
    return " | ".join(k if k in known else names.get(str(k), "any") for k in kinds)


def _day(days_ago: int) -> str:
    return f"{datetime.now(UTC) - timedelta(days=days_ago):%Y-%m-%d}"


def _ordered(name: str, holds: Callable[[Any, Any], bool]) -> Callable[..., bool]:
    def compare(first: Any, second: Any) -> bool:
        texts = isinstance(first, str) and isinstance(second, str)
        if not texts and not (_is_number(first) and _is_number(second)):
            raise failed(f"error calling {name}: incompatible types for comparison")
        return holds(first, second)

    return compare


def _escaped(escape: Callable[[str], str]) -> Callable[..., str]:
    def apply(*values: Any) -> str:
        text = escape(printed(*values))
        _check_length(text)
        return text

    return apply


# Name → the function, the least and the most arguments; None where there may be any number.
# `and` and `or` look at their arguments one by one and are not here.
FUNCTIONS: Mapping[str, tuple[Callable[..., Any], int, int | None]] = {
    "not": (lambda value: not is_true(value), 1, 1),
    "eq": (equal, 1, None),
    "ne": (lambda first, second: not equal(first, second), 2, 2),
    "lt": (_ordered("lt", lambda a, b: a < b), 2, 2),
    "le": (_ordered("le", lambda a, b: a <= b), 2, 2),
    "gt": (_ordered("gt", lambda a, b: a > b), 2, 2),
    "ge": (_ordered("ge", lambda a, b: a >= b), 2, 2),
    "len": (length, 1, 1),
    "index": (indexed, 1, None),
    "slice": (sliced, 1, 3),
    "print": (printed, 0, None),
    "println": (printed_line, 0, None),
    "printf": (formatted, 1, None),
    "html": (_escaped(html.escape), 1, None),
    "js": (_escaped(lambda text: json.dumps(text, ensure_ascii=False)[1:-1]), 1, None),
    "urlquery": (_escaped(lambda text: quote(text, safe="", errors="replace")), 1, None),
    "json": (as_json, 1, 1),
    "currentDate": (lambda: _day(0), 0, 0),
    "yesterdayDate": (lambda: _day(1), 0, 0),
    "toTypeScriptType": (type_script, 1, 1),
}
NAMES = frozenset(FUNCTIONS) | {"and", "or"}


def call(name: str, values: Sequence[Any]) -> Any:
    """Call a function by its name. Raises BadTemplate."""
    function, least, most = FUNCTIONS[name]
    if len(values) < least or (most is not None and len(values) > most):
        wanted = str(least) if most == least else f"at least {least}"
        raise failed(f"wrong number of args for {name}: want {wanted} got {len(values)}")
    return function(*values)


def _by_verb(verb: str, value: Any, precision: int | None) -> str:
    if verb in "sv":
        text = shown(value)
        return text if precision is None or verb == "v" else text[:precision]
    if verb == "q" and isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if verb == "t" and isinstance(value, bool):
        return shown(value)
    if verb in "dxX" and isinstance(value, int) and not isinstance(value, bool):
        return f"{value:{verb}}"
    if verb in "feEgG" and isinstance(value, float):
        places = 6 if precision is None else precision
        return f"{value:g}" if verb in "gG" and precision is None else f"{value:.{places}{verb}}"
    return f"%!{verb}({_type(value)}={shown(value)})"


def _same(first: Any, second: Any) -> bool:
    if first is None or second is None:
        return first is second
    if isinstance(first, Mapping) or _is_list(first) or isinstance(second, Mapping | list | tuple):
        raise failed("error calling eq: non-comparable type")
    if _type(first) != _type(second):
        raise failed("error calling eq: incompatible types for comparison")
    return bool(first == second)


def _place(place: Any, most: int) -> int:
    if isinstance(place, bool) or not isinstance(place, int):
        raise failed(f"error calling index: cannot index slice/array with type {_type(place)}")
    if not 0 <= place <= most:
        raise failed(f"error calling index: index out of range: {place}")
    return place


def _type(value: Any) -> str:
    words = {bool: "bool", str: "string", int: "int", float: "float64", type(None): "nil"}
    return words.get(type(value), "map" if isinstance(value, Mapping) else "slice")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _holds_objects(value: Sequence[Any]) -> bool:
    return bool(value) and all(isinstance(one, Mapping) for one in value)


def _check_length(text: str) -> None:
    if len(text) > MAX_TEXT_CHARS:
        raise failed("a text grows too long")
