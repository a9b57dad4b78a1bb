"""Broken model files against our reader, and those it accepts against llama.cpp itself."""

import json
import os
import subprocess
import sys

COUNT = int(os.environ.get("GGUF_MUTANTS", "300"))
HANG_S = 10.0
MAX_PEAK_BYTES = 256 * 1024 * 1024


def test_prv_3_no_mutated_header_gets_through_to_do_harm() -> None:
    """No crash, no hang, little memory, and no accepted file on which llama.cpp dies."""
    done = subprocess.run(
        [sys.executable, "-m", "runtime.testing_mutants", str(COUNT)],
        capture_output=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["read"] == COUNT
    assert found["crashes"] == {}
    assert found["slowest_read_s"] < HANG_S
    assert found["peak_bytes"] < MAX_PEAK_BYTES
    assert found["accepted"] > COUNT / 20, "most that is tried must not be hopeless"
    assert found["died"] == {}
    assert found["loaded"] + found["rejected"] == found["accepted"]
