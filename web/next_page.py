"""Where a person goes on after signing in: a page of ours, never another site's."""

from urllib.parse import unquote, urlsplit

from starlette.requests import Request

FIRST_PAGE = "/"
MAX_PATH_CHARS = 500
# These lead nowhere again: they ask who somebody is, or end what was begun.
NOT_AGAIN = (
    "/sign-in",
    "/sign-out",
    "/lock",
    "/unlock",
    "/welcome",
    "/set-password",
    "/api",
    "/v1",
    "/mcp",
    "/static",
)


def local_page(text: str) -> str:
    """The text if it is the address of a page on this server, else the first page."""
    plain = text.isascii() and text.isprintable() and len(text) <= MAX_PATH_CHARS
    if not plain or not text.startswith("/") or text.startswith("//") or "\\" in text:
        return FIRST_PAGE
    parts = urlsplit(text)
    # Browsers read `//` as another host, also where it was hidden by encoding once or twice.
    path = unquote(unquote(parts.path))
    is_ours = not parts.scheme and not parts.netloc and path.isprintable()
    if not is_ours or path.startswith("//") or "\\" in path:
        return FIRST_PAGE
    if any(path == one or path.startswith(f"{one}/") for one in NOT_AGAIN):
        return FIRST_PAGE
    return text


def next_of(request: Request) -> str:
    """The page that a refused request was for, or came from where it is not a page itself."""
    if "hx-request" in request.headers:
        return _here(request, request.headers.get("hx-current-url", ""))
    if request.method in ("GET", "HEAD"):
        query = f"?{request.url.query}" if request.url.query else ""
        return local_page(f"{request.url.path}{query}")
    return _here(request, request.headers.get("referer", ""))


def _here(request: Request, address: str) -> str:
    """The page of an absolute address, if it is on this very server."""
    parts = urlsplit(address)
    if parts.netloc.lower() != request.headers.get("host", "").lower():
        return FIRST_PAGE
    return local_page(f"{parts.path}?{parts.query}" if parts.query else parts.path)
