"""Errors as the two dialects write them: Ollama's `{"error": text}` and OpenAI's object."""

from typing import Any

from starlette.responses import Response

from runtime.api.wire import json_bytes
from runtime.errors import (
    BadName,
    BadRequest,
    Cancelled,
    ModelRuntimeError,
    ServerBusy,
    UnknownModel,
)

JSON = "application/json; charset=utf-8"
CLIENT_CLOSED_REQUEST = 499

_STATUS: tuple[tuple[type[ModelRuntimeError], int], ...] = (
    (BadName, 400),
    (BadRequest, 400),
    (UnknownModel, 404),
    (ServerBusy, 503),
    (Cancelled, CLIENT_CLOSED_REQUEST),
)
_OPENAI_TYPES = {400: "invalid_request_error", 404: "not_found_error"}


class Refused(ModelRuntimeError):
    """A request that the interface itself refuses, with the status and text that clients know."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status


def status_of(error: ModelRuntimeError) -> int:
    """The HTTP status of an error."""
    if isinstance(error, Refused):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def is_openai(path: str) -> bool:
    """Whether a path belongs to the OpenAI dialect."""
    return path.startswith("/v1/")


def error_body(error: ModelRuntimeError, *, openai: bool) -> dict[str, Any]:
    """The error object of a dialect; Ollama's may carry keys of ours beside the text."""
    if openai:
        kind = _OPENAI_TYPES.get(status_of(error), "api_error")
        return {"error": {"message": error.message, "type": kind, "param": None, "code": None}}
    return {"error": error.message} | ({"hint": error.hint} if error.hint else {})


def error_response(error: ModelRuntimeError, path: str) -> Response:
    """The response to a request that failed before it was answered."""
    body = error_body(error, openai=is_openai(path))
    return Response(json_bytes(body), status_of(error), media_type=JSON)
