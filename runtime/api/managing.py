"""Ollama's interface for changing models: for who may manage them, and each change is recorded.

A change is written down once it is known how it ended, also where it failed or was refused.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from runtime.api.body import Fields, read_fields
from runtime.api.gate import Change, Visit, visit_of
from runtime.api.meter import why
from runtime.api.progress import Work, progress_of
from runtime.api.refusal import JSON, Refused, error_body
from runtime.api.service import Service
from runtime.api.shape import Shape
from runtime.api.shapes import COPY, CREATE, DELETE, PULL, PUSH
from runtime.api.stream import stream, while_connected
from runtime.api.wire import NDJSON, json_bytes, json_line
from runtime.blobs import IncomingBlob, parse_digest, wall_clock_s
from runtime.catalog import Catalog
from runtime.create import Maker, Recipe, check_recipe
from runtime.errors import BadName, BadRequest, ModelRuntimeError, RegistryNotAllowed
from runtime.exchange import Exchange
from runtime.names import ModelName, parse_name

MAX_NAME_CHARS = 200
SUCCESS = {"status": "success"}
BLOB_STEP_BYTES = 1024 * 1024


class Managing:
    """The endpoints that change models."""

    def __init__(self, service: Service, catalog: Catalog) -> None:
        self._service = service
        self._maker = Maker(service.settings, service.store)
        self._exchange = Exchange(service.settings, service.store, catalog)

    async def pull(self, request: Request) -> Response:
        """POST /api/pull."""
        fields = await self._read(request, PULL)
        given, insecure = _model_of(fields), fields.flag("insecure", default=False)
        name = await self._allowed(request, "pull", given, insecure)
        return await self._told(
            request,
            fields,
            "pull",
            name,
            lambda report: self._exchange.pull(given, report, insecure=insecure),
        )

    async def push(self, request: Request) -> Response:
        """POST /api/push."""
        fields = await self._read(request, PUSH)
        given, insecure = _model_of(fields), fields.flag("insecure", default=False)
        name = await self._allowed(request, "push", given, insecure)
        self._service.installed(given)
        return await self._told(
            request,
            fields,
            "push",
            name,
            lambda report: self._exchange.push(given, report, insecure=insecure),
        )

    async def copy(self, request: Request) -> Response:
        """POST /api/copy."""
        fields = await self._read(request, COPY)
        names = {end: fields.text(end) for end in ("source", "destination")}
        async with self._recorded(visit_of(request), "copy", names["destination"]) as done:
            source, target = (
                _named(name, f'{end} "{name}" is invalid') for end, name in names.items()
            )
            if self._service.store.find(source) is None:
                raise Refused(404, f'model "{names["source"]}" not found', "See /api/tags.")
            model = await asyncio.to_thread(self._service.store.copy, source, target)
            done.digest = model.manifest.digest
        return Response()

    async def delete(self, request: Request) -> Response:
        """DELETE /api/delete."""
        fields = await self._read(request, DELETE)
        given = _model_of(fields)
        async with self._recorded(visit_of(request), "delete", given) as done:
            name = _named(given, f'name "{given}" is invalid')
            if self._service.store.find(name) is None:
                raise Refused(404, f"model '{given}' not found", "See /api/tags.")
            model = await asyncio.to_thread(self._service.store.delete, name)
            done.digest = model.manifest.digest
            await self._service.engine.unload(model)
        return Response()

    async def has_blob(self, request: Request) -> Response:
        """HEAD /api/blobs/{digest}."""
        digest = parse_digest(request.path_params["digest"])
        return Response(status_code=200 if self._holds(digest) else 404)

    async def take_blob(self, request: Request) -> Response:
        """POST /api/blobs/{digest}: the body is the file, of any length and type."""
        digest = parse_digest(request.path_params["digest"])
        if self._holds(digest):
            return Response(status_code=200)
        async with self._recorded(visit_of(request), "upload", digest) as done:
            done.digest = digest
            await self._receive(request, digest)
        return Response(status_code=201)

    async def create(self, request: Request) -> Response:
        """POST /api/create."""
        fields = await self._read(request, CREATE)
        given = _model_of(fields)
        name = _named(given, "invalid model name")
        recipe = _recipe(fields)
        check_recipe(recipe)
        if recipe.base is not None:
            self._service.installed(fields.text("from"))
        for digest in (*recipe.files.values(), *recipe.adapters.values()):
            self._service.store.held(digest)
        return await self._told(
            request, fields, "create", name, lambda report: self._maker.make(name, recipe, report)
        )

    async def _allowed(self, request: Request, verb: str, given: str, insecure: bool) -> ModelName:
        """The name, if its host may be spoken to; the refusal is recorded. Raises Refused."""
        _named(given, "invalid model name")
        try:
            return self._exchange.check(given, insecure=insecure, push=verb == "push")
        except RegistryNotAllowed as error:
            change = Change(verb, given[:MAX_NAME_CHARS], None, "refused", why(error))
            await self._service.meter.changed(visit_of(request), change)
            raise

    def _holds(self, digest: str) -> bool:
        return self._service.store.blob_path(digest).is_file()

    async def _receive(self, request: Request, digest: str) -> None:
        """Write a body to disk as it comes. Raises BadRequest, NoSpace, WrongDigest."""
        settings = self._service.settings
        limits = settings.max_blob_bytes, settings.min_free_bytes
        blob = IncomingBlob(self._service.store, digest, *limits, wall_clock_s())
        try:
            waiting = bytearray()
            async for chunk in request.stream():
                waiting += chunk
                if len(waiting) >= BLOB_STEP_BYTES:
                    await asyncio.to_thread(blob.write, bytes(waiting))
                    waiting.clear()
            await asyncio.to_thread(blob.write, bytes(waiting))
            await asyncio.to_thread(blob.finish)
        finally:
            blob.discard()

    async def _told(
        self, request: Request, fields: Fields, verb: str, name: ModelName, work: Work
    ) -> Response:
        """Do the work and tell how far it is, or only how it ended."""
        lines = self._lines(visit_of(request), verb, name, work)
        if fields.flag("stream", default=True):
            return await stream(request, _encoded(lines), NDJSON, _last_words)
        return _json(await while_connected(request, _last_of(lines)))

    async def _lines(
        self, visit: Visit, verb: str, name: ModelName, work: Work
    ) -> AsyncGenerator[dict[str, Any], None]:
        async with self._recorded(visit, verb, str(name)) as done:
            async with aclosing(progress_of(work)) as steps:
                async for step in steps:
                    if step != SUCCESS:
                        yield step
            if self._service.store.find(name) is not None:
                done.digest = self._service.store.read(name).manifest.digest
        yield SUCCESS  # nobody is told of one that is not recorded

    @asynccontextmanager
    async def _recorded(self, visit: Visit, verb: str, name: str) -> AsyncIterator["_Done"]:
        """Write down what is done in this block, and how it ended."""
        done, shown = _Done(), name[:MAX_NAME_CHARS]
        try:
            yield done
        except BaseException as error:
            failed = Change(verb, shown, done.digest, "failed", why(error))
            await self._service.meter.changed(visit, failed)
            raise
        await self._service.meter.changed(visit, Change(verb, shown, done.digest))

    async def _read(self, request: Request, shape: Shape) -> Fields:
        return await read_fields(request, shape, self._service.settings.max_body_bytes)


class _Done:
    """What is known of a change while it is made."""

    digest: str | None = None


def _model_of(fields: Fields) -> str:
    """`model`, or `name` as older clients say."""
    given = fields.text("model") or fields.text("name")
    if not given:
        raise Refused(400, "model is required", "Name a model.")
    return given


def _named(given: str, otherwise: str) -> ModelName:
    try:
        return parse_name(given)
    except BadName as error:
        raise Refused(400, otherwise, error.hint) from error


def _recipe(fields: Fields) -> Recipe:
    """What `/api/create` asks for. Raises Refused, BadRequest."""
    if fields.object("draft_files"):
        raise Refused(400, "draft_files are not supported", "Leave them out.")
    base = fields.text("from")
    files, adapters = (
        {str(name): parse_digest(str(d)) for name, d in fields.object(kind).items()}
        for kind in ("files", "adapters")
    )
    messages = [fields.part("messages", item) for item in fields.items("messages")]
    return Recipe(
        base=_named(base, "invalid model name") if base else None,
        files={} if base else files,
        template=fields.text("template") or None,
        system=fields.text("system") or None,
        parameters=fields.object("parameters"),
        messages=tuple({"role": m.text("role"), "content": m.text("content")} for m in messages)
        or None,
        adapters=adapters,
        licences=_licences(fields.get("license")),
        quantize=(fields.text("quantize") or fields.text("quantization")).upper(),
    )


def _licences(given: Any) -> tuple[str, ...]:
    values = [given] if isinstance(given, str) else given or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise BadRequest("license must be a text, or an array of texts")
    return tuple(value for value in values if value)


async def _encoded(lines: AsyncGenerator[dict[str, Any], None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(lines) as steps:
        async for step in steps:
            yield json_line(step)


async def _last_of(lines: AsyncGenerator[dict[str, Any], None]) -> dict[str, Any]:
    last: dict[str, Any] = {}
    async with aclosing(lines) as steps:
        async for step in steps:
            last = step
    return last


def _last_words(error: ModelRuntimeError) -> bytes:
    return json_line(error_body(error, openai=False))


def _json(value: Any) -> Response:
    return Response(json_bytes(value), media_type=JSON)
