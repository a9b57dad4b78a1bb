"""Puts the right key on each request to a model server, and none where none belongs.

Our own runtime gets the key of this start, read anew from its file each time, because the runtime
may have been started after us. Any other server gets the key that the settings name for it, and
never the start key, nor who asks.
"""

from collections.abc import Generator

import httpx

from rag.asker import PREFIX
from rag.config import RagSettings

MAX_KEY_CHARS = 200


class ModelKeys(httpx.Auth):
    """The keys of all model servers; it prints none."""

    def __init__(self, settings: RagSettings) -> None:
        self._settings = settings

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send one request with its key."""
        ours = self._is_ours(request.url)
        key = self._start_key() if ours else self._given_key(request.url)
        if key:
            request.headers["Authorization"] = f"Bearer {key}"
        if not (ours and key):
            for name in [name for name in request.headers if name.lower().startswith(PREFIX)]:
                del request.headers[name]
        yield request

    def _is_ours(self, url: httpx.URL) -> bool:
        return bool(self._settings.runtime_url) and _same(url, self._settings.runtime_url)

    def _start_key(self) -> str:
        path = self._settings.runtime_key_path
        try:
            return path.read_text(encoding="ascii")[:MAX_KEY_CHARS].strip() if path else ""
        except (OSError, UnicodeDecodeError):
            return ""  # a runtime without a key serves us as it serves everybody

    def _given_key(self, url: httpx.URL) -> str:
        settings = self._settings
        if settings.chat_key and _same(url, settings.chat_url):
            return settings.chat_key
        known = _same(url, settings.chat_url) or _same(url, settings.embed_url)
        return settings.api_key if known else ""


def _same(url: httpx.URL, other: str) -> bool:
    return _place(url) == _place(httpx.URL(other))


def _place(url: httpx.URL) -> tuple[str, str, int | None]:
    host = "127.0.0.1" if url.host == "localhost" else url.host
    return url.scheme, host, url.port or {"http": 80, "https": 443}.get(url.scheme)
