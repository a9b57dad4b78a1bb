"""Whether a model is exactly what the catalogue names: its file and all that changes its answers.

Pure. A pinned file under another template, system text, adapter or other parameters is another
model, and so is one with a layer that we do not know. An entry that is made here of another one is
not pinned in this sense: its digest says that it was made rightly, and nothing of how it answers.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from runtime.catalog import Catalog
from runtime.manifest import LICENSE_TYPE, MODEL_TYPE, PARAMS_TYPE, Manifest


def is_pinned(catalog: Catalog, manifest: Manifest) -> bool:
    """Whether `lamplight pull` would write the same for an entry with a checked digest."""
    found = {
        (layer.media_type, layer.digest)
        for layer in manifest.layers
        if layer.media_type != LICENSE_TYPE
    }
    return any(
        entry.digest is not None
        and entry.derivation is None
        and found == _layers(entry.digest, entry.parameters)
        for entry in catalog.models
    )


def _layers(digest: str, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
    layers = {(MODEL_TYPE, digest)}
    if parameters:
        content = json.dumps(dict(parameters), separators=(",", ":"), sort_keys=True)
        layers.add((PARAMS_TYPE, f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"))
    return layers
