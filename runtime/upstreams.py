"""Lets other servers do what an engine does here, for the models that the settings give to them."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from runtime.errors import BadRequest
from runtime.protocol import Delta, Detokenize, Done, Embed, Generate, Tokenize, Vectors, Words
from runtime.store import InstalledModel
from runtime.upstream_config import UpstreamSettings
from runtime.upstream_model import UpstreamModel, remote_host
from runtime.upstream_pool import Place, Pool


class Upstreams:
    """The pools of all upstream models."""

    def __init__(self, settings: Iterable[UpstreamSettings]) -> None:
        self._pools = {one: Pool(one) for one in settings}

    def start(self) -> None:
        """Look after all servers from now on."""
        for pool in self._pools.values():
            pool.start()

    async def look(self) -> None:
        """Look at all servers once."""
        for pool in self._pools.values():
            await pool.look()

    async def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            await pool.close()

    def is_ready(self, model: UpstreamModel) -> bool:
        """Whether a server would answer for it."""
        return self._pools[model.upstream].is_ready

    @asynccontextmanager
    async def use(
        self, model: InstalledModel, _context_tokens: int, _keep_alive_s: float | None
    ) -> AsyncIterator[Place]:
        """Hold a place at a server; its contexts and how long a model stays are its own affair.

        Raises ServerBusy, UpstreamDown, UpstreamChanged.
        """
        assert isinstance(model, UpstreamModel)
        async with self._pools[model.upstream].place() as place:
            yield place

    def generate(self, entry: Place, job: Generate) -> AsyncGenerator[Delta | Done, None]:
        """Write an answer. Raises ModelRuntimeError. Leaving early cancels it."""
        return entry.pool.generate(entry, job)

    async def embed(self, entry: Place, job: Embed) -> Vectors:
        """Make vectors. Raises ModelRuntimeError."""
        return await entry.pool.embed(entry, job)

    async def words(self, entry: Place, _job: Tokenize | Detokenize) -> Words:
        """Nothing in OpenAI's form says which tokens a text has. Raises BadRequest."""
        raise BadRequest(
            f"model '{entry.pool.settings.name}' is answered for by another server, which does not"
            " tell its tokens",
            "Count them by a model that is installed here.",
        )

    async def unload(self, _model: InstalledModel) -> None:
        """Other servers keep in memory what they will."""

    def report(self) -> list[dict[str, Any]]:
        """How every server is, without keys."""
        return [
            {
                "name": pool.settings.name,
                "remote_model": pool.settings.remote_model,
                "ready": pool.is_ready,
                "waiting": pool.waiting,
                "servers": [
                    {
                        "remote_host": remote_host(server.url),
                        "health": str(server.health),
                        "failures": server.failures,
                        "outstanding": server.outstanding,
                    }
                    for server in pool.servers
                ],
            }
            for pool in self._pools.values()
        ]
