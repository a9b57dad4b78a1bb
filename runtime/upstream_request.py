"""What another server is asked, in OpenAI's form: approved fields and nothing else. Pure.

No name of a person, department, key or request of ours is among them.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runtime.errors import BadRequest
from runtime.protocol import Embed, Generate
from runtime.sampling import Options
from runtime.upstream_config import MORE_FIELDS, UpstreamSettings

CHAT, TEXT, VECTORS = "/chat/completions", "/completions", "/embeddings"
# What is left for an answer where a text has no limit: servers refuse more than their context has.
CHARS_PER_TOKEN = 2
EFFORTS = {"max": "high"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: its path below `/v1`, and its body."""

    path: str
    body: Mapping[str, Any]


def asked_of(settings: UpstreamSettings, job: Generate | Embed) -> Asked:
    """The request for a job. Raises BadRequest where it cannot be asked of another server."""
    if isinstance(job, Embed):
        body = {"model": settings.remote_model, "input": list(job.texts)}
        return Asked(VECTORS, body | {"encoding_format": "float"})
    if job.context or job.rendering.template:
        what = "context" if job.context else "template"
        raise BadRequest(
            f"{what} is not supported for a model that another server answers for",
            "Send the earlier messages to /api/chat instead.",
        )
    body = _settled(settings, job)
    if job.messages is None:
        text = job.text or ""
        return Asked(TEXT, body | {"prompt": text} | _limit_of_text(settings, job, text))
    return Asked(CHAT, body | _chat(settings, job, job.messages))


def _settled(settings: UpstreamSettings, job: Generate) -> dict[str, Any]:
    """What both kinds of answers are asked with."""
    options = job.options
    body: dict[str, Any] = {
        "model": settings.remote_model,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": options.temperature,
        "top_p": options.top_p,
    }
    if options.num_predict >= 0:
        body["max_tokens"] = options.max_new_tokens(settings.context_tokens)
    if options.seed >= 0:
        body["seed"] = options.seed
    if options.stop:
        body["stop"] = list(options.stop)
    for name in ("presence_penalty", "frequency_penalty"):
        if getattr(options, name):
            body[name] = getattr(options, name)
    return body | _more(settings, options) | _format(settings, job.schema)


def _more(settings: UpstreamSettings, options: Options) -> dict[str, Any]:
    return {name: getattr(options, MORE_FIELDS[name]) for name in settings.more_fields}


def _format(settings: UpstreamSettings, schema: str | None) -> dict[str, Any]:
    if schema is None:
        return {}
    if not schema:
        return {"response_format": {"type": "json_object"}}
    read = json.loads(schema)
    if settings.schema_form == "json_object":
        return {"response_format": {"type": "json_object", "schema": read}}
    described = {"name": "answer", "schema": read, "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": described}}


def _limit_of_text(settings: UpstreamSettings, job: Generate, text: str) -> dict[str, Any]:
    """A limit for a bare text: without one OpenAI's form means 16 tokens."""
    if job.options.num_predict >= 0:
        limit = {}
    else:
        left = settings.context_tokens - len(text) // CHARS_PER_TOKEN
        limit = {"max_tokens": max(left, settings.context_tokens // 4)}
    return limit | ({} if job.logprobs is None else {"logprobs": job.logprobs})


def _chat(
    settings: UpstreamSettings, job: Generate, messages: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    body: dict[str, Any] = {"messages": _messages(messages)}
    if job.rendering.tools:
        body["tools"] = [dict(tool) for tool in job.rendering.tools]
    if job.logprobs is not None:
        body |= {"logprobs": True} | ({"top_logprobs": job.logprobs} if job.logprobs else {})
    think = job.rendering.think
    if "thinking" in settings.capabilities and (isinstance(think, str) or think is False):
        body["reasoning_effort"] = EFFORTS.get(think, think) if think else "none"
    return body


def _messages(messages: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Messages with every call and its result joined by an id, which Ollama's form may lack."""
    found, open_calls, count = list[dict[str, Any]](), list[tuple[str, str]](), 0
    for message in messages:
        one: dict[str, Any] = {"role": message["role"], "content": message.get("content") or ""}
        if message.get("tool_calls"):
            one["tool_calls"] = []
            for call in message["tool_calls"]:
                count += 1
                written = _call(call, f"call_{count}")
                open_calls.append((written["function"]["name"], written["id"]))
                one["tool_calls"].append(written)
        if message["role"] == "tool":
            one["tool_call_id"] = _answered(message, open_calls)
        found.append(one)
    return found


def _call(call: Mapping[str, Any], number: str) -> dict[str, Any]:
    function = call["function"]
    arguments = json.dumps(function.get("arguments") or {}, ensure_ascii=False)
    called = {"name": function["name"], "arguments": arguments}
    return {"id": call.get("id") or number, "type": "function", "function": called}


def _answered(message: Mapping[str, Any], open_calls: list[tuple[str, str]]) -> str:
    """The id of the call that a result belongs to: named, else the first open one that fits."""
    named, known = message.get("tool_call_id"), message.get("tool_name")
    for index, (name, call_id) in enumerate(open_calls):
        if call_id == named or (not named and known in (None, "", name)):
            del open_calls[index]
            return call_id
    return str(named or "call_0")
