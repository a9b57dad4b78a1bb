"""Ollama's interface for changing models: only for who may manage them, and never over a network.

Models come and go with the `lamplight` command, which checks digests and licences; over HTTP each
try is refused and recorded.
"""

from typing import NoReturn

from starlette.requests import Request
from starlette.responses import Response

from runtime.api.body import read_fields
from runtime.api.gate import Change, visit_of
from runtime.api.refusal import Refused
from runtime.api.service import Service
from runtime.api.shape import Shape
from runtime.api.shapes import COPY, CREATE, DELETE, PULL, PUSH

NOT_OVER_HTTP = 403
MAX_NAME_CHARS = 200


class Managing:
    """The five endpoints."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def pull(self, request: Request) -> Response:
        """POST /api/pull."""
        await self._refuse(request, "pull", PULL)

    async def push(self, request: Request) -> Response:
        """POST /api/push."""
        await self._refuse(request, "push", PUSH)

    async def create(self, request: Request) -> Response:
        """POST /api/create."""
        await self._refuse(request, "create", CREATE)

    async def copy(self, request: Request) -> Response:
        """POST /api/copy."""
        await self._refuse(request, "copy", COPY)

    async def delete(self, request: Request) -> Response:
        """DELETE /api/delete."""
        await self._refuse(request, "delete", DELETE)

    async def _refuse(self, request: Request, verb: str, shape: Shape) -> NoReturn:
        fields = await read_fields(request, shape, self._service.settings.max_body_bytes)
        given = fields.text("model") or fields.text("name") or fields.text("source")
        name = given[:MAX_NAME_CHARS]
        change = Change(verb, name, outcome="refused", reason="not over HTTP")
        await self._service.meter.changed(visit_of(request), change)
        raise Refused(
            NOT_OVER_HTTP,
            f"models cannot be changed over HTTP ({verb})",
            "Models are installed on this machine with: lamplight pull NAME",
        )
