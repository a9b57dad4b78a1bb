"""A model's bill of materials, as CycloneDX 1.6 has it for machine learning. Pure.

It says what the model is made of and nothing of when it was asked: the same model gives the same
bytes, so that the bill can be signed, and compared. Approvals change, and are not in it.
"""

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from runtime.errors import PackageRefused
from runtime.inspect import ModelFile
from runtime.manifest import (
    ADAPTER_TYPE,
    LICENSE_TYPE,
    MESSAGES_TYPE,
    MODEL_TYPE,
    PARAMS_TYPE,
    PROJECTOR_TYPE,
    SYSTEM_TYPE,
    TEMPLATE_TYPE,
    Layer,
    Manifest,
)
from runtime.names import ModelName

SPEC_VERSION = "1.6"
# What our own licences are called in SPDX; others are told by their words alone.
SPDX = ("Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-4.0", "CC0-1.0", "MIT")
KINDS = {
    MODEL_TYPE: "weights",
    TEMPLATE_TYPE: "template",
    PARAMS_TYPE: "parameters",
    SYSTEM_TYPE: "system",
    MESSAGES_TYPE: "messages",
    ADAPTER_TYPE: "adapter",
    PROJECTOR_TYPE: "projector",
    LICENSE_TYPE: "licence",
}


@dataclass(frozen=True, slots=True)
class Described:
    """A model as its bill tells it. template_digest: hex of the template that is used, or empty."""

    name: ModelName
    manifest: Manifest
    file: ModelFile
    config: Mapping[str, Any]
    licence: str
    template_digest: str
    sources: tuple[str, ...] = ()


def write_bill(model: Described) -> bytes:
    """The bill as JSON, with its keys in order."""
    return json.dumps(_bill(model), indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def check_bill(content: bytes, name: ModelName, manifest: Manifest, allowed: Iterable[str]) -> str:
    """That a bill is of this model and its licence one of these. Raises PackageRefused."""
    try:
        bill = json.loads(content)
        component = bill["metadata"]["component"]
        found = {one["content"] for one in component["hashes"] if one["alg"] == "SHA-256"}
        said = {one["name"]: one["value"] for one in component["properties"]}
        licences = [_licence_of(one) for one in component["licenses"]]
        told = {one["hashes"][0]["content"] for one in bill["components"]}
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise _refused("it cannot be read") from error
    if (bill.get("bomFormat"), bill.get("specVersion")) != ("CycloneDX", SPEC_VERSION):
        raise _refused(f"it is not CycloneDX {SPEC_VERSION}")
    if (component.get("name"), component.get("version")) != (_title(name), name.tag):
        raise _refused("it has another model's name")
    if said.get("lamplight:manifest") != manifest.digest or found != {_hex(manifest.model.digest)}:
        raise _refused("it has another model's digest")
    if told != {_hex(layer.digest) for layer in manifest.layers}:
        raise _refused("it names other files")
    known = {one.casefold() for one in allowed}
    if not licences or not all(one.casefold() in known for one in licences):
        raise PackageRefused(
            f"the model's licence is not allowed here: {', '.join(licences) or 'none is named'}",
            "runtime.allowed_licences in lamplight.toml names those that are.",
        )
    return licences[0]


def _bill(model: Described) -> dict[str, Any]:
    reference, layers = f"model-{model.manifest.digest}", _once(model.manifest.layers)
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC_VERSION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "serialNumber": f"urn:uuid:{_uuid(model)}",
        "version": 1,
        "metadata": {"component": _component(model, reference)},
        "components": [_file(layer) for layer in layers],
        "dependencies": [
            {
                "ref": reference,
                "dependsOn": sorted(f"sha256-{_hex(x.digest)}" for x in layers),
            }
        ],
    }


def _component(model: Described, reference: str) -> dict[str, Any]:
    source = model.config.get("provenance") or {}
    component: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": reference,
        "name": _title(model.name),
        "version": model.name.tag,
        "hashes": [{"alg": "SHA-256", "content": _hex(model.manifest.model.digest)}],
        "licenses": [{"license": _licence(model.licence)}] if model.licence else [],
        "modelCard": {
            "modelParameters": {
                "architectureFamily": model.file.architecture,
                "modelArchitecture": str(model.config.get("model_type", "unknown")),
                "task": ", ".join(model.config.get("capabilities") or ("completion",)),
            }
        },
        "properties": _properties(model, source),
    }
    if model.sources:
        component["externalReferences"] = [
            {"type": "distribution", "url": one} for one in model.sources
        ]
    if source.get("source_digest"):
        component["pedigree"] = {"ancestors": [_ancestor(source)]}
    return component


def _properties(model: Described, source: Mapping[str, Any]) -> list[dict[str, str]]:
    facts = {
        "manifest": model.manifest.digest,
        "quantization": model.file.quantization,
        "parameters": str(model.file.parameter_count),
        "context_length": str(model.file.context_length),
        "template": model.template_digest,
        "made_by": str(source.get("tool", "")),
        "made_as": str(source.get("type", "")),
        "source": str(source.get("source_digest", "")),
    }
    return [{"name": f"lamplight:{name}", "value": value} for name, value in facts.items() if value]


def _ancestor(source: Mapping[str, Any]) -> dict[str, Any]:
    digest = _hex(str(source["source_digest"]))
    return {
        "type": "machine-learning-model",
        "name": f"sha256-{digest}",
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }


def _file(layer: Layer) -> dict[str, Any]:
    digest = _hex(layer.digest)
    return {
        "type": "file",
        "bom-ref": f"sha256-{digest}",
        "name": KINDS.get(layer.media_type, layer.media_type),
        "hashes": [{"alg": "SHA-256", "content": digest}],
        "properties": [{"name": "lamplight:size_bytes", "value": str(layer.size)}],
    }


def _once(layers: tuple[Layer, ...]) -> list[Layer]:
    return list({layer.digest: layer for layer in layers}.values())


def _licence(words: str) -> dict[str, str]:
    known = next((one for one in SPDX if one.casefold() == words.casefold()), None)
    return {"id": known} if known else {"name": words}


def _licence_of(entry: Mapping[str, Any]) -> str:
    licence = entry["license"]
    return str(licence.get("id") or licence["name"])


def _title(name: ModelName) -> str:
    return name.full.rpartition(":")[0]


def _uuid(model: Described) -> uuid.UUID:
    said = hashlib.sha256(f"{model.name.full} {model.manifest.digest}".encode()).digest()
    return uuid.UUID(bytes=said[:16], version=5)


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")


def _refused(why: str) -> PackageRefused:
    return PackageRefused(
        f"the bill of materials does not fit the model: {why}", "Ask the publisher for another."
    )
