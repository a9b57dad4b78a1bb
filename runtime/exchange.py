"""Brings models from registries and takes them there; nothing is visible before it is checked."""

from collections.abc import Callable
from pathlib import Path

from runtime.assemble import reported_total
from runtime.catalog import Catalog
from runtime.config import RuntimeSettings
from runtime.errors import BadModelFile, NoSpace, WrongDigest
from runtime.manifest import Layer, Manifest, read_manifest
from runtime.names import DEFAULT_HOST, ModelName, parse_name
from runtime.parts import parts_of
from runtime.pull import Puller, PullProgress, Report, clear_disk_errors, free_bytes_of
from runtime.registry import Registry, check_allowed, scheme_of
from runtime.registry_accounts import account_of
from runtime.store import Store, sha256_of


class Exchange:
    """The ways of a model into one store, and out of it."""

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

    def check(self, text: str, *, insecure: bool, push: bool = False) -> ModelName:
        """The name, if it may be had from where it says. Raises BadName, RegistryNotAllowed."""
        name = parse_name(text)
        if push or not self._is_catalogued(name):
            check_allowed(name, self._settings.allowed_registries)
            self._registry(text, insecure).__exit__(None, None, None)
        return name

    def pull(self, text: str, report: Report, *, insecure: bool = False) -> None:
        """Install a model: one of the catalogue as it says, any other from its registry.

        Raises RegistryNotAllowed, UnknownModel, PullFailed, BadModelFile.
        """
        name = parse_name(text)
        if self._is_catalogued(name):
            Puller(self._settings, self._store, self._catalog, self._free_bytes).pull(text, report)
            return
        report(PullProgress("pulling manifest"))
        with (
            self._store.locked(name.full),
            clear_disk_errors(self._store.models_dir),
            self._registry(text, insecure) as registry,
        ):
            manifest = self._manifest(name, registry)
            for layer in (*manifest.layers, manifest.config):
                self._bring(layer, registry, report)
            parts_of(self._store, manifest)
            report(PullProgress("writing manifest"))
            if self._store.write_model(name, manifest):
                report(PullProgress("removing unused layers"))
            report(PullProgress("success"))

    def push(self, text: str, report: Report, *, insecure: bool = False) -> None:
        """Take a model to the registry of its name. Raises RegistryNotAllowed, RegistryFailed."""
        report(PullProgress("retrieving manifest"))
        model = self._store.read(parse_name(text))
        with self._registry(text, insecure) as registry:
            for layer in (*model.manifest.layers, model.manifest.config):
                self._take(layer, registry, report)
            report(PullProgress("pushing manifest"))
            registry.put_manifest(model.manifest.raw)
        report(PullProgress("success"))

    def _is_catalogued(self, name: ModelName) -> bool:
        """Whether the catalogue knows a source with a checked digest."""
        entry = self._catalog.find(name)
        if entry is not None and entry.can_be_fetched:
            return True
        # Without a registry to ask, the catalogue says best what can be had.
        allowed = self._settings.allowed_registries
        return entry is not None and name.host == DEFAULT_HOST and name.host not in allowed

    def _registry(self, text: str, insecure: bool) -> Registry:
        name = parse_name(text)
        return Registry(
            name,
            self._settings.allowed_registries,
            scheme=scheme_of(text),
            insecure=insecure,
            timeout_s=self._settings.download_timeout_s,
            attempts=self._settings.download_attempts,
            account=account_of(self._settings.registry_accounts_path, name.host),
        )

    def _manifest(self, name: ModelName, registry: Registry) -> Manifest:
        manifest = read_manifest(registry.manifest())
        if any(not 0 <= x.size <= self._settings.max_blob_bytes for x in manifest.layers):
            raise BadModelFile("the manifest names a file that is too large", "Do not use it.")
        entry = self._catalog.find(name)
        if entry is not None and entry.digest not in (None, manifest.model.digest):
            raise WrongDigest(
                f"the registry's {name} is not the catalogue's: {manifest.model.digest}",
                f"The catalogue wants {entry.digest}. Do not use what the registry serves.",
            )
        return manifest

    def _bring(self, layer: Layer, registry: Registry, report: Report) -> None:
        path = self._store.blob_path(layer.digest)
        if path.exists():
            if path.stat().st_size == layer.size and sha256_of(path) == layer.digest:
                report(_step("pulling", layer, layer.size))
                return
            path.unlink()
        if self._store.borrow(layer.digest):
            report(_step("pulling", layer, layer.size))
            return
        partial = self._store.models_dir / "downloads" / f"{path.name}.partial"
        partial.parent.mkdir(parents=True, exist_ok=True)
        have = partial.stat().st_size if partial.exists() else 0
        self._check_space(layer.size - have)
        with self._store.locked(layer.digest):
            told = reported_total(lambda done, _total: report(_step("pulling", layer, done)))
            registry.fetch(layer, partial, lambda done: told(done, layer.size))
            report(PullProgress("verifying sha256 digest"))
            self._store.add_file(partial, layer.digest)

    def _take(self, layer: Layer, registry: Registry, report: Report) -> None:
        path = self._store.held(layer.digest)
        if not registry.has(layer.digest):
            registry.upload(layer, path, lambda done: report(_step("pushing", layer, done)))
        report(_step("pushing", layer, layer.size))

    def _check_space(self, needed_bytes: int) -> None:
        self._store.models_dir.mkdir(parents=True, exist_ok=True)
        free = self._free_bytes(self._store.models_dir)
        if free - needed_bytes < self._settings.min_free_bytes:
            raise NoSpace(
                f"no space for the model: {needed_bytes / 1e6:,.0f} MB are needed and"
                f" {free / 1e6:,.0f} MB are free in {self._store.models_dir}",
                "Make room, or name another models directory with LAMPLIGHT_MODELS.",
            )


def _step(verb: str, layer: Layer, completed: int) -> PullProgress:
    label = f"{verb} {layer.digest.removeprefix('sha256:')[:12]}"
    return PullProgress(label, layer.digest, completed, layer.size)
