"""Writes down what a model file is: the manifest and its small blobs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runtime.capabilities import capabilities_of
from runtime.catalog import CatalogModel
from runtime.inspect import ModelFile, inspect, parameter_size
from runtime.manifest import (
    CONFIG_TYPE,
    LICENSE_TYPE,
    MODEL_TYPE,
    PARAMS_TYPE,
    Layer,
    Manifest,
    make_manifest,
)
from runtime.parts import check_base
from runtime.store import Store


def describe(
    store: Store,
    path: Path,
    entry: CatalogModel | None,
    parameters: Mapping[str, Any],
    provenance: Mapping[str, Any] | None = None,
) -> Manifest:
    """The manifest of a GGUF file among the blobs. Raises BadModelFile.

    provenance: what it was made of, if it was made here.
    """
    file = inspect(path)
    check_base(file)
    digest = path.name.replace("-", ":", 1)
    layers = [Layer(MODEL_TYPE, digest, path.stat().st_size)]
    licence = entry.licence if entry else str(file.keys.get("general.license", ""))
    if licence:
        layers.append(store.add_bytes(LICENSE_TYPE, licence.encode()))
    if parameters:
        content = json.dumps(dict(parameters), separators=(",", ":"), sort_keys=True)
        layers.append(store.add_bytes(PARAMS_TYPE, content.encode()))
    told = config_of(file, [x.digest for x in layers])
    config = json.dumps(
        told | ({"provenance": dict(provenance)} if provenance else {}), separators=(",", ":")
    )
    return make_manifest(store.add_bytes(CONFIG_TYPE, config.encode()), tuple(layers))


def config_of(file: ModelFile, digests: list[str]) -> dict[str, Any]:
    """The config blob: what a list shows without opening the model."""
    return {
        "model_format": "gguf",
        "model_family": file.architecture,
        "model_families": [file.architecture],
        "model_type": parameter_size(file.parameter_count),
        "file_type": file.quantization,
        "capabilities": list(capabilities_of(file, file.chat_template)),
        "context_length": file.context_length,
        "embedding_length": file.embedding_length,
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": digests},
    }
