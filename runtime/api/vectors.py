"""Vectors as both dialects send them."""

import base64

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def as_floats(content: bytes) -> Floats:
    """The numbers of a vector from its little-endian bytes."""
    return np.frombuffer(content, dtype="<f4")


def shortened(vector: Floats, dimensions: int) -> Floats:
    """The first numbers of a vector, brought back to length one; all of them for 0."""
    if not 0 < dimensions < len(vector):
        return vector
    cut = vector[:dimensions]
    length = float(np.linalg.norm(cut))
    return cut / np.float32(length) if length else cut


def as_base64(vector: Floats) -> str:
    """A vector as OpenAI's clients like it best."""
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()
