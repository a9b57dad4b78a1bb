"""OpenAI's interface: `/v1/models`, `/v1/chat/completions`, `/v1/embeddings`."""

import random
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from runtime.api.asked import openai_messages, read_logprobs, read_schema, read_tools
from runtime.api.body import Fields, read_fields
from runtime.api.conversation import Manner, Wish, manner_of, with_beginning
from runtime.api.gate import visit_of
from runtime.api.ollama import logprobs
from runtime.api.refusal import JSON, Refused, error_body
from runtime.api.service import Finished, Service
from runtime.api.shape import Shape
from runtime.api.shapes import CHAT_COMPLETION, EFFORTS, ENCODINGS, OPENAI_EMBED
from runtime.api.spoken import Call, Piece, Pieces, Whole, spoken, whole
from runtime.api.stream import stream, while_connected
from runtime.api.vectors import as_base64, as_floats, shortened
from runtime.api.wire import DONE_EVENT, EVENT_STREAM, event, json_bytes
from runtime.errors import ModelRuntimeError, UnknownModel
from runtime.protocol import Embed, Generate, TokenChance
from runtime.store import InstalledModel

FINGERPRINT = "fp_ollama"
# Upstream sends these two itself, so a model's own values for them never apply here.
DEFAULT_TEMPERATURE = 1.0
DEFAULT_TOP_P = 1.0


@dataclass(frozen=True, slots=True)
class Completion:
    """What stays the same in all the parts of one answer."""

    model: str
    id: str = field(default_factory=lambda: f"chatcmpl-{random.randrange(999)}")  # noqa: S311
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, answer: Whole) -> dict[str, Any]:
        """An answer in one piece."""
        message: dict[str, Any] = {"role": "assistant", "content": answer.text}
        if answer.thought:
            message["reasoning"] = answer.thought
        if answer.calls:
            message["tool_calls"] = [_call(call) for call in answer.calls]
        reason = "tool_calls" if answer.calls else answer.end.done.reason
        choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": reason}
        if answer.chances:
            choice["logprobs"] = {"content": logprobs(tuple(answer.chances))}
        return self._object("chat.completion", [choice]) | {"usage": usage_of(answer.end)}

    def chunk(
        self, delta: dict[str, Any], reason: str | None, chances: tuple[TokenChance, ...] = ()
    ) -> dict[str, Any]:
        """A part of a stream."""
        choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": reason}
        if chances:
            choice["logprobs"] = {"content": logprobs(chances)}
        return self._object("chat.completion.chunk", [choice])

    def usage_chunk(self, end: Finished) -> dict[str, Any]:
        """The part that holds only the counts."""
        return self._object("chat.completion.chunk", []) | {"usage": usage_of(end)}

    def _object(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": FINGERPRINT,
            "choices": choices,
        }


class OpenAI:
    """The endpoints under `/v1`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def models(self, _request: Request) -> Response:
        """GET /v1/models."""
        models = [_model(model) for model in self._service.store.models()]
        return json_response({"object": "list", "data": models})

    async def model(self, request: Request) -> Response:
        """GET /v1/models/{model}."""
        name = request.path_params["model"]
        try:
            return json_response(_model(self._service.find(name)))
        except UnknownModel as error:
            raise Refused(404, f"model '{name}' not found", error.hint) from error

    async def chat(self, request: Request) -> Response:
        """POST /v1/chat/completions."""
        fields = await self._read(request, CHAT_COMPLETION)
        name = fields.text("model")
        if not name:
            raise Refused(400, "model is required", "Name a model.")
        model = await self._service.for_answers(name, "chat")
        job, manner = await self._job(fields, model)
        parts = self._service.answer(visit_of(request), model, job, None)
        pieces = spoken(parts, manner.speech(), shows_thoughts=manner.shows_thoughts)
        completion = Completion(name)
        usage = fields.within("stream_options").flag("include_usage", default=False)
        if fields.flag("stream", default=False):
            events = self._events(pieces, completion, usage)
            return await stream(request, events, EVENT_STREAM, last_words)
        return json_response(completion.whole(await while_connected(request, whole(pieces))))

    async def embeddings(self, request: Request) -> Response:
        """POST /v1/embeddings."""
        fields = await self._read(request, OPENAI_EMBED)
        name = fields.text("model")
        encoding = _encoding(fields)
        texts = _inputs(fields.get("input"))
        model = await self._service.for_embedding(name)
        dimensions = fields.integer("dimensions") or 0
        work = self._service.embed(visit_of(request), model, Embed(0, texts), None)
        result = await while_connected(request, work)
        vectors = [shortened(as_floats(v), dimensions) for v in result.vectors.vectors]
        data = [
            {
                "object": "embedding",
                "embedding": as_base64(v) if encoding == "base64" else v.tolist(),
                "index": index,
            }
            for index, v in enumerate(vectors)
        ]
        count = result.vectors.prompt_tokens
        usage = {"prompt_tokens": count, "total_tokens": count}
        return json_response({"object": "list", "data": data, "model": name, "usage": usage})

    async def _read(self, request: Request, shape: Shape) -> Fields:
        return await read_fields(request, shape, self._service.settings.max_body_bytes)

    async def _job(self, fields: Fields, model: InstalledModel) -> tuple[Generate, Manner]:
        schema = _response_format(fields)
        tools = () if fields.get("tool_choice") == "none" else read_tools(fields)
        wish = Wish(tools, think_of(_effort(fields)))
        manner = await manner_of(self._service, model, str(model.name), wish, schema=schema)
        job = Generate(
            id=0,
            options=self._service.options(model, openai_options(fields)),
            messages=with_beginning(self._service, model, openai_messages(fields, model)),
            schema=schema,
            rendering=manner.rendering,
            logprobs=read_logprobs(fields),
        )
        return job, manner

    async def _events(
        self, pieces: Pieces, completion: Completion, usage: bool
    ) -> AsyncGenerator[bytes, None]:
        role, called = {"role": "assistant"}, False  # the role is in the first chunk only
        async with aclosing(pieces) as parts:
            async for part in parts:
                if isinstance(part, Piece):
                    yield event(completion.chunk(role | _delta(part), None, part.chances))
                    role, called = {}, called or part.call is not None
                    continue
                if role:
                    yield event(completion.chunk(role | {"content": ""}, None))
                reason = "tool_calls" if called else part.done.reason
                yield event(completion.chunk({}, reason))
                if usage:
                    yield event(completion.usage_chunk(part))
                yield DONE_EVENT


def _delta(piece: Piece) -> dict[str, Any]:
    if piece.call:
        return {"content": "", "tool_calls": [_call(piece.call)]}
    return {"reasoning": piece.thought} if piece.thought else {"content": piece.text}


def _call(call: Call) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments_text}
    return {"id": call.id, "index": call.index, "type": "function", "function": function}


def openai_options(fields: Fields, *, newest: bool = True) -> dict[str, Any]:
    """OpenAI's fields under Ollama's names. `max_completion_tokens` is the newer `max_tokens`."""
    stop = fields.get("stop")
    temperature, top_p = fields.number("temperature"), fields.number("top_p")
    longest = fields.integer("max_completion_tokens") if newest else None
    return {
        "num_predict": fields.integer("max_tokens") if longest is None else longest,
        "seed": fields.integer("seed"),
        "stop": [stop] if isinstance(stop, str) else stop,
        "temperature": DEFAULT_TEMPERATURE if temperature is None else temperature,
        "top_p": DEFAULT_TOP_P if top_p is None else top_p,
        "frequency_penalty": fields.number("frequency_penalty"),
        "presence_penalty": fields.number("presence_penalty"),
    }


def _response_format(fields: Fields) -> str | None:
    wanted = fields.within("response_format")
    match wanted.text("type"):
        case "json_object":
            return read_schema("json")
        case "json_schema":
            holder = wanted.within("json_schema")
            return read_schema(holder.object("schema"))
        case _:
            return None


def _effort(fields: Fields) -> str:
    return fields.within("reasoning").text("effort") or fields.text("reasoning_effort")


def think_of(effort: str) -> bool | str | None:
    """OpenAI's effort in Ollama's words. Raises Refused."""
    if effort and effort not in EFFORTS:
        raise Refused(400, f"invalid reasoning value: '{effort}'")
    if effort in ("", "none"):
        return False if effort else None
    return {"minimal": "low", "xhigh": "max", "ultra": "max"}.get(effort, effort)


def _encoding(fields: Fields) -> str:
    encoding = fields.text("encoding_format") or "float"
    if encoding not in ENCODINGS:
        raise Refused(
            400,
            f"Invalid value for 'encoding_format' = {encoding}."
            " Supported values: ['float', 'base64'].",
        )
    return encoding


def _inputs(given: Any) -> tuple[str, ...]:
    values = [given] if isinstance(given, str) else given
    if not isinstance(values, list) or not values:
        raise Refused(400, "invalid input")
    if not all(isinstance(value, str) for value in values):
        raise Refused(400, "invalid input type")
    return tuple(values)


def usage_of(end: Finished) -> dict[str, int]:
    """The counts of an answer."""
    prompt, answer = end.done.prompt_tokens, end.done.answer_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": answer,
        "total_tokens": prompt + answer,
    }


def _model(model: InstalledModel) -> dict[str, Any]:
    return {
        "id": str(model.name),
        "object": "model",
        "created": int(model.modified_at.timestamp()),
        "owned_by": model.name.namespace,
    }


def last_words(error: ModelRuntimeError) -> bytes:
    """The end of a stream that fails."""
    return event(error_body(error, openai=True))


def json_response(value: Any) -> Response:
    """A response of JSON."""
    return Response(json_bytes(value), media_type=JSON)
