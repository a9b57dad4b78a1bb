"""Reads what both dialects ask of an answer: messages, formats, and what our models cannot do."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

from runtime.api.body import Fields, decode_text
from runtime.api.refusal import Refused
from runtime.api.shapes import CONTENT_PART, MAX_TOP_LOGPROBS, ROLES, THINK_LEVELS
from runtime.manifest import PROJECTOR_TYPE
from runtime.seeing import IMAGES
from runtime.store import InstalledModel

DATA_URL = re.compile(r"data:(image/(jpeg|jpg|png|webp))?;base64,")


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
        images = read_images(message, model)
        more = {
            IMAGES: images,
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


def read_images(fields: Fields, model: InstalledModel) -> tuple[bytes, ...]:
    """Images in base64; what is no image at all is said first. Raises Refused."""
    images = tuple(_unpacked(image) for image in fields.items("images"))
    if images and not sees(model):
        raise refuse_capability(model, "vision")
    return images


def sees(model: InstalledModel) -> bool:
    """Whether a model has a projector."""
    return bool(model.manifest.layers_of(PROJECTOR_TYPE))


def _unpacked(image: Any) -> bytes:
    try:
        return base64.b64decode(image, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise Refused(400, f"illegal base64 data: {error}") from error


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
        messages += [said | part for part in _parts(message, model)]
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


def _parts(message: Fields, model: InstalledModel) -> list[dict[str, Any]]:
    """Each part as a message of its own, as upstream has it, but an image with the text after it.

    Templates of models that see put a turn's end behind every message.
    """
    content = message.get("content")
    if isinstance(content, str):
        return [{"content": content}]
    if isinstance(content, list):
        return _with_images([_part_of(part, model) for part in content])
    if content is None and message.items("tool_calls"):
        return [{"content": ""}]
    shown = "<nil>" if content is None else type(content).__name__
    raise Refused(400, f"invalid message content type: {shown}")


def _with_images(parts: list[str | bytes]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    images: tuple[bytes, ...] = ()
    for part in parts:
        if isinstance(part, bytes):
            images = (*images, part)
            continue
        found.append({"content": part} | ({IMAGES: images} if images else {}))
        images = ()
    if images:
        last = found.pop() if found else {"content": ""}
        found.append(last | {IMAGES: (*last.get(IMAGES, ()), *images)})
    return found


def image_of_url(url: Any, model: InstalledModel) -> bytes:
    """The image in a data URL; nothing is fetched from elsewhere. Raises Refused."""
    text = url if isinstance(url, str) else ""
    if text.startswith(("http://", "https://")):
        raise Refused(
            400,
            "image URLs are not currently supported, please use base64 encoded data instead",
        )
    data = DATA_URL.match(text)
    return image_of_base64(text[data.end() :] if data else None, model)


def image_of_base64(data: Any, model: InstalledModel) -> bytes:
    """An image, for a model that sees. Raises Refused."""
    if not sees(model):
        raise refuse_capability(model, "vision")
    if not isinstance(data, str):
        raise Refused(400, "invalid image input", "Send JPEG or PNG in base64.")
    return _unpacked(data)


def _part_of(given: Any, model: InstalledModel) -> str | bytes:
    part = Fields(given if isinstance(given, dict) else {}, CONTENT_PART)
    kind, text = part.get("type"), part.get("text")
    if kind == "text" and isinstance(text, str):
        return text
    if kind == "image_url":
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, dict) else image
        return image_of_url(url, model)
    if kind == "input_audio":
        raise refuse_capability(model, "audio")
    raise Refused(400, "invalid message format")
