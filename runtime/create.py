"""Makes a model of another one, or of files that were brought: what `create` and a Modelfile ask.

The weights stay where they are; what is new is a few small blobs and a manifest that names them.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from runtime.chat import check_template
from runtime.config import RuntimeSettings
from runtime.describe import config_of
from runtime.errors import BadRequest
from runtime.importer import CONFIG, WEIGHTS, convert_bert
from runtime.inspect import ModelFile, inspect
from runtime.manifest import (
    ADAPTER_TYPE,
    CONFIG_TYPE,
    LICENSE_TYPE,
    MESSAGES_TYPE,
    MODEL_TYPE,
    PARAMS_TYPE,
    PROJECTOR_TYPE,
    SYSTEM_TYPE,
    TEMPLATE_TYPE,
    Layer,
    Manifest,
    make_manifest,
)
from runtime.names import ModelName
from runtime.parts import is_projector, parts_of
from runtime.pull import PullProgress, Report, clear_disk_errors
from runtime.quantize import Quantizer, tool_name
from runtime.sampling import read_options
from runtime.store import InstalledModel, Store, sha256_of
from runtime.upstream_model import UpstreamModel

MESSAGE_ROLES = ("system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a model is made of. files: names, as in their folder, → digests of uploaded blobs.

    adapters: the same for files that change its weights; they come after those of the base.
    None leaves what the model comes with; parameters go over those of the model.
    """

    base: ModelName | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    template: str | None = None
    system: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    messages: tuple[Mapping[str, str], ...] | None = None
    licences: tuple[str, ...] = ()
    quantize: str = ""
    adapters: Mapping[str, str] = field(default_factory=dict)


class Maker:
    """Makes models in one store."""

    def __init__(self, settings: RuntimeSettings, store: Store) -> None:
        self._store = store
        self._quantizer = Quantizer(settings, store)

    def make(self, name: ModelName, recipe: Recipe, report: Report) -> InstalledModel:
        """Make a model visible. Raises BadRequest, UnknownModel, UnknownBlob, BadModelFile."""
        check_recipe(recipe)
        with clear_disk_errors(self._store.models_dir):
            layers, provenance = self._weights(recipe, report)
            layers = (*layers, *self._adapters(recipe.adapters, report))
            layers = self._with_texts(layers, recipe, report)
            report(PullProgress("writing manifest"))
            self._store.write_model(name, self._manifest(layers, provenance))
            report(PullProgress("success"))
        return self._store.read(name)

    def _weights(
        self, recipe: Recipe, report: Report
    ) -> tuple[tuple[Layer, ...], Mapping[str, Any]]:
        """The layers to begin with, and where the weights come from if that must be said."""
        if recipe.base is not None:
            base = self._store.read(recipe.base)
            if isinstance(base, UpstreamModel):
                raise BadRequest(f"model '{base.name}' has no file here", "Use an installed one.")
            layers, provenance = base.manifest.layers, base.config.get("provenance") or {}
        else:
            layers, provenance = self._brought(recipe.files, report), {}
        model = next(layer for layer in layers if layer.media_type == MODEL_TYPE)
        if recipe.quantize:
            made = self._quantized(model, recipe.quantize, report)
            provenance = self._provenance(model, recipe.quantize, provenance)
            layers = tuple(made if layer is model else layer for layer in layers)
        else:
            report(PullProgress(f"using existing layer {model.digest}"))
        return layers, provenance

    def _adapters(self, files: Mapping[str, str], report: Report) -> list[Layer]:
        layers = []
        for name, digest in files.items():
            path = self._store.held(digest)
            if not name.endswith(".gguf") and not _is_gguf(path):
                raise BadRequest(
                    f"the adapter {name} is not in GGUF form",
                    "Convert it with llama.cpp's convert_lora_to_gguf.py.",
                )
            report(PullProgress(f"using existing layer {digest}"))
            layers.append(Layer(ADAPTER_TYPE, digest, path.stat().st_size))
        return layers

    def _brought(self, files: Mapping[str, str], report: Report) -> tuple[Layer, ...]:
        """The layers of uploaded files: a GGUF file, with its projector, or a folder to convert."""
        paths = {name: self._store.held(digest) for name, digest in files.items()}
        if WEIGHTS in {PurePosixPath(name).name for name in paths}:
            return (self._converted(paths, report),)
        report(PullProgress("parsing GGUF"))
        found = [(name, path, is_projector(inspect(path))) for name, path in paths.items()]
        if [sees for *_, sees in found].count(False) != 1:
            raise BadRequest(
                "files must be one GGUF file, with its projector if it has one, or a folder with"
                " model.safetensors",
                "Put a split model together first: llama-gguf-split --merge FIRST_PART WHOLE.gguf",
            )
        # The model first, whatever order the files came in.
        kinds = {False: MODEL_TYPE, True: PROJECTOR_TYPE}
        return tuple(
            Layer(kinds[sees], files[name], path.stat().st_size)
            for name, path, sees in sorted(found, key=lambda one: one[2])
        )

    def _converted(self, paths: Mapping[str, Path], report: Report) -> Layer:
        report(PullProgress("converting model"))
        downloads = self._store.models_dir / "downloads"
        downloads.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=downloads) as made:
            folder, target = Path(made) / "folder", Path(made) / "model.gguf"
            # A folder named `1_Pooling` is part of the model; any other leads to its files.
            top = next((PurePosixPath(n).parent for n in paths if n.endswith(CONFIG)), None)
            for name, path in paths.items():
                place = PurePosixPath(name)
                inside = place.relative_to(top) if top and place.is_relative_to(top) else place
                (folder / inside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, folder / inside)
            convert_bert(folder, target)
            inspect(target)
            digest = sha256_of(target)
            path = self._store.take(target, digest)
        return Layer(MODEL_TYPE, digest, path.stat().st_size)

    def _quantized(self, model: Layer, kind: str, report: Report) -> Layer:
        path = self._store.held(model.digest)
        report(PullProgress(f"quantizing {inspect(path).quantization} model to {kind}"))
        made = self._quantizer.run(path, kind, model.digest, report)
        report(PullProgress("verifying conversion"))
        inspect(made)
        return Layer(MODEL_TYPE, made.name.replace("-", ":", 1), made.stat().st_size)

    def _provenance(self, model: Layer, kind: str, before: Mapping[str, Any]) -> dict[str, Any]:
        source = inspect(self._store.held(model.digest))
        found = {
            "source_digest": model.digest,
            "source_type": source.quantization,
            "tool": tool_name(),
            "type": kind,
        }
        return found | ({"before": dict(before)} if before else {})

    def _with_texts(
        self, layers: tuple[Layer, ...], recipe: Recipe, report: Report
    ) -> tuple[Layer, ...]:
        """The layers with those that the recipe replaces or adds."""
        new = {
            TEMPLATE_TYPE: recipe.template,
            SYSTEM_TYPE: recipe.system,
            PARAMS_TYPE: self._parameters(layers, recipe.parameters),
            MESSAGES_TYPE: None if recipe.messages is None else _json(recipe.messages),
        }
        kept = [layer for layer in layers if new.get(layer.media_type) is None]
        texts = [(kind, text) for kind, text in new.items() if text]
        texts += [(LICENSE_TYPE, text) for text in recipe.licences]
        for media_type, text in texts:
            layer = self._store.add_bytes(media_type, text.encode())
            report(PullProgress(f"creating new layer {layer.digest}"))
            kept.append(layer)
        return tuple(kept)

    def _parameters(self, layers: tuple[Layer, ...], given: Mapping[str, Any]) -> str | None:
        """The parameters of the model with those given over them."""
        if not given:
            return None
        before: dict[str, Any] = {}
        for layer in layers:
            if layer.media_type == PARAMS_TYPE:
                before |= json.loads(self._store.held(layer.digest).read_text())
        return _json(before | dict(given))

    def _check_parts(self, layers: tuple[Layer, ...]) -> None:
        """Raises BadModelFile where an adapter or a projector does not fit."""
        parts_of(self._store, make_manifest(layers[0], layers))

    def _manifest(self, layers: tuple[Layer, ...], provenance: Mapping[str, Any]) -> Manifest:
        model = next(layer for layer in layers if layer.media_type == MODEL_TYPE)
        file: ModelFile = inspect(self._store.held(model.digest))
        self._check_parts(layers)
        config = config_of(file, [layer.digest for layer in layers])
        if provenance:
            config["provenance"] = dict(provenance)
        return make_manifest(self._store.add_bytes(CONFIG_TYPE, _json(config).encode()), layers)


def _is_gguf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"GGUF"


def check_recipe(recipe: Recipe) -> None:
    """Refuse what cannot be made, before anything is touched. Raises BadRequest."""
    if recipe.base is None and not recipe.files:
        raise BadRequest("neither 'from' or 'files' was specified", "Name a model in from.")
    for name in (*recipe.files, *recipe.adapters):
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not name:
            raise BadRequest("file path must be relative", "Name files as in their folder.")
    if recipe.quantize:
        Quantizer.check(recipe.quantize)
    read_options(recipe.parameters)
    for message in recipe.messages or ():
        if message["role"] not in MESSAGE_ROLES:
            raise BadRequest('message role must be one of "system", "user", or "assistant"')
    check_template(recipe.template or "")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
