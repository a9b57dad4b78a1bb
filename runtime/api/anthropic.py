"""Anthropic's interface: `/v1/messages`, over the same way as all the others."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from secrets import token_hex
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from runtime.api.asked import image_of_base64, image_of_url, refuse_capability
from runtime.api.body import Fields, read_fields
from runtime.api.conversation import Manner, Wish, manner_of, with_beginning
from runtime.api.dialect_shapes import ANTHROPIC
from runtime.api.gate import visit_of
from runtime.api.meter import prompt_tokens_of
from runtime.api.openai import json_response
from runtime.api.refusal import Refused, anthropic_body
from runtime.api.service import Finished, Service
from runtime.api.spoken import Call, Piece, Pieces, Whole, spoken, whole
from runtime.api.stream import stream, while_connected
from runtime.api.wire import EVENT_STREAM, named_event
from runtime.errors import ModelRuntimeError
from runtime.protocol import Generate
from runtime.seeing import IMAGES
from runtime.store import InstalledModel

EFFORTS = {"low": "low", "medium": "medium", "high": "high", "max": "max", "xhigh": "high"}
_REASONS = {"stop": "end_turn", "length": "max_tokens"}


class Anthropic:
    """The endpoint."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def messages(self, request: Request) -> Response:
        """POST /v1/messages."""
        fields = await read_fields(request, ANTHROPIC, self._service.settings.max_body_bytes)
        name = fields.text("model")
        if not name:
            raise Refused(400, "model is required", "Name a model.")
        longest = fields.integer("max_tokens") or 0
        if longest <= 0:
            raise Refused(400, "max_tokens is required and must be positive")
        if not fields.items("messages"):
            raise Refused(400, "messages is required")
        model = await self._service.for_answers(name, "chat")
        job, manner = await self._job(fields, model)
        parts = self._service.answer(visit_of(request), model, job, None)
        pieces = spoken(parts, manner.speech(), shows_thoughts=manner.shows_thoughts)
        if fields.flag("stream", default=False):
            events = _events(pieces, name, prompt_tokens_of(job))
            return await stream(request, events, EVENT_STREAM, _last_words)
        return json_response(_message(name, await while_connected(request, whole(pieces))))

    async def _job(self, fields: Fields, model: InstalledModel) -> tuple[Generate, Manner]:
        thinking = fields.within("thinking").text("type")
        effort = fields.within("output_config").text("effort")
        think = {"enabled": True, "disabled": False}.get(thinking) or EFFORTS.get(effort)
        wish = Wish(_tools(fields), False if thinking == "disabled" else think)
        # What a model cannot think is quietly left out here, as upstream does.
        manner = await manner_of(self._service, model, str(model.name), wish, must_think=False)
        messages = _messages(fields, model)
        job = Generate(
            id=0,
            options=self._service.options(model, _options(fields)),
            messages=with_beginning(self._service, model, messages),
            rendering=manner.rendering,
        )
        return job, manner


def _options(fields: Fields) -> dict[str, Any]:
    return {
        "num_predict": fields.integer("max_tokens"),
        "temperature": fields.number("temperature"),
        "top_p": fields.number("top_p"),
        "top_k": fields.integer("top_k"),
        "stop": fields.items("stop_sequences"),
    }


def _tools(fields: Fields) -> tuple[dict[str, Any], ...]:
    found = []
    for item in fields.items("tools"):
        tool = fields.part("tools", item)
        if not tool.text("name"):
            raise Refused(400, "a tool must have a name")
        function = {
            "name": tool.text("name"),
            "description": tool.text("description"),
            "parameters": tool.object("input_schema"),
        }
        found.append({"type": "function", "function": function})
    return tuple(found)


def _messages(fields: Fields, model: InstalledModel) -> list[dict[str, Any]]:
    """The conversation as templates know it. Raises Refused."""
    system = _text_of(fields.get("system"), fields, "system", model)
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    for item in fields.items("messages"):
        message = fields.part("messages", item)
        role = message.text("role")
        if role not in ("user", "assistant", "system"):
            raise Refused(400, f'invalid role: "{role}"')
        messages += _turns(role, message, model)
    return messages


def _turns(role: str, message: Fields, model: InstalledModel) -> list[dict[str, Any]]:
    """One message may hold words, calls and results: each kind is a turn of its own."""
    content = message.get("content")
    if isinstance(content, str):
        return [{"role": role, "content": content}]
    if not isinstance(content, list):
        raise Refused(400, "content must be a text, or an array of blocks")
    texts, calls, results = list[str](), list[dict[str, Any]](), list[dict[str, Any]]()
    images: list[bytes] = []
    for item in content:
        block = message.block("content", item)
        match block.text("type"):
            case "text":
                texts.append(block.text("text"))
            case "tool_use":
                function = {"name": block.text("name"), "arguments": block.object("input")}
                calls.append({"id": block.text("id"), "type": "function", "function": function})
            case "tool_result":
                said = _text_of(block.get("content"), message, "content", model)
                result = {"role": "tool", "content": said}
                results.append(result | {"tool_call_id": block.text("tool_use_id")})
            case "thinking" | "redacted_thinking":
                continue
            case "image":
                images.append(_image_of(block, model))
            case kind:
                raise Refused(400, f'blocks of type "{kind}" are not supported')
    turn: dict[str, Any] = {"role": role, "content": "\n".join(texts)}
    if calls:
        turn["tool_calls"] = calls
    if images:
        turn[IMAGES] = tuple(images)
    return [*results, *([turn] if texts or calls or images or not results else [])]


def _image_of(block: Fields, model: InstalledModel) -> bytes:
    source = block.within("source")
    if source.text("type") == "url":
        return image_of_url(source.text("url"), model)
    return image_of_base64(source.get("data"), model)


def _text_of(given: Any, fields: Fields, name: str, model: InstalledModel) -> str:
    """A text, or the texts of blocks. Raises Refused."""
    if given is None or isinstance(given, str):
        return given or ""
    if not isinstance(given, list):
        raise Refused(400, f"{name} must be a text, or an array of blocks")
    texts = []
    for item in given:
        block = fields.block(name, item)
        if block.text("type") == "image":
            raise refuse_capability(model, "vision")
        texts.append(block.text("text"))
    return "\n".join(texts)


def _message(name: str, answer: Whole) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = []
    if answer.thought:
        blocks.append(_thinking(answer.thought))
    if answer.text or not (answer.thought or answer.calls):
        blocks.append({"type": "text", "text": answer.text})
    blocks += [_use(call) | {"input": call.arguments} for call in answer.calls]
    usage = _usage(answer.end.done.prompt_tokens, answer.end.done.answer_tokens)
    reason = _reason(answer.end, bool(answer.calls))
    return _frame(name, usage) | {"content": blocks, "stop_reason": reason}


def _frame(name: str, usage: dict[str, int]) -> dict[str, Any]:
    return {
        "id": f"msg_{token_hex(12)}",
        "type": "message",
        "role": "assistant",
        "model": name,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }


def _usage(prompt: int, answer: int) -> dict[str, int]:
    return {"input_tokens": prompt, "output_tokens": answer}


def _reason(end: Finished, called: bool) -> str:
    return "tool_use" if called else _REASONS.get(end.done.reason, "end_turn")


def _thinking(text: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": text, "signature": ""}


def _use(call: Call) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"toolu_{call.id.removeprefix('call_')}", "name": call.name}


def _blocks(piece: Piece) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """The kind of block that a piece belongs to, its empty form, and what the piece adds."""
    if piece.call:
        text = json.dumps(piece.call.arguments, ensure_ascii=False)
        start = _use(piece.call) | {"input": {}}
        return "call", start, {"type": "input_json_delta", "partial_json": text}
    if piece.thought:
        return "thought", _thinking(""), {"type": "thinking_delta", "thinking": piece.thought}
    return "text", {"type": "text", "text": ""}, {"type": "text_delta", "text": piece.text}


async def _events(pieces: Pieces, name: str, prompt_tokens: int) -> AsyncGenerator[bytes, None]:
    """The stream: blocks one after the other, each begun, filled and ended."""
    yield _event("message_start", message=_frame(name, _usage(prompt_tokens, 0)))
    index, kind, called = -1, "", False
    async with aclosing(pieces) as parts:
        async for part in parts:
            if isinstance(part, Finished):
                if index < 0:
                    index = 0
                    empty = {"type": "text", "text": ""}
                    yield _event("content_block_start", index=0, content_block=empty)
                yield _event("content_block_stop", index=index)
                delta = {"stop_reason": _reason(part, called), "stop_sequence": None}
                usage = _usage(part.done.prompt_tokens, part.done.answer_tokens)
                yield _event("message_delta", delta=delta, usage=usage)
                yield _event("message_stop")
                return
            found, start, delta = _blocks(part)
            called = called or found == "call"
            if found != kind or found == "call":
                if index >= 0:
                    yield _event("content_block_stop", index=index)
                index, kind = index + 1, found
                yield _event("content_block_start", index=index, content_block=start)
            yield _event("content_block_delta", index=index, delta=delta)


def _event(kind: str, **fields: Any) -> bytes:
    return named_event(kind, {"type": kind, **fields})


def _last_words(error: ModelRuntimeError) -> bytes:
    return named_event("error", anthropic_body(error))
