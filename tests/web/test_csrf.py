"""The token of a form, found without taking the whole body in."""

import asyncio

import pytest
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message

from web.csrf import FORM_BYTES, MAX_FIELDS, PART_BYTES, given_token, is_right, token_in

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
TOKEN = "ab" * 32
FIRST = (
    f'--b0undary\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{TOKEN}\r\n--b0undary\r\n'
).encode()


@pytest.mark.parametrize(
    ("kind", "body", "found"),
    [
        (FORM, f"csrf={TOKEN}&question=x".encode(), TOKEN),
        (FORM, f"question=x&csrf={TOKEN}".encode(), TOKEN),
        (FORM, f"csrf={TOKEN}&csrf={TOKEN}".encode(), ""),
        (FORM, b"question=x", ""),
        (FORM, b"\xff\xfe%", ""),
        (MULTIPART, FIRST + b"the file", TOKEN),
        (MULTIPART, FIRST.replace(b"csrf", b"file"), ""),
        (MULTIPART, b"--b\r\n\r\n" + FIRST, ""),
        (MULTIPART, b"", ""),
    ],
)
def test_csrf_1_the_token_is_read_where_our_forms_put_it(
    kind: str, body: bytes, found: str
) -> None:
    """Once, and in a multipart body in the first part alone."""
    assert token_in(kind, body) == found


def test_csrf_1_a_form_of_very_many_fields_has_no_token() -> None:
    """It is none of ours, and is refused as one without."""
    assert token_in(FORM, b"&".join([f"csrf={TOKEN}".encode(), *[b"x=1"] * MAX_FIELDS])) == ""


def test_csrf_1_a_large_plain_form_is_refused_while_it_is_read() -> None:
    """Nobody makes us hold more than a form of ours can be."""
    read = []

    async def receive() -> Message:
        read.append(len(read))
        return {"type": "http.request", "body": b"x" * FORM_BYTES, "more_body": True}

    with pytest.raises(HTTPException, match="413"):
        asyncio.run(given_token(Headers({"content-type": FORM}), receive))
    assert len(read) == 2


@pytest.mark.parametrize("given", ["", "x", TOKEN[:-1], "ü" * 64])
def test_csrf_1_no_other_token_is_right(given: str) -> None:
    """Nor is any where there is none."""
    assert not is_right(given, TOKEN)
    assert not is_right("", "")
    assert is_right(TOKEN, TOKEN)


def test_csrf_1_the_view_gets_the_body_from_its_beginning() -> None:
    """Of a large upload only the first part was waited for."""
    pieces = [FIRST, b"x" * PART_BYTES, b"never asked for"]
    waiting: list[Message] = [
        {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
    ]

    async def receive() -> Message:
        return waiting.pop(0)

    async def read() -> None:
        headers = Headers({"content-type": f"{MULTIPART}; boundary=b0undary"})
        token, again = await given_token(headers, receive)
        assert token == TOKEN
        assert len(waiting) == 1
        assert [(await again())["body"] for _ in pieces] == pieces

    asyncio.run(read())
