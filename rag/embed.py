"""Vectors from the runtime, over OpenAI's `/v1/embeddings`; one of the two doors to the models."""

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import TypedDict

import httpx
from pydantic import BaseModel, ValidationError

from rag.asker import NOBODY, Asker
from rag.config import RagSettings
from rag.errors import (
    ModelError,
    ModelFailed,
    ModelMissing,
    ModelRefused,
    RuntimeBusy,
    RuntimeTooSlow,
    RuntimeUnreachable,
)
from rag.model_keys import ModelKeys

MAX_REASON_CHARS = 200
# Asked before each request to the model; raises ModelRefused.
Admit = Callable[[Asker], None]


class _Vector(BaseModel):
    index: int
    embedding: list[float]


class _Vectors(BaseModel):
    data: list[_Vector]


class _ClientOptions(TypedDict):
    base_url: str
    auth: ModelKeys
    timeout: httpx.Timeout
    trust_env: bool


class Embedder:
    """Turns texts into vectors; no retries, because callers know better when to try again."""

    def __init__(self, settings: RagSettings, admit: Admit | None = None) -> None:
        self._settings = settings
        self._admit = admit
        self._client = httpx.Client(**_client(settings))
        self._async_client: httpx.AsyncClient | None = None

    def embed(self, texts: Sequence[str], asker: Asker = NOBODY) -> list[list[float]]:
        """Return one vector per text, in their order. Raises ModelError."""
        if not texts:
            return []
        if self._admit is not None:
            self._admit(asker)
        try:
            answer = self._client.post(
                "/embeddings", json=self._request(texts), headers=asker.headers()
            )
        except httpx.HTTPError as error:
            raise self._fault(error, self._settings.embed_timeout_s) from error
        return self._read(answer, len(texts))

    def embed_for(self, department_id: str | None, texts: Sequence[str]) -> list[list[float]]:
        """The same for the documents of a department. Raises ModelError."""
        return self.embed(texts, Asker(department=department_id))

    async def aembed(
        self, texts: Sequence[str], timeout_s: float | None = None, asker: Asker = NOBODY
    ) -> list[list[float]]:
        """Return one vector per text, in their order, without blocking. Raises ModelError."""
        if not texts:
            return []
        if self._admit is not None:
            await asyncio.to_thread(self._admit, asker)
        timeout_s = self._settings.embed_timeout_s if timeout_s is None else timeout_s
        if self._async_client is None:  # made here, because it belongs to the running loop
            self._async_client = httpx.AsyncClient(**_client(self._settings))
        timeout = httpx.Timeout(timeout_s, connect=self._settings.connect_timeout_s)
        request = self._request(texts)
        try:
            answer = await self._async_client.post(
                "/embeddings", json=request, timeout=timeout, headers=asker.headers()
            )
        except httpx.HTTPError as error:
            raise self._fault(error, timeout_s) from error
        return self._read(answer, len(texts))

    def close(self) -> None:
        """Close the connections of `embed`."""
        self._client.close()

    async def aclose(self) -> None:
        """Close all connections."""
        self.close()
        if self._async_client is not None:
            await self._async_client.aclose()

    def _request(self, texts: Sequence[str]) -> dict[str, object]:
        return {"model": self._settings.embed_model, "input": list(texts)}

    def _fault(self, error: httpx.HTTPError, timeout_s: float) -> ModelError:
        if isinstance(error, httpx.TimeoutException) and not isinstance(
            error, httpx.ConnectTimeout
        ):
            return RuntimeTooSlow(timeout_s)
        return RuntimeUnreachable(self._settings.embed_url)

    def _read(self, answer: httpx.Response, wanted: int) -> list[list[float]]:
        model = self._settings.embed_model
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise ModelMissing(model)
        if answer.status_code == httpx.codes.FORBIDDEN:
            raise ModelRefused(model)
        if answer.status_code in (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE):
            raise RuntimeBusy
        if answer.is_error:
            raise ModelFailed(model, f"{answer.status_code} {answer.text[:MAX_REASON_CHARS]}")
        try:
            found = _Vectors.model_validate_json(answer.content).data
        except ValidationError as error:
            raise ModelFailed(model, "it sent no vectors") from error
        vectors = [one.embedding for one in sorted(found, key=lambda one: one.index)]
        self._require_usable(vectors, wanted)
        return vectors

    def _require_usable(self, vectors: list[list[float]], wanted: int) -> None:
        # The index takes vectors of NaN without a word, so they are stopped here.
        model, size = self._settings.embed_model, self._settings.embed_dimensions
        if len(vectors) != wanted:
            raise ModelFailed(model, f"it sent {len(vectors)} vectors for {wanted} texts")
        for vector in vectors:
            if len(vector) != size:
                raise ModelFailed(model, f"its vectors have {len(vector)} numbers, not {size}")
            if not all(map(math.isfinite, vector)):
                raise ModelFailed(model, "it sent a vector that holds no number")


def _client(settings: RagSettings) -> _ClientOptions:
    return {
        "base_url": settings.embed_url,
        "auth": ModelKeys(settings),
        "timeout": httpx.Timeout(settings.embed_timeout_s, connect=settings.connect_timeout_s),
        "trust_env": False,  # a proxy of the machine has no business between us and the models
    }
