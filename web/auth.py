"""Lets a request through to its view only if its sender may use that address.

It stands after the checks that need no person (`web/security.py`) and before every view. What it
finds is `request.state.caller`; an address without a row in `web/access.py` is refused.
"""

from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from governance.errors import GovernanceError, TrailBlocked
from web.access import BY_ITSELF, TABLE, Need, Open, Row, row_of
from web.caller import Caller
from web.callers import Callers
from web.csrf import given_token, is_right
from web.errors import (
    CertificateRefused,
    Forbidden,
    FormExpired,
    NoCredential,
    NotSignedIn,
    SessionLocked,
    WebError,
)
from web.security import SAFE_METHODS

Show = Callable[[Request, Exception], Awaitable[Response]]


class Auth:
    """Between the guard and the views."""

    def __init__(self, app: ASGIApp, callers: Callers, show: Show) -> None:
        self._app = app
        self._callers = callers
        self._show = show

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            receive = await self._admit(request, receive)
        except (WebError, GovernanceError, HTTPException) as error:
            response = await self._show(request, error)
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _admit(self, request: Request, receive: Receive) -> Receive:
        """Let the request pass. Raises WebError; HTTPException for a body over its limit."""
        row = row_of(request.scope, request.app.routes)
        # What leads nowhere is answered by the router, and tells nobody anything.
        need = Open.PUBLIC if row is None else TABLE.get(row)
        if need is None:
            raise Forbidden
        caller = await self._identify(request, row, need)
        request.state.caller = caller
        if caller is None or need is Open.PUBLIC:
            return receive
        if caller.session is not None and request.method not in SAFE_METHODS:
            given, receive = await given_token(request.headers, receive)
            if not is_right(given, caller.csrf_token):
                raise FormExpired
        if caller.is_locked and need is not Open.LOCKED:
            raise SessionLocked
        await run_in_threadpool(check_need, caller, need)
        return receive

    async def _identify(self, request: Request, row: Row | None, need: Need) -> Caller | None:
        def find() -> Caller | None:
            return self._callers.find(request, touch=row not in BY_ITSELF)

        if need is Open.PUBLIC:
            try:
                return await run_in_threadpool(find)
            except (NotSignedIn, CertificateRefused, TrailBlocked):
                return None
        caller = await run_in_threadpool(find)
        if caller is None:
            raise NoCredential
        return caller


def check_need(caller: Caller, need: Need) -> None:
    """Raise Forbidden unless the caller meets what the table asks for."""
    if isinstance(need, Open):
        if need in (Open.PERSON, Open.LOCKED) and caller.principal.key_id is not None:
            raise Forbidden("A key cannot do this.", "Sign in, and do it there.")
        return
    wanted = need if isinstance(need, tuple) else (need,)
    if not any(caller.may_somewhere(permission) for permission in wanted):
        raise caller.denied(wanted[0], None, "In no department.")
