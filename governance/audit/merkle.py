"""The Merkle tree of RFC 6962 and RFC 9162: hashes, roots and proofs.

Pure. A tree grows by appending leaves. Only perfect subtrees are kept, since they never change
again: `Place(level, position)` covers the leaves from `position * 2**level` on. Every other subtree
is put together from at most log2(n) of them. Proofs are named first as places to look up, so that
whoever keeps the hashes can read them all at once.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


class Place(NamedTuple):
    """A perfect subtree; level 0 is a leaf."""

    level: int
    position: int


class Span(NamedTuple):
    """The leaves of one subtree: the first, and the one after the last."""

    start: int
    end: int


class ProofInvalid(ValueError):
    """A proof does not show what it should; the text says why."""


Hashes = Mapping[Place, bytes]


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf; the first byte keeps leaves and nodes apart."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of the node above two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def siblings(seq: int) -> tuple[Place, ...]:
    """The subtrees that the new leaf completes, from below: what stands to the left of each."""
    found = []
    level = 0
    while seq >> level & 1:
        found.append(Place(level, (seq >> level) - 1))
        level += 1
    return tuple(found)


def grow(seq: int, leaf: bytes, hashes: Hashes) -> dict[Place, bytes]:
    """The nodes that come to be with leaf number `seq`; hashes: those of `siblings(seq)`."""
    made = {}
    current = leaf
    for place in siblings(seq):
        current = node_hash(hashes[place], current)
        made[Place(place.level + 1, place.position >> 1)] = current
    return made


def cover(span: Span) -> tuple[Place, ...]:
    """The perfect subtrees that a subtree consists of, from the left, each smaller than the last.

    The span must be one that the tree has: it starts at a multiple of its largest power of two.
    """
    found = []
    start = span.start
    while start < span.end:
        level = (span.end - start).bit_length() - 1
        found.append(Place(level, start >> level))
        start += 1 << level
    return tuple(found)


def fold(span: Span, hashes: Hashes) -> bytes:
    """The hash of a subtree; hashes: those of `cover(span)`."""
    places = cover(span)
    if not places:
        return EMPTY_ROOT
    current = hashes[places[-1]]
    for place in reversed(places[:-1]):
        current = node_hash(hashes[place], current)
    return current


def places_of(spans: Iterable[Span]) -> tuple[Place, ...]:
    """Everything to look up for these subtrees."""
    return tuple(place for span in spans for place in cover(span))


def inclusion_spans(seq: int, size: int) -> tuple[Span, ...]:
    """The subtrees whose hashes prove that leaf `seq` is in the tree of `size`, from below.

    Raises ProofInvalid.
    """
    if not 0 <= seq < size:
        raise ProofInvalid(f"There is no leaf {seq} in a tree of {size}.")
    found = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _largest_power_below(end - start)
        if seq < middle:
            found.append(Span(middle, end))
            end = middle
        else:
            found.append(Span(start, middle))
            start = middle
    return tuple(reversed(found))


def consistency_spans(first: int, second: int) -> tuple[Span, ...]:
    """The subtrees whose hashes prove that the tree of `first` begins the tree of `second`.

    Raises ProofInvalid: of an empty tree there is nothing to prove.
    """
    if not 0 < first <= second:
        raise ProofInvalid(f"Nothing proves that {first} leaves begin {second}.")
    if first == second:
        return ()
    found = []
    start, end = 0, second
    while end != first:
        middle = start + _largest_power_below(end - start)
        if first <= middle:
            found.append(Span(middle, end))
            end = middle
        else:
            found.append(Span(start, middle))
            start = middle
    # Whoever checks already has the old root where the old tree is itself one of the subtrees.
    if start > 0:
        found.append(Span(start, end))
    return tuple(reversed(found))


def check_inclusion(seq: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf is in a tree (RFC 9162, 2.1.3.2). Raises ProofInvalid."""
    if not 0 <= seq < size:
        raise ProofInvalid(f"There is no leaf {seq} in a tree of {size}.")
    _check_lengths(leaf, root, *proof)
    index, last, current = seq, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofInvalid("The proof is too long.")
        if index & 1 or index == last:
            current = node_hash(sibling, current)
            while index & 1 == 0 and index:
                index, last = index >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        index, last = index >> 1, last >> 1
    if last:
        raise ProofInvalid("The proof is too short.")
    if current != root:
        raise ProofInvalid("The proof leads to another root.")


def check_consistency(
    first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that one tree begins another (RFC 9162, 2.1.4.2). Raises ProofInvalid."""
    if not 0 < first <= second:
        raise ProofInvalid(f"Nothing proves that {first} leaves begin {second}.")
    if first == second:
        if proof or first_root != second_root:
            raise ProofInvalid("Two trees of one size have different roots, or a proof too much.")
        return
    _check_lengths(first_root, second_root, *proof)
    path = list(proof) if first & (first - 1) else [first_root, *proof]
    if not path:
        raise ProofInvalid("The proof is too short.")
    index, last = first - 1, second - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    older = newer = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofInvalid("The proof is too long.")
        if index & 1 or index == last:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
            while index & 1 == 0 and index:
                index, last = index >> 1, last >> 1
        else:
            newer = node_hash(newer, sibling)
        index, last = index >> 1, last >> 1
    if last:
        raise ProofInvalid("The proof is too short.")
    if older != first_root or newer != second_root:
        raise ProofInvalid("The proof leads to another root.")


def _largest_power_below(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1


def _check_lengths(*hashes: bytes) -> None:
    if any(len(one) != HASH_BYTES for one in hashes):
        raise ProofInvalid(f"A hash has {HASH_BYTES} bytes.")
