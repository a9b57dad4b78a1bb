"""What the rules find and what they cost, on attacks and policies that others wrote."""

import hashlib
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from rag.hostile import find
from rag.scope import kind_of

pytestmark = pytest.mark.corpus

# Of the half that the rules were not built on, in percent: what was reached, less a little.
LEAST_INDIRECT = 65
LEAST_DIRECT = 48


@pytest.fixture(scope="module")
def corpus() -> Path:
    path = Path(os.environ.get("LAMPLIGHT_CORPUS", "../shared/data"))
    if not (path / "injection-dev.jsonl").is_file():
        pytest.skip("the shared attacks are not here: set LAMPLIGHT_CORPUS")
    return path


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def is_held_back(row: dict[str, Any]) -> bool:
    """Whether a case belongs to the half that was not looked at while the rules were built."""
    return hashlib.sha256(row["id"].encode()).digest()[0] % 2 == 1


def test_planted_text_is_found_in_the_half_held_back(corpus: Path) -> None:
    """What is missed is mostly ordinary questions and tasks planted out of place."""
    held = [row for row in rows(corpus / "injection-dev.jsonl") if is_held_back(row)]
    planted = [row for row in held if (row["label"], row["kind"]) == ("injection", "indirect")]
    found = sum(bool(find(row["text"])) for row in planted)
    assert 100 * found >= LEAST_INDIRECT * len(planted), Counter(row["family"] for row in planted)


def test_attacks_in_questions_are_found_in_the_half_held_back(corpus: Path) -> None:
    """Half of them ask plainly for a secret or a subject that no policy has."""
    held = [row for row in rows(corpus / "injection-dev.jsonl") if is_held_back(row)]
    direct = [row for row in held if (row["label"], row["kind"]) == ("injection", "direct")]
    found = sum(kind_of(row["text"]) is not None for row in direct)
    assert 100 * found >= LEAST_DIRECT * len(direct)


def test_harmless_look_alikes_are_left_alone(corpus: Path) -> None:
    """All 81, both halves."""
    benign = [row for row in rows(corpus / "injection-dev.jsonl") if row["label"] == "benign"]
    assert len(benign) == 81
    assert [row["id"] for row in benign if find(row["text"])] == []


def test_questions_about_policies_are_let_through(corpus: Path) -> None:
    """All 220 of the development set."""
    asked = [row["question"] for row in rows(corpus / "qa-dev.jsonl")]
    assert len(asked) == 220
    assert [one for one in asked if kind_of(one)] == []


def test_evidence_in_policies_is_left_alone(corpus: Path) -> None:
    """Every passage that a question of the development set is answered from."""
    golds = [gold for row in rows(corpus / "qa-dev.jsonl") for gold in row.get("gold", ())]
    assert golds
    assert [gold["doc"] for gold in golds if find(gold["passage"])] == []
