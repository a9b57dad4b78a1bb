"""Reads files that were made to break readers, and writes down what became of each.

    python -m benchmarks.torture FOLDER [--out docs/torture.md]

Each file goes through the door of an upload: its kind by its bytes, then a child process behind
walls. It ends read, with what a person should look at, or refused, with the words that a person
would see. This process stands for the platform's: its memory must not grow with the files.
"""

import argparse
import resource
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.config import IngestSettings
from ingest.errors import RefusedFile
from ingest.parser import parse_file
from ingest.source import inspect
from ingest.split import split

HEAD = "| file | became | s | what a person is told |\n|---|---|---|---|\n"
SLOW_S = 30


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file, and how long that took; told: the refusal, or what to look at."""

    name: str
    became: str
    seconds: float
    told: str

    def row(self) -> str:
        """A line of the table."""
        told = self.told.replace("|", "\\|").replace("\n", " ")
        return f"| {self.name} | {self.became} | {self.seconds:.1f} | {told} |"


def main() -> None:
    """Read every file of a folder and write the table."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("folder", type=Path)
    asked.add_argument("--out", type=Path)
    chosen = asked.parse_args()
    before = own_memory_mib()
    outcomes = list(read_all(chosen.folder))
    text = report(outcomes, before, own_memory_mib())
    if chosen.out:
        chosen.out.write_text(text)
    print(text)


def read_all(folder: Path) -> Iterator[Outcome]:
    """Every file of a folder but its list, by name."""
    for path in sorted(one for one in folder.iterdir() if one.suffix != ".tsv"):
        start = time.perf_counter()
        became, told = read(path)
        yield Outcome(path.name, became, time.perf_counter() - start, told)


def read(path: Path) -> tuple[str, str]:
    """What a file becomes, and what is told of it; anything but a refusal is our fault."""
    settings = IngestSettings()
    try:
        source = inspect(path.name, path.read_bytes(), settings)
        document = parse_file(path, source.media_type, path.name, settings)
        passages = split(document, settings, title=document.title or path.stem)
    except RefusedFile as refusal:
        return f"refused: {refusal.type}", f"{refusal.message} {refusal.hint}"
    told = " ".join(f"Page {one.page}: {one.detail}" for one in document.findings[:3])
    more = len(document.findings) - 3
    return (
        f"{counted(document.page_count, 'page')}, {counted(len(passages), 'passage')}",
        f"{told} (and {more} more)" if more > 0 else told,
    )


def report(outcomes: list[Outcome], before: int, after: int) -> str:
    """The whole page."""
    kinds = Counter(one.became if ":" in one.became else "read" for one in outcomes)
    broken = sum("broke off" in one.told for one in outcomes)
    slow = [one.name for one in outcomes if one.seconds > SLOW_S]
    verdicts = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return (
        "# Files made to break readers\n\n"
        "Written by `python -m benchmarks.torture`; each file went through the door of an upload."
        "\n\n"
        f"{len(outcomes)} files: {verdicts}. Readers that broke off: {broken}. "
        f"Over {SLOW_S} s: {', '.join(slow) or 'none'}. "
        f"Longest: {max(one.seconds for one in outcomes):.1f} s. "
        f"Memory of the process that asked: {before} MiB before, {after} MiB at most.\n\n"
        + HEAD
        + "\n".join(one.row() for one in outcomes)
        + "\n"
    )


def counted(number: int, thing: str) -> str:
    """`1 page`, `2 pages`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def own_memory_mib() -> int:
    """The most memory that this process has had, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
