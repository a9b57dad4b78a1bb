"""`lamplight doctor`: the machine, its build, its models, what is wrong, and what to do next."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table

from lamplight.commands.options import AsJson, Data, notes, print_json, results
from lamplight.findings import Facts, ModelFacts, as_values, findings
from lamplight.installing import model_store
from lamplight.settings import Settings, load_settings
from lamplight.tuning import advice
from lamplight.upstream_look import in_words, look_at_upstreams
from runtime.enclosure import standing_walls
from runtime.errors import ModelRuntimeError
from runtime.forms import Figures, expected
from runtime.inspect import ModelFile, inspect
from runtime.machine import graphics_cards, processor, usable_cores
from runtime.measuring import Build, installed_build, measure
from runtime.memory import available_bytes, default_budget_bytes, need_of
from runtime.names import parse_name
from runtime.protocol import WorkerConfig
from runtime.quarantine import Quarantine
from runtime.store import InstalledModel
from runtime.tuning import Tuner
from runtime.upstream_model import UpstreamModel
from runtime.walls import WHAT_IT_KEEPS, Wall

MEASURED, EXPECTED, UNKNOWN = "measured", "expected", "unknown"


def doctor(
    measured: Annotated[
        bool, typer.Option("--measure", help="Measure each chat model for some seconds.")
    ] = False,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Say what this machine is, what fits, how fast it is, what looks wrong, and what to do."""
    found = examine(load_settings(data), measured=measured)
    if as_json:
        print_json(found)
        return
    device, build, memory = found["device"], found["build"], found["memory"]
    _say(f"Processor  {device['name']}, {device['cores']} cores: {' '.join(device['features'])}")
    _say(f"Cards      {', '.join(device['cards']) or 'none'}")
    _say(f"llama.cpp  {build['flags']}; {_cards(build['cards'])}")
    free, budget = (memory[name] / 2**30 for name in ("available_bytes", "budget_bytes"))
    _say(f"Memory     free {free:.1f} GiB, of which models may take {budget:.1f} GiB")
    for line in in_words(found["upstreams"]):
        _say(line)
    results.print(_walls(found["walls"]))
    results.print(_models(found["models"]))
    if not found["findings"]:
        _say("Nothing looks wrong")
    for number, one in enumerate(found["findings"], 1):
        _say(f"{number}. {one['what']}\n   → {one['next']}")


def _say(text: str) -> None:
    results.print(text, markup=False)


def _cards(cards: list[Mapping[str, Any]]) -> str:
    named = [f"{one['description']}, {one['free_bytes'] / 2**30:.1f} GiB free" for one in cards]
    return "computes on " + ("; ".join(named) or "the processor")


def _walls(walls: list[Mapping[str, Any]]) -> Table:
    table = Table("", "A model's process")
    for wall in walls:
        table.add_row("yes" if wall["stands"] else "NO", wall["keeps"])
    return table


def _models(models: list[Mapping[str, Any]]) -> Table:
    table = Table("Model", "Form", "Needs", "Fits", "Prompt/s", "Answer/s", "")
    for model in models:
        speed = model["speed"]
        known = speed["how"] != UNKNOWN
        table.add_row(
            model["name"],
            model["form"],
            f"{model['need_bytes'] / 2**30:.1f} GiB",
            "yes" if model["fits"] else "NO",
            f"{speed['prompt_tokens_per_s']:.0f}" if known else "",
            f"{speed['answer_tokens_per_s']:.1f}" if known else "",
            speed["how"] if known else "",
        )
    return table


def examine(settings: Settings, *, measured: bool = False) -> dict[str, Any]:
    """All of it as values."""
    standing, here, build, cards = standing_walls(), processor(), _build(), graphics_cards()
    budget = settings.runtime.memory_bytes or default_budget_bytes()
    free, quarantined = available_bytes(), _quarantined(settings)
    installed = _installed(settings)
    speeds = _speeds(settings, installed, measured=measured)
    models = [_facts(settings, model, file) for model, file in installed]
    facts = Facts(
        settings.runtime,
        settings.rag.chat_model,
        standing,
        here,
        cards,
        build,
        free,
        budget,
        models,
        _missing(settings),
        quarantined,
    )
    return {
        "device": asdict(here) | {"cards": list(cards)},
        "build": asdict(build),
        "walls": _wall_values(standing),
        "memory": {"available_bytes": free, "budget_bytes": budget},
        "models": [
            {
                "name": one.name,
                "form": file.quantization,
                "size_bytes": model.manifest.size_bytes,
                "need_bytes": one.need_bytes,
                "fits": one.need_bytes <= budget,
                "speed": speeds[one.name],
            }
            for (model, file), one in zip(installed, models, strict=True)
        ],
        "quarantined": quarantined,
        "upstreams": look_at_upstreams(settings.runtime),
        "findings": as_values(findings(facts)),
    }


def _wall_values(standing: frozenset[Wall]) -> list[dict[str, Any]]:
    return [
        {"name": str(wall), "keeps": keeps, "stands": wall in standing}
        for wall, keeps in WHAT_IT_KEEPS.items()
    ]


def _build() -> Build:
    try:
        return installed_build()
    except ModelRuntimeError as error:
        return Build(f"does not start: {error.message}", False, ())


def _installed(settings: Settings) -> list[tuple[InstalledModel, ModelFile]]:
    """The models whose files lie here and can be read."""
    found = []
    for model in sorted(model_store(settings).models(), key=lambda one: str(one.name)):
        if isinstance(model, UpstreamModel):
            continue
        try:
            found.append((model, inspect(model.path)))
        except (ModelRuntimeError, OSError):
            continue  # damaged or missing: loading it by name tells why
    return found


def _missing(settings: Settings) -> list[str]:
    """The models that the assistant is set to use and does not have."""
    have = {name.folded() for name in model_store(settings).names()}
    rag = settings.rag
    wanted = ((rag.embed_url, rag.embed_model), (rag.chat_url, rag.chat_model))
    ours = [name for url, name in wanted if rag.runtime_url and url.startswith(rag.runtime_url)]
    return [name for name in ours if parse_name(name).folded() not in have]


def _facts(settings: Settings, model: InstalledModel, file: ModelFile) -> ModelFacts:
    name, tuner = str(model.name), Tuner(settings.runtime, model_store(settings))
    known = tuner.known(model)
    chats = model.name.folded() == parse_name(settings.rag.chat_model).folded()
    faster = chats and known is not None and known.decision.form is not None
    return ModelFacts(
        name,
        _need_bytes(settings, model, file),
        worth_measuring=chats and known is None and bool(_worth(tuner, model)),
        measured=known is not None,
        advice=advice(model, known) if known is not None and faster else "",
    )


def _worth(tuner: Tuner, model: InstalledModel) -> tuple[str, ...]:
    try:
        return tuner.wanted(model)
    except ModelRuntimeError:
        return ()


def _need_bytes(settings: Settings, model: InstalledModel, file: ModelFile) -> int:
    """What the model takes as the runtime would load it."""
    runtime = settings.runtime
    limits = (runtime.context_length_tokens, file.context_length or runtime.context_length_tokens)
    config = WorkerConfig(
        model.path,
        file.embeds,
        min(limits),
        1,
        runtime.max_sequences,
        runtime.batch_tokens,
        memory_contexts=runtime.memory_contexts,
        cached_contexts=runtime.cached_contexts,
    )
    need = need_of(file, cells=config.cells, slots=config.slots, batch_tokens=config.batch_tokens)
    return need.total_bytes


def _speeds(
    settings: Settings,
    installed: list[tuple[InstalledModel, ModelFile]],
    *,
    measured: bool,
) -> dict[str, dict[str, Any]]:
    """By name: what was measured now or before, or what follows from another model's figures."""
    notes_of = _kept_figures(settings, installed)
    known: dict[str, tuple[ModelFile, Figures]] = {}
    for model, file in installed:
        figures = notes_of.get(model.manifest.model.digest)
        if measured and not file.embeds:
            figures = _measure(settings, model)
        if figures is not None:
            known[str(model.name)] = file, figures
    found = {}
    for model, file in installed:
        name = str(model.name)
        if name in known:
            found[name] = asdict(known[name][1]) | {"how": MEASURED}
        elif known and not file.embeds:
            like, figures = min(
                known.values(), key=lambda one: abs(one[0].weights_bytes - file.weights_bytes)
            )
            found[name] = asdict(expected(figures, like, file)) | {"how": EXPECTED}
        else:
            found[name] = {"how": UNKNOWN}
    return found


def _kept_figures(
    settings: Settings, installed: list[tuple[InstalledModel, ModelFile]]
) -> dict[str, Figures]:
    """By the digest of the weights: what `lamplight tune` found, of every form it tried."""
    tuner = Tuner(settings.runtime, model_store(settings))
    kept = [tuner.known(model) for model, _ in installed]
    return {form.digest: form.figures for one in kept if one is not None for form in one.forms}


def _measure(settings: Settings, model: InstalledModel) -> Figures | None:
    notes.print(f"Measuring {model.name}", style="dim", markup=False)
    threads = settings.runtime.threads or usable_cores()
    try:
        model_store(settings).verify(model)
        return measure(model.path, threads, settings.runtime.gpu_layers)
    except ModelRuntimeError as error:
        notes.print(f"{model.name}: {error.message}", markup=False)
        return None


def _quarantined(settings: Settings) -> list[str]:
    """Names of the models that are set aside; the digest of one that has no name any more."""
    digests = Quarantine.of(settings.runtime).digests()
    names = {x.manifest.loaded_digest: str(x.name) for x in model_store(settings).models()}
    return [names.get(digest, digest) for digest in digests]
