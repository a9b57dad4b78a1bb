"""The models on disk, in Ollama's layout: `manifests/HOST/NAMESPACE/MODEL/TAG` and `blobs/`.

A model is visible once its manifest is; a manifest is written last and in one step, so a model
is never half there.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runtime.errors import BadName, ModelRuntimeError, UnknownBlob, UnknownModel, WrongDigest
from runtime.manifest import DIGEST, Layer, Manifest, blob_name, read_manifest
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
        self._verified: dict[Path, tuple[int, ...]] = {}

    @property
    def _manifests_dir(self) -> Path:
        return self.models_dir / "manifests"

    def blob_path(self, digest: str) -> Path:
        """Where a blob lies, or would lie. Raises BadName for what is no digest."""
        return self.models_dir / "blobs" / blob_name(digest)

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
        """The text of the layers of one kind, joined; empty if there are none.

        Raises WrongDigest: it is a part of what was approved.
        """
        layers = model.manifest.layers_of(media_type)
        return "\n".join(self._text(model.name, x) for x in layers if self._holds(x.digest))

    def _holds(self, digest: str) -> bool:
        return self.blob_path(digest).exists()

    def _text(self, name: ModelName, layer: Layer) -> str:
        content = self.blob_path(layer.digest).read_bytes()
        if f"sha256:{hashlib.sha256(content).hexdigest()}" != layer.digest:
            raise WrongDigest(
                f"a text of model '{name}' was changed: its digest is not {layer.digest}",
                f"Make or pull {name} again.",
            )
        return content.decode(errors="replace")

    def write_model(self, name: ModelName, manifest: Manifest) -> bool:
        """Make a model visible, and let go of what stood under its name.

        Whether blobs were removed by that. Raises UnknownBlob where one has gone meanwhile.
        """
        with self.locked("manifests"):
            for layer in (manifest.config, *manifest.layers):
                self.held(layer.digest)
            before = self._manifest(name)
            path = self._manifests_dir / (self.find(name) or name).path
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, manifest.raw)
            return before is not None and self._prune(before)

    def copy(self, source: ModelName, target: ModelName) -> InstalledModel:
        """Give a model a second name. Raises UnknownModel, BadModelFile."""
        self.write_model(target, self.read(source).manifest)
        return self.read(target)

    def delete(self, name: ModelName) -> InstalledModel:
        """Remove a model, and its blobs that no other one needs. Raises UnknownModel."""
        with self.locked("manifests"):
            model = self.read(name)
            path = self._manifests_dir / model.name.path
            path.unlink()
            for folder in path.relative_to(self._manifests_dir).parents[:-1]:
                with contextlib.suppress(OSError):  # others still stand in it
                    (self._manifests_dir / folder).rmdir()
            self._prune(model.manifest)
        return model

    def held(self, digest: str) -> Path:
        """The path of a blob that must be there. Raises UnknownBlob."""
        path = self.blob_path(digest)
        if not path.is_file():
            raise UnknownBlob(
                f"blob {digest} is not here", "Upload it with POST /api/blobs/DIGEST first."
            )
        return path

    @contextmanager
    def locked(self, what: str) -> Iterator[None]:
        """Keep other threads and processes from the same work on this store."""
        folder = self.models_dir / "downloads"
        folder.mkdir(parents=True, exist_ok=True)
        name = what.casefold().replace("/", "_").replace(":", "_")
        with (folder / f"{name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _manifest(self, name: ModelName) -> Manifest | None:
        known = self.find(name)
        try:
            path = self._manifests_dir / known.path if known else None
            return None if path is None else read_manifest(path.read_bytes())
        except ModelRuntimeError:
            return None  # damaged: nothing can be said of its blobs

    def _prune(self, manifest: Manifest) -> bool:
        """Remove the blobs of a manifest that no other one names."""
        needed: set[str] = set()
        for path in self._manifests_dir.glob("*/*/*/*"):
            # Digests are looked for in the text, so that what we cannot read keeps its blobs, too.
            needed.update(DIGEST.findall(path.read_text(errors="replace")))
        removed = False
        for layer in (manifest.config, *manifest.layers):
            path = self.blob_path(layer.digest)
            if layer.digest not in needed and path.exists():
                path.unlink()
                removed = True
        return removed

    def add_bytes(self, media_type: str, content: bytes) -> Layer:
        """Store a small blob."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        path = self.blob_path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            write_whole(path, content)
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
        return self.take(partial, digest)

    def take(self, partial: Path, digest: str) -> Path:
        """Move a file whose digest has been checked to its place."""
        path = self.blob_path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
        return path

    def verify(self, model: InstalledModel) -> None:
        """Check what llama.cpp will read against the manifest, once for each state of a file.

        Raises WrongDigest, UnknownModel.
        """
        for layer in model.manifest.loaded:
            self._verify(model.name, layer.digest)

    def _verify(self, name: ModelName, digest: str) -> None:
        path = self.blob_path(digest)
        if not path.exists():
            hint = f"Run: lamplight pull {name}"
            raise UnknownModel(f"a file of model '{name}' is missing", hint)
        status = path.stat()
        # The time of the last change, which no program can set back, tells of any write.
        state = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        if self._verified.get(path) == state:
            return
        if sha256_of(path) != digest:
            raise WrongDigest(
                f"a file of model '{name}' is damaged: its digest is not {digest}",
                f"Delete {path.name} below the models directory's blobs,"
                f" then run: lamplight pull {name}",
            )
        self._verified[path] = state

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


def write_whole(path: Path, content: bytes) -> None:
    """Write so that a reader, or a power cut, sees all of it or nothing."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
