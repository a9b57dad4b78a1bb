"""The models on disk and, beside them, those that other servers answer for.

A name that the settings give to an upstream hides an installed model of that name, so that moving
to a production server changes nothing for clients. Such a model cannot be changed from here.
"""

from datetime import UTC, datetime
from pathlib import Path

from runtime.errors import BadRequest
from runtime.manifest import Manifest
from runtime.names import ModelName, parse_name
from runtime.store import InstalledModel, Store
from runtime.upstream_config import UpstreamSettings
from runtime.upstream_model import UpstreamModel, upstream_model


class UpstreamStore(Store):
    """A store that lists upstream models, too."""

    def __init__(
        self,
        models_dir: Path,
        shared_dirs: tuple[Path, ...] = (),
        upstreams: tuple[UpstreamSettings, ...] = (),
    ) -> None:
        super().__init__(models_dir, shared_dirs)
        now = datetime.now(UTC)
        self._upstreams = {
            parse_name(one.name).folded(): upstream_model(one, now) for one in upstreams
        }

    def names(self) -> list[ModelName]:
        """Every model, those of other servers first."""
        here = [name for name in super().names() if name.folded() not in self._upstreams]
        return [*(model.name for model in self._upstreams.values()), *here]

    def read(self, name: ModelName) -> InstalledModel:
        """One model. Raises UnknownModel, BadModelFile."""
        return self._upstreams.get(name.folded()) or super().read(name)

    def write_model(self, name: ModelName, manifest: Manifest) -> bool:
        """Make a model visible. Raises BadRequest under the name of an upstream; UnknownBlob."""
        self._refuse(name)
        return super().write_model(name, manifest)

    def copy(self, source: ModelName, target: ModelName) -> InstalledModel:
        """Give a model a second name. Raises BadRequest, UnknownModel, BadModelFile."""
        self._refuse(source)
        return super().copy(source, target)

    def delete(self, name: ModelName) -> InstalledModel:
        """Remove a model. Raises BadRequest, UnknownModel."""
        self._refuse(name)
        return super().delete(name)

    def verify(self, model: InstalledModel) -> None:
        """Check a model's file. Raises BadRequest where it has none here; WrongDigest."""
        if isinstance(model, UpstreamModel):
            self._refuse(model.name)
        super().verify(model)

    def _refuse(self, name: ModelName) -> None:
        if name.folded() in self._upstreams:
            raise BadRequest(
                f"model '{name}' is answered for by another server",
                "Change runtime.upstreams in the settings instead.",
            )
