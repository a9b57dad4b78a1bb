"""Ollama's interface to the models themselves: `/api/tags`, `/api/ps`, `/api/show`.

Besides, `/api/upstreams` tells how the servers are that answer for models of ours.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from runtime.api.body import read_fields
from runtime.api.refusal import JSON, Refused
from runtime.api.service import Service
from runtime.api.shapes import SHOW
from runtime.api.wire import FOREVER, json_bytes, timestamp
from runtime.errors import UnknownModel
from runtime.inspect import ModelFile
from runtime.manifest import (
    ADAPTER_TYPE,
    LICENSE_TYPE,
    MESSAGES_TYPE,
    PARAMS_TYPE,
    PROJECTOR_TYPE,
    SYSTEM_TYPE,
    blob_name,
)
from runtime.names import parse_name
from runtime.store import InstalledModel
from runtime.upstream_model import UpstreamModel

# What a GGUF file holds that is shown elsewhere, or is only its working title.
_NOT_SHOWN = ("general.name", "tokenizer.chat_template")


class NativeModels:
    """The three endpoints."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def tags(self, _request: Request) -> Response:
        """GET /api/tags."""
        models = [
            _entry(model) | _tag_fields(model, await self._service.capabilities(model))
            for model in self._service.store.models()
        ]
        return _json({"models": models})

    async def ps(self, _request: Request) -> Response:
        """GET /api/ps, longest-lived first."""
        engine, now = self._service.engine, datetime.now(UTC)
        found = []
        for loaded in engine.loaded():
            rest_s = engine.expires_in_s(loaded)
            expires = now + (FOREVER if rest_s is None else timedelta(seconds=rest_s))
            fields = {
                "expires_at": timestamp(expires),
                "size_vram": 0,
                "context_length": loaded.context_tokens,
            }
            found.append((expires, _entry(loaded.model) | fields | {"size": loaded.size_bytes}))
        found.sort(key=lambda item: item[0], reverse=True)
        here = [entry for _, entry in found]
        return _json({"models": [*(_elsewhere(model, now) for model in self._ready()), *here]})

    async def upstreams(self, _request: Request) -> Response:
        """GET /api/upstreams."""
        return _json({"upstreams": self._service.upstreams.report()})

    def _ready(self) -> list[UpstreamModel]:
        """Models of other servers that would answer now."""
        found = (x for x in self._service.store.models() if isinstance(x, UpstreamModel))
        return [model for model in found if self._service.upstreams.is_ready(model)]

    async def show(self, request: Request) -> Response:
        """POST /api/show."""
        fields = await read_fields(request, SHOW, self._service.settings.max_body_bytes)
        name = fields.text("model") or fields.text("name")
        if not name:
            raise Refused(400, "model is required", "Name a model.")
        parsed = parse_name(name)
        try:
            model = self._service.store.read(parsed)
        except UnknownModel as error:
            raise Refused(404, f"model '{parsed}' not found", error.hint) from error
        if isinstance(model, UpstreamModel):
            return _json(_shown_elsewhere(model))
        verbose = fields.flag("verbose", default=False)
        file = await self._service.file(model, whole=verbose)
        await self._service.insert_marks(model)
        can = list(await self._service.capabilities(model))
        shown = self._shown(model, file, fields.text("system")) | {"capabilities": can}
        return _json(shown | _tensors(file, verbose))

    def _shown(self, model: InstalledModel, file: ModelFile, system: str) -> dict[str, Any]:
        store = self._service.store
        system = system or store.layer_text(model, SYSTEM_TYPE)
        template = self._service.own_template(model) or file.chat_template
        licence = store.layer_text(model, LICENSE_TYPE)
        parameters = _parameters(store.layer_text(model, PARAMS_TYPE))
        texts = {
            "license": licence,
            "modelfile": _modelfile(model, template, system, parameters, licence),
            "parameters": "\n".join(f"{name:<30} {value}" for name, value in parameters),
            "template": template,
            "system": system,
        }
        more = {"messages": _messages(store.layer_text(model, MESSAGES_TYPE))}
        # Ours: where weights come from that were made here.
        more["provenance"] = model.config.get("provenance")
        return {name: value for name, value in {**texts, **more}.items() if value} | {
            "details": _details(model),
            "model_info": _model_info(file),
            "modified_at": timestamp(model.modified_at),
        }


def _entry(model: InstalledModel) -> dict[str, Any]:
    return {
        "name": str(model.name),
        "model": str(model.name),
        "size": model.manifest.size_bytes,
        "digest": model.manifest.digest,
        "details": _details(model),
    } | _remote(model)


def _remote(model: InstalledModel) -> dict[str, Any]:
    """Who answers for a model, where that is another server."""
    if not isinstance(model, UpstreamModel):
        return {}
    return {name: model.config[name] for name in ("remote_model", "remote_host")}


def _elsewhere(model: UpstreamModel, now: datetime) -> dict[str, Any]:
    """A model that takes no memory here and is never unloaded from here."""
    fields = {"expires_at": timestamp(now + FOREVER), "size_vram": 0}
    return _entry(model) | fields | {"context_length": model.upstream.context_tokens}


def _shown_elsewhere(model: UpstreamModel) -> dict[str, Any]:
    """What is known of a model without a file."""
    return _remote(model) | {
        "modelfile": f"# {model.name} is answered for by {model.config['remote_host']}\n",
        "details": _details(model),
        "model_info": {"general.name": model.upstream.remote_model},
        "capabilities": list(model.capabilities),
        "modified_at": timestamp(model.modified_at),
    }


def _tag_fields(model: InstalledModel, capabilities: tuple[str, ...]) -> dict[str, Any]:
    return {
        "modified_at": timestamp(model.modified_at),
        "capabilities": list(capabilities),
    }


def _details(model: InstalledModel) -> dict[str, Any]:
    config = model.config
    return {
        "parent_model": "",
        "format": config.get("model_format", "gguf"),
        "family": config.get("model_family", ""),
        "families": config.get("model_families"),
        "parameter_size": config.get("model_type", ""),
        "quantization_level": config.get("file_type", ""),
        "context_length": config.get("context_length", 0),
        "embedding_length": config.get("embedding_length", 0),
    }


def _model_info(file: ModelFile) -> dict[str, Any]:
    shown = {name: value for name, value in file.keys.items() if name not in _NOT_SHOWN}
    return shown | {"general.parameter_count": file.parameter_count}


def _tensors(file: ModelFile, verbose: bool) -> dict[str, Any]:
    if not verbose:
        return {}
    return {
        "tensors": [
            {"name": t.name, "type": t.type_name, "shape": list(t.shape)} for t in file.tensors
        ]
    }


def _messages(text: str) -> Any:
    return json.loads(text) if text else None


def _parameters(text: str) -> list[tuple[str, str]]:
    found = []
    for name, value in (json.loads(text) if text else {}).items():
        values = value if isinstance(value, list) else [value]
        found += [(name, json.dumps(v) if isinstance(v, str) else str(v)) for v in values]
    return found


def _modelfile(
    model: InstalledModel,
    template: str,
    system: str,
    parameters: list[tuple[str, str]],
    licence: str,
) -> str:
    lines = [
        '# Modelfile generated by "ollama show"',
        "# To build a new Modelfile based on this, replace FROM with:",
        f"# FROM {model.name}",
        "",
        f"FROM {model.path}",
        *_parts(model),
    ]
    if template:
        lines.append(f'TEMPLATE """{template}"""')
    if system:
        lines.append(f'SYSTEM """{system}"""')
    lines += [f"PARAMETER {name} {value}" for name, value in parameters]
    if licence:
        lines.append(f'LICENSE """{licence}"""')
    return "\n".join(lines) + "\n"


def _parts(model: InstalledModel) -> list[str]:
    """The lines for a projector and adapters, whose files lie beside the model's."""
    words = {PROJECTOR_TYPE: "FROM", ADAPTER_TYPE: "ADAPTER"}
    return [
        f"{word} {model.path.with_name(blob_name(layer.digest))}"
        for kind, word in words.items()
        for layer in model.manifest.layers_of(kind)
    ]


def _json(value: Any) -> Response:
    return Response(json_bytes(value), media_type=JSON)
