"""Passes a request on to the model runtime as it came, and its answer back as it comes."""

from collections.abc import AsyncGenerator

import httpx
from starlette.responses import Response, StreamingResponse

from rag.asker import NOBODY, Asker
from rag.config import RagSettings
from rag.model_keys import ModelKeys
from web.config import WebSettings
from web.errors import RuntimeSilent
from web.sse import EventStream


class Passthrough:
    """The platform's own line to the runtime, for models other than `policies`."""

    def __init__(self, settings: WebSettings, rag_settings: RagSettings) -> None:
        self._settings = settings
        self._chat_url = rag_settings.chat_url.rstrip("/")
        self._embed_url = rag_settings.embed_url.rstrip("/")
        self._runtime_url = rag_settings.runtime_url.rstrip("/")
        self._client = httpx.AsyncClient(
            auth=ModelKeys(rag_settings),
            timeout=httpx.Timeout(settings.passthrough_timeout_s, connect=2.0),
            trust_env=False,
        )

    async def chat(self, body: bytes, asker: Asker = NOBODY) -> Response:
        """Send a chat completion on. Raises RuntimeSilent."""
        return await self._send(f"{self._chat_url}/chat/completions", body, asker)

    async def embeddings(self, body: bytes, asker: Asker = NOBODY) -> Response:
        """Send an embedding request on. Raises RuntimeSilent."""
        return await self._send(f"{self._embed_url}/embeddings", body, asker)

    async def models(self) -> tuple[dict[str, object], ...]:
        """The models of the runtime, as it lists them. Raises RuntimeSilent."""
        try:
            found = await self._client.get(
                f"{self._chat_url}/models", timeout=self._settings.ready_timeout_s
            )
            found.raise_for_status()
            return tuple(dict(model) for model in found.json()["data"])
        except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
            raise RuntimeSilent from error

    async def upstreams(self) -> dict[str, bool]:
        """Models that other servers answer for, and whether one would. Raises RuntimeSilent."""
        if not self._runtime_url:
            return {}
        try:
            found = await self._client.get(
                f"{self._runtime_url}/api/upstreams", timeout=self._settings.ready_timeout_s
            )
            if found.status_code == httpx.codes.NOT_FOUND:
                return {}  # another runtime than ours has none
            found.raise_for_status()
            return {str(one["name"]): bool(one["ready"]) for one in found.json()["upstreams"]}
        except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
            raise RuntimeSilent from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _send(self, url: str, body: bytes, asker: Asker) -> Response:
        headers = {"Content-Type": "application/json"} | asker.headers()
        request = self._client.build_request("POST", url, content=body, headers=headers)
        try:
            answer = await self._client.send(request, stream=True)
        except httpx.HTTPError as error:
            raise RuntimeSilent from error
        content_type = answer.headers.get("content-type", "application/json")
        if content_type.startswith("text/event-stream"):
            return EventStream(_stream(answer), settings=self._settings)
        return StreamingResponse(
            _stream(answer), status_code=answer.status_code, media_type=content_type
        )


async def _stream(answer: httpx.Response) -> AsyncGenerator[bytes, None]:
    try:
        async for chunk in answer.aiter_bytes():
            yield chunk
    except httpx.HTTPError:
        # The runtime broke off: what came so far is all there is, and its end marker is missing.
        return
    finally:
        await answer.aclose()
