"""The Merkle tree agrees with the RFC, with other people's vectors and with another library."""

import hashlib
import json
import os
import random
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from pymerkle import InmemoryTree

from governance.audit.merkle import (
    EMPTY_ROOT,
    Place,
    ProofInvalid,
    Span,
    check_consistency,
    check_inclusion,
    consistency_spans,
    fold,
    grow,
    inclusion_spans,
    leaf_hash,
    node_hash,
)
from governance.audit.rebuild import Rebuilt

CORPUS = Path(os.environ.get("LAMPLIGHT_CORPUS", "../shared/data")) / "merkle" / "testdata"


class Tree:
    """A tree that keeps its hashes in a dictionary."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.hashes: dict[Place, bytes] = {}
        for seq, data in enumerate(leaves):
            leaf = leaf_hash(data)
            self.hashes |= {Place(0, seq): leaf, **grow(seq, leaf, self.hashes)}

    def root(self, size: int) -> bytes:
        return fold(Span(0, size), self.hashes)

    def inclusion(self, seq: int, size: int) -> list[bytes]:
        return [fold(span, self.hashes) for span in inclusion_spans(seq, size)]

    def consistency(self, first: int, second: int) -> list[bytes]:
        return [fold(span, self.hashes) for span in consistency_spans(first, second)]


def rfc_root(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962, section 2.1, word for word."""
    if len(leaves) < 2:
        return leaf_hash(leaves[0]) if leaves else hashlib.sha256().digest()
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return node_hash(rfc_root(leaves[:middle]), rfc_root(leaves[middle:]))


def vectors(kind: str) -> list[Any]:
    found = sorted((CORPUS / kind).rglob("*.json"))
    return [pytest.param(p, id=p.relative_to(CORPUS).as_posix()) for p in found]


def decoded(values: list[str] | None) -> list[bytes]:
    return [b64decode(value) for value in values or []]


@pytest.mark.parametrize("path", vectors("inclusion"))
def test_aud_1_the_inclusion_vectors_of_transparency_dev_hold(path: Path) -> None:
    """What others accept we accept, and what they refuse we refuse."""
    case = json.loads(path.read_text())
    arguments = (
        case["leafIdx"],
        case["treeSize"],
        b64decode(case["leafHash"] or ""),
        decoded(case["proof"]),
        b64decode(case["root"] or ""),
    )
    if case["wantErr"]:
        with pytest.raises(ProofInvalid):
            check_inclusion(*arguments)
    else:
        check_inclusion(*arguments)


@pytest.mark.parametrize("path", vectors("consistency"))
def test_aud_1_the_consistency_vectors_of_transparency_dev_hold(path: Path) -> None:
    """What others accept we accept, but for the empty tree, of which nothing can be proved."""
    case = json.loads(path.read_text())
    arguments = (
        case["size1"],
        case["size2"],
        b64decode(case["root1"] or ""),
        b64decode(case["root2"] or ""),
        decoded(case["proof"]),
    )
    if case["wantErr"] or case["size1"] == 0:
        with pytest.raises(ProofInvalid):
            check_consistency(*arguments)
    else:
        check_consistency(*arguments)


def test_aud_1_every_tree_of_the_rfc_up_to_33_leaves() -> None:
    """Roots are those of the definition, and every proof of every tree leads to them."""
    leaves = [bytes([number]) * number for number in range(33)]
    tree = Tree(leaves)
    assert tree.root(0) == EMPTY_ROOT == rfc_root([])
    for size in range(1, len(leaves) + 1):
        root = tree.root(size)
        assert root == rfc_root(leaves[:size])
        for seq in range(size):
            check_inclusion(seq, size, leaf_hash(leaves[seq]), tree.inclusion(seq, size), root)
        for first in range(1, size + 1):
            proof = tree.consistency(first, size)
            check_consistency(first, size, tree.root(first), root, proof)


def test_aud_1_nothing_is_proved_of_an_empty_tree() -> None:
    """An empty tree begins every tree, so a proof of it would prove nothing."""
    with pytest.raises(ProofInvalid):
        consistency_spans(0, 5)
    with pytest.raises(ProofInvalid):
        check_consistency(0, 5, EMPTY_ROOT, EMPTY_ROOT, [])


def test_a_proof_with_one_wrong_bit_is_refused() -> None:
    """Any bit of any hash counts."""
    chance = random.Random(7)
    tree = Tree([bytes([number]) for number in range(23)])
    for seq in range(23):
        proof = tree.inclusion(seq, 23)
        which, bit = chance.randrange(len(proof)), chance.randrange(256)
        wrong = int.from_bytes(proof[which]) ^ (1 << bit)
        proof[which] = wrong.to_bytes(32)
        with pytest.raises(ProofInvalid):
            check_inclusion(seq, 23, leaf_hash(bytes([seq])), proof, tree.root(23))


def differences(count: int, seed: int) -> int:
    """How many of so many random trees another library sees otherwise."""
    chance = random.Random(seed)
    found = 0
    for _ in range(count):
        leaves = [chance.randbytes(chance.randrange(40)) for _ in range(chance.randrange(1, 120))]
        ours, theirs = Tree(leaves), InmemoryTree(algorithm="sha256")
        for data in leaves:
            theirs.append_entry(data)
        size = chance.randrange(1, len(leaves) + 1)
        seq = chance.randrange(size)
        path = [bytes(one) for one in theirs.prove_inclusion(seq + 1, size).path]
        same_root = theirs.get_root(size) == ours.root(size)
        found += not (same_root and path[1:] == ours.inclusion(seq, size))
    return found


def test_aud_2_another_library_sees_the_same_trees() -> None:
    """pymerkle, written by others, finds the same roots and paths; `make prove` asks for 2,000."""
    assert differences(int(os.environ.get("AUD_2_TREES", "200")), seed=20) == 0


def test_a_rebuilt_tree_is_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Built a stretch at a time, from the start or from kept tops, the roots are the same."""
    monkeypatch.setattr("governance.audit.rebuild.STRETCH_LEVEL", 3)
    monkeypatch.setattr("governance.audit.rebuild.STRETCH", 8)
    leaves = [bytes([number]) for number in range(45)]
    tree = Tree(leaves)
    rebuilt = Rebuilt()
    made: dict[Place, bytes] = {}
    for start in range(0, 45, 8):
        for level, position, hashes in rebuilt.add(
            [leaf_hash(one) for one in leaves[start : start + 8]]
        ):
            made |= {Place(level, position + number): one for number, one in enumerate(hashes)}
        for size in range(start, min(start + 8, 45) + 1):
            assert rebuilt.root(size) == tree.root(size)
    assert rebuilt.size == 45
    assert made == {place: one for place, one in tree.hashes.items() if place.level > 0}
    resumed = Rebuilt([tree.hashes[Place(3, number)] for number in range(5)])
    resumed.add([leaf_hash(one) for one in leaves[40:]])
    assert resumed.root(45) == tree.root(45)
