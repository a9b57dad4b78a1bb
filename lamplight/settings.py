"""Reads the settings: command line, then environment, then `lamplight.toml`, then the defaults.

Every field of every package's settings has one name, `package.field`: in the file it stands in
the table of its package, in the environment it is `LAMPLIGHT_PACKAGE_FIELD`. No other file reads
either.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from governance.config import GovernanceSettings
from ingest.config import IngestSettings
from lamplight.errors import BadSetting
from rag.config import RagSettings
from runtime.config import RuntimeSettings
from runtime.errors import BadUpstream
from runtime.upstream_config import UpstreamSettings, read_upstreams
from web.config import WebSettings

PACKAGES: dict[str, type[Any]] = {
    "governance": GovernanceSettings,
    "ingest": IngestSettings,
    "rag": RagSettings,
    "runtime": RuntimeSettings,
    "web": WebSettings,
}
# Short names for what is set most often.
ALIASES = {
    "LAMPLIGHT_MODELS": "runtime.models_dir",
    "LAMPLIGHT_CHAT_URL": "rag.chat_url",
    "LAMPLIGHT_CHAT_MODEL": "rag.chat_model",
    "LAMPLIGHT_EMBED_URL": "rag.embed_url",
    "LAMPLIGHT_EMBED_MODEL": "rag.embed_model",
    "LAMPLIGHT_QDRANT_URL": "rag.qdrant_url",
    "LAMPLIGHT_DATABASE_URL": "governance.database_url",
    "LAMPLIGHT_WATCH_ROOTS": "governance.watch_roots",
}
# Where a process keeps its lock and socket; those that share a data directory need one each.
RUN_VARIABLE = "LAMPLIGHT_RUN"
# Read by the tests and benchmarks, or before any setting.
NOT_SETTINGS = {"LAMPLIGHT_DATA", RUN_VARIABLE, "LAMPLIGHT_CORPUS", "LAMPLIGHT_TEST_MODELS"}
# Stores of the same user whose blobs are linked instead of fetched again; never written.
MODEL_STORES = ("~/.lamplight/models", "~/.cache/lamplight/models", "~/.ollama/models")
PREFIX = "LAMPLIGHT_"
FILE_NAME = "lamplight.toml"
RUNTIME_KEY_NAME = "runtime.key"


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting of every package, read once and passed down."""

    data_dir: Path
    run_dir: Path  # locks and sockets of the processes that run now
    governance: GovernanceSettings
    ingest: IngestSettings
    rag: RagSettings
    runtime: RuntimeSettings
    web: WebSettings

    @property
    def is_distributed(self) -> bool:
        """Whether several processes can share record and index: PostgreSQL and a Qdrant server."""
        url = self.governance.database_url or ""
        return url.startswith("postgresql") and self.rag.qdrant_url is not None

    @property
    def logs_dir(self) -> Path:
        """What our processes print."""
        return self.data_dir / "logs"

    @property
    def admin_socket(self) -> Path:
        """Where the running platform serves the command line."""
        return self.run_dir / "admin.sock"

    @property
    def runtime_key_path(self) -> Path:
        """The key of this start, which the platform shows its own runtime."""
        return self.rag.runtime_key_path or self.data_dir / "run" / RUNTIME_KEY_NAME


def load_settings(
    data_dir: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Collect the settings of one data directory. Raises BadSetting, naming the name.

    overrides: by `package.field`, from the command line.
    """
    environment = os.environ if environment is None else environment
    home = data_dir or Path(environment.get("LAMPLIGHT_DATA") or Path.home() / ".lamplight")
    home = home.expanduser().absolute()
    values = _derived(home)
    _merge(values, _from_file(home / FILE_NAME))
    _merge(values, _from_environment(environment))
    _merge(values, {name: v for name, v in (overrides or {}).items() if v is not None})
    _agree(values)
    parts = {package: _build(package, values) for package in PACKAGES}
    own_run = environment.get(RUN_VARIABLE)
    run_dir = Path(own_run).expanduser().absolute() if own_run else home / "run"
    settings = Settings(data_dir=home, run_dir=run_dir, **parts)
    check_copies(settings.rag)
    check_shared(settings, own_run=bool(own_run))
    return settings


def check_copies(rag: RagSettings) -> None:
    """Refuse shards and copies that no Qdrant server can hold. Raises BadSetting."""
    for name in ("qdrant_shards", "qdrant_replicas", "qdrant_write_consistency"):
        if getattr(rag, name) < 1:
            raise BadSetting(
                f"The setting rag.{name} cannot be {getattr(rag, name)}.", "Use 1 or more."
            )
    if rag.qdrant_write_consistency > rag.qdrant_replicas:
        raise BadSetting(
            f"A write cannot wait for {rag.qdrant_write_consistency} copies "
            f"(rag.qdrant_write_consistency) where there are {rag.qdrant_replicas} "
            "(rag.qdrant_replicas).",
            "Ask for no more copies than there are.",
        )


def check_shared(settings: Settings, *, own_run: bool) -> None:
    """Refuse what needs other processes where there can be none. Raises BadSetting."""
    files = settings.ingest.parallel_files
    if files < 0:
        raise BadSetting(f"The setting ingest.parallel_files cannot be {files}.", "Use 0 or more.")
    if settings.is_distributed:
        return
    needs = "LAMPLIGHT_DATABASE_URL (PostgreSQL) and LAMPLIGHT_QDRANT_URL"
    if files == 0:
        raise BadSetting(
            "ingest.parallel_files is 0, and there can be no workers: files would wait for ever.",
            f"Set it to 1 or more, or set {needs}.",
        )
    if own_run:
        raise BadSetting(
            f"{RUN_VARIABLE} lets processes share a data directory, and here one process owns it.",
            f"Unset it, or set {needs}.",
        )


def child_environment(overrides: Mapping[str, object]) -> dict[str, str]:
    """Our environment with some settings put on top, for a process that we start."""
    extra = {_variable(name): str(value) for name, value in overrides.items()}
    return {**os.environ, **extra}


def _derived(home: Path) -> dict[str, Any]:
    return {
        "governance.data_dir": home,
        "rag.index_dir": home / "index",
        "rag.runtime_key_path": home / "run" / RUNTIME_KEY_NAME,
        "runtime.models_dir": home / "models",
        "runtime.quarantine_path": home / "quarantine.json",
        "runtime.catalogue_dir": home / "catalogue",
        "runtime.registry_accounts_path": home / "registries.json",
        "runtime.shared_models_dirs": tuple(Path(store).expanduser() for store in MODEL_STORES),
    }


def _agree(values: dict[str, Any]) -> None:
    """Give what two packages must know the same value in both."""
    usual = {field.name: field.default for field in fields(RuntimeSettings)}
    host = values.get("runtime.host", usual["host"])
    port = values.get("runtime.port", usual["port"])
    values.setdefault("rag.runtime_url", f"http://{host}:{port}/")
    for name in ("rag.chat_url", "rag.embed_url"):
        values.setdefault(name, f"http://{host}:{port}/v1")
    if "ingest.max_file_bytes" in values:
        values.setdefault("web.max_file_bytes", values["ingest.max_file_bytes"])


def _from_file(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        tables = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path} cannot be read: {error}.", "Correct the file.") from error
    found: dict[str, Any] = {}
    for package, table in tables.items():
        if package not in PACKAGES or not isinstance(table, dict):
            raise BadSetting(
                f"{path}: there is no section [{package}].", f"Sections: {', '.join(PACKAGES)}."
            )
        found |= {f"{package}.{name}": value for name, value in table.items()}
    return found


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    by_variable = {_variable(name): name for name in _names()} | ALIASES
    for variable, value in environment.items():
        if not variable.startswith(PREFIX) or variable in NOT_SETTINGS:
            continue
        if variable not in by_variable:
            raise BadSetting(
                f"There is no setting {variable}.", "Check its spelling in docs/operations.md."
            )
        found[by_variable[variable]] = value
    return found


def _merge(values: dict[str, Any], more: Mapping[str, Any]) -> None:
    known = _names()
    for name, value in more.items():
        if name not in known:
            raise BadSetting(
                f"There is no setting {name}.", "Check its spelling in docs/operations.md."
            )
        values[name] = value


def _names() -> set[str]:
    return {f"{package}.{f.name}" for package, kind in PACKAGES.items() for f in fields(kind)}


def _variable(name: str) -> str:
    return PREFIX + name.replace(".", "_").upper()


def _build(package: str, values: Mapping[str, Any]) -> Any:
    kind = PACKAGES[package]
    hints = get_type_hints(kind)
    arguments = {}
    for field in fields(kind):
        name = f"{package}.{field.name}"
        if name in values:
            arguments[field.name] = _cast(name, values[name], hints[field.name])
        elif field.default is MISSING and field.default_factory is MISSING:
            raise BadSetting(f"The setting {name} is missing.", f"Set {_variable(name)}.")
    return kind(**arguments)


def _cast(name: str, value: Any, wanted: Any) -> Any:
    """Turn text from outside into the field's type, or refuse it by name."""
    if get_origin(wanted) in (UnionType, Union):
        if value is None or value == "":
            return None
        wanted = next(option for option in get_args(wanted) if option is not type(None))
    try:
        return _convert(value, wanted)
    except BadUpstream as error:
        raise BadSetting(f"{error.message}.", error.hint) from error
    except (ValueError, TypeError) as error:
        kind = getattr(wanted, "__name__", str(wanted))
        raise BadSetting(
            f"The setting {name} cannot be {value!r}: it must be of type {kind}.",
            f"Correct {_variable(name)} or the file {FILE_NAME}.",
        ) from error


def _convert(value: Any, wanted: Any) -> Any:
    if wanted == tuple[UpstreamSettings, ...]:
        return read_upstreams(value)
    if get_origin(wanted) is tuple:
        kind = get_args(wanted)[0]
        between = os.pathsep if kind is Path else ","
        items = value.split(between) if isinstance(value, str) else value
        return tuple(_convert(item, kind) for item in items)
    if wanted is bool:
        words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
        if str(value).lower() not in words:
            raise ValueError(value)
        return words[str(value).lower()]
    if wanted is Path:
        return Path(value).expanduser().absolute()
    if wanted in (int, float) and isinstance(value, bool):
        raise ValueError(value)
    return value if isinstance(value, wanted) else wanted(value)
