"""Serves our own front-end files under an address that changes with their content."""

import hashlib
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from web.errors import FrontEndMissing

STATIC = Path(__file__).parent / "static"
REQUIRED = tuple(
    f"vendor/{name}" for name in ("lamplight.css", "htmx.min.js", "hx-csp.min.js", "hx-sse.min.js")
)
DIGEST_CHARS = 12


class ImmutableFiles(StaticFiles):
    """Files that never change under their address, so browsers may keep them for a year."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file with the header that allows keeping it."""
        response = await super().get_response(path, scope)
        if response.status_code < 400:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def static_digest(folder: Path = STATIC) -> str:
    """A short digest over names and contents. Raises FrontEndMissing before the build."""
    if not all((folder / name).is_file() for name in REQUIRED):
        raise FrontEndMissing
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(folder)).encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:DIGEST_CHARS]
