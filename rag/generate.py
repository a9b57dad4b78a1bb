"""The chat model, over OpenAI's `/v1/chat/completions`; one of the two doors to the models."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import openai
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.utils import Secret
from pydantic import BaseModel, ValidationError

from rag.config import RagSettings
from rag.errors import (
    AnswerCutShort,
    ModelError,
    ModelFailed,
    ModelMissing,
    ModelRefused,
    RuntimeBusy,
    RuntimeTooSlow,
    RuntimeUnreachable,
)
from rag.model_keys import ModelKeys
from rag.tally import Counted

QUESTION_TOKENS = 64
TOP_TOKENS = 20  # likeliest first words that are asked for: what OpenAI's API allows
SAID_ODDS = 1.0  # of a Yes whose probability nobody tells; half of those on qa-dev lie beyond it
TINY = 1e-30  # above zero, whose logarithm does not exist
COMPLETE = frozenset({"stop", "length"})  # finish reasons of a stream that was not cut short


def generator(settings: RagSettings) -> OpenAIChatGenerator:
    """Make the Haystack component that writes answers; it never retries by itself."""
    return _component(
        settings,
        {
            "max_tokens": settings.answer_tokens,
            "stream_options": {"include_usage": True},  # what it took comes in the last chunk
        },
    )


def _component(settings: RagSettings, asked: Mapping[str, Any]) -> OpenAIChatGenerator:
    timeout = httpx.Timeout(settings.token_timeout_s, connect=settings.connect_timeout_s)
    return OpenAIChatGenerator(
        api_key=Secret.from_token("none"),  # the client wants one; ModelKeys puts the right one
        model=settings.chat_model,
        api_base_url=settings.chat_url,
        generation_kwargs={"temperature": settings.temperature, "seed": settings.seed, **asked},
        timeout=cast("float", timeout),  # the client takes both; only this one bounds the connect
        max_retries=0,
        http_client_kwargs={"trust_env": False, "auth": ModelKeys(settings)},
    )


def judge(settings: RagSettings) -> OpenAIChatGenerator:
    """Make the component that says Yes or No, with the chance that it gave to each."""
    asked = {"max_tokens": 1, "logprobs": True, "top_logprobs": TOP_TOKENS}
    return _component(settings, asked)


def rewriter(settings: RagSettings) -> OpenAIChatGenerator:
    """Make the component that rewrites follow-up questions; a question is short."""
    return _component(settings, {"max_tokens": QUESTION_TOKENS})


def chance(reply: ChatMessage) -> float | None:
    """Return the log of the odds of "Yes" over "No" as the first word; None where neither is told.

    Where only one of them is among the likeliest, the other is taken for the least likely of these.
    """
    told = reply.meta.get("logprobs") or {}
    first: Mapping[str, Any] = next(iter(told.get("content") or ()), {})
    likeliest = {
        str(one.get("token", "")): float(one["logprob"]) for one in first.get("top_logprobs") or ()
    }
    if not likeliest:
        return _said(reply.text or "")
    least = min(likeliest.values())
    yes, no = (_likelihood(likeliest, word) for word in ("yes", "no"))
    if yes is None and no is None:
        return None
    return (least if yes is None else yes) - (least if no is None else no)


def _likelihood(likeliest: Mapping[str, float], word: str) -> float | None:
    found = [math.exp(value) for token, value in likeliest.items() if token.strip().lower() == word]
    return math.log(max(sum(found), TINY)) if found else None


def _said(text: str) -> float | None:
    """What a server that tells no probabilities leaves us: the word itself."""
    word = text.strip(" .*\n").lower()
    return {"yes": SAID_ODDS, "no": -SAID_ODDS}.get(word)


def finish_reason(result: Mapping[str, Any]) -> str:
    """Return why the model stopped. Raises AnswerCutShort where the stream does not say."""
    reply = result["replies"][0]
    reason = str(reply.meta.get("finish_reason"))
    if reason not in COMPLETE:
        raise AnswerCutShort
    return reason


def counted(meta: Mapping[str, Any]) -> Counted | None:
    """What the runtime says in a chunk that it took; None in any other chunk."""
    usage = meta.get("usage")
    if not isinstance(usage, Mapping):
        return None
    found = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
    prompt, answer = (one if isinstance(one, int) and one >= 0 else None for one in found)
    return None if prompt is None or answer is None else Counted(prompt, answer)


def fault(error: BaseException, settings: RagSettings, *, started: bool) -> ModelError:
    """Give an error of the client, which Haystack has wrapped, our name for it.

    started: some text had come, so that a lost connection means half an answer.
    """
    for cause in _causes(error):
        if isinstance(cause, ModelError):
            return cause
        if isinstance(cause, openai.OpenAIError):
            named = _named(cause, settings)
            lost = started and isinstance(named, RuntimeUnreachable)
            return AnswerCutShort() if lost else named
    return ModelFailed(settings.chat_model, type(error).__name__)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _named(error: openai.OpenAIError, settings: RagSettings) -> ModelError:
    match error:
        case openai.APITimeoutError():
            return RuntimeTooSlow(settings.token_timeout_s)
        case openai.APIConnectionError():
            return RuntimeUnreachable(settings.chat_url)
        case openai.NotFoundError():
            return ModelMissing(settings.chat_model)
        case openai.PermissionDeniedError():
            return ModelRefused(settings.chat_model)
        case openai.APIStatusError(status_code=429 | 503):
            return RuntimeBusy()
        case openai.APIStatusError():
            return ModelFailed(settings.chat_model, f"status {error.status_code}")
        case _:
            return ModelFailed(settings.chat_model, type(error).__name__)


class _Tag(BaseModel):
    name: str
    digest: str = ""


class _Tags(BaseModel):
    models: list[_Tag]


class ModelIdentity:
    """Asks the runtime once which file is behind the chat model's name."""

    def __init__(self, settings: RagSettings) -> None:
        self._settings = settings
        self._digest = ""

    async def describe(self) -> Mapping[str, str]:
        """Return the model's name and digest; no digest where the runtime is not Ollama's kind."""
        if not self._digest:
            self._digest = await self._ask()
        return {"name": self._settings.chat_model, "digest": self._digest}

    async def _ask(self) -> str:
        address = urlsplit(self._settings.chat_url)
        url = f"{address.scheme}://{address.netloc}/api/tags"
        timeout_s = self._settings.connect_timeout_s
        try:
            async with httpx.AsyncClient(
                trust_env=False, timeout=timeout_s, auth=ModelKeys(self._settings)
            ) as client:
                answer = await client.get(url)
            tags = _Tags.model_validate_json(answer.content).models
        except (httpx.HTTPError, ValidationError):
            return ""  # a server of another kind; an answer is not worth less for it
        wanted = {self._settings.chat_model, f"{self._settings.chat_model}:latest"}
        return next((tag.digest for tag in tags if tag.name in wanted), "")
