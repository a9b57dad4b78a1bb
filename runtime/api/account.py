"""Ollama's account and cloud: answered as by a server that has neither.

Nothing here reads what is sent, and nothing leaves this machine.
"""

from starlette.requests import Request
from starlette.responses import Response

from runtime.api.refusal import JSON, Forbidden, Refused
from runtime.api.wire import json_bytes
from runtime.catalog import Catalog

NO_CLOUD = "This runtime answers with its own models alone."
# Upstream says where the wish comes from; ours is no setting that could be changed.
_STATUS = {"cloud": {"disabled": True, "source": "config"}}


class Account:
    """The endpoints that upstream has for its account."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def status(self, _request: Request) -> Response:
        """GET /api/status."""
        return _json(_STATUS)

    async def me(self, _request: Request) -> Response:
        """POST /api/me: nobody is signed in, and there is no page where one could."""
        error = Refused(401, "unauthorized", NO_CLOUD)
        return _json({"error": error.message, "hint": error.hint, "signin_url": ""}, error.status)

    async def sign_out(self, _request: Request) -> Response:
        """POST /api/signout, and DELETE /api/user/keys/{key} of older clients."""
        raise Refused(401, "you are not currently signed in", NO_CLOUD)

    async def web_search(self, _request: Request) -> Response:
        """POST /api/experimental/web_search."""
        raise Forbidden("cloud is disabled: web search is unavailable", NO_CLOUD)

    async def web_fetch(self, _request: Request) -> Response:
        """POST /api/experimental/web_fetch."""
        raise Forbidden("cloud is disabled: web fetch is unavailable", NO_CLOUD)

    async def recommendations(self, _request: Request) -> Response:
        """GET /api/experimental/model-recommendations: what the catalogue can fetch."""
        found = [
            {"model": str(model.name), "description": model.title}
            for model in self._catalog.models
            if model.can_be_fetched
        ]
        return _json({"recommendations": found})


def _json(value: object, status: int = 200) -> Response:
    return Response(json_bytes(value), status, media_type=JSON)
