"""Guards every request before any view sees it, and puts the security headers on every answer.

What is refused here needs no person: another site could post to us through somebody's browser
(refused by Fetch Metadata and Origin) or reach us under a name of its own (refused by Host).
"""

from collections.abc import Awaitable, Callable, MutableMapping
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.config import WebSettings
from web.errors import CrossSiteRefused, HostRefused, WebError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
NONCE_BYTES = 16
# Why each of these stands here: docs/adr/0004-content-security-policy.md. What is not named, such
# as fonts, frames and workers, is not allowed at all.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'",
    # Without 'strict-dynamic': it would let htmx run the scripts of a fragment.
    "script-src 'nonce-{nonce}'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "object-src 'none'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    # Text becomes elements only through the policy of htmx's extension `hx-csp`.
    "require-trusted-types-for 'script'",
    "trusted-types htmx",
)
# What a browser could offer a page and no page of ours uses: each is for nobody.
UNUSED_FEATURES = (
    "accelerometer",
    "autoplay",
    "camera",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in UNUSED_FEATURES),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Ward computers are shared: nothing of a page or an answer stays on the disk.
    "Cache-Control": "no-store",
}
# For two years nobody is asked to come here in clear. Over plain HTTP a browser ignores it.
STRICT_TRANSPORT_SECURITY = "max-age=63072000; includeSubDomains"


def nonce_of(scope: MutableMapping[str, Any]) -> str:
    """The number that the scripts of the answer to this request carry; made at its first use."""
    state = scope.setdefault("state", {})
    return str(state.setdefault("nonce", token_urlsafe(NONCE_BYTES)))


def content_security_policy(nonce: str) -> str:
    """The policy of one answer."""
    return "; ".join(CONTENT_SECURITY_POLICY).format(nonce=nonce)


def headers_for(scope: MutableMapping[str, Any]) -> dict[str, str]:
    """The headers of the answer to this request."""
    headers = {"Content-Security-Policy": content_security_policy(nonce_of(scope)), **HEADERS}
    if scope["scheme"] == "https":
        headers["Strict-Transport-Security"] = STRICT_TRANSPORT_SECURITY
    return headers


def check_host(headers: Headers, allowed_hosts: tuple[str, ...]) -> None:
    """Raise HostRefused unless the request names one of our own names."""
    if host_name(headers.get("host", "")) not in allowed_hosts:
        raise HostRefused


def host_name(host: str) -> str:
    """The name in a Host header, without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def check_same_site(method: str, headers: Headers) -> None:
    """Raise CrossSiteRefused for a change that another site's page asks for.

    A client that is no browser sends neither header and passes.
    """
    if method in SAFE_METHODS:
        return
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise CrossSiteRefused
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
        raise CrossSiteRefused


class Guard:
    """The outermost layer: checks, then headers."""

    def __init__(
        self,
        app: ASGIApp,
        settings: WebSettings,
        show: Callable[[Request, WebError], Awaitable[Response]],
    ) -> None:
        self._app = app
        self._settings = settings
        self._show = show

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        # Made here, so that the views find the same number and never one of their own.
        ours = headers_for(scope)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ours.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            headers = Headers(scope=scope)
            check_host(headers, self._settings.allowed_hosts)
            check_same_site(scope["method"], headers)
        except WebError as error:
            response = await self._show(Request(scope, receive), error)
            await response(scope, receive, send_guarded)
            return
        await self._app(scope, receive, send_guarded)


class BodyLimit:
    """Refuses a body that is too large while it is read."""

    def __init__(self, app: ASGIApp, settings: WebSettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; its reader gets a 413 instead of the rest of the body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit_bytes = body_limit_bytes(scope["path"], self._settings)
        read_bytes = 0

        async def receive_limited() -> Message:
            nonlocal read_bytes
            message = await receive()
            read_bytes += len(message.get("body", b""))
            # A little more is read and thrown away, so that the sender hears the refusal
            # instead of a broken connection.
            while read_bytes > limit_bytes:
                if not message.get("more_body") or read_bytes > 2 * limit_bytes:
                    raise HTTPException(413)
                message = await receive()
                read_bytes += len(message.get("body", b""))
            return message

        await self._app(scope, receive_limited, send)


def body_limit_bytes(path: str, settings: WebSettings) -> int:
    """How much the body of a request to this path may hold."""
    if path in ("/documents", "/api/v1/documents"):
        return settings.max_upload_bytes
    if path.startswith("/v1/"):
        return settings.max_chat_body_bytes
    return settings.max_body_bytes
