"""No question reaches another department's passages, whatever it asks for (LLM-08, AZ-2).

`AZ_2_QUERIES` sets how many questions are asked; `make prove` asks 10,000.
"""

import os
import random
from pathlib import Path
from uuid import UUID

import pytest

from rag.config import RagSettings
from rag.index import OPEN, IndexPoint
from rag.index.edge import EdgeIndex

QUERIES = int(os.environ.get("AZ_2_QUERIES", "500"))
DEPARTMENTS = ("Pharmacy", "pharmacy", "Pharmacy ", "Ward 7", "*", "' OR 1=1 --", "Theatre")
WORDS = ["vial", "hand", "fridge", "fall", "ring", "visitor", "needle", "dose", "band", "scrub"]
DIMENSIONS = 8


def vector(chance: random.Random) -> list[float]:
    return [chance.uniform(-1, 1) for _ in range(DIMENSIONS)]


@pytest.fixture
def owners(tmp_path: Path) -> tuple[EdgeIndex, dict[str, str]]:
    """An index in which every department has the same texts, and whose each passage is."""
    chance = random.Random(7)
    settings = RagSettings(tmp_path / "index", embed_dimensions=DIMENSIONS, index_reserve_bytes=0)
    index, owner = EdgeIndex(settings), {}
    points = []
    for number in range(70 * len(DEPARTMENTS)):
        department = DEPARTMENTS[number % len(DEPARTMENTS)]
        passage_id = str(UUID(int=number))
        owner[passage_id] = department
        text = " ".join(chance.sample(WORDS, 4))
        points.append(
            IndexPoint(
                passage_id, f"d{number}", f"v{number}", department, text, vector(chance), OPEN
            )
        )
    index.upsert(points)
    return index, owner


def test_az_2_no_search_returns_a_foreign_passage(
    owners: tuple[EdgeIndex, dict[str, str]],
) -> None:
    """Words and vectors that fit everybody's passages bring one's own alone."""
    index, owner = owners
    chance = random.Random(11)
    found = 0
    for _ in range(QUERIES):
        department = chance.choice(DEPARTMENTS)
        text = " ".join([*chance.sample(WORDS, 3), chance.choice(DEPARTMENTS)])
        meaning = vector(chance) if chance.random() < 0.8 else None
        hits = index.search(department, text, meaning, chance.choice((1, 10, 100)), 1.0)
        assert {owner[hit.passage_id] for hit in hits} <= {department}
        found += len(hits)
    assert found > QUERIES, "the searches do find something"
    index.close()


@pytest.mark.parametrize("department", ["", "Nowhere", "PHARMACY", "Pharmacy\0", "%"])
def test_llm_08_a_name_that_is_nobodys_finds_nothing(
    owners: tuple[EdgeIndex, dict[str, str]], department: str
) -> None:
    """There is no name that means all of them, and none does not mean all."""
    index, _ = owners
    assert index.search(department, "vial hand", [1.0] * DIMENSIONS, 10, 1.0) == []
    index.close()
