"""What every command shares: its data directory, its settings, and how it speaks."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from lamplight.client import PlatformClient, connect
from lamplight.installing import install
from lamplight.settings import Settings, load_settings

# Standard output carries results alone; everything said along the way goes to standard error.
notes = Console(stderr=True, highlight=False)
results = Console(highlight=False)

Data = Annotated[
    Path | None,
    typer.Option("--data", help="The data directory. Default: $LAMPLIGHT_DATA, else ~/.lamplight."),
]
Department = Annotated[
    str | None, typer.Option("--department", help="Needed only where there are several.")
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object and nothing else on standard output.")
]


def print_json(value: Any) -> None:
    """One JSON object on standard output."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


@contextmanager
def platform(
    data: Path | None, purpose: str, *, writes_answers: bool = False
) -> Iterator[tuple[PlatformClient, Settings]]:
    """The platform of a data directory: the one that runs, or one for this command.

    writes_answers: whether the command needs the chat model, which is large.
    """
    settings = load_settings(data)

    def reload(overrides: Mapping[str, object]) -> Settings:
        return load_settings(data, overrides)

    def prepare() -> None:
        install(settings, settings.rag.embed_model, notes, only_if_missing=True)
        if writes_answers:
            install(settings, settings.rag.chat_model, notes, only_if_missing=True)

    def report(note: str) -> None:
        notes.print(note, style="dim")

    with connect(settings, reload, purpose, report, prepare) as client:
        yield client, settings
