"""The process that writes weights in fewer bits: llama.cpp's own tool, apart from everything else.

It gets two paths and a number, and stands behind walls: it reads the one file, writes only into the
folder of the other, and has no network. What a stranger's weights do to it ends with it.
"""

import argparse
import ctypes
import sys
from pathlib import Path

from runtime.walls import Limits, raise_walls

OPEN_FILES = 256
# Four bits that become sixteen take nearly four times as much.
GROWTH = 8
SLACK_BYTES = 64 * 1024 * 1024


def main() -> None:
    """Write the first file as the second one, in llama.cpp's file type of the given number."""
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("file_type", type=int)
    parser.add_argument("threads", type=int)
    asked = parser.parse_args()
    limits = Limits(OPEN_FILES, file_bytes=GROWTH * asked.source.stat().st_size + SLACK_BYTES)
    raise_walls(limits, [asked.source.resolve()], [asked.target.resolve().parent])
    import llama_cpp  # not before the walls: it starts threads

    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = asked.file_type
    parameters.nthread = asked.threads
    # What came as Q4_K_M may be wanted as Q4_0; the price in quality is the caller's to know.
    parameters.allow_requantize = True
    llama_cpp.llama_backend_init()
    status = llama_cpp.llama_model_quantize(
        str(asked.source).encode(), str(asked.target).encode(), ctypes.byref(parameters)
    )
    sys.exit(1 if status else 0)


if __name__ == "__main__":
    main()
