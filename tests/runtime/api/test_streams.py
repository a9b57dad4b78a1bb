"""Many streams at once through a real front, with a worker behind it that needs no model."""

import os
from pathlib import Path

from runtime.testing_streams import measure

STREAMS = int(os.environ.get("RUNTIME_STREAMS", "200"))
MOST_MIB = 600
PIECES = 20


def test_every_stream_is_whole_and_its_own(tmp_path: Path) -> None:
    """All are open before the first piece is written; each ends with its own, in order."""
    found = measure(tmp_path, STREAMS, PIECES)
    assert (found.wrong, found.streams) == (0, STREAMS)
    assert found.lines == STREAMS * (PIECES + 1)
    assert found.peak_mib < MOST_MIB
