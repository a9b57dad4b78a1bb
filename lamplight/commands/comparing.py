"""`lamplight difference`: what changed between two files of a policy, doses and numbers first."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from ingest.config import IngestSettings
from ingest.difference import Change, ChangeKind, differences
from ingest.errors import RefusedFile
from ingest.parser import parse_file
from ingest.source import inspect
from ingest.split import split
from ingest.word_difference import Mark, Weight
from lamplight.commands.options import AsJson, Data, notes, print_json, results
from lamplight.errors import BadUse, OperationRefused
from lamplight.settings import load_settings

# A whole new policy is read, and not compared: this many changes say so.
_MAX_SHOWN = 200
_GROUPS = {
    Weight.DOSE: "Doses",
    Weight.FIGURE: "Numbers, times and dates",
    Weight.WORDS: "Words",
    Weight.HEADING: "Headings",
}
# Colour is never the only sign: brackets stay where there is none.
_MARKS = {
    Mark.KEPT: ("", "", ""),
    Mark.REMOVED: ("[-", "-]", "red"),
    Mark.ADDED: ("{+", "+}", "green"),
}


def difference(
    old: Annotated[Path, typer.Argument(help="The file as it was.")],
    new: Annotated[Path, typer.Argument(help="The file as it is now.")],
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Show what changed between two files of a policy; neither of them is loaded."""
    settings = load_settings(data).ingest
    changes = differences(_texts(old, settings), _texts(new, settings))
    if as_json:
        print_json({"changes": [_plain(change) for change in changes]})
        return
    _print(changes)


def _texts(path: Path, settings: IngestSettings) -> list[tuple[str, str]]:
    """The passages of a file, each with its section."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadUse(f"{path} cannot be read: {error.strerror}.", "Name two files.") from error
    try:
        source = inspect(path.name, content, settings)
        document = parse_file(path, source.media_type, path.name, settings)
    except RefusedFile as refused:
        raise OperationRefused(refused.message, refused.hint) from refused
    return [(passage.section, passage.text) for passage in split(document, settings)]


def _plain(change: Change) -> dict[str, object]:
    return asdict(change) | {"weight": change.weight.name.lower()}


def _print(changes: Sequence[Change]) -> None:
    shown = changes[:_MAX_SHOWN]
    for weight, title in _GROUPS.items():
        group = [change for change in shown if change.weight is weight]
        if group:
            results.print(Text(title, style="bold"))
        for change in group:
            results.print(_in_words(change), soft_wrap=True)
    if len(changes) > len(shown):
        notes.print(f"{len(changes) - len(shown):,} more changes are not shown; --json has all.")
    if not changes:
        notes.print("The two say the same.")


def _in_words(change: Change) -> Text:
    """A change in one line: where, what kind, and its words."""
    where = change.section or "Before the first heading"
    if change.section_before and change.weight is not Weight.HEADING:
        where = f"{where} (before: {change.section_before})"
    kind = "" if change.kind is ChangeKind.CHANGED else f"{change.kind.value}: "
    line = Text(f"  {where}: {kind}" if change.weight is not Weight.HEADING else "  ")
    for part in change.segments:
        before, after, style = _MARKS[part.mark]
        line.append(f"{before}{part.text}{after}", style=style or None)
    return line
