"""`lamplight pull`, `list`, `ps`, `show`, `stop`: models, with Ollama's words."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from lamplight.catalogue import take_in
from lamplight.commands.options import AsJson, Data, notes, print_json, results
from lamplight.errors import CommandError
from lamplight.installing import install, model_store
from lamplight.model_bill import bill_of
from lamplight.model_events import released
from lamplight.operations import OWNER, note
from lamplight.runtime_client import RuntimeClient
from lamplight.settings import load_settings
from runtime.errors import ModelRuntimeError
from runtime.names import parse_name
from runtime.package import is_catalogue
from runtime.quarantine import Quarantine


def pull(
    model: Annotated[str, typer.Argument(help="A name from the catalogue, or your own.")],
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="A GGUF file, the folder of a BERT-type embedding model, or a signed catalogue.",
        ),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Allow plain HTTP (http://HOST/…) to the registry.")
    ] = False,
    data: Data = None,
) -> None:
    """Install a model; what was begun is resumed, and only the pinned digest is accepted."""
    settings = load_settings(data)
    if source is not None and is_catalogue(source):
        digest = take_in(settings, source, model)
        notes.print(f"Model {model} is installed: sha256:{digest}. It needs an approval.")
        return
    install(settings, model, notes, file=source, insecure=insecure)


def bill(
    model: Annotated[str, typer.Argument(help="An installed model.")], data: Data = None
) -> None:
    """Print a model's bill of materials: CycloneDX 1.6, JSON."""
    sys.stdout.write(bill_of(load_settings(data), model).decode())


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
    loaded = RuntimeClient(load_settings(data)).ask("GET", "/api/ps")
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
    found = RuntimeClient(load_settings(data)).ask("POST", "/api/show", {"model": model})
    if as_json:
        print_json(found)
        return
    for name, value in {**found["details"], "capabilities": found["capabilities"]}.items():
        results.print(f"{name:<20} {value}", markup=False)


def stop(model: Annotated[str, typer.Argument(help="A loaded model.")], data: Data = None) -> None:
    """Unload a model from the running runtime."""
    RuntimeClient(load_settings(data)).ask(
        "POST", "/api/generate", {"model": model, "keep_alive": 0}
    )


def release(
    model: Annotated[str, typer.Argument(help="A quarantined model.")], data: Data = None
) -> None:
    """Let a model be loaded again whose process has died too often."""
    settings = load_settings(data)
    try:
        known = model_store(settings).read(parse_name(model))
    except ModelRuntimeError as error:
        raise CommandError(error.message, error.hint) from error
    quarantine = Quarantine.of(settings.runtime)
    was = known.manifest.loaded_digest in quarantine.digests()
    if was:  # recorded first: nothing is let back that the trail does not know of
        note(settings, released(OWNER, known))
    quarantine.release(known.manifest.loaded_digest)
    results.print(f"{known.name} {'may be loaded again' if was else 'was not quarantined'}")


def _as_json(model: Any) -> dict[str, Any]:
    return {
        "name": str(model.name),
        "digest": model.manifest.digest,
        "size": model.manifest.size_bytes,
        "modified_at": model.modified_at.isoformat(),
    }
