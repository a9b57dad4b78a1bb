"""Errors as the two dialects write them: Ollama's `{"error": text}` and OpenAI's object."""

from secrets import token_hex
from typing import Any

from starlette.responses import Response

from runtime.api.wire import json_bytes
from runtime.errors import (
    BadName,
    BadRequest,
    Cancelled,
    ModelRuntimeError,
    NoSpace,
    Quarantined,
    RegistryNotAllowed,
    ServerBusy,
    TooLarge,
    UnknownBlob,
    UnknownModel,
    UpstreamDown,
    UpstreamFailed,
    UpstreamSlow,
    WrongParts,
)

JSON = "application/json; charset=utf-8"
ANTHROPIC_PATH = "/v1/messages"
CLIENT_CLOSED_REQUEST = 499

_STATUS: tuple[tuple[type[ModelRuntimeError], int], ...] = (
    (BadName, 400),
    (BadRequest, 400),
    (UnknownModel, 404),
    (UnknownBlob, 400),
    (WrongParts, 400),
    (RegistryNotAllowed, 403),
    (NoSpace, 507),
    (ServerBusy, 503),
    (TooLarge, 503),
    (Quarantined, 503),
    (Cancelled, CLIENT_CLOSED_REQUEST),
    (UpstreamDown, 503),
    (UpstreamSlow, 504),
    (UpstreamFailed, 502),
)
_OPENAI_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


class Refused(ModelRuntimeError):
    """A request that the interface itself refuses, with the status and text that clients know.

    code: OpenAI's word for it, where its clients look for one.
    """

    def __init__(
        self, status: int, message: str, hint: str = "", *, code: str | None = None
    ) -> None:
        super().__init__(message, hint)
        self.status = status
        self.code = code
        self.headers: dict[str, str] = {}


class Unauthorized(Refused):
    """The caller showed no key where one is asked for, or one that is not valid."""

    def __init__(self, hint: str) -> None:
        super().__init__(401, "unauthorized", hint, code="invalid_api_key")
        self.headers = {"WWW-Authenticate": 'Bearer realm="Lamplight models"'}


class Forbidden(Refused):
    """The caller is known and may not do this."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(403, message, hint)


class NotRecorded(Refused):
    """What must be recorded cannot be, so it is not done."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(503, message, hint)


class LimitReached(Refused):
    """The caller has used up what they may use for now."""

    def __init__(self, message: str, hint: str, retry_after_s: int) -> None:
        super().__init__(429, message, hint, code="rate_limit_exceeded")
        self.headers = {"Retry-After": str(max(1, retry_after_s))}


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
        code = error.code if isinstance(error, Refused) else None
        return {"error": {"message": _said(error), "type": kind, "param": None, "code": code}}
    return {"error": error.message} | ({"hint": error.hint} if error.hint else {})


def anthropic_body(error: ModelRuntimeError) -> dict[str, Any]:
    """The error object of the Anthropic dialect."""
    status = status_of(error)
    kind = "overloaded_error" if status in (503, 529) else _OPENAI_TYPES.get(status, "api_error")
    said = {"type": kind, "message": _said(error)}
    return {"type": "error", "error": said, "request_id": f"req_{token_hex(12)}"}


def error_response(error: ModelRuntimeError, path: str) -> Response:
    """The response to a request that failed before it was answered."""
    body = error_body(error, openai=is_openai(path))
    body = anthropic_body(error) if path == ANTHROPIC_PATH else body
    return Response(json_bytes(body), status_of(error), _headers_of(error), media_type=JSON)


def _headers_of(error: ModelRuntimeError) -> dict[str, str]:
    if isinstance(error, Refused):
        return error.headers
    return {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}


def _said(error: ModelRuntimeError) -> str:
    """OpenAI's object has no place for a hint: who must act on one finds it in the message."""
    if isinstance(error, Unauthorized | Forbidden | NotRecorded | LimitReached):
        return f"{error.message} {error.hint}".strip()
    return error.message
