"""OpenAI's `/v1/audio/transcriptions`: read as upstream reads it, and refused for what our models
are, none of which hears."""

from collections.abc import AsyncGenerator

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response

from runtime.api.asked import refuse_capability
from runtime.api.refusal import Refused
from runtime.api.service import Service

MAX_AUDIO_BYTES = 25 * 1024 * 1024  # upstream's limit
MAX_PARTS = 20
FORMS = ("", "json", "text")


class Hearing:
    """The endpoint."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def transcribe(self, request: Request) -> Response:
        """POST /v1/audio/transcriptions."""
        form = await _form(request)
        try:
            name, form_of_answer = _text(form, "model"), _text(form, "response_format")
            if not name:
                raise Refused(400, "model is required", "Name a model.")
            if not isinstance(form.get("file"), UploadFile):
                raise Refused(400, "file is required", "Send the recording as `file`.")
            if form_of_answer not in FORMS:
                raise Refused(400, f"unsupported response_format: {form_of_answer}")
            raise refuse_capability(self._service.installed(name), "audio")
        finally:
            await form.close()


async def _form(request: Request) -> FormData:
    """The parts of a request, refused while they come in once they are too long. Raises Refused."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        raise Refused(400, "request Content-Type isn't multipart/form-data")
    try:
        return await MultiPartParser(
            request.headers, _bounded(request), max_files=1, max_fields=MAX_PARTS
        ).parse()
    except MultiPartException as error:
        raise Refused(400, f"invalid multipart form: {error.message}") from error
    except KeyError as error:  # no boundary is named
        raise Refused(400, "no multipart boundary param in Content-Type") from error


async def _bounded(request: Request) -> AsyncGenerator[bytes, None]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_AUDIO_BYTES:
            raise Refused(
                413, "http: request body too large", f"The limit is {MAX_AUDIO_BYTES} bytes."
            )
        yield chunk


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""
