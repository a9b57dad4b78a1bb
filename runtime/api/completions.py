"""OpenAI's older form, `/v1/completions`: a prompt, and what follows it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from secrets import token_hex
from time import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from runtime.api.body import Fields, read_fields
from runtime.api.conversation import Wish, insertion, manner_of, with_beginning
from runtime.api.dialect_shapes import COMPLETION
from runtime.api.gate import visit_of
from runtime.api.openai import FINGERPRINT, json_response, last_words, openai_options, usage_of
from runtime.api.refusal import Refused
from runtime.api.service import Finished, Service
from runtime.api.spoken import Pieces, spoken, whole
from runtime.api.stream import stream, while_connected
from runtime.api.wire import DONE_EVENT, EVENT_STREAM, event
from runtime.protocol import Generate
from runtime.store import InstalledModel


@dataclass(frozen=True, slots=True)
class TextCompletion:
    """What stays the same in all the parts of one answer."""

    model: str
    id: str = field(default_factory=lambda: f"cmpl-{token_hex(8)}")
    created: int = field(default_factory=lambda: int(time()))

    def part(self, text: str, reason: str | None, end: Finished | None = None) -> dict[str, Any]:
        """A part of a stream, or the whole of an answer."""
        choices = [{"text": text, "index": 0, "finish_reason": reason, "logprobs": None}]
        return self._object(choices) | ({"usage": usage_of(end)} if end else {})

    def counts(self, end: Finished) -> dict[str, Any]:
        """The part that holds only the counts."""
        return self._object([]) | {"usage": usage_of(end)}

    def _object(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "text_completion",
            "created": self.created,
            "model": self.model,
            "system_fingerprint": FINGERPRINT,
            "choices": choices,
        }


class Completions:
    """The endpoint."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def complete(self, request: Request) -> Response:
        """POST /v1/completions."""
        fields = await read_fields(request, COMPLETION, self._service.settings.max_body_bytes)
        name = fields.text("model")
        if not name:
            raise Refused(400, "model is required", "Name a model.")
        model = await self._service.for_answers(name, "generate")
        if not fields.text("prompt") and not fields.text("suffix"):
            raise Refused(400, "prompt is required", "Send a text.")
        job = await self._job(fields, model)
        pieces = spoken(self._service.answer(visit_of(request), model, job, None), None)
        completion = TextCompletion(name)
        usage = fields.within("stream_options").flag("include_usage", default=False)
        if fields.flag("stream", default=False):
            events = _events(pieces, completion, usage)
            return await stream(request, events, EVENT_STREAM, last_words)
        answer = await while_connected(request, whole(pieces))
        reason = answer.end.done.reason
        return json_response(completion.part(answer.text, reason, answer.end))

    async def _job(self, fields: Fields, model: InstalledModel) -> Generate:
        options = self._service.options(model, openai_options(fields, newest=False))
        prompt, suffix = fields.text("prompt"), fields.text("suffix")
        manner = await manner_of(self._service, model, str(model.name), Wish())
        if suffix:
            filled = await insertion(self._service, model, manner, prompt, suffix)
            return Generate(0, options, **filled)
        user = [{"role": "user", "content": prompt}]
        messages = with_beginning(self._service, model, user)
        return Generate(0, options, messages=messages, rendering=manner.rendering)


async def _events(
    pieces: Pieces, completion: TextCompletion, usage: bool
) -> AsyncGenerator[bytes, None]:
    async with aclosing(pieces) as parts:
        async for part in parts:
            if not isinstance(part, Finished):
                yield event(completion.part(part.text, None))
                continue
            yield event(completion.part("", part.done.reason))
            if usage:
                yield event(completion.counts(part))
            yield DONE_EVENT
