"""The cookie that carries a session: its names, and how it is set, read and taken away."""

from starlette.requests import Request
from starlette.responses import Response

# `__Host-`: only over https, from this host alone, for every path. A browser refuses it over plain
# HTTP, which we speak on this machine's own address.
SAFE_NAME, PLAIN_NAME = "__Host-lamplight", "lamplight_session"


def is_safe(request: Request) -> bool:
    """Whether the request came over TLS."""
    return request.url.scheme == "https"


def session_token(request: Request) -> str | None:
    """What the session cookie of this request holds."""
    return request.cookies.get(SAFE_NAME if is_safe(request) else PLAIN_NAME)


def set_session_cookie(response: Response, request: Request, token: str) -> None:
    """Give the browser its session; it forgets it when it closes.

    Lax: a link in a message leads to a page, but no other site can post in this session.
    """
    response.set_cookie(
        SAFE_NAME if is_safe(request) else PLAIN_NAME,
        token,
        path="/",
        secure=is_safe(request),
        httponly=True,
        samesite="lax",
    )


def clear_session_cookie(response: Response, request: Request) -> None:
    """Take the session away from the browser."""
    response.delete_cookie(
        SAFE_NAME if is_safe(request) else PLAIN_NAME,
        path="/",
        secure=is_safe(request),
        httponly=True,
        samesite="lax",
    )
