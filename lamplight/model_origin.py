"""What an installed model is made of, read from its files: digests, quantization, who says what."""

import hashlib
import json
from typing import Any

from governance.dossier import MAX_ORIGIN_CHARS, Origin
from runtime.catalog import Catalog
from runtime.inspect import ModelFile, inspect
from runtime.manifest import TEMPLATE_TYPE
from runtime.store import InstalledModel

TOKENIZER = "tokenizer."
CHAT_TEMPLATE = "tokenizer.chat_template"


def origin_of(model: InstalledModel, catalog: Catalog) -> Origin:
    """Read it. publisher, licence: what file or catalogue claims. Raises BadModelFile, OSError."""
    file = inspect(model.path, whole_arrays=True)
    entry = catalog.find(model.name)
    keys = file.keys
    return Origin(
        file_digest=_hex(model.manifest.model.digest),
        template_digest=template_digest(model, file),
        tokenizer_digest=tokenizer_digest(file),
        quantization=file.quantization,
        publisher=_text(keys.get("general.organization") or keys.get("general.author")),
        licence=entry.licence if entry else _text(keys.get("general.license")),
    )


def template_digest(model: InstalledModel, file: ModelFile) -> str:
    """Of the template that is used: the one beside the file, else the one in it."""
    layers = model.manifest.layers_of(TEMPLATE_TYPE)
    if layers:
        return _hex(layers[0].digest)
    return _digest(file.chat_template) if file.chat_template else ""


def tokenizer_digest(file: ModelFile) -> str:
    """Of vocabulary, scores, merges and marks, by name; templates are apart."""
    mine = {
        name: value
        for name, value in file.keys.items()
        if name.startswith(TOKENIZER) and not name.startswith(CHAT_TEMPLATE)
    }
    return _digest(json.dumps(mine, sort_keys=True)) if mine else ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")


def _text(claimed: Any) -> str:
    """A short printable text; whoever made the file may have written anything."""
    if not isinstance(claimed, str):
        return ""
    return "".join(one for one in claimed if one.isprintable())[:MAX_ORIGIN_CHARS].strip()
