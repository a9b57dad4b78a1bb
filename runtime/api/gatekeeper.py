"""Asks the gate about every request before any of our code sees it, and again while it lasts.

The same routes decide which permission is asked for and which endpoint runs, so no spelling of a
path finds one without the other. A right that is withdrawn ends a stream that is under way; so does
an approval of its model that is revoked or expires, and a block.
"""

import asyncio
from collections.abc import Mapping, Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from governance.permissions import Permission
from runtime.api.access import PUBLIC, ROUTES, Access
from runtime.api.gate import Gate, Visit, Visitor
from runtime.api.refusal import Forbidden, Refused, error_body, error_response, is_openai
from runtime.api.wire import EVENT_STREAM, NDJSON, event, json_line

# A withdrawn right ends open streams within five seconds (OWU-1), a revoked approval or a block
# within two (APR-3, GOV-3): the wait, and the look itself.
RECHECK_S = 1.0
_NOT_OPEN = Forbidden(
    "This route is not open to anybody.", "Report it: it has no row in access.py."
)


class Gatekeeper:
    """Lets a request through to the application, or answers 401 or 403."""

    def __init__(
        self, app: ASGIApp, gate: Gate, routes: Sequence[Route], recheck_s: float = RECHECK_S
    ) -> None:
        self._app = app
        self._gate = gate
        self._routes = routes
        self._recheck_s = recheck_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # closing without an answer refuses what we do not speak
        try:
            endpoint, access = wanted(scope, self._routes)
            if access is PUBLIC:
                await self._app(scope, receive, send)
                return
            visitor = await self._admit(scope, endpoint, access)
        except Refused as error:
            await error_response(error, scope["path"])(scope, receive, send)
            return
        visit = Visit(visitor, endpoint)
        scope.setdefault("state", {})["visit"] = visit
        await self._serve(scope, receive, _Answer(send, visit.headers), access)

    async def _admit(self, scope: Scope, endpoint: str, access: Access | None) -> Visitor:
        """Raises Unauthorized, Forbidden."""
        headers = Headers(scope=scope)
        return await asyncio.to_thread(self._ask, headers, endpoint, access)

    def _ask(self, headers: Headers, endpoint: str, access: Access | None) -> Visitor:
        visitor = self._gate.identify(headers)
        if isinstance(access, Permission):
            self._gate.check(visitor, access, endpoint)
        return visitor

    def _approve_again(self, visit: Visit) -> None:
        for model in tuple(visit.models):
            self._gate.approve(visit, model)

    async def _serve(
        self, scope: Scope, receive: Receive, answer: "_Answer", access: Access | None
    ) -> None:
        visit = scope["state"]["visit"]
        work = asyncio.ensure_future(self._run(scope, receive, answer))
        try:
            while not (await asyncio.wait({work}, timeout=self._recheck_s))[0]:
                await self._admit(scope, visit.endpoint, access)
                await asyncio.to_thread(self._approve_again, visit)
        except Refused as error:
            await _stop(work)
            await answer.end(error, scope, receive)
            return
        finally:
            if not work.done():
                await _stop(work)
        work.result()

    async def _run(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        await self._app(scope, receive, answer.send)


class _Answer:
    """How much of a response has been sent. headers: put on it when it starts."""

    def __init__(self, send: Send, headers: Mapping[str, str]) -> None:
        self._send = send
        self._headers = headers
        self._media_type: str | None = None
        self._ended = False

    async def send(self, message: Message) -> None:
        """Hand a message on."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(self._headers)
            self._media_type = headers.get("content-type", "").partition(";")[0]
        elif message["type"] == "http.response.body":
            self._ended = not message.get("more_body", False)
        await self._send(message)

    async def end(self, error: Refused, scope: Scope, receive: Receive) -> None:
        """Say at the end of what was sent why no more comes."""
        if self._media_type is None:
            await error_response(error, scope["path"])(scope, receive, self._send)
        elif not self._ended and self._media_type in (NDJSON, EVENT_STREAM):
            body = error_body(error, openai=is_openai(scope["path"]))
            line = event(body) if self._media_type == EVENT_STREAM else json_line(body)
            await self._send({"type": "http.response.body", "body": line, "more_body": False})


def wanted(scope: Scope, routes: Sequence[Route]) -> tuple[str, Access | None]:
    """The endpoint of a request and what it asks for; None where there is no endpoint.

    Raises Forbidden.
    """
    method: str = scope["method"]
    for route in routes:
        if route.matches(scope)[0] is Match.FULL:
            access = ROUTES.get((method, route.path))
            if access is None:
                raise _NOT_OPEN
            return f"{method} {route.path}", access
    return f"{method} (none)", None


async def _stop(work: "asyncio.Future[None]") -> None:
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
