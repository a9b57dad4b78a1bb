"""The manifest of a model: which blobs it is made of, as a registry would write it."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runtime.errors import BadModelFile, BadName

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
MODEL_TYPE = "application/vnd.ollama.image.model"
LICENSE_TYPE = "application/vnd.ollama.image.license"
PARAMS_TYPE = "application/vnd.ollama.image.params"
SYSTEM_TYPE = "application/vnd.ollama.image.system"
TEMPLATE_TYPE = "application/vnd.ollama.image.template"
MESSAGES_TYPE = "application/vnd.ollama.image.messages"
ADAPTER_TYPE = "application/vnd.ollama.image.adapter"
PROJECTOR_TYPE = "application/vnd.ollama.image.projector"

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def blob_name(digest: str) -> str:
    """The name of a blob's file: `sha256-HEX`. Raises BadName for what is no digest.

    The only place where a digest becomes a file's name, whoever asked, and whatever was checked
    before: Ollama has had that hole twice, the second time in a new handler (CVE-2026-7020).
    """
    if not DIGEST.fullmatch(digest):
        raise BadName("invalid digest format", "Write sha256: and 64 hex digits.")
    return digest.replace(":", "-")


@dataclass(frozen=True, slots=True)
class Layer:
    """One blob of a model. digest: `sha256:` and 64 hex digits."""

    media_type: str
    digest: str
    size: int

    def as_json(self) -> dict[str, Any]:
        """Its entry in the manifest."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


@dataclass(frozen=True, slots=True)
class Manifest:
    """Config and layers, and the exact bytes they were read from or are written as."""

    config: Layer
    layers: tuple[Layer, ...]
    raw: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest in hex, by which a model is known."""
        return hashlib.sha256(self.raw).hexdigest()

    @property
    def size_bytes(self) -> int:
        """What the model takes on disk."""
        return self.config.size + sum(layer.size for layer in self.layers)

    def layers_of(self, media_type: str) -> tuple[Layer, ...]:
        """The layers of one kind, in order."""
        return tuple(layer for layer in self.layers if layer.media_type == media_type)

    @property
    def model(self) -> Layer:
        """The GGUF file. Raises BadModelFile."""
        layers = self.layers_of(MODEL_TYPE)
        if not layers:
            raise BadModelFile("the manifest names no model file", "Pull the model again.")
        return layers[0]

    @property
    def loaded(self) -> tuple[Layer, ...]:
        """What llama.cpp reads: the GGUF file, adapters, a projector. Raises BadModelFile."""
        return (self.model, *self.layers_of(ADAPTER_TYPE), *self.layers_of(PROJECTOR_TYPE))

    @property
    def loaded_digest(self) -> str:
        """What is set aside if it ends its process: the file, or all of a model with parts.

        An adapter that does harm must not take away the model that it was made for.
        """
        whole = len(self.loaded) > 1
        return f"sha256:{self.digest}" if whole else self.model.digest


def make_manifest(config: Layer, layers: tuple[Layer, ...]) -> Manifest:
    """A manifest with its bytes."""
    content = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": config.as_json(),
        "layers": [layer.as_json() for layer in layers],
    }
    return Manifest(config, layers, json.dumps(content, separators=(",", ":")).encode())


def read_manifest(raw: bytes) -> Manifest:
    """Read a manifest from disk. Raises BadModelFile."""
    try:
        content = json.loads(raw)
        layers = tuple(_layer(entry) for entry in content["layers"])
        return Manifest(_layer(content["config"]), layers, raw)
    except (ValueError, KeyError, TypeError) as error:
        raise BadModelFile("the manifest cannot be read", "Pull the model again.") from error


def _layer(entry: Mapping[str, Any]) -> Layer:
    layer = Layer(str(entry["mediaType"]), str(entry["digest"]), int(entry["size"]))
    # The digest becomes a file name: nothing but a digest may stand there.
    if not DIGEST.fullmatch(layer.digest):
        raise ValueError(layer.digest)
    return layer
