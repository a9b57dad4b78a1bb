"""The OpenAPI description of the runtime, made from the shapes that its handlers read by."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from runtime.api import dialect_shapes, shapes
from runtime.api.refusal import ANTHROPIC_PATH, JSON
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
RANKED = _object(
    "model object usage results", results=_list(_object("index relevance_score", index=COUNT))
)
NATIVE_ERROR = _object("error", error=STRING, hint=STRING)
OPENAI_ERROR = _object("error", error=_object("message type param code", message=STRING))

ANTHROPIC_ERROR = _object("type error request_id", error=_object("type message", message=STRING))


@dataclass(frozen=True, slots=True)
class Operation:
    """What a method of a path does. answer: of JSON; others: media types that it may have, too."""

    summary: str
    body: Shape | None = None
    answer: JsonSchema | None = None
    others: tuple[str, ...] = ()


VERSION = _object("version", version=STRING)
STEP = _object("status", status=STRING, digest=STRING, total=COUNT, completed=COUNT)
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
    ("GET", "/api/status"): Operation(
        "Say that there is no cloud.", answer=_object("cloud", cloud=_object("disabled source"))
    ),
    ("POST", "/api/me"): Operation("Refused: there are no accounts of a cloud."),
    ("POST", "/api/signout"): Operation("Refused: nobody is signed in to a cloud."),
    ("DELETE", "/api/user/keys/{key}"): Operation("Refused: nobody is signed in to a cloud."),
    ("POST", "/api/experimental/web_search"): Operation("Refused: there is no cloud."),
    ("POST", "/api/experimental/web_fetch"): Operation("Refused: there is no cloud."),
    ("GET", "/api/experimental/model-recommendations"): Operation(
        "Models that the catalogue can fetch.",
        answer=_object("recommendations", recommendations=_list(_object("model description"))),
    ),
    ("GET", "/api/ps"): Operation(
        "The models in memory.", answer=_object("models", models=_list(LOADED))
    ),
    ("GET", "/api/upstreams"): Operation(
        "The models that other servers answer for, and how those are.",
        answer=_object("upstreams", upstreams=_list(_object("name remote_model ready servers"))),
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
    ("POST", "/api/embeddings"): Operation(
        "Make one vector; the older form.",
        shapes.LEGACY_EMBED,
        _object("embedding", embedding=VECTOR),
    ),
    ("POST", "/api/tokenize"): Operation(
        "The tokens of a text.", shapes.TOKENIZE, _object("model tokens content")
    ),
    ("POST", "/api/detokenize"): Operation(
        "The text of tokens.", shapes.DETOKENIZE, _object("model content")
    ),
    ("POST", "/api/pull"): Operation(
        "Install a model of the catalogue or of an allowed registry.", shapes.PULL, STEP, (NDJSON,)
    ),
    ("POST", "/api/push"): Operation(
        "Take a model to an allowed registry.", shapes.PUSH, STEP, (NDJSON,)
    ),
    ("POST", "/api/create"): Operation("Make a model.", shapes.CREATE, STEP, (NDJSON,)),
    ("POST", "/api/copy"): Operation("Give a model a second name.", shapes.COPY),
    ("DELETE", "/api/delete"): Operation("Remove a model.", shapes.DELETE),
    ("HEAD", "/api/blobs/{digest}"): Operation("Say whether a file is there."),
    ("POST", "/api/blobs/{digest}"): Operation("Bring a file."),
    ("GET", "/v1/models"): Operation(
        "The installed models.", answer=_object("object data", data=_list(MODEL))
    ),
    ("GET", "/v1/models/{model:path}"): Operation("One installed model.", answer=MODEL),
    ("POST", "/v1/chat/completions"): Operation(
        "Answer a chat.", shapes.CHAT_COMPLETION, COMPLETION, (EVENT_STREAM,)
    ),
    ("POST", "/v1/completions"): Operation(
        "Go on from a prompt.", dialect_shapes.COMPLETION, COMPLETION, (EVENT_STREAM,)
    ),
    ("POST", "/v1/responses"): Operation(
        "Answer a conversation of items.",
        dialect_shapes.RESPONSES,
        _object("id object status model output usage", id=STRING),
        (EVENT_STREAM,),
    ),
    ("POST", "/v1/messages"): Operation(
        "Answer a chat, in Anthropic's form.",
        dialect_shapes.ANTHROPIC,
        _object("id type role model content stop_reason usage", id=STRING),
        (EVENT_STREAM,),
    ),
    ("POST", "/v1/embeddings"): Operation("Make vectors.", shapes.OPENAI_EMBED, EMBEDDINGS),
    ("POST", "/v1/rerank"): Operation(
        "Which documents answer a question best.", dialect_shapes.RERANK, RANKED
    ),
    ("POST", "/v1/audio/transcriptions"): Operation("Refused: no model here hears."),
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
    named = [name for name in ("model", "digest", "key") if f"{{{name}}}" in path]
    if named:
        schema = {**STRING, "minLength": 1}
        found["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": schema} for name in named
        ]
    return found if method != "HEAD" else found | {"responses": {"200": {"description": "There."}}}


def _schema_of(media_type: str) -> JsonSchema:
    # Readers take a stream of events apart, and then it is no string any more.
    return {} if media_type == EVENT_STREAM else STRING


def _responses(path: str, operation: Operation) -> dict[str, Any]:
    error = OPENAI_ERROR if path.startswith("/v1/") else NATIVE_ERROR
    error = ANTHROPIC_ERROR if path == ANTHROPIC_PATH else error
    content: dict[str, Any] = {PLAIN_JSON: {"schema": error}}
    if "{" in path:
        content[PLAIN_TEXT] = {"schema": {**STRING, "examples": [NO_SUCH]}}
    refused = {"description": "Why not, and what to do.", "content": content}
    answers: dict[str, Any] = {one: {"schema": _schema_of(one)} for one in operation.others}
    if operation.answer is not None:
        answers[PLAIN_JSON] = {"schema": operation.answer}
    done = {"description": operation.summary} | ({"content": answers} if answers else {})
    return (
        {"200": done, "4XX": refused}
        | ({"201": {"description": "It is there now."}} if path.startswith("/api/blobs") else {})
        | ({"503": refused, "507": refused} if operation.body is not None else {})
    )
