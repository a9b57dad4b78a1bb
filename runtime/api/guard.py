"""Keeps web pages of other origins away from a runtime that asks for no key.

A browser tells the page's origin, and a name that was bent to our address (DNS rebinding) shows in
the Host header. Both rules are Ollama's: reference/ollama.md, R-17 and R-18.
"""

import ipaddress
import re
import socket
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOCAL_HOSTS = {"localhost", "127.0.0.1", "0.0.0.0"}  # noqa: S104 - compared with, not bound to
_APP_SCHEMES = {"app", "file", "tauri", "vscode-webview", "vscode-file"}
_LOCAL_SUFFIXES = (".localhost", ".local", ".internal")
_ALLOWED_HEADERS = (
    "Authorization, Content-Type, User-Agent, Accept, X-Requested-With, OpenAI-Beta,"
    " x-stainless-arch, x-stainless-async, x-stainless-custom-poll-interval,"
    " x-stainless-helper-method, x-stainless-lang, x-stainless-os,"
    " x-stainless-package-version, x-stainless-poll-helper, x-stainless-retry-count,"
    " x-stainless-runtime, x-stainless-runtime-version, x-stainless-timeout"
)
_ALLOWED_METHODS = "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"


class Guard:
    """Lets a request through to the application, or answers 403 with an empty body."""

    def __init__(self, app: ASGIApp, bound_host: str, allowed_origins: tuple[str, ...]) -> None:
        self._app = app
        self._checks_host = is_loopback(bound_host)
        self._allowed_origins = allowed_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._checks_host and not host_allowed(host, socket.gethostname()):
            await Response(status_code=403)(scope, receive, send)
        elif origin is None or origin in (f"http://{host}", f"https://{host}"):
            await self._app(scope, receive, send)
        elif not origin_allowed(origin, self._allowed_origins):
            await Response(status_code=403)(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=_preflight(origin))(scope, receive, send)
        else:
            await self._app(scope, receive, _with_origin(send, origin))


def is_loopback(host: str) -> bool:
    """Whether an address is reachable from this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_allowed(header: str, machine: str) -> bool:
    """Whether a Host header is a name or address that can only mean this machine or network."""
    host = (urlsplit(f"//{header}").hostname or "") if header else ""
    if host in ("", "localhost", machine.lower()) or host.endswith(_LOCAL_SUFFIXES):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_private or address.is_unspecified


def origin_allowed(origin: str, allowed: tuple[str, ...]) -> bool:
    """Whether a page of this origin may speak to us."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    if parts.scheme in _APP_SCHEMES:
        return True
    if parts.scheme in ("http", "https") and parts.hostname in _LOCAL_HOSTS:
        return True
    return any(_matches(origin, pattern) for pattern in allowed)


def _matches(origin: str, pattern: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), origin) is not None


def _preflight(origin: str) -> dict[str, str]:
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": _ALLOWED_METHODS,
        "Access-Control-Allow-Headers": _ALLOWED_HEADERS,
        "Access-Control-Max-Age": "43200",
        "Vary": "Origin",
    }


def _with_origin(send: Send, origin: str) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Access-Control-Allow-Origin"] = origin
            headers.add_vary_header("Origin")
        await send(message)

    return wrapped
