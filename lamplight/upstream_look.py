"""How the servers are that the settings name for models, as seen from this process just now."""

import asyncio
from typing import Any

from runtime.config import RuntimeSettings
from runtime.upstreams import Upstreams


def look_at_upstreams(settings: RuntimeSettings) -> list[dict[str, Any]]:
    """Look at each server once; waits for none longer than its connection may take."""

    async def look() -> list[dict[str, Any]]:
        upstreams = Upstreams(settings.upstreams)
        try:
            await upstreams.look()
            return upstreams.report()
        finally:
            await upstreams.close()

    return asyncio.run(look()) if settings.upstreams else []


def in_words(report: list[dict[str, Any]]) -> list[str]:
    """A line for each server."""
    return [
        f"Upstream   {one['name']} is {one['remote_model']} at {server['remote_host']}:"
        f" {server['health']}"
        for one in report
        for server in one["servers"]
    ]
