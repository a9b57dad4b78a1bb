"""An answer in the shapes of OpenAI's chat completions: whole, and in chunks. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rag.events import Answered, AskEvent, TokenReleased
from rag.schema import Answer, AnswerStatus
from rag.tally import Counted
from web.api.shapes import Json, answer_json, citation_json
from web.errors import BadField
from web.markdown import MARKER
from web.wording import pages_words

NOT_FOUND = "We did not find this in the current policies."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks of the shape.

    as_json: the content is our answer as a JSON object. usage: a stream ends with a count.
    """

    as_json: bool = False
    usage: bool = False


@dataclass(frozen=True, slots=True)
class Chunks:
    """The chunks of one stream."""

    model: str
    address: str
    created: int
    wanted: Wanted

    def begin(self) -> Json:
        """The first one."""
        return self._chunk({"role": "assistant", "content": ""})

    def of(self, event: AskEvent) -> Iterator[Json]:
        """The chunks that an event brings; the last one carries the references."""
        match event:
            case TokenReleased(text) if not self.wanted.as_json:
                yield self._chunk({"content": text})
            case Answered(answer, _, took):
                if self.wanted.as_json or answer.status is not AnswerStatus.ANSWERED:
                    yield self._chunk({"content": content_of(answer, self.wanted)})
                yield self._chunk(references_json(answer, self.address), "stop")
                if self.wanted.usage:
                    yield self._frame([]) | {"usage": usage_json(took)}

    def _chunk(self, delta: Json, finish: str | None = None) -> Json:
        return self._frame([{"index": 0, "delta": delta, "finish_reason": finish}])

    def _frame(self, choices: list[Json]) -> Json:
        return {
            "id": f"chatcmpl-{self.created}",
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": choices,
        }


def wanted_of(body: Mapping[str, Any]) -> Wanted:
    """What a request asks of the shape. Raises BadField for what no answer of ours can be.

    Tools are passed over: a model may always choose to call none.
    """
    if body.get("n") not in (None, 1):
        raise BadField("There is one answer to a question.", "Leave `n` out, or send 1.")
    if body.get("logprobs"):
        raise BadField("Answers have no token probabilities.", "Leave `logprobs` out.")
    if body.get("tool_choice") == "required":
        raise BadField("`policies` calls no tools.", "Leave `tool_choice` out, or send `auto`.")
    shape = body.get("response_format") or {}
    kind = shape.get("type", "text") if isinstance(shape, dict) else None
    if kind not in ("text", "json_object"):
        raise BadField(
            "`response_format` can be `text` or `json_object`.",
            "`json_object` gives the answer with its citations, as `/api/v1/ask` does.",
        )
    options = body.get("stream_options")
    usage = isinstance(options, dict) and options.get("include_usage") is True
    return Wanted(kind == "json_object", usage)


def completion_json(
    answered: Answered, model: str, address: str, created: int, wanted: Wanted
) -> Json:
    """A chat completion with its citations."""
    answer = answered.answer
    message = {"role": "assistant", "content": content_of(answer, wanted)}
    choice = {
        "index": 0,
        "message": {**message, **references_json(answer, address)},
        "finish_reason": "stop",
    }
    return {
        "id": f"chatcmpl-{answer.id}",
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [choice],
        "usage": usage_json(answered.took),
    }


def usage_json(took: Counted) -> Json:
    """What the chat model read and wrote."""
    return {
        "prompt_tokens": took.prompt_tokens,
        "completion_tokens": took.answer_tokens,
        "total_tokens": took.prompt_tokens + took.answer_tokens,
    }


def content_of(answer: Answer, wanted: Wanted = Wanted()) -> str:
    """The text of an answer; where nothing was found it says so."""
    if wanted.as_json:
        return json.dumps(answer_json(answer), ensure_ascii=False)
    if answer.status is AnswerStatus.ANSWERED:
        return answer.answer
    return answer.answer or NOT_FOUND


def references_json(answer: Answer, address: str) -> Json:
    """OpenAI's url_citation annotations, and our own citations beside them."""
    return {
        "annotations": annotations(answer, address),
        "citations": [citation_json(citation) for citation in answer.citations],
        "abstained": answer.status is not AnswerStatus.ANSWERED,
    }


def annotations(answer: Answer, address: str) -> list[Json]:
    """One annotation per marker in the text; indexes count characters."""
    by_marker = {citation.marker: citation for citation in answer.citations}
    found: list[Json] = []
    for match in MARKER.finditer(content_of(answer)):
        citation = by_marker.get(int(match[1]))
        if citation is None:
            continue
        pages = pages_words(citation.page_from, citation.page_to)
        found.append(
            {
                "type": "url_citation",
                "url_citation": {
                    "start_index": match.start(),
                    "end_index": match.end(),
                    "url": f"{address.rstrip('/')}{citation.url}",
                    "title": f"{citation.title}, {pages}",
                },
            }
        )
    return found
