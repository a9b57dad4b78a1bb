"""Reads what both dialects ask of an answer: messages, formats, and what our models cannot do."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from runtime.api.body import Fields, decode_text
from runtime.api.refusal import Refused
from runtime.api.shapes import CONTENT_PART, MAX_TOP_LOGPROBS, ROLES, THINK_LEVELS
from runtime.store import InstalledModel


def refuse_capability(model: InstalledModel, capability: str) -> Refused:
    """The error for something that a model was not made for."""
    return Refused(
        400,
        f"{model.name.full} does not support {capability}",
        "Leave that out, or use a model that can.",
    )


def read_think(fields: Fields) -> bool | str | None:
    """Whether, or how hard, the model shall think; None if that is not said. Raises Refused."""
    think = fields.get("think")
    if think is None or isinstance(think, bool):
        return think
    if think not in THINK_LEVELS:
        shown = think if isinstance(think, str) else json.dumps(think)
        raise Refused(
            400,
            f'invalid think value: "{shown}"'
            ' (must be "high", "medium", "low", "max", true, or false)',
        )
    return str(think)


def read_tools(fields: Fields) -> tuple[Mapping[str, Any], ...]:
    """Functions on offer, as OpenAI describes them. Raises Refused."""
    found = []
    for item in fields.items("tools"):
        tool = fields.part("tools", item)
        function = tool.within("function")
        name, kind = function.text("name"), tool.text("type") or "function"
        if kind != "function" or not name:
            raise Refused(400, "a tool must be a function with a name", "See OpenAI's tools.")
        described = {
            "name": name,
            "description": function.text("description"),
            "parameters": function.object("parameters"),
        }
        found.append({"type": "function", "function": described})
    return tuple(found)


def read_schema(value: Any) -> str | None:
    """The `format` field: None for free text, "" for any JSON, else a schema. Raises Refused."""
    if value is None or value == "":
        return None
    if value == "json":
        return ""
    if isinstance(value, dict):
        return json.dumps(value)
    raise Refused(
        400,  # upstream says 500, but the fault is the client's
        f'invalid format: {json.dumps(value)}; expected "json" or a valid JSON Schema object',
    )


def read_logprobs(fields: Fields) -> int | None:
    """How many likeliest tokens are wanted with each token; None for none. Raises Refused."""
    top = fields.integer("top_logprobs") or 0
    if not 0 <= top <= MAX_TOP_LOGPROBS:
        raise Refused(400, "top_logprobs must be between 0 and 20")
    return top if fields.flag("logprobs", default=False) else None


def native_messages(fields: Fields, model: InstalledModel) -> list[dict[str, Any]]:
    """The messages of `/api/chat`. Raises Refused."""
    messages = []
    for item in fields.items("messages"):
        message = fields.part("messages", item)
        if message.items("images"):
            raise refuse_capability(model, "vision")
        more = {
            "thinking": message.text("thinking"),
            "reasoning_content": message.text("thinking"),
            "tool_calls": _native_calls(message),
            "tool_name": message.text("tool_name"),
            "name": message.text("tool_name"),
            "tool_call_id": message.text("tool_call_id"),
        }
        said = {"role": _role(message), "content": message.text("content")}
        messages.append(said | {name: value for name, value in more.items() if value})
    return messages


def _native_calls(message: Fields) -> list[dict[str, Any]]:
    """Earlier calls of the model; their arguments are objects. Raises Refused."""
    found = []
    for item in message.items("tool_calls"):
        call = message.part("tool_calls", item)
        function = call.within("function")
        called = {"name": function.text("name"), "arguments": function.object("arguments")}
        found.append({"id": call.text("id"), "type": "function", "function": called})
    return found


def check_images(fields: Fields, model: InstalledModel) -> None:
    """Refuse images, and say so first where they are no images at all. Raises Refused."""
    for image in fields.items("images"):
        try:
            base64.b64decode(image, validate=True)
        except (binascii.Error, TypeError, ValueError) as error:
            raise Refused(400, f"illegal base64 data: {error}") from error
        raise refuse_capability(model, "vision")


def openai_messages(fields: Fields, model: InstalledModel) -> list[dict[str, Any]]:
    """The messages of `/v1/chat/completions`; each text part is a message. Raises Refused."""
    items = fields.items("messages")
    if not items:
        raise Refused(400, "[] is too short - 'messages'")
    messages = []
    for item in items:
        message = fields.part("messages", item)
        more = {
            "tool_calls": _openai_calls(message),
            "tool_call_id": message.text("tool_call_id"),
            "name": message.text("name"),
        }
        said = {"role": _role(message)} | {name: value for name, value in more.items() if value}
        messages += [said | {"content": text} for text in _texts(message, model)]
    return messages


def _openai_calls(message: Fields) -> list[dict[str, Any]]:
    """Earlier calls of the model; their arguments are JSON texts. Raises Refused."""
    found = []
    for item in message.items("tool_calls"):
        call = message.part("tool_calls", item)
        function = call.within("function")
        called = {"name": function.text("name"), "arguments": _decoded(function.text("arguments"))}
        found.append({"id": call.text("id"), "type": "function", "function": called})
    return found


def _decoded(arguments: str) -> dict[str, Any]:
    found = decode_text(arguments or "{}")
    if not isinstance(found, dict):
        raise Refused(400, "the arguments of a tool call must be a JSON object, as a text")
    return found


def _role(message: Fields) -> str:
    role = message.text("role").lower()
    role = "system" if role == "developer" else role
    if role not in ROLES:
        raise Refused(400, f'invalid role: "{role}"', f"Roles are {', '.join(ROLES)}.")
    return role


def _texts(message: Fields, model: InstalledModel) -> list[str]:
    content = message.get("content")
    if isinstance(content, str):
        return [content]
    if isinstance(content, list):
        return [_text_of(part, model) for part in content]
    if content is None and message.items("tool_calls"):
        return [""]
    shown = "<nil>" if content is None else type(content).__name__
    raise Refused(400, f"invalid message content type: {shown}")


def _text_of(given: Any, model: InstalledModel) -> str:
    part = Fields(given if isinstance(given, dict) else {}, CONTENT_PART)
    kind, text = part.get("type"), part.get("text")
    if kind == "text" and isinstance(text, str):
        return text
    if kind == "image_url":
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, dict) else image
        if isinstance(url, str) and url.startswith(("http://", "https://")):
            raise Refused(
                400,
                "image URLs are not currently supported, please use base64 encoded data instead",
            )
        raise refuse_capability(model, "vision")
    if kind == "input_audio":
        raise refuse_capability(model, "audio")
    raise Refused(400, "invalid message format")
