"""A signed trail with an anchor."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.audit.testing import Trail, trail_of
from governance.record.database import Record


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture
def empty(record: Record, key: Ed25519PrivateKey, tmp_path: Path) -> Trail:
    return trail_of(record, key, tmp_path / "anchor")


@pytest.fixture
def trail(empty: Trail) -> Trail:
    """33 events: signed at 10, 20 and 30."""
    for _ in range(3):
        empty.append(10)
        empty.checkpoints.sign()
    empty.append(3)
    return empty
