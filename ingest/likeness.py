"""How alike two documents are, told from 512 bytes each: an older copy is found without its text.

MinHash after Broder (1997): of all stretches of five words of a document, each of 128 hash
functions keeps the smallest value; two documents share as many of these as they share stretches.
Cut into 32 bands of 4, documents that are at least 0.8 alike share a band with a probability above
0.9999.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

PERMUTATIONS, BANDS = 128, 32
# Two documents at least this alike are copies of each other, or versions close together.
NEAR = 0.8
_ROWS = PERMUTATIONS // BANDS
_SHINGLE_WORDS = 5
# Hash values permuted at a time: 128 × 8192 × 8 bytes.
_CHUNK = 8192
_WORD = re.compile(r"\w+")
_BYTES = PERMUTATIONS * 4


def signature(texts: Iterable[str]) -> bytes:
    """The 128 smallest hash values of a document, 4 bytes each; empty if it has no words."""
    hashes = np.unique(np.fromiter((_hash(one) for one in _shingles(texts)), dtype=np.uint64))
    if not hashes.size:
        return b""
    factors, summands = _permutations()
    least = np.full(PERMUTATIONS, np.iinfo(np.uint32).max, dtype=np.uint32)
    for start in range(0, hashes.size, _CHUNK):
        # Multiplication runs over on purpose; the upper half of the product is well mixed.
        mixed = hashes[start : start + _CHUNK] * factors[:, None] + summands[:, None]
        least = np.minimum(least, (mixed >> np.uint64(32)).astype(np.uint32).min(axis=1))
    return least.astype("<u4").tobytes()


def bands(of: bytes) -> tuple[int, ...]:
    """32 numbers below 2**63; near copies have at least one in common, at the same place."""
    width = _ROWS * 4
    return tuple(_number(of[start : start + width]) for start in range(0, len(of), width))


def likeness(one: bytes, other: bytes) -> float:
    """The estimated share of common five-word stretches, 0 to 1; exact to about 0.05."""
    if len(one) != _BYTES or len(other) != _BYTES:
        return 0.0
    return float(np.mean(np.frombuffer(one, "<u4") == np.frombuffer(other, "<u4")))


def exact_likeness(one: Iterable[str], other: Iterable[str]) -> float:
    """The share of common five-word stretches among all of both documents, 0 to 1."""
    mine, theirs = ({_hash(stretch) for stretch in _shingles(texts)} for texts in (one, other))
    every = len(mine | theirs)
    return len(mine & theirs) / every if every else 0.0


def _shingles(texts: Iterable[str]) -> Iterator[str]:
    """Stretches of five words; a document of fewer words is one stretch."""
    words = (match.group().casefold() for text in texts for match in _WORD.finditer(text))
    window = list(islice(words, _SHINGLE_WORDS))
    if window:
        yield " ".join(window)
    for word in words:
        window = [*window[1:], word]
        yield " ".join(window)


def _hash(stretch: str) -> int:
    return int.from_bytes(hashlib.blake2b(stretch.encode(), digest_size=8).digest(), "little")


def _number(part: bytes) -> int:
    digest = hashlib.blake2b(part, digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def _permutations() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The same odd factors and the same summands on every machine, for ever."""
    factors = [_hash(f"factor {index}") | 1 for index in range(PERMUTATIONS)]
    summands = [_hash(f"summand {index}") for index in range(PERMUTATIONS)]
    return np.array(factors, dtype=np.uint64), np.array(summands, dtype=np.uint64)
