"""Measures which form of the chat model is fastest here, and says what could be won."""

from rich.console import Console
from rich.table import Table

from lamplight.installing import model_store
from lamplight.settings import Settings
from runtime.catalog import builtin_catalog
from runtime.errors import ModelRuntimeError
from runtime.names import ModelName, parse_name
from runtime.pull import PullProgress
from runtime.store import InstalledModel
from runtime.tuning import Tuner, Tuning
from runtime.upstream_model import UpstreamModel

# A larger model is measured when somebody asks for it: it would hold up the start for minutes.
MAX_BYTES_AT_START = 3 * 1024**3


def form_name(model: ModelName, kind: str) -> ModelName:
    """The name of another form: `qwen:0.5b` in Q4_0 is `qwen:0.5b-q4_0`."""
    return parse_name(f"{model.full}-{kind.lower()}")


def measure_at_start(settings: Settings, notes: Console) -> None:
    """Measure the chat model once on a machine; whatever goes wrong never holds up the start."""
    if not settings.runtime.measure_forms:
        return
    try:
        store = model_store(settings)
        model = store.read(parse_name(settings.rag.chat_model))
        if isinstance(model, UpstreamModel):
            return  # another server answers for it
        tuner = Tuner(settings.runtime, store)
        if tuner.known(model) or model.manifest.model.size > MAX_BYTES_AT_START:
            return
        if not tuner.wanted(model):
            return
        notes.print(f"Measuring once which form of {model.name} is fastest here, up to a minute")
        found = tuner.run(model, lambda _: None)
    except ModelRuntimeError as error:
        notes.print(f"Not measured: {error.message}", markup=False, style="dim")
        return
    notes.print(advice(model, found), markup=False)


def advice(model: InstalledModel, found: Tuning) -> str:
    """What the figures say, and what to do about it."""
    decision = found.decision
    if decision.form is None:
        return f"{model.name} is best as it is. {decision.reason}"
    entry = builtin_catalog().derived(found.source_digest, decision.form)
    name = entry.name if entry else form_name(model.name, decision.form)
    how = f"lamplight pull {name}" if entry else f"lamplight tune {model.name} --make"
    return (
        f"As {decision.form}, {model.name} would answer {decision.gain:.1f} times faster here"
        f" ({_quality(decision.loss_nats)}). Nothing was changed. To try it: {how}; have it"
        f" approved for public data (`lamplight model propose {name}`); compare its answers to"
        f" your questions (`lamplight eval`), and only then set LAMPLIGHT_CHAT_MODEL={name}."
    )


def _quality(loss_nats: float) -> str:
    if loss_nats <= 0:
        return "no worse at foretelling a page of policy"
    return f"it is {loss_nats:.1%} less sure of each word of a page of policy"


def figures_table(found: Tuning) -> Table:
    """Each form with what it did."""
    table = Table("Form", "Size", "Prompt tokens/s", "Answer tokens/s", "A question", "Nats/token")
    for form in found.forms:
        figures = form.figures
        table.add_row(
            form.type,
            f"{form.size_bytes / 1e6:.0f} MB",
            f"{figures.prompt_tokens_per_s:.0f}",
            f"{figures.answer_tokens_per_s:.1f}",
            f"{figures.request_s:.1f} s",
            f"{figures.nats_per_token:.3f}",
        )
    return table


def step_of(notes: Console, step: PullProgress) -> None:
    """Say a step that is no count of bytes."""
    if not step.total:
        notes.print(step.status, style="dim", markup=False)
