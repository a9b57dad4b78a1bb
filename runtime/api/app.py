"""Puts the runtime's HTTP application together: every route and every part in one place."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from runtime.api.account import Account
from runtime.api.anthropic import Anthropic
from runtime.api.completions import Completions
from runtime.api.description import PATH as DESCRIPTION_PATH
from runtime.api.description import describing
from runtime.api.gate import Gate
from runtime.api.gatekeeper import Gatekeeper
from runtime.api.guard import Guard
from runtime.api.hearing import Hearing
from runtime.api.listing import NativeModels
from runtime.api.managing import Managing
from runtime.api.meter import Meter
from runtime.api.ollama import NativeAnswers
from runtime.api.openai import OpenAI
from runtime.api.ranking import Ranking
from runtime.api.refusal import JSON, error_response
from runtime.api.responses import Responses
from runtime.api.service import Service
from runtime.api.wire import json_bytes
from runtime.catalog import Catalog, builtin_catalog
from runtime.config import RuntimeSettings
from runtime.engine import Engine
from runtime.errors import ModelRuntimeError
from runtime.store import Store
from runtime.upstreams import Upstreams

# The version of Ollama whose behaviour we follow; clients compare it as numbers.
OLLAMA_VERSION = "0.32.15"
Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(
    settings: RuntimeSettings,
    store: Store,
    gate: Gate,
    catalog: Catalog | None = None,
    engine: Engine | None = None,
) -> Starlette:
    """The application that serves the models of a store to whom the gate lets in."""
    engine = engine or Engine(settings, store)
    meter, upstreams = Meter(gate), Upstreams(settings.upstreams)
    service = Service(settings, store, engine, meter, upstreams)
    routes = _routes(service, catalog or builtin_catalog())
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(Guard, bound_host=settings.host, allowed_origins=settings.allowed_origins),
            Middleware(Gatekeeper, gate=gate, routes=routes),
        ],
        exception_handlers={
            ModelRuntimeError: _explain,
            404: _not_found,
            405: _not_allowed,
            Exception: _broken,
        },
        lifespan=_lifespan(engine, meter, upstreams),
    )
    app.router.redirect_slashes = False
    app.state.engine = engine
    return app


def _routes(service: Service, catalog: Catalog) -> list[Route]:
    answers, models, openai = NativeAnswers(service), NativeModels(service), OpenAI(service)
    managing, account = Managing(service, catalog), Account(catalog)
    return [
        _route("/", _alive, "GET", "HEAD"),
        _route(DESCRIPTION_PATH, describing(OLLAMA_VERSION), "GET"),
        _route("/api/version", _version, "GET", "HEAD"),
        _route("/api/status", account.status, "GET"),
        _route("/api/me", account.me, "POST"),
        _route("/api/signout", account.sign_out, "POST"),
        _route("/api/user/keys/{key}", account.sign_out, "DELETE"),
        _route("/api/experimental/web_search", account.web_search, "POST"),
        _route("/api/experimental/web_fetch", account.web_fetch, "POST"),
        _route("/api/experimental/model-recommendations", account.recommendations, "GET"),
        _route("/api/tags", models.tags, "GET", "HEAD"),
        _route("/api/ps", models.ps, "GET"),
        _route("/api/show", models.show, "POST"),
        _route("/api/upstreams", models.upstreams, "GET"),
        _route("/api/generate", answers.generate, "POST"),
        _route("/api/chat", answers.chat, "POST"),
        _route("/api/embed", answers.embed, "POST"),
        _route("/api/embeddings", answers.embeddings, "POST"),
        _route("/api/tokenize", answers.tokenize, "POST"),
        _route("/api/detokenize", answers.detokenize, "POST"),
        _route("/api/pull", managing.pull, "POST"),
        _route("/api/push", managing.push, "POST"),
        _route("/api/create", managing.create, "POST"),
        _route("/api/copy", managing.copy, "POST"),
        _route("/api/delete", managing.delete, "DELETE"),
        _route("/api/blobs/{digest}", managing.has_blob, "HEAD"),
        _route("/api/blobs/{digest}", managing.take_blob, "POST"),
        _route("/v1/models", openai.models, "GET"),
        _route("/v1/models/{model:path}", openai.model, "GET"),
        _route("/v1/chat/completions", openai.chat, "POST"),
        _route("/v1/completions", Completions(service).complete, "POST"),
        _route("/v1/responses", Responses(service).respond, "POST"),
        _route("/v1/messages", Anthropic(service).messages, "POST"),
        _route("/v1/embeddings", openai.embeddings, "POST"),
        _route("/v1/rerank", Ranking(service).rerank, "POST"),
        _route("/v1/audio/transcriptions", Hearing(service).transcribe, "POST"),
    ]


def _route(path: str, endpoint: Endpoint, *methods: str) -> Route:
    route = Route(path, endpoint, methods=list(methods))
    # Starlette adds HEAD to every GET; Ollama has it for three paths only.
    route.methods = set(methods)
    return route


def _lifespan(
    engine: Engine, meter: Meter, upstreams: Upstreams
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def run(_app: Starlette) -> AsyncIterator[None]:
        upstreams.start()
        try:
            yield
        finally:
            await engine.close()
            await upstreams.close()
            await meter.close()

    return run


async def _alive(_request: Request) -> Response:
    return PlainTextResponse("Ollama is running")


async def _version(_request: Request) -> Response:
    return Response(json_bytes({"version": OLLAMA_VERSION}), media_type=JSON)


async def _explain(request: Request, error: Exception) -> Response:
    assert isinstance(error, ModelRuntimeError)
    return error_response(error, request.url.path)


async def _broken(request: Request, _error: Exception) -> Response:
    error = ModelRuntimeError("internal error", "Look into the runtime's log.")
    return error_response(error, request.url.path)


async def _not_found(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("404 page not found", 404)


async def _not_allowed(_request: Request, error: Exception) -> Response:
    headers = getattr(error, "headers", None)
    return PlainTextResponse("405 method not allowed", 405, headers=headers)
