"""The token that shows that a form came from a page of this very session.

It is asked for beside Fetch Metadata and Origin (`web/security.py`), for every change in a browser
session, before anything is done in it. htmx sends it as a header. A plain form has it as its first
field, so that it can be read without taking a whole upload in: a multipart body is looked into only
as far as its first part, and then goes on to the view from its beginning.

A key cannot be sent by another site, so requests with one need no token. A client certificate could
be, and has no session that a token could belong to: there Fetch Metadata and Origin must do.
"""

import re
from hmac import compare_digest
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

HEADER, FIELD = "x-csrf-token", "csrf"
# The token is the first field; a part with it is far smaller.
PART_BYTES = 2048
# No plain form of ours is larger; an upload is multipart.
FORM_BYTES = 1024 * 1024
MAX_FIELDS = 1000
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
FIRST_PART = re.compile(
    rb"--[^\r\n]{1,200}\r\n"
    rb'content-disposition: *form-data; *name="?csrf"?[^\r\n]{0,100}\r\n'
    rb"(?:[^\r\n]{1,200}\r\n){0,4}\r\n"
    rb"([0-9a-f]{1,200})\r\n",
    re.IGNORECASE,
)


def is_right(given: str, token: str) -> bool:
    """Whether the given token is the session's."""
    return bool(token) and compare_digest(given.encode(), token.encode())


async def given_token(headers: Headers, receive: Receive) -> tuple[str, Receive]:
    """The token that came with a request, or nothing, and the body to be read from its beginning.

    Raises HTTPException when the body is larger than its limit.
    """
    if HEADER in headers:
        return headers[HEADER], receive
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (FORM, MULTIPART):
        return "", receive
    taken, body = await _begin(receive, PART_BYTES if kind == MULTIPART else None)
    return token_in(kind, body), _replayed(taken, receive)


def token_in(kind: str, body: bytes) -> str:
    """The token in the beginning of a body of this content type."""
    if kind == MULTIPART:
        found = FIRST_PART.match(body)
        return found[1].decode() if found else ""
    try:
        values = parse_qs(body.decode("latin-1"), max_num_fields=MAX_FIELDS).get(FIELD, [])
    except ValueError:  # too many fields: no form of ours
        return ""
    return values[0] if len(values) == 1 else ""


async def _begin(receive: Receive, enough_bytes: int | None) -> tuple[list[Message], bytes]:
    """What must be read to know the first bytes: all of the body, where nothing is enough."""
    taken: list[Message] = []
    read_bytes = 0
    while True:
        message = await receive()
        taken.append(message)
        read_bytes += len(message.get("body", b""))
        is_last = message["type"] != "http.request" or not message.get("more_body")
        if is_last or (enough_bytes is not None and read_bytes >= enough_bytes):
            return taken, b"".join(one.get("body", b"") for one in taken)
        if read_bytes > FORM_BYTES:
            raise HTTPException(413)


def _replayed(taken: list[Message], receive: Receive) -> Receive:
    waiting = list(taken)

    async def replay() -> Message:
        return waiting.pop(0) if waiting else await receive()

    return replay
