"""`/v1/*` in OpenAI's shapes: the model `policies` answers from the policies.

What a client sends and we do not use is ignored, as OpenAI's own clients expect. Any other model is
the runtime's: the request is passed on as it came. It is charged to the only department of who
asks; whoever has several names one in a field `department`, which is ours and goes no further.
"""

import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from governance.permissions import Permission
from governance.questions import Channel
from rag.retrieve import clean_question
from web.api.ask import department_of
from web.api.completion import Chunks, completion_json, wanted_of
from web.api.shapes import Json
from web.asking import Admitted, Asking
from web.caller import caller_of
from web.conversation import turns_within
from web.errors import BadField, NoQuestion, RuntimeSilent
from web.parts import Platform
from web.passing import Passing
from web.presence import while_present
from web.problems import Problem, problem_of
from web.sse import EventStream, event_bytes

MODEL = "policies"


class OpenAi:
    """Models, chat completions and embeddings."""

    def __init__(self, platform: Platform, asking: Asking) -> None:
        self._platform = platform
        self._asking = asking
        self._passing = Passing(platform)

    def routes(self) -> list[Route]:
        """Where these are."""
        return [
            Route("/v1/models", self.models, methods=["GET"]),
            Route("/v1/chat/completions", self.chat, methods=["POST"]),
            Route("/v1/embeddings", self.embeddings, methods=["POST"]),
        ]

    async def models(self, request: Request) -> Response:
        """`policies`, one per department of the caller, and the runtime's own if it answers."""
        caller = caller_of(request)
        known = caller.departments(Permission.POLICIES_ASK)
        names = [MODEL, *(f"{MODEL}:{department.name}" for department in known)] if known else []
        data: list[dict[str, object]] = [
            {"id": name, "object": "model", "created": 0, "owned_by": "lamplight"} for name in names
        ]
        # While the runtime is away the list says what there still is.
        with suppress(RuntimeSilent):
            if caller.may(Permission.MODELS_USE):
                data += await self._platform.passthrough.models()
        return JSONResponse({"object": "list", "data": data})

    async def embeddings(self, request: Request) -> Response:
        """The runtime's embeddings."""
        raw = await request.body()
        send = self._platform.passthrough.embeddings
        passed = self._passing.send(caller_of(request), raw, json_object(raw), send)
        return await while_present(request, passed)

    async def chat(self, request: Request) -> Response:
        """An answer from the policies, or the runtime's."""
        caller = caller_of(request)
        raw = await request.body()
        body = json_object(raw)
        model = body.get("model")
        if not isinstance(model, str) or model.partition(":")[0] != MODEL:
            send = self._platform.passthrough.chat
            return await while_present(request, self._passing.send(caller, raw, body, send))
        asked = last_question(body.get("messages"))
        wanted = wanted_of(body)
        question = clean_question(asked, self._platform.rag_settings)
        department = department_of(caller, Permission.POLICIES_ASK, model.partition(":")[2])
        earlier = turns_within(body["messages"])
        admitted = await self._asking.admit(
            caller, question, department, Channel.OPENAI, None, earlier
        )
        address = str(request.base_url)
        if body.get("stream") is True:
            chunks = self._chunks(admitted, Chunks(model, address, int(time.time()), wanted))
            return EventStream(chunks, admitted.headers, self._platform.settings)
        answered = await while_present(request, self._asking.answered(admitted))
        completion = completion_json(answered, model, address, int(time.time()), wanted)
        return JSONResponse(completion, headers=admitted.headers)

    async def _chunks(self, admitted: Admitted, chunks: Chunks) -> AsyncGenerator[bytes, None]:
        yield _data(chunks.begin())
        try:
            async with aclosing(self._asking.events(admitted)) as events:
                async for event in events:
                    for chunk in chunks.of(event):
                        yield _data(chunk)
        except Exception as error:
            problem = problem_of(error)
            yield _data(openai_error(problem))
            if problem.type == "internal":
                raise
            return
        yield event_bytes("[DONE]")


def json_object(raw: bytes) -> dict[str, Any]:
    """The body as a JSON object. Raises BadField."""
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise BadField("The body is not a JSON object.", "Send JSON, as OpenAI's clients do.")
    return body


def last_question(messages: object) -> str:
    """The text of the last message, which must be the user's. Raises NoQuestion."""
    last = messages[-1] if isinstance(messages, list) and messages else None
    if not isinstance(last, dict) or last.get("role") != "user":
        raise NoQuestion
    content = last.get("content")
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "\n".join(text for text in texts if isinstance(text, str))
    if not isinstance(content, str):
        raise NoQuestion
    return content


def openai_error(problem: Problem) -> Json:
    """An error in OpenAI's shape, with our hint."""
    return {
        "error": {
            "message": f"{problem.message} {problem.hint}",
            "type": "invalid_request_error" if problem.status < 500 else "server_error",
            "param": None,
            "code": problem.type,
            "hint": problem.hint,
        }
    }


def _data(value: Json) -> bytes:
    return event_bytes(json.dumps(value, ensure_ascii=False))
