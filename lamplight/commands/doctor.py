"""`lamplight doctor`: what protects this machine's models, what memory they have, what is wrong."""

from typing import Any

from rich.table import Table

from lamplight.commands.options import AsJson, Data, print_json, results
from lamplight.installing import model_store
from lamplight.settings import Settings, load_settings
from runtime.enclosure import standing_walls
from runtime.memory import available_bytes, default_budget_bytes
from runtime.quarantine import Quarantine
from runtime.walls import WHAT_IT_KEEPS


def doctor(as_json: AsJson = False, data: Data = None) -> None:
    """Say which walls stand around a model's process here, and what models may take."""
    found = examine(load_settings(data))
    if as_json:
        print_json(found)
        return
    table = Table("", "A model's process")
    for wall in found["walls"]:
        table.add_row("yes" if wall["stands"] else "NO", wall["keeps"])
    results.print(table)
    free, budget = (found["memory"][name] / 2**30 for name in ("available_bytes", "budget_bytes"))
    results.print(f"Memory free {free:.1f} GiB, of which models may take {budget:.1f} GiB")
    for name in found["quarantined"]:
        results.print(f"Quarantined: {name}; `lamplight release {name}` lets it back", markup=False)


def examine(settings: Settings) -> dict[str, Any]:
    """All of it as values."""
    standing = standing_walls()
    budget = settings.runtime.memory_bytes or default_budget_bytes()
    return {
        "walls": [
            {"name": str(wall), "keeps": keeps, "stands": wall in standing}
            for wall, keeps in WHAT_IT_KEEPS.items()
        ],
        "memory": {"available_bytes": available_bytes(), "budget_bytes": budget},
        "quarantined": _quarantined(settings),
    }


def _quarantined(settings: Settings) -> list[str]:
    """Names of the models that are set aside; the digest of one that has no name any more."""
    digests = Quarantine.of(settings.runtime).digests()
    names = {x.manifest.model.digest: str(x.name) for x in model_store(settings).models()}
    return [names.get(digest, digest) for digest in digests]
