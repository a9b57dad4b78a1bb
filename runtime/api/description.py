"""The OpenAPI description of the runtime, made from the shapes that its handlers read by."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from runtime.api import shapes
from runtime.api.refusal import JSON
from runtime.api.shape import JsonSchema, Shape
from runtime.api.wire import EVENT_STREAM, NDJSON, json_bytes

PATH = "/openapi.json"
PLAIN_JSON = "application/json"
PLAIN_TEXT = "text/plain"
NO_SUCH = "404 page not found"


def _object(required: str, **properties: JsonSchema) -> JsonSchema:
    """An object with at least these fields; those that are only named may hold anything."""
    names = required.split()
    known = {name: properties.get(name, {}) for name in names} | properties
    return {"type": "object", "required": names, "properties": known}


def _list(inside: JsonSchema) -> JsonSchema:
    return {"type": "array", "items": inside}


STRING: JsonSchema = {"type": "string"}
COUNT: JsonSchema = {"type": "integer", "minimum": 0}
VECTOR: JsonSchema = {"type": "array", "items": {"type": "number"}}
DETAILS = _object("format family families parameter_size quantization_level")
TAG = _object("name model size digest details modified_at", name=STRING, size=COUNT)
LOADED = _object("name model size digest details expires_at size_vram", name=STRING, size=COUNT)
DONE: dict[str, JsonSchema] = {
    "model": STRING,
    "created_at": STRING,
    "done": {"type": "boolean"},
    "done_reason": STRING,
    "prompt_eval_count": COUNT,
    "eval_count": COUNT,
}
GENERATED = _object("model created_at response done", **DONE, response=STRING)
CHATTED = _object("model created_at message done", **DONE, message=_object("role content"))
USAGE = _object("prompt_tokens total_tokens", prompt_tokens=COUNT, completion_tokens=COUNT)
CHOICES = _list(_object("index finish_reason"))
COMPLETION = _object("id object created model choices usage", choices=CHOICES, usage=USAGE)
MODEL = _object("id object created owned_by", id=STRING, created=COUNT)
EMBEDDING = _object("object embedding index", embedding={"anyOf": [VECTOR, STRING]})
EMBEDDINGS = _object("object data model usage", data=_list(EMBEDDING), usage=USAGE)
NATIVE_ERROR = _object("error", error=STRING, hint=STRING)
OPENAI_ERROR = _object("error", error=_object("message type param code", message=STRING))


@dataclass(frozen=True, slots=True)
class Operation:
    """What a method of a path does. answer: of JSON; others: media types that it may have, too.

    is_refused: nobody is served, whatever their rights.
    """

    summary: str
    body: Shape | None = None
    answer: JsonSchema | None = None
    others: tuple[str, ...] = ()
    is_refused: bool = field(default=False)


VERSION = _object("version", version=STRING)
_OVER_HTTP = "Refused and recorded: models are changed with the lamplight command."
_ALIVE = Operation("Say that the runtime is there.", others=(PLAIN_TEXT,))
_VERSION = Operation("The version of Ollama that is followed.", answer=VERSION)
_TAGS = Operation("The installed models.", answer=_object("models", models=_list(TAG)))
OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("GET", "/"): _ALIVE,
    ("HEAD", "/"): _ALIVE,
    ("GET", PATH): Operation("This description.", answer=_object("openapi info paths")),
    ("GET", "/api/version"): _VERSION,
    ("HEAD", "/api/version"): _VERSION,
    ("GET", "/api/tags"): _TAGS,
    ("HEAD", "/api/tags"): _TAGS,
    ("GET", "/api/ps"): Operation(
        "The models in memory.", answer=_object("models", models=_list(LOADED))
    ),
    ("POST", "/api/show"): Operation(
        "What a model is.",
        shapes.SHOW,
        _object("details model_info capabilities modified_at", details=DETAILS),
    ),
    ("POST", "/api/generate"): Operation(
        "Go on from a prompt.", shapes.GENERATE, GENERATED, (NDJSON,)
    ),
    ("POST", "/api/chat"): Operation("Answer a chat.", shapes.CHAT, CHATTED, (NDJSON,)),
    ("POST", "/api/embed"): Operation(
        "Make vectors.", shapes.EMBED, _object("model embeddings", embeddings=_list(VECTOR))
    ),
    ("POST", "/api/pull"): Operation(_OVER_HTTP, shapes.PULL, is_refused=True),
    ("POST", "/api/push"): Operation(_OVER_HTTP, shapes.PUSH, is_refused=True),
    ("POST", "/api/create"): Operation(_OVER_HTTP, shapes.CREATE, is_refused=True),
    ("POST", "/api/copy"): Operation(_OVER_HTTP, shapes.COPY, is_refused=True),
    ("DELETE", "/api/delete"): Operation(_OVER_HTTP, shapes.DELETE, is_refused=True),
    ("GET", "/v1/models"): Operation(
        "The installed models.", answer=_object("object data", data=_list(MODEL))
    ),
    ("GET", "/v1/models/{model:path}"): Operation("One installed model.", answer=MODEL),
    ("POST", "/v1/chat/completions"): Operation(
        "Answer a chat.", shapes.CHAT_COMPLETION, COMPLETION, (EVENT_STREAM,)
    ),
    ("POST", "/v1/embeddings"): Operation("Make vectors.", shapes.OPENAI_EMBED, EMBEDDINGS),
}


def document(version: str) -> dict[str, Any]:
    """The whole description."""
    paths: dict[str, dict[str, Any]] = {}
    for (method, template), operation in OPERATIONS.items():
        path = template.replace(":path}", "}")
        paths.setdefault(path, {})[method.lower()] = _described(method, path, operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lamplight models", "version": version},
        "paths": paths,
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        # On this machine programs need no key.
        "security": [{}, {"key": []}],
    }


def describing(version: str) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint that gives the description."""
    body = json_bytes(document(version))

    async def describe(_request: Request) -> Response:
        return Response(body, media_type=JSON)

    return describe


def _described(method: str, path: str, operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {"summary": operation.summary, "responses": _responses(path, operation)}
    if operation.body is not None:
        content = {PLAIN_JSON: {"schema": operation.body.described()}}
        found["requestBody"] = {"required": True, "content": content}
    if "{model}" in path:
        found["parameters"] = [
            {"name": "model", "in": "path", "required": True, "schema": {**STRING, "minLength": 1}}
        ]
    return found if method != "HEAD" else found | {"responses": {"200": {"description": "There."}}}


def _responses(path: str, operation: Operation) -> dict[str, Any]:
    error = OPENAI_ERROR if path.startswith("/v1/") else NATIVE_ERROR
    content: dict[str, Any] = {PLAIN_JSON: {"schema": error}}
    if "{" in path:
        content[PLAIN_TEXT] = {"schema": {**STRING, "examples": [NO_SUCH]}}
    refused = {"description": "Why not, and what to do.", "content": content}
    if operation.is_refused:
        return {"4XX": refused}
    answers: dict[str, Any] = {one: {"schema": STRING} for one in operation.others}
    if operation.answer is not None:
        answers[PLAIN_JSON] = {"schema": operation.answer}
    return {"200": {"description": operation.summary, "content": answers}, "4XX": refused} | (
        {"503": refused} if operation.body is not None else {}
    )
