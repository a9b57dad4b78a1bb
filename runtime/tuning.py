"""Finds the fastest form of a model on this machine, once, and keeps the figures beside the models.

A note is a file of its own for each model, machine and version of llama.cpp. It says what was
measured, of what, with which tool and on which processor; it switches nothing on. The forms take
turns, so that whatever else the machine does disturbs all of them alike.
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runtime.config import RuntimeSettings
from runtime.errors import BadModelFile, LoadFailed
from runtime.forms import Decision, Figures, Machine, best, candidates, decide
from runtime.inspect import inspect
from runtime.machine import Processor, processor, usable_cores
from runtime.measuring import installed_build, measure
from runtime.memory import default_budget_bytes
from runtime.pull import PullProgress, Report
from runtime.quantize import Quantizer, tool_name
from runtime.quarantine import Quarantine
from runtime.store import InstalledModel, Store, sha256_of

FOLDER = "tuning"
ROUNDS = 2
MAX_NOTE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Form:
    """A model in one type of weights: its file, and what it did here."""

    type: str
    digest: str
    size_bytes: int
    figures: Figures


@dataclass(frozen=True, slots=True)
class Tuning:
    """What was measured of one model on one machine. forms: the model's own first.

    skipped: types that could not be made or loaded, with the reason.
    """

    source_digest: str
    tool: str
    processor: Processor
    threads: int
    measured_at: str
    forms: tuple[Form, ...]
    skipped: Mapping[str, str]

    @property
    def decision(self) -> Decision:
        """What to make of it, by today's rule."""
        others = {form.type: form.figures for form in self.forms[1:]}
        return decide(self.forms[0].figures, others)


class Tuner:
    """Measures the models of one store."""

    def __init__(
        self, settings: RuntimeSettings, store: Store, here: Callable[[], Processor] = processor
    ) -> None:
        self._settings = settings
        self._store = store
        self._processor = here()
        self._quantizer = Quantizer(settings, store)
        self._threads = settings.threads or usable_cores()

    def known(self, model: InstalledModel) -> Tuning | None:
        """What was measured before, with this tool and on such a processor."""
        path = self._path(model)
        try:
            if path.stat().st_size > MAX_NOTE_BYTES:
                return None
            found = read_note(path.read_text())
        except (OSError, ValueError, KeyError, TypeError):
            return None  # no note, or one of another version: it is measured again
        current = (model.manifest.model.digest, tool_name(), self._processor, self._threads)
        kept = (found.source_digest, found.tool, found.processor, found.threads)
        return found if kept == current else None

    def wanted(self, model: InstalledModel) -> tuple[str, ...]:
        """The types worth measuring. Raises BadModelFile, LoadFailed."""
        features = frozenset(self._processor.features)
        budget = self._settings.memory_bytes or default_budget_bytes()
        has_gpu = bool(self._settings.gpu_layers and installed_build().cards)
        return candidates(inspect(model.path), Machine(features, has_gpu, budget))

    def run(self, model: InstalledModel, report: Report) -> Tuning:
        """Measure all forms and keep the figures.

        Raises BadModelFile, LoadFailed, NoSpace, WrongDigest, Quarantined.
        """
        digest = model.manifest.model.digest
        Quarantine.of(self._settings).check(digest, str(model.name))
        self._store.verify(model)
        kinds = self.wanted(model)
        with self._forms(model, kinds, report) as (paths, skipped):
            figures = self._take_turns(paths, digest, skipped, report)
            forms = tuple(_form(kind, paths[kind], best(f)) for kind, f in figures.items())
        now = datetime.now(UTC).isoformat(timespec="seconds")
        found = Tuning(
            digest, tool_name(), self._processor, self._threads, now, forms, dict(skipped)
        )
        self._keep(model, found)
        return found

    @contextmanager
    def _forms(
        self, model: InstalledModel, kinds: tuple[str, ...], report: Report
    ) -> Iterator[tuple[dict[str, Path], dict[str, str]]]:
        """Files by their type, the model's own first; they go with the block."""
        digest, skipped = model.manifest.model.digest, dict[str, str]()
        paths = {inspect(model.path).quantization: model.path}
        with ExitStack() as stack:
            for kind in kinds:
                try:
                    made = self._quantizer.made(model.path, kind, digest, report)
                    paths[kind] = stack.enter_context(made)
                except BadModelFile as error:
                    skipped[kind] = error.message
            yield paths, skipped

    def _take_turns(
        self, paths: Mapping[str, Path], digest: str, skipped: dict[str, str], report: Report
    ) -> dict[str, list[Figures]]:
        own = next(iter(paths))
        found: dict[str, list[Figures]] = {}
        for turn in range(ROUNDS):
            for kind, path in paths.items():
                if kind in skipped:
                    continue
                report(PullProgress(f"measuring {kind}", digest))
                try:
                    figures = self._measure(path, foretell=not turn)
                except LoadFailed as error:
                    if kind == own:
                        raise
                    skipped[kind] = error.message
                    found.pop(kind, None)
                else:
                    found.setdefault(kind, []).append(figures)
        return found

    def _measure(self, path: Path, *, foretell: bool) -> Figures:
        return measure(path, self._threads, self._settings.gpu_layers, foretell=foretell)

    def _path(self, model: InstalledModel) -> Path:
        name = f"{model.manifest.model.digest[7:19]}-{self._processor.id}.json"
        return self._store.models_dir / FOLDER / name

    def _keep(self, model: InstalledModel, found: Tuning) -> None:
        path = self._path(model)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".new")
        partial.write_text(json.dumps(as_values(found), indent=2))
        partial.replace(path)
        with contextlib.suppress(OSError):  # a store that several people share
            path.chmod(0o644)


def _form(kind: str, path: Path, figures: Figures) -> Form:
    return Form(kind, sha256_of(path), path.stat().st_size, figures)


def as_values(found: Tuning) -> dict[str, Any]:
    """A note as JSON can hold it, with the decision for whoever reads it."""
    return asdict(found) | {"decision": asdict(found.decision)}


def read_note(text: str) -> Tuning:
    """A note that was kept. Raises ValueError, KeyError, TypeError."""
    told = json.loads(text)
    forms = tuple(Form(**{**form, "figures": Figures(**form["figures"])}) for form in told["forms"])
    here = Processor(**{**told["processor"], "features": tuple(told["processor"]["features"])})
    return Tuning(
        told["source_digest"],
        told["tool"],
        here,
        told["threads"],
        told["measured_at"],
        forms,
        told["skipped"],
    )
