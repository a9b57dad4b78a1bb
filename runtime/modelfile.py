'''Reads and writes Modelfiles: what a model is made of, as people write it. Pure.

    FROM qwen2.5-coder:0.5b
    SYSTEM """Answer in one sentence."""
    PARAMETER temperature 0
    MESSAGE user Hello

Instructions may come in any order and case; `#` begins a comment; a value is a bare line,
"quoted", or three quotes over several lines.
'''

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from runtime.errors import BadRequest
from runtime.sampling import Options

INSTRUCTIONS = (
    "from", "license", "template", "system", "adapter", "draft", "renderer", "parser",
    "parameter", "message", "requires",
)  # fmt: skip
ROLES = ("system", "user", "assistant")
# Words of older versions: known, and without an effect.
OLD_PARAMETERS = (
    "mirostat", "mirostat_tau", "mirostat_eta", "tfs_z", "numa", "low_vram", "f16_kv",
    "logits_all", "vocab_only", "use_mlock", "penalize_newline", "embedding_only",
    "num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread", "num_gqa",
    "rope_frequency_base", "rope_frequency_scale", "draft_num_predict",
)  # fmt: skip
_QUOTES = '"""'
_WORD = re.compile(r"\s*(\S+)\s*")


@dataclass(slots=True)
class Modelfile:
    """What a Modelfile says."""

    sources: list[str] = field(default_factory=list)
    adapters: list[str] = field(default_factory=list)
    template: str | None = None
    system: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    messages: list[dict[str, str]] = field(default_factory=list)
    licences: list[str] = field(default_factory=list)
    others: dict[str, str] = field(default_factory=dict)  # requires, renderer, parser, draft


def read_modelfile(content: bytes) -> Modelfile:
    """Read one. Raises BadRequest."""
    found = Modelfile()
    for line, instruction, value in _instructions(_decoded(content)):
        _take(found, line, instruction, value)
    if not found.sources:
        raise BadRequest("no FROM line", "Name a model or a file: FROM qwen2.5-coder:0.5b")
    return found


def read_messages(text: str) -> list[dict[str, str]]:
    """The messages that a model comes with, from their layer. Raises BadRequest."""
    try:
        return [{"role": str(m["role"]), "content": str(m["content"])} for m in json.loads(text)]
    except (ValueError, KeyError, TypeError) as error:
        raise BadRequest("the model's own messages cannot be read", "Create it again.") from error


def quoted(text: str) -> str:
    """A value as a Modelfile can hold it."""
    return f"{_QUOTES}{text}{_QUOTES}" if "\n" in text or '"' in text else f'"{text}"'


def _decoded(content: bytes) -> str:
    for mark, coding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if content.startswith(mark):
            return content.decode(coding, errors="replace")
    return content.decode("utf-8", errors="replace")


def _instructions(text: str) -> Iterator[tuple[int, str, str]]:
    """Line number, instruction and value, one after the other. Raises BadRequest."""
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        line, number = lines[at].strip(), at + 1
        at += 1
        if not line or line.startswith("#"):
            continue
        instruction, _, value = line.partition(" ")
        if instruction.lower() not in INSTRUCTIONS:
            known = ", ".join(f'"{name}"' for name in INSTRUCTIONS[:-1])
            raise BadRequest(f'(line {number}): command must be one of {known}, or "requires"')
        if value.count(_QUOTES) == 1:
            # Only a value's own indentation is kept, so it is taken from the line as it stands.
            parts = [lines[at - 1].split(_QUOTES, 1)[1]]
            while at < len(lines) and _QUOTES not in parts[-1]:
                parts.append(lines[at])
                at += 1
            if _QUOTES not in parts[-1]:
                raise BadRequest(f"(line {number}): the three quotes are not closed")
            head = value.split(_QUOTES, 1)[0]
            value = head + _QUOTES + "\n".join(parts)
        yield number, instruction.lower(), value.strip()


def _unquoted(value: str) -> str:
    for quotes in (_QUOTES, '"'):
        if len(value) >= 2 * len(quotes) and value.startswith(quotes) and value.endswith(quotes):
            return value[len(quotes) : -len(quotes)]
    return value


def _take(found: Modelfile, line: int, instruction: str, value: str) -> None:
    match instruction:
        case "from":
            found.sources.append(_unquoted(value))
        case "adapter":
            found.adapters.append(_unquoted(value))
        case "template":
            found.template = _unquoted(value)
        case "system":
            found.system = _unquoted(value)
        case "license":
            found.licences.append(_unquoted(value))
        case "parameter":
            _take_parameter(found, *_two(line, value))
        case "message":
            _take_message(found, *_two(line, value))
        case _:
            found.others[instruction] = _unquoted(value)


def _two(line: int, value: str) -> tuple[str, str]:
    word = _WORD.match(value)
    if word is None:
        raise BadRequest(f"(line {line}): a name and a value are needed")
    return word[1], _unquoted(value[word.end() :].strip())


def _take_message(found: Modelfile, role: str, content: str) -> None:
    if role.lower() not in ROLES:
        raise BadRequest('message role must be one of "system", "user", or "assistant"')
    found.messages.append({"role": role.lower(), "content": content})


def _take_parameter(found: Modelfile, name: str, value: str) -> None:
    start = getattr(Options(), name, None)
    if name in OLD_PARAMETERS:
        return
    if start is None:
        raise BadRequest(f"unknown parameter '{name}'")
    try:
        if isinstance(start, tuple):
            found.parameters.setdefault(name, []).append(value)
        else:
            found.parameters[name] = type(start)(value)
    except ValueError as error:
        raise BadRequest(f"invalid value '{value}' for parameter '{name}'") from error
