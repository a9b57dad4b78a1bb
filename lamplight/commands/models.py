"""`lamplight pull`, `list`, `ps`, `show`, `stop`: models, with Ollama's words."""

from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.table import Table

from lamplight.commands.options import AsJson, Data, notes, print_json, results
from lamplight.errors import CommandError, PlatformRefused
from lamplight.installing import install, model_store
from lamplight.settings import Settings, load_settings
from rag.model_keys import ModelKeys
from runtime.api.guard import is_loopback
from runtime.errors import ModelRuntimeError
from runtime.names import parse_name
from runtime.quarantine import Quarantine

TIMEOUT_S = 600.0


class RuntimeNotRunning(CommandError):
    """The command asks a running runtime, and none answers."""


def pull(
    model: Annotated[str, typer.Argument(help="A name from the catalogue, or your own.")],
    source: Annotated[
        Path | None,
        typer.Option("--from", help="A GGUF file, or the folder of a BERT-type embedding model."),
    ] = None,
    data: Data = None,
) -> None:
    """Install a model; what was begun is resumed, and only the pinned digest is accepted."""
    install(load_settings(data), model, notes, file=source)


def list_models(as_json: AsJson = False, data: Data = None) -> None:
    """List the installed models."""
    store = model_store(load_settings(data))
    models = store.models()
    if as_json:
        print_json({"models": [_as_json(model) for model in models]})
        return
    table = Table("Name", "Id", "Size", "Modified")
    for model in models:
        table.add_row(
            str(model.name),
            model.manifest.digest.removeprefix("sha256:")[:12],
            f"{model.manifest.size_bytes / 1e6:.0f} MB",
            f"{model.modified_at:%Y-%m-%d %H:%M}",
        )
    results.print(table)


def ps(as_json: AsJson = False, data: Data = None) -> None:
    """List the models that the running runtime has loaded."""
    loaded = _ask(load_settings(data), "GET", "/api/ps")
    if as_json:
        print_json(loaded)
        return
    table = Table("Name", "Id", "Size", "Context", "Until")
    for model in loaded["models"]:
        size = f"{model['size'] / 1e6:.0f} MB"
        context = str(model.get("context_length", ""))
        table.add_row(model["name"], model["digest"][:12], size, context, model["expires_at"])
    results.print(table)


def show(
    model: Annotated[str, typer.Argument(help="An installed model.")],
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Describe a model that the running runtime has."""
    found = _ask(load_settings(data), "POST", "/api/show", {"model": model})
    if as_json:
        print_json(found)
        return
    for name, value in {**found["details"], "capabilities": found["capabilities"]}.items():
        results.print(f"{name:<20} {value}", markup=False)


def stop(model: Annotated[str, typer.Argument(help="A loaded model.")], data: Data = None) -> None:
    """Unload a model from the running runtime."""
    _ask(load_settings(data), "POST", "/api/generate", {"model": model, "keep_alive": 0})


def release(
    model: Annotated[str, typer.Argument(help="A quarantined model.")], data: Data = None
) -> None:
    """Let a model be loaded again whose process has died too often."""
    settings = load_settings(data)
    try:
        known = model_store(settings).read(parse_name(model))
    except ModelRuntimeError as error:
        raise CommandError(error.message, error.hint) from error
    was = Quarantine.of(settings.runtime).release(known.manifest.model.digest)
    results.print(f"{known.name} {'may be loaded again' if was else 'was not quarantined'}")


def _as_json(model: Any) -> dict[str, Any]:
    return {
        "name": str(model.name),
        "digest": model.manifest.digest,
        "size": model.manifest.size_bytes,
        "modified_at": model.modified_at.isoformat(),
    }


def _credential(settings: Settings) -> httpx.Auth | None:
    """The owner's right to read the key of this start, where a runtime serves nobody without."""
    runtime = settings.runtime
    needed = runtime.ask_for_key or not is_loopback(runtime.host)
    return ModelKeys(settings.rag) if needed else None


def _ask(settings: Settings, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    url = f"http://{settings.runtime.host}:{settings.runtime.port}"
    try:
        answer = httpx.request(
            method,
            f"{url}{path}",
            json=body,
            timeout=TIMEOUT_S,
            trust_env=False,
            auth=_credential(settings),
        )
    except httpx.HTTPError as error:
        raise RuntimeNotRunning(
            f"No model runtime answers at {url}.", "Start it with `lamplight up` or `serve`."
        ) from error
    if answer.is_error:
        message = answer.json().get("error", f"The runtime answered {answer.status_code}.")
        raise PlatformRefused("runtime", message, "See `lamplight list`.", answer.status_code)
    return answer.json()
