"""The process that writes weights in fewer bits: llama.cpp's own tool, apart from everything else.

It gets two paths and a number, and what it may do to the machine ends with it.
"""

import argparse
import ctypes
import sys
from pathlib import Path

import llama_cpp


def main() -> None:
    """Write the first file as the second one, in llama.cpp's file type of the given number."""
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("file_type", type=int)
    parser.add_argument("threads", type=int)
    asked = parser.parse_args()
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
