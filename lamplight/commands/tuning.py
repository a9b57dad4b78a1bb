"""`lamplight tune`: which form of a model is fastest on this machine, and making it."""

from typing import Annotated

import typer

from governance.events import Action
from lamplight.commands.model_changes import recorded
from lamplight.commands.options import AsJson, Data, notes, print_json, results
from lamplight.errors import CommandError
from lamplight.installing import install, model_store
from lamplight.settings import Settings, load_settings
from lamplight.tuning import advice, figures_table, form_name, step_of
from runtime.catalog import builtin_catalog
from runtime.create import Maker, Recipe
from runtime.errors import ModelRuntimeError
from runtime.names import parse_name
from runtime.store import InstalledModel
from runtime.tuning import Tuner, Tuning, as_values


def tune(
    model: Annotated[str, typer.Argument(help="An installed chat model.")],
    make: Annotated[
        bool, typer.Option("--make", help="Make the faster form, under a name of its own.")
    ] = False,
    again: Annotated[bool, typer.Option(help="Measure even if it was measured before.")] = False,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Measure the forms of a model; best while nothing else runs. Nothing is switched on."""
    settings = load_settings(data)
    try:
        known, found = _measured(settings, model, again=again)
    except ModelRuntimeError as error:
        raise CommandError(error.message, error.hint) from error
    if as_json:
        print_json(as_values(found))
    else:
        results.print(figures_table(found))
        for kind, reason in found.skipped.items():
            results.print(f"Not measured as {kind}: {reason}", markup=False)
        results.print(advice(known, found), markup=False)
    if make:
        make_form(settings, known, found)


def _measured(settings: Settings, model: str, *, again: bool) -> tuple[InstalledModel, Tuning]:
    store = model_store(settings)
    known = store.read(parse_name(model))
    tuner = Tuner(settings.runtime, store)
    before = None if again else tuner.known(known)
    return known, before or tuner.run(known, lambda step: step_of(notes, step))


def make_form(settings: Settings, model: InstalledModel, found: Tuning) -> None:
    """Make what was found faster: the catalogue's own form where it has one, else a new model."""
    kind = found.decision.form
    if kind is None:
        notes.print("There is no faster form to make")
        return
    entry = builtin_catalog().derived(found.source_digest, kind)
    if entry is not None:
        install(settings, str(entry.name), notes)
        return
    name = form_name(model.name, kind)
    recipe = Recipe(base=model.name, quantize=kind)
    with recorded(settings, Action.MODEL_CREATED, str(name)):
        Maker(settings.runtime, model_store(settings)).make(
            name, recipe, lambda step: step_of(notes, step)
        )
    notes.print(f"Model {name} is made. Whether it may be used: lamplight model list")
