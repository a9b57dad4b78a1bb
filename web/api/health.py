"""`/healthz` says that the process lives, `/readyz` which parts can do their work."""

from collections.abc import Awaitable, Callable

import structlog
from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from governance.errors import TrailBlocked
from governance.permissions import Permission
from web.caller import maybe_caller_of
from web.errors import ModelsMissing, UpstreamsDown
from web.parts import Platform

log = structlog.get_logger(__name__)


class Health:
    """The two questions that a supervisor asks."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def routes(self) -> list[Route]:
        """Where these are."""
        return [
            Route("/healthz", self.alive, methods=["GET"]),
            Route("/readyz", self.ready, methods=["GET"]),
        ]

    async def alive(self, _request: Request) -> Response:
        """Whether the process answers at all."""
        return JSONResponse({"alive": True})

    async def ready(self, request: Request) -> Response:
        """200 if a question could be answered now, else 503; part by part for who runs this."""
        models: list[str] = []

        async def runtime() -> str:
            found = await self._platform.passthrough.models()
            models.extend(str(model.get("id")) for model in found)
            return f"{len(found)} models"

        async def wanted_models() -> str:
            found = missing_models(self._wanted(), models)
            check_upstreams(self._wanted(), await self._platform.passthrough.upstreams())
            return found

        parts = {
            "record": await _part(self._record),
            "index": await _part(self._index),
            "runtime": await _part(runtime),
            "models": await _part(wanted_models),
        }
        ready = all(part["ready"] for part in parts.values())
        caller = maybe_caller_of(request)
        shown: dict[str, object] = {"ready": ready}
        if caller is not None and not caller.is_locked and caller.may(Permission.PLATFORM_OPERATE):
            shown["parts"] = parts
        return JSONResponse(shown, 200 if ready else 503)

    async def _record(self) -> str:
        if self._platform.record.refused:
            raise TrailBlocked("the last act could not be recorded")
        count = await run_in_threadpool(self._platform.policies.count_in_force)
        return f"{count} documents in force"

    async def _index(self) -> str:
        return f"{await run_in_threadpool(self._platform.index.count)} passages"

    def _wanted(self) -> tuple[str, ...]:
        settings = self._platform.rag_settings
        return (settings.chat_model, settings.embed_model)


def missing_models(wanted: tuple[str, ...], found: list[str]) -> str:
    """The wanted models in words; raises ModelsMissing.

    A name without a tag means `:latest`, as in Ollama.
    """
    have = {name.removesuffix(":latest") for name in found}
    missing = [name for name in wanted if name.removesuffix(":latest") not in have]
    if missing:
        raise ModelsMissing(missing)
    return ", ".join(wanted)


def check_upstreams(wanted: tuple[str, ...], upstreams: dict[str, bool]) -> None:
    """Raises UpstreamsDown where no server would answer for a wanted model."""
    down = {name.removesuffix(":latest") for name, ready in upstreams.items() if not ready}
    silent = [name for name in wanted if name.removesuffix(":latest") in down]
    if silent:
        raise UpstreamsDown(silent)


async def _part(check: Callable[[], Awaitable[str]]) -> dict[str, object]:
    try:
        return {"ready": True, "detail": await check()}
    except Exception as error:  # noqa: BLE001 (whatever is wrong with a part is the answer here)
        log.warning("part is not ready", check=check.__name__, error=repr(error))
        return {"ready": False, "detail": getattr(error, "message", type(error).__name__)}
