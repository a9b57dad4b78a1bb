"""Ollama's interface for answers and vectors: `/api/generate`, `/api/chat`, `/api/embed`."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from runtime.api.asked import (
    native_messages,
    read_images,
    read_logprobs,
    read_schema,
    read_think,
    read_tools,
)
from runtime.api.body import Fields, read_fields
from runtime.api.conversation import Manner, Wish, insertion, manner_of, with_beginning
from runtime.api.gate import visit_of
from runtime.api.refusal import JSON, Refused, error_body
from runtime.api.service import Finished, Service
from runtime.api.shape import Shape
from runtime.api.shapes import CHAT, DETOKENIZE, EMBED, GENERATE, LEGACY_EMBED, TOKENIZE
from runtime.api.spoken import Call, Piece, Pieces, Whole, spoken, whole
from runtime.api.stream import stream, while_connected
from runtime.api.vectors import as_floats, shortened
from runtime.api.wire import NDJSON, json_bytes, json_line, keep_alive_s, now, without_zeros
from runtime.chat import check_template
from runtime.errors import BadRequest, ModelRuntimeError
from runtime.protocol import Detokenize, Embed, Generate, TokenChance, Tokenize
from runtime.seeing import IMAGES
from runtime.store import InstalledModel


@dataclass(frozen=True, slots=True)
class Dialogue:
    """How an endpoint writes an answer. wrap: what was said → its own fields."""

    model: str
    wrap: Callable[[str, str, list[Call]], dict[str, Any]]
    shows_context: bool = False

    def piece(self, piece: Piece) -> dict[str, Any]:
        """One line before the last."""
        calls = [piece.call] if piece.call else []
        said = self.wrap(piece.text, piece.thought, calls)
        return self._line(said, {"done": False}, piece.chances)

    def end(self, answer: Whole) -> dict[str, Any]:
        """The last line, with the figures and what was not said before."""
        end = answer.end
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
        said = self.wrap(answer.text, answer.thought, answer.calls)
        return self._line(said, fields, tuple(answer.chances))

    def without_answer(self, reason: str) -> dict[str, Any]:
        """What a request to load or unload is answered with."""
        said = self.wrap("", "", [])
        return self._line(said, {"done": True, "done_reason": reason}, ())

    def _line(
        self, said: dict[str, Any], fields: dict[str, Any], chances: tuple[TokenChance, ...]
    ) -> dict[str, Any]:
        line = {"model": self.model, "created_at": now(), **said, **fields}
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
            return await self._unload(request, name, Dialogue(name, _generated))
        model = await self._service.for_answers(name, "generate")
        raw = fields.flag("raw", default=False)
        _check_raw(fields)
        dialogue = Dialogue(name, _generated, not raw)
        think, schema = read_think(fields), read_schema(fields.get("format"))
        images = read_images(fields, model)
        if images and fields.text("suffix"):
            raise Refused(400, "images and suffix do not go together", "Leave one of them out.")
        plain = raw or bool(fields.text("suffix"))
        wish = Wish((), think, fields.text("template"))
        _check_template(wish.template)
        manner = await manner_of(self._service, model, name, wish, schema=schema)
        job = self._job(fields, model)
        job["rendering"] = manner.rendering
        if fields.text("suffix"):
            prompt, suffix = fields.text("prompt"), fields.text("suffix")
            job |= await insertion(self._service, model, manner, prompt, suffix)
        elif not fields.text("prompt"):
            return await self._load(request, model, fields, dialogue)
        else:
            job |= self._prompt(fields, model, images)
        listened = None if plain else manner
        return await self._answer(request, fields, model, Generate(**job), dialogue, listened)

    async def chat(self, request: Request) -> Response:
        """POST /api/chat."""
        fields = await self._read(request, CHAT)
        name = fields.text("model")
        if not name:
            raise Refused(400, "model is required", "Name a model.")
        dialogue = Dialogue(name, _chatted)
        if not fields.items("messages") and _keep_alive(fields) == 0:
            return await self._unload(request, name, dialogue)
        model = await self._service.for_answers(name, "chat")
        schema, wish = (
            read_schema(fields.get("format")),
            Wish(read_tools(fields), read_think(fields)),
        )
        manner = await manner_of(self._service, model, name, wish, schema=schema)
        messages = native_messages(fields, model)
        if not messages:
            return await self._load(request, model, fields, dialogue)
        job = self._job(fields, model) | {"rendering": manner.rendering}
        job["messages"] = with_beginning(self._service, model, messages)
        return await self._answer(request, fields, model, Generate(**job), dialogue, manner)

    async def tokenize(self, request: Request) -> Response:
        """POST /api/tokenize: which tokens a text has."""
        fields = await self._read(request, TOKENIZE)
        found = await self._words(request, fields, Tokenize(0, fields.text("content")))
        return _json({**found, "tokens": list(found["tokens"])})

    async def detokenize(self, request: Request) -> Response:
        """POST /api/detokenize: which text tokens stand for."""
        fields = await self._read(request, DETOKENIZE)
        tokens = _token_numbers(fields.items("tokens"), "DetokenizeRequest.tokens")
        found = await self._words(request, fields, Detokenize(0, tokens))
        del found["tokens"]
        return _json(found)

    async def _words(
        self, request: Request, fields: Fields, job: Tokenize | Detokenize
    ) -> dict[str, Any]:
        name = fields.text("model")
        if not name:
            raise Refused(400, "model is required", "Name a model.")
        model = self._service.installed(name)
        work = self._service.words(visit_of(request), model, job, _keep_alive(fields))
        done = await while_connected(request, work)
        times = {"total_duration": done.total_ns, "load_duration": done.load_ns}
        return {
            "model": name,
            "content": done.words.text,
            "tokens": done.words.tokens,
            **without_zeros(times),
        }

    async def embeddings(self, request: Request) -> Response:
        """POST /api/embeddings, the older form: one text, and a vector of its own length."""
        fields = await self._read(request, LEGACY_EMBED)
        name = fields.text("model")
        if not name:
            raise Refused(400, "model is required", "Name a model.")
        model = await self._service.for_embedding(name)
        text, keep = fields.text("prompt"), _keep_alive(fields)
        options = self._service.options(model, fields.object("options"))
        if not text:
            await self._service.load(visit_of(request), model, keep)
            return _json({"embedding": []})
        job = Embed(0, (text,), options.num_ctx, unit_length=False)
        work = self._service.embed(visit_of(request), model, job, keep)
        result = await while_connected(request, work)
        return _json({"embedding": as_floats(result.vectors.vectors[0]).tolist()})

    async def embed(self, request: Request) -> Response:
        """POST /api/embed."""
        fields = await self._read(request, EMBED)
        name = fields.text("model")
        model = await self._service.for_embedding(name)
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

    def _prompt(
        self, fields: Fields, model: InstalledModel, images: tuple[bytes, ...]
    ) -> dict[str, Any]:
        prompt = fields.text("prompt")
        if fields.flag("raw", default=False):
            return {"text": prompt, "images": images}
        context = _token_numbers(fields.items("context"), "GenerateRequest.context")
        user: dict[str, Any] = {"role": "user", "content": prompt}
        user |= {IMAGES: images} if images else {}
        system = fields.text("system") or None
        if context:
            first = [{"role": "system", "content": system}] if system else []
            return {"messages": (*first, user), "context": context}
        return {"messages": with_beginning(self._service, model, [user], system)}

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
        manner: Manner | None,
    ) -> Response:
        parts = self._service.answer(visit_of(request), model, job, _keep_alive(fields))
        if manner is None:
            pieces = spoken(parts, None)
        else:
            pieces = spoken(parts, manner.speech(), shows_thoughts=manner.shows_thoughts)
        if fields.flag("stream", default=True):
            return await stream(request, _lines(pieces, dialogue), NDJSON, _last_words)
        return _json(dialogue.end(await while_connected(request, whole(pieces))))


async def _lines(pieces: Pieces, dialogue: Dialogue) -> AsyncGenerator[bytes, None]:
    async with aclosing(pieces) as parts:
        async for part in parts:
            if isinstance(part, Finished):
                yield json_line(dialogue.end(Whole(part)))
            else:
                yield json_line(dialogue.piece(part))


def _generated(text: str, thought: str, _calls: list[Call]) -> dict[str, Any]:
    return {"response": text} | ({"thinking": thought} if thought else {})


def _chatted(text: str, thought: str, calls: list[Call]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if thought:
        message["thinking"] = thought
    if calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "function": {"index": call.index, "name": call.name, "arguments": call.arguments},
            }
            for call in calls
        ]
    return {"message": message}


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


def _check_template(template: str) -> None:
    try:
        check_template(template)
    except BadRequest as error:
        raise Refused(400, error.message, error.hint) from error


def _token_numbers(given: list[Any], field: str) -> tuple[int, ...]:
    if not all(isinstance(token, int) and not isinstance(token, bool) for token in given):
        raise Refused(400, f"json: cannot unmarshal array into Go struct field {field} of type int")
    return tuple(given)


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
