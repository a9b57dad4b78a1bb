"""Ollama's interface for answers and vectors: `/api/generate`, `/api/chat`, `/api/embed`."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from runtime.api.asked import (
    check_images,
    check_think,
    native_messages,
    read_logprobs,
    read_schema,
    refuse_capability,
)
from runtime.api.body import Fields, read_fields
from runtime.api.gate import visit_of
from runtime.api.refusal import JSON, Refused, error_body
from runtime.api.service import Finished, Service
from runtime.api.shape import Shape
from runtime.api.shapes import CHAT, EMBED, GENERATE
from runtime.api.stream import stream, while_connected
from runtime.api.vectors import as_floats, shortened
from runtime.api.wire import NDJSON, json_bytes, json_line, keep_alive_s, now, without_zeros
from runtime.errors import ModelRuntimeError
from runtime.protocol import Delta, Embed, Generate, TokenChance
from runtime.store import InstalledModel

Parts = AsyncGenerator[Delta | Finished, None]


@dataclass(frozen=True, slots=True)
class Dialogue:
    """How an endpoint writes an answer. wrap: text and whether it is the end → its own fields."""

    model: str
    wrap: Callable[[str], dict[str, Any]]
    shows_context: bool = False

    def piece(self, text: str, chances: tuple[TokenChance, ...]) -> dict[str, Any]:
        """One line before the last."""
        return self._line(text, {"done": False}, chances)

    def end(self, text: str, end: Finished, chances: tuple[TokenChance, ...]) -> dict[str, Any]:
        """The last line, with the figures."""
        done = end.done
        figures = {
            "context": list(done.tokens) if self.shows_context else [],
            "total_duration": end.total_ns,
            "load_duration": end.load_ns,
            "prompt_eval_count": done.prompt_tokens,
            "prompt_eval_duration": done.prompt_ns,
            "eval_count": done.answer_tokens,
            "eval_duration": done.answer_ns,
        }
        fields = {"done": True, "done_reason": done.reason, **without_zeros(figures)}
        return self._line(text, fields, chances)

    def without_answer(self, reason: str) -> dict[str, Any]:
        """What a request to load or unload is answered with."""
        return self._line("", {"done": True, "done_reason": reason}, ())

    def _line(
        self, text: str, fields: dict[str, Any], chances: tuple[TokenChance, ...]
    ) -> dict[str, Any]:
        line = {"model": self.model, "created_at": now(), **self.wrap(text), **fields}
        return line | ({"logprobs": logprobs(chances)} if chances else {})


class NativeAnswers:
    """The three endpoints."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def generate(self, request: Request) -> Response:
        """POST /api/generate."""
        fields = await self._read(request, GENERATE)
        name = fields.text("model")
        if not name:
            raise Refused(404, "model '' not found", "Name a model.")
        if not fields.text("prompt") and _keep_alive(fields) == 0:
            quiet = Dialogue(name, lambda text: {"response": text})
            return await self._unload(request, name, quiet)
        model = self._service.for_answers(name, "generate")
        _check_raw(fields)
        dialogue = Dialogue(
            name, lambda text: {"response": text}, not fields.flag("raw", default=False)
        )
        if fields.text("suffix"):
            raise refuse_capability(model, "insert")
        check_think(fields, name)
        check_images(fields, model)
        if not fields.text("prompt"):
            return await self._load(request, model, fields, dialogue)
        job = self._job(fields, model) | self._prompt(fields, model)
        return await self._answer(request, fields, model, Generate(**job), dialogue)

    async def chat(self, request: Request) -> Response:
        """POST /api/chat."""
        fields = await self._read(request, CHAT)
        name = fields.text("model")
        if not name:
            raise Refused(400, "model is required", "Name a model.")
        dialogue = Dialogue(name, lambda text: {"message": {"role": "assistant", "content": text}})
        if not fields.items("messages") and _keep_alive(fields) == 0:
            return await self._unload(request, name, dialogue)
        model = self._service.for_answers(name, "chat")
        if fields.items("tools"):
            raise refuse_capability(model, "tools")
        check_think(fields, name)
        messages = native_messages(fields, model)
        if not messages:
            return await self._load(request, model, fields, dialogue)
        job = self._job(fields, model) | {"messages": self._with_system(model, messages)}
        return await self._answer(request, fields, model, Generate(**job), dialogue)

    async def embed(self, request: Request) -> Response:
        """POST /api/embed."""
        fields = await self._read(request, EMBED)
        name = fields.text("model")
        model = self._service.for_embedding(name)
        texts = _texts(fields.get("input"))
        keep = _keep_alive(fields)
        if not texts:
            await self._service.load(visit_of(request), model, keep)
            return _json({"model": name, "embeddings": []})
        given = fields.object("options")
        options = self._service.options(model, given)
        # Here an explicit 0 is a context without room, as upstream's own tests have it.
        if given.get("num_ctx") == 0:
            options = replace(options, num_ctx=1)
        truncate = fields.flag("truncate", default=True)
        job = Embed(0, texts, options.num_ctx, truncate)
        dimensions = fields.integer("dimensions") or 0
        work = self._service.embed(visit_of(request), model, job, keep)
        result = await while_connected(request, work)
        vectors = [shortened(as_floats(v), dimensions) for v in result.vectors.vectors]
        figures = {
            "total_duration": result.total_ns,
            "load_duration": result.load_ns,
            "prompt_eval_count": result.vectors.prompt_tokens,
        }
        embeddings = [vector.tolist() for vector in vectors]
        return _json({"model": name, "embeddings": embeddings, **without_zeros(figures)})

    async def _read(self, request: Request, shape: Shape) -> Fields:
        return await read_fields(request, shape, self._service.settings.max_body_bytes)

    def _job(self, fields: Fields, model: InstalledModel) -> dict[str, Any]:
        """What generate and chat have in common."""
        return {
            "id": 0,
            "options": self._service.options(model, fields.object("options")),
            "schema": read_schema(fields.get("format")),
            "truncate": fields.flag("truncate", default=True),
            "shift": fields.flag("shift", default=True),
            "logprobs": read_logprobs(fields),
        }

    def _prompt(self, fields: Fields, model: InstalledModel) -> dict[str, Any]:
        prompt = fields.text("prompt")
        if fields.flag("raw", default=False):
            return {"text": prompt}
        if fields.text("template"):
            raise Refused(
                400,
                "template is not supported: a model's own chat template is used",
                "Leave template out, or send raw with a prompt that is already formatted.",
            )
        context = fields.items("context")
        if not all(isinstance(token, int) and not isinstance(token, bool) for token in context):
            raise Refused(
                400,
                "json: cannot unmarshal array into Go struct field"
                " GenerateRequest.context of type int",
            )
        system = fields.text("system") or ("" if context else self._service.system_text(model))
        messages = [{"role": "system", "content": system}] if system else []
        messages.append({"role": "user", "content": prompt})
        return {"messages": tuple(messages), "context": tuple(context)}

    def _with_system(
        self, model: InstalledModel, messages: list[dict[str, Any]]
    ) -> tuple[dict[str, Any], ...]:
        system = self._service.system_text(model)
        if system and messages[0]["role"] != "system":
            messages = [{"role": "system", "content": system}, *messages]
        return tuple(messages)

    async def _load(
        self, request: Request, model: InstalledModel, fields: Fields, dialogue: Dialogue
    ) -> Response:
        await self._service.load(visit_of(request), model, _keep_alive(fields))
        return _json(dialogue.without_answer("load"))

    async def _unload(self, request: Request, name: str, dialogue: Dialogue) -> Response:
        """Take any model out of memory, also one that only embeds."""
        await self._service.unload(visit_of(request), self._service.installed(name))
        return _json(dialogue.without_answer("unload"))

    async def _answer(
        self,
        request: Request,
        fields: Fields,
        model: InstalledModel,
        job: Generate,
        dialogue: Dialogue,
    ) -> Response:
        parts = self._service.answer(visit_of(request), model, job, _keep_alive(fields))
        if fields.flag("stream", default=True):
            pieces = self._pieces(parts, dialogue)
            return await stream(request, pieces, NDJSON, _last_words)
        return _json(await while_connected(request, self._collect(parts, dialogue)))

    async def _pieces(self, answer: Parts, dialogue: Dialogue) -> AsyncGenerator[bytes, None]:
        async with aclosing(answer) as parts:
            async for part in parts:
                if isinstance(part, Delta):
                    yield json_line(dialogue.piece(part.text, part.chances))
                else:
                    yield json_line(dialogue.end("", part, ()))

    async def _collect(self, answer: Parts, dialogue: Dialogue) -> dict[str, Any]:
        texts: list[str] = []
        chances: list[TokenChance] = []
        async with aclosing(answer) as parts:
            async for part in parts:
                if isinstance(part, Finished):
                    return dialogue.end("".join(texts), part, tuple(chances))
                texts.append(part.text)
                chances.extend(part.chances)
        raise AssertionError("an answer has an end")


def logprobs(chances: tuple[TokenChance, ...]) -> list[dict[str, Any]]:
    """Tokens and their probabilities, as both dialects write them."""
    return [
        _chance(c) | ({"top_logprobs": [_chance(t) for t in c.likeliest]} if c.likeliest else {})
        for c in chances
    ]


def _chance(chance: TokenChance) -> dict[str, Any]:
    return {
        "token": chance.token.decode(errors="replace"),
        "logprob": min(chance.logprob, 0.0),
        "bytes": list(chance.token),
    }


def _check_raw(fields: Fields) -> None:
    refused = fields.text("template") or fields.text("system") or fields.items("context")
    if fields.flag("raw", default=False) and refused:
        raise Refused(400, "raw mode does not support template, system, or context")


def _texts(given: Any) -> tuple[str, ...]:
    """The input of an embedding request; none means only to load. Raises Refused."""
    if given is None or given == "":
        return ()
    values = [given] if isinstance(given, str) else given
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Refused(400, "invalid input type", "Send a string, or an array of strings.")
    return tuple(values)


def _keep_alive(fields: Fields) -> float | None:
    try:
        return keep_alive_s(fields.get("keep_alive"))
    except ValueError as error:
        raise Refused(400, str(error), 'Write a number of seconds, or a time as "5m".') from error


def _last_words(error: ModelRuntimeError) -> bytes:
    return json_line(error_body(error, openai=False))


def _json(value: Any) -> Response:
    return Response(json_bytes(value), media_type=JSON)
