"""The process that reads a stranger's model file first: limited, walled in, and soon gone.

Whatever a hostile header does to its reader, it does it here, where there is nothing to take and
nobody to tell. The answer is JSON on standard output, never a pickle.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from runtime.errors import BadModelFile
from runtime.inspect import inspect_here
from runtime.walls import Limits, raise_walls

MEMORY_BYTES = 512 * 1024 * 1024  # address space, of which a header's map is a part
PROCESSOR_S = 20
OPEN_FILES = 32


def main() -> None:
    """Inspect the file that the first argument names; the second is 1 for whole vocabularies."""
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    parser.add_argument("whole_arrays", type=int, choices=(0, 1))
    asked = parser.parse_args()
    limits = Limits(OPEN_FILES, memory_bytes=MEMORY_BYTES, processor_s=PROCESSOR_S)
    raise_walls(limits, readable=[asked.path.resolve()])
    try:
        file = inspect_here(asked.path, whole_arrays=bool(asked.whole_arrays))
    except BadModelFile as error:
        answer: object = {"message": error.message, "hint": error.hint}
    else:
        answer = asdict(file)
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
    os._exit(0)  # skips freeing a vocabulary word by word


if __name__ == "__main__":
    main()
