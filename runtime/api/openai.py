"""OpenAI's interface: `/v1/models`, `/v1/chat/completions`, `/v1/embeddings`."""

import random
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from runtime.api.asked import openai_messages, read_logprobs, read_schema, refuse_capability
from runtime.api.body import Fields, read_fields
from runtime.api.gate import visit_of
from runtime.api.ollama import Parts, logprobs
from runtime.api.refusal import JSON, Refused, error_body
from runtime.api.service import Finished, Service
from runtime.api.shape import Shape
from runtime.api.shapes import CHAT_COMPLETION, EFFORTS, ENCODINGS, OPENAI_EMBED
from runtime.api.stream import stream, while_connected
from runtime.api.vectors import as_base64, as_floats, shortened
from runtime.api.wire import DONE_EVENT, EVENT_STREAM, event, json_bytes
from runtime.errors import ModelRuntimeError, UnknownModel
from runtime.protocol import Delta, Embed, Generate, TokenChance
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

    def whole(self, text: str, end: Finished, chances: list[TokenChance]) -> dict[str, Any]:
        """An answer in one piece."""
        choice: dict[str, Any] = {
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": end.done.reason,
        }
        if chances:
            choice["logprobs"] = {"content": logprobs(tuple(chances))}
        return self._object("chat.completion", [choice]) | {"usage": _usage(end)}

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
        return self._object("chat.completion.chunk", []) | {"usage": _usage(end)}

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
        return _json({"object": "list", "data": models})

    async def model(self, request: Request) -> Response:
        """GET /v1/models/{model}."""
        name = request.path_params["model"]
        try:
            return _json(_model(self._service.find(name)))
        except UnknownModel as error:
            raise Refused(404, f"model '{name}' not found", error.hint) from error

    async def chat(self, request: Request) -> Response:
        """POST /v1/chat/completions."""
        fields = await self._read(request, CHAT_COMPLETION)
        name = fields.text("model")
        if not name:
            raise Refused(400, "model is required", "Name a model.")
        model = self._service.for_answers(name, "chat")
        job = self._job(fields, model)
        parts = self._service.answer(visit_of(request), model, job, None)
        completion = Completion(name)
        usage = fields.within("stream_options").flag("include_usage", default=False)
        if fields.flag("stream", default=False):
            pieces = self._pieces(parts, completion, usage)
            return await stream(request, pieces, EVENT_STREAM, _last_words)
        return _json(await while_connected(request, self._collect(parts, completion)))

    async def embeddings(self, request: Request) -> Response:
        """POST /v1/embeddings."""
        fields = await self._read(request, OPENAI_EMBED)
        name = fields.text("model")
        encoding = _encoding(fields)
        texts = _inputs(fields.get("input"))
        model = self._service.for_embedding(name)
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
        return _json({"object": "list", "data": data, "model": name, "usage": usage})

    async def _read(self, request: Request, shape: Shape) -> Fields:
        return await read_fields(request, shape, self._service.settings.max_body_bytes)

    def _job(self, fields: Fields, model: InstalledModel) -> Generate:
        if fields.items("tools"):
            raise refuse_capability(model, "tools")
        _check_effort(fields, model)
        messages = openai_messages(fields, model)
        system = self._service.system_text(model)
        if system and messages[0]["role"] != "system":
            messages = [{"role": "system", "content": system}, *messages]
        return Generate(
            id=0,
            options=self._service.options(model, _options(fields)),
            messages=tuple(messages),
            schema=_response_format(fields),
            logprobs=read_logprobs(fields),
        )

    async def _pieces(
        self, answer: Parts, completion: Completion, usage: bool
    ) -> AsyncGenerator[bytes, None]:
        role = {"role": "assistant"}  # in the first chunk only
        async with aclosing(answer) as parts:
            async for part in parts:
                if isinstance(part, Delta):
                    delta = role | {"content": part.text}
                    role = {}
                    yield event(completion.chunk(delta, None, part.chances))
                    continue
                if role:
                    yield event(completion.chunk(role | {"content": ""}, None))
                yield event(completion.chunk({}, part.done.reason))
                if usage:
                    yield event(completion.usage_chunk(part))
                yield DONE_EVENT

    async def _collect(self, answer: Parts, completion: Completion) -> dict[str, Any]:
        texts: list[str] = []
        chances: list[TokenChance] = []
        async with aclosing(answer) as parts:
            async for part in parts:
                if isinstance(part, Finished):
                    return completion.whole("".join(texts), part, chances)
                texts.append(part.text)
                chances.extend(part.chances)
        raise AssertionError("an answer has an end")


def _options(fields: Fields) -> dict[str, Any]:
    """OpenAI's fields under Ollama's names. `max_completion_tokens` is the newer `max_tokens`."""
    stop = fields.get("stop")
    temperature, top_p = fields.number("temperature"), fields.number("top_p")
    longest = fields.integer("max_completion_tokens")
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


def _check_effort(fields: Fields, model: InstalledModel) -> None:
    nested = fields.within("reasoning").text("effort")
    effort = nested or fields.text("reasoning_effort")
    if effort and effort not in EFFORTS:
        raise Refused(400, f"invalid reasoning value: '{effort}'")
    if effort and effort != "none":
        raise Refused(400, f'"{model.name}" does not support thinking', "Leave it out.")


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


def _usage(end: Finished) -> dict[str, int]:
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


def _last_words(error: ModelRuntimeError) -> bytes:
    return event(error_body(error, openai=True))


def _json(value: Any) -> Response:
    return Response(json_bytes(value), media_type=JSON)
