"""`/v1/rerank`: which documents answer a question best, in the shape of Jina, Cohere and vLLM."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from runtime.api.body import Fields, read_fields
from runtime.api.dialect_shapes import RERANK
from runtime.api.gate import visit_of
from runtime.api.openai import json_response
from runtime.api.refusal import Refused
from runtime.api.service import Service
from runtime.api.stream import while_connected
from runtime.protocol import Rank


class Ranking:
    """The endpoint."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def rerank(self, request: Request) -> Response:
        """POST /v1/rerank."""
        settings = self._service.settings
        fields = await read_fields(request, RERANK, settings.max_body_bytes)
        name, question = fields.text("model"), fields.text("query")
        if not name:
            raise Refused(400, "model is required", "Name a model.")
        if not question.strip():
            raise Refused(400, "query is required", "Send what the documents shall answer.")
        documents = _documents(fields)
        top, shown = _top(fields, len(documents)), fields.flag("return_documents", default=False)
        model = await self._service.for_ranking(name)
        job = Rank(0, question, documents)
        work = self._service.rank(visit_of(request), model, job)
        found = await while_connected(request, work)
        # Of equals the first stays first.
        order = sorted(range(len(documents)), key=lambda n: -found.scores[n])[:top]
        results = [_result(n, found.scores[n], documents[n] if shown else None) for n in order]
        count = found.prompt_tokens
        usage = {"prompt_tokens": count, "total_tokens": count}
        return json_response({"model": name, "object": "list", "usage": usage, "results": results})


def _result(index: int, score: float, document: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {"index": index, "relevance_score": score}
    return found if document is None else found | {"document": {"text": document}}


def _documents(fields: Fields) -> tuple[str, ...]:
    """Texts, or objects that hold one. Raises Refused."""
    found = []
    for item in fields.items("documents"):
        text = item if isinstance(item, str) else fields.part("documents", item).text("text")
        if not text:
            raise Refused(400, "a document has no text", "Send texts, or objects with a text.")
        found.append(text)
    if not found:
        raise Refused(400, "documents are required", "Send at least one.")
    return tuple(found)


def _top(fields: Fields, count: int) -> int:
    """How many results are wanted. Raises Refused."""
    top = fields.integer("top_n")
    if top is None:
        return count
    if top < 1:
        raise Refused(400, "top_n must be at least 1", "Leave it out for all documents.")
    return min(top, count)
