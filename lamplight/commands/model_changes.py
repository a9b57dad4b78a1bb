"""`lamplight create`, `cp`, `rm`, `push`: models changed by the owner of the data directory."""

import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from governance.events import Action, Event
from governance.record.database import open_record
from lamplight.commands.options import Data, notes
from lamplight.errors import BadUse, PullRefused
from lamplight.installing import model_store
from lamplight.operations import OWNER
from lamplight.settings import Settings, load_settings
from runtime.catalog import builtin_catalog
from runtime.create import Maker, Recipe
from runtime.errors import ModelRuntimeError, UnknownModel
from runtime.exchange import Exchange
from runtime.modelfile import Modelfile, read_modelfile
from runtime.names import parse_name
from runtime.pull import PullProgress
from runtime.store import Store, sha256_of

MAX_MODELFILE_BYTES = 1024 * 1024
Model = Annotated[str, typer.Argument(help="A model.")]
Insecure = Annotated[bool, typer.Option(help="Allow plain HTTP (http://HOST/…) to the registry.")]


def create(
    model: Annotated[str, typer.Argument(help="The name of the new model.")],
    file: Annotated[Path, typer.Option("-f", "--file", help="The Modelfile.")] = Path("Modelfile"),
    quantize: Annotated[
        str, typer.Option("-q", "--quantize", help="As Q4_K_M: write the weights in fewer bits.")
    ] = "",
    data: Data = None,
) -> None:
    """Make a model of another one, or of a file, as a Modelfile says."""
    settings = load_settings(data)
    store = model_store(settings)
    with recorded(settings, Action.MODEL_CREATED, model):
        said = _modelfile(file)
        recipe = _recipe(said, store, file.resolve().parent, quantize)
        Maker(settings.runtime, store).make(parse_name(model), recipe, _show)
    notes.print(f"Model {model} is made")


def copy(
    source: Model,
    destination: Annotated[str, typer.Argument(help="Its second name.")],
    data: Data = None,
) -> None:
    """Give a model a second name."""
    settings = load_settings(data)
    with recorded(settings, Action.MODEL_COPIED, destination):
        model_store(settings).copy(parse_name(source), parse_name(destination))
    notes.print(f"Copied {source} to {destination}")


def remove(
    models: Annotated[list[str], typer.Argument(help="Installed models.")], data: Data = None
) -> None:
    """Remove models, and the files that no other one needs."""
    settings = load_settings(data)
    for model in models:
        with recorded(settings, Action.MODEL_DELETED, model):
            model_store(settings).delete(parse_name(model))
        notes.print(f"Removed {model}")


def push(model: Model, insecure: Insecure = False, data: Data = None) -> None:
    """Take a model to the registry of its name, where the settings allow it."""
    settings = load_settings(data)
    exchange = Exchange(settings.runtime, model_store(settings), builtin_catalog())
    with recorded(settings, Action.MODEL_PUSHED, model):
        exchange.check(model, insecure=insecure, push=True)
        exchange.push(model, _show, insecure=insecure)
    notes.print(f"Model {model} is at its registry")


@contextmanager
def recorded(settings: Settings, action: Action, model: str) -> Iterator[None]:
    """Do this with a record open, and write down how it ended. Raises PullRefused."""
    record = open_record(settings.governance)
    outcome, reason = "failed", "Broken"
    try:
        yield
        outcome, reason = "done", ""
    except ModelRuntimeError as error:
        reason = type(error).__name__
        raise PullRefused(error.message, error.hint) from error
    finally:
        event = Event(
            action,
            OWNER,
            object_type="model",
            object_id=model,
            outcome=outcome,
            reason=reason or None,
            facts={"endpoint": "lamplight"},
        )
        try:
            with record.write() as connection:
                record.trail.append(connection, event)
        finally:
            record.close()


def _modelfile(path: Path) -> Modelfile:
    try:
        if path.stat().st_size > MAX_MODELFILE_BYTES:
            raise BadUse(f"{path} is too long for a Modelfile.", "Name the right file with -f.")
        return read_modelfile(path.read_bytes())
    except OSError as error:
        raise BadUse(f"There is no Modelfile at {path}.", "Name it with -f FILE.") from error


def _recipe(said: Modelfile, store: Store, folder: Path, quantize: str) -> Recipe:
    """What a Modelfile asks for, with its files among the blobs. Raises BadUse."""
    if said.others:
        raise BadUse("DRAFT, RENDERER, PARSER and REQUIRES are not supported.", "Leave them out.")
    # A second FROM line names the projector of the file in the first one.
    sources = [(one, (folder / Path(one).expanduser()).resolve()) for one in said.sources]
    source, path = sources[0]
    is_path = source.startswith((".", "/", "~")) or path.exists()
    if not is_path and len(sources) > 1:
        raise BadUse("Several FROM lines must all be files.", "Name the model's file.")
    adapters = [(folder / Path(one).expanduser()).resolve() for one in said.adapters]
    return Recipe(
        base=None if is_path else parse_name(source),
        files=_all_brought([one for _, one in sources], store) if is_path else {},
        adapters=_all_brought(adapters, store),
        template=said.template,
        system=said.system,
        parameters=said.parameters,
        messages=tuple(said.messages) or None,
        licences=tuple(said.licences),
        quantize=quantize.upper(),
    )


def _all_brought(paths: Sequence[Path], store: Store) -> dict[str, str]:
    """The files of several lines; files of one name are told apart by their line."""
    found: dict[str, str] = {}
    for number, path in enumerate(paths):
        brought = _brought(path, store)
        found |= {f"{number}/{n}" if n in found else n: digest for n, digest in brought.items()}
    return found


def _brought(path: Path, store: Store) -> dict[str, str]:
    """Files of this machine, copied among the blobs: name → digest. Raises UnknownModel."""
    if not path.exists():
        raise UnknownModel(f"there is no file {path}", "Check the FROM and ADAPTER lines.")
    folder = path if path.is_dir() else path.parent
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    found = {}
    for file in files:
        digest = sha256_of(file)
        if not store.blob_path(digest).exists():
            partial = store.models_dir / "downloads" / f"{uuid.uuid4().hex}.upload"
            partial.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, partial)
            store.add_file(partial, digest)
        found[file.relative_to(folder).as_posix()] = digest
    return found


def _show(step: PullProgress) -> None:
    if not step.total:
        notes.print(step.status, style="dim", markup=False)
