"""Search time, time to index a passage and memory as an index grows, in the embedded engine.

python -m benchmarks.growing [--sizes N…] [--departments N] [--queries N]

After each size the index is opened anew, as at the next start, when a large one gets its graph.
Passages are synthetic and seeded: words by Zipf's law, vectors around centres. A tenth of the
versions is not in force, so the filter of each search has something to leave out.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import numpy as np

from benchmarks.figures import spread
from benchmarks.machine import describe, resident_mib
from rag.config import RagSettings
from rag.index import CLOSED, OPEN, IndexPoint
from rag.index.edge import EdgeIndex

SEED = 20
WORDS, PASSAGE_WORDS, QUESTION_WORDS = 30_000, 120, 9
CENTRES, SPREAD = 500, 0.6
VERSION_PASSAGES = 40
BATCH = 500
NOW = 1_800_000_000.0


class Library:
    """Seeded passages, and questions like them."""

    def __init__(self, dimensions: int, departments: int) -> None:
        self._random = np.random.default_rng(SEED)
        self._centres = self._random.standard_normal((CENTRES, dimensions))
        self._departments = departments
        self._odds = 1 / np.arange(10, WORDS + 10)
        self._odds /= self._odds.sum()

    def points(self, first: int, count: int) -> Iterator[IndexPoint]:
        """Passages by their place in the library."""
        for place in range(first, first + count):
            version = place // VERSION_PASSAGES
            yield IndexPoint(
                str(UUID(int=place)),
                f"d{version}",
                f"v{version}",
                f"department {version % self._departments}",
                self.text(PASSAGE_WORDS),
                self.vector(),
                CLOSED if version % 10 == 0 else OPEN,
            )

    def text(self, words: int) -> str:
        """So many words."""
        return " ".join(f"w{n}" for n in self._random.choice(WORDS, words, p=self._odds))

    def vector(self) -> Sequence[float]:
        """A unit vector near one of the centres."""
        centre = self._centres[self._random.integers(CENTRES)]
        found = centre + SPREAD * self._random.standard_normal(len(centre))
        return [float(x) for x in found / np.linalg.norm(found)]


def main() -> None:
    """Grow one index through the sizes; print one JSON object a size."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    options.add_argument("--departments", type=int, default=1)
    options.add_argument("--queries", type=int, default=300)
    chosen = options.parse_args()
    print(describe())
    with tempfile.TemporaryDirectory() as folder:
        settings = RagSettings(index_dir=Path(folder) / "index")
        index = EdgeIndex(settings)
        library = Library(settings.embed_dimensions, chosen.departments)
        there = 0
        for size in chosen.sizes:
            each_ms = 1000 * grown(index, library, there, size) / (size - there)
            before = spread(searched(index, library, chosen))
            index.close()
            began = time.perf_counter()
            index = EdgeIndex(settings)
            figures = {
                "passages": size,
                "departments": chosen.departments,
                "index_ms_per_passage": round(each_ms, 2),
                "search_ms_before_a_start": before,
                "start_s": round(time.perf_counter() - began, 1),
                "search_ms": spread(searched(index, library, chosen)),
                "resident_mib": round(resident_mib(os.getpid())),
            }
            print(json.dumps(figures), flush=True)
            there = size
        index.close()


def grown(index: EdgeIndex, library: Library, there: int, size: int) -> float:
    """Seconds that the engine took to take the passages in, without those to make them."""
    taken = 0.0
    for first in range(there, size, BATCH):
        batch = list(library.points(first, min(BATCH, size - first)))
        began = time.perf_counter()
        index.upsert(batch)
        taken += time.perf_counter() - began
    began = time.perf_counter()
    index.flush()
    return taken + time.perf_counter() - began


def searched(index: EdgeIndex, library: Library, chosen: argparse.Namespace) -> list[float]:
    """Milliseconds that each search took."""
    times = []
    for n in range(chosen.queries):
        question = library.text(QUESTION_WORDS), library.vector()
        began = time.perf_counter()
        found = index.search(f"department {n % chosen.departments}", *question, 10, NOW)
        times.append(1000 * (time.perf_counter() - began))
        assert found, "a search that finds nothing measures nothing"
    return times


if __name__ == "__main__":
    main()
