"""OpenAI's newest form, `/v1/responses`: items in, items out, and nothing is kept in between."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from runtime.api.asked import image_of_url, read_schema
from runtime.api.body import Fields, decode_text, read_fields
from runtime.api.conversation import Manner, Wish, manner_of, with_beginning
from runtime.api.dialect_shapes import RESPONSES
from runtime.api.gate import visit_of
from runtime.api.openai import json_response, last_words, think_of
from runtime.api.refusal import Refused
from runtime.api.service import Finished, Service
from runtime.api.spoken import Call, Pieces, Whole, spoken, whole
from runtime.api.stream import stream, while_connected
from runtime.api.wire import EVENT_STREAM, named_event
from runtime.protocol import Generate
from runtime.seeing import IMAGES
from runtime.store import InstalledModel

_NOT_KEPT = ("previous_response_id", "conversation", "background")


class Responses:
    """The endpoint."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def respond(self, request: Request) -> Response:
        """POST /v1/responses."""
        fields = await read_fields(request, RESPONSES, self._service.settings.max_body_bytes)
        name = fields.text("model")
        if not name:
            raise Refused(400, "model is required", "Name a model.")
        for unkept in _NOT_KEPT:
            if fields.get(unkept):
                raise Refused(400, f"{unkept} is not supported: nothing is kept between requests")
        model = await self._service.for_answers(name, "chat")
        job, manner = await self._job(fields, model)
        parts = self._service.answer(visit_of(request), model, job, None)
        pieces = spoken(parts, manner.speech(), shows_thoughts=manner.shows_thoughts)
        frame = _Frame(name, fields.text("instructions") or None)
        if fields.flag("stream", default=False):
            events = _Events(frame).of(pieces)
            return await stream(request, events, EVENT_STREAM, last_words)
        return json_response(frame.completed(await while_connected(request, whole(pieces))))

    async def _job(self, fields: Fields, model: InstalledModel) -> tuple[Generate, Manner]:
        schema = _schema(fields)
        wish = Wish(_tools(fields), think_of(fields.within("reasoning").text("effort")))
        manner = await manner_of(self._service, model, str(model.name), wish, schema=schema)
        temperature, top_p = fields.number("temperature"), fields.number("top_p")
        options = {
            "num_predict": fields.integer("max_output_tokens"),
            "temperature": 1.0 if temperature is None else temperature,
            "top_p": 1.0 if top_p is None else top_p,
        }
        job = Generate(
            id=0,
            options=self._service.options(model, options),
            messages=with_beginning(self._service, model, _messages(fields, model)),
            schema=schema,
            rendering=manner.rendering,
        )
        return job, manner


def _schema(fields: Fields) -> str | None:
    wanted = fields.within("text").within("format")
    match wanted.text("type"):
        case "json_schema":
            return read_schema(wanted.object("schema"))
        case "json_object":
            return read_schema("json")
        case _:
            return None


def _tools(fields: Fields) -> tuple[dict[str, Any], ...]:
    """Functions alone: we search no web. Raises Refused."""
    found = []
    for item in fields.items("tools"):
        tool = fields.part("tools", item)
        if tool.text("type") != "function" or not tool.text("name"):
            raise Refused(400, "only tools of type function, with a name, are supported")
        function = {
            "name": tool.text("name"),
            "description": tool.text("description"),
            "parameters": tool.object("parameters"),
        }
        found.append({"type": "function", "function": function})
    return () if fields.get("tool_choice") == "none" else tuple(found)


def _messages(fields: Fields, model: InstalledModel) -> list[dict[str, Any]]:
    """The conversation as templates know it. Raises Refused."""
    given, first = fields.get("input"), fields.text("instructions")
    messages: list[dict[str, Any]] = [{"role": "system", "content": first}] if first else []
    if isinstance(given, str):
        return [*messages, {"role": "user", "content": given}]
    if not isinstance(given, list) or not given:
        raise Refused(400, "input must be a text, or an array of items")
    for item in given:
        messages += _turn(fields.block("input", item), model)
    if not messages:
        raise Refused(400, "input holds no message")
    return messages


def _turn(item: Fields, model: InstalledModel) -> list[dict[str, Any]]:
    match item.text("type") or "message":
        case "message":
            role = {"developer": "system"}.get(item.text("role"), item.text("role"))
            if role not in ("user", "assistant", "system"):
                raise Refused(400, f'invalid role: "{role}"')
            said: dict[str, Any] = {"role": role, "content": _text_of(item)}
            images = _images_of(item, model)
            return [said | ({IMAGES: images} if images else {})]
        case "function_call":
            arguments = decode_text(item.text("arguments") or "{}")
            if not isinstance(arguments, dict):
                raise Refused(400, "the arguments of a call must be a JSON object, as a text")
            function = {"name": item.text("name"), "arguments": arguments}
            call = {"id": item.text("call_id"), "type": "function", "function": function}
            return [{"role": "assistant", "content": "", "tool_calls": [call]}]
        case "function_call_output":
            output = item.get("output")
            result = output if isinstance(output, str) else _texts(item, output, "output")
            return [{"role": "tool", "content": result, "tool_call_id": item.text("call_id")}]
        case "reasoning":
            return []
        case kind:
            raise Refused(400, f'items of type "{kind}" are not supported')


def _text_of(item: Fields) -> str:
    content = item.get("content")
    return content if isinstance(content, str) else _texts(item, content, "content")


def _images_of(item: Fields, model: InstalledModel) -> tuple[bytes, ...]:
    content = item.get("content")
    parts = [item.block("content", one) for one in content] if isinstance(content, list) else []
    seen = [part for part in parts if part.text("type") == "input_image"]
    return tuple(image_of_url(part.get("image_url"), model) for part in seen)


def _texts(item: Fields, parts: Any, name: str) -> str:
    if not isinstance(parts, list):
        raise Refused(400, f"{name} must be a text, or an array of parts")
    texts = []
    for given in parts:
        part = item.block(name, given)
        kind = part.text("type")
        if kind == "input_image" and name == "content":
            continue
        if kind == "input_image":
            raise Refused(400, "a result cannot hold an image", "Send it in a message.")
        if kind not in ("input_text", "output_text", "text"):
            raise Refused(400, f'parts of type "{kind}" are not supported')
        texts.append(part.text("text"))
    return "\n".join(texts)


@dataclass(frozen=True, slots=True)
class _Frame:
    """What stays the same in all forms of one response."""

    model: str
    instructions: str | None
    id: str = field(default_factory=lambda: f"resp_{token_hex(12)}")
    created_at: int = field(default_factory=lambda: int(time.time()))

    def begun(self) -> dict[str, Any]:
        """The response before anything was said."""
        return self._object("in_progress", [], None)

    def completed(self, answer: Whole) -> dict[str, Any]:
        """The whole of it."""
        items: list[dict[str, Any]] = []
        if answer.thought:
            items.append(_reasoning(answer.thought))
        items += [_called(call) for call in answer.calls]
        if answer.text or not answer.calls:
            items.append(_said(answer.text))
        return self.ended(items, answer.end)

    def ended(self, items: list[dict[str, Any]], end: Finished) -> dict[str, Any]:
        """The whole of it from its items."""
        cut = end.done.reason == "length"
        found = self._object("incomplete" if cut else "completed", items, end)
        return found | {"incomplete_details": {"reason": "max_output_tokens"} if cut else None}

    def _object(
        self, status: str, items: list[dict[str, Any]], end: Finished | None
    ) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created_at,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "instructions": self.instructions,
            "model": self.model,
            "output": items,
            "parallel_tool_calls": True,
            "store": False,
            "tool_choice": "auto",
            "tools": [],
            "usage": _usage(end) if end else None,
        }


def _usage(end: Finished) -> dict[str, Any]:
    prompt, answer = end.done.prompt_tokens, end.done.answer_tokens
    return {
        "input_tokens": prompt,
        "output_tokens": answer,
        "total_tokens": prompt + answer,
        "input_tokens_details": {"cached_tokens": end.done.cached_tokens},
        "output_tokens_details": {"reasoning_tokens": 0},
    }


def _reasoning(text: str) -> dict[str, Any]:
    summary = [{"type": "summary_text", "text": text}]
    return {"id": f"rs_{token_hex(8)}", "type": "reasoning", "summary": summary}


def _called(call: Call) -> dict[str, Any]:
    return {
        "id": f"fc_{token_hex(8)}",
        "type": "function_call",
        "status": "completed",
        "call_id": call.id,
        "name": call.name,
        "arguments": call.arguments_text,
    }


def _said(text: str) -> dict[str, Any]:
    return {
        "id": f"msg_{token_hex(8)}",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [_output(text)],
    }


def _output(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


class _Events:
    """The stream of one response: numbered events, and items that are begun, filled and ended."""

    def __init__(self, frame: _Frame) -> None:
        self._frame = frame
        self._number = 0
        self._items: list[dict[str, Any]] = []
        self._text: list[str] = []
        self._open: dict[str, Any] | None = None

    async def of(self, pieces: Pieces) -> AsyncGenerator[bytes, None]:
        """All events of an answer."""
        yield self._event("response.created", response=self._frame.begun())
        yield self._event("response.in_progress", response=self._frame.begun())
        async with aclosing(pieces) as parts:
            async for part in parts:
                if isinstance(part, Finished):
                    if self._open is None and not self._items:
                        yield self._begin(_said(""))
                    yield self._finish()
                    whole_response = self._frame.ended(self._items, part)
                    kind = f"response.{whole_response['status']}"
                    yield self._event(kind, response=whole_response)
                elif part.call is not None:
                    yield self._finish() + self._call(part.call)
                elif part.thought:
                    yield self._more("reasoning", part.thought)
                elif part.text:
                    yield self._more("message", part.text)

    def _more(self, kind: str, text: str) -> bytes:
        begun = b""
        if self._open is None or self._open["type"] != kind:
            item = _reasoning("") if kind == "reasoning" else _said("")
            begun = self._finish() + self._begin(item)
        assert self._open is not None
        self._text.append(text)
        if kind == "reasoning":
            return begun + self._in_item("response.reasoning_summary_text.delta", delta=text)
        return begun + self._in_item("response.output_text.delta", delta=text, logprobs=[])

    def _begin(self, item: dict[str, Any]) -> bytes:
        self._open, self._text = item, []
        empty: dict[str, Any] = {"summary": []} if item["type"] == "reasoning" else {"content": []}
        shown = item | empty | ({} if "summary" in empty else {"status": "in_progress"})
        begun = self._added(shown)
        if item["type"] == "reasoning":
            return begun
        return begun + self._in_item("response.content_part.added", part=_output(""))

    def _finish(self) -> bytes:
        """End the item that is open, if one is."""
        if self._open is None:
            return b""
        item, text = self._open, "".join(self._text)
        if item["type"] == "reasoning":
            item["summary"] = [{"type": "summary_text", "text": text}]
            ended = self._in_item("response.reasoning_summary_text.done", text=text)
        else:
            item["content"] = [_output(text)]
            ended = self._in_item("response.output_text.done", text=text, logprobs=[])
            ended += self._in_item("response.content_part.done", part=_output(text))
        return ended + self._done(item)

    def _call(self, call: Call) -> bytes:
        item = _called(call)
        self._open = item
        begun = self._added(item | {"arguments": "", "status": "in_progress"})
        filled = self._plain("response.function_call_arguments.delta", delta=item["arguments"])
        ended = self._plain(
            "response.function_call_arguments.done",
            arguments=item["arguments"],
            name=item["name"],
        )
        return begun + filled + ended + self._done(item)

    def _added(self, item: dict[str, Any]) -> bytes:
        index = len(self._items)
        return self._event("response.output_item.added", output_index=index, item=item)

    def _done(self, item: dict[str, Any]) -> bytes:
        index = len(self._items)
        self._items.append(item)
        self._open = None
        return self._event("response.output_item.done", output_index=index, item=item)

    def _in_item(self, kind: str, **fields: Any) -> bytes:
        assert self._open is not None
        place = "summary_index" if self._open["type"] == "reasoning" else "content_index"
        return self._plain(kind, **{place: 0}, **fields)

    def _plain(self, kind: str, **fields: Any) -> bytes:
        assert self._open is not None
        item = {"item_id": self._open["id"], "output_index": len(self._items)}
        return self._event(kind, **item, **fields)

    def _event(self, kind: str, **fields: Any) -> bytes:
        number, self._number = self._number, self._number + 1
        return named_event(kind, {"type": kind, "sequence_number": number, **fields})
