"""What the installed llama.cpp was compiled for, and what it finds to compute on here.

Only a process behind walls asks it: looking for cards runs their drivers.
"""

import ctypes
from dataclasses import dataclass

import llama_cpp
from llama_cpp import _ggml


@dataclass(frozen=True, slots=True)
class Device:
    """Something that llama.cpp can compute on; 0 bytes where it does not say."""

    name: str
    description: str
    free_bytes: int
    total_bytes: int


def build_flags() -> str:
    """What llama.cpp was compiled for and found here, in its own words."""
    return str(llama_cpp.llama_print_system_info().decode(errors="replace")).strip(" |")


def offloads() -> bool:
    """Whether this build has a graphics card to compute on."""
    return bool(llama_cpp.llama_supports_gpu_offload())


def devices() -> tuple[Device, ...]:
    """What this build can compute on here; the binding leaves these calls out."""
    llama_cpp.llama_backend_init()
    library = _ggml.libggml
    library.ggml_backend_dev_count.restype = ctypes.c_size_t
    library.ggml_backend_dev_get.restype = ctypes.c_void_p
    library.ggml_backend_dev_get.argtypes = [ctypes.c_size_t]
    return tuple(
        _device(library, library.ggml_backend_dev_get(number))
        for number in range(library.ggml_backend_dev_count())
    )


def _device(library: ctypes.CDLL, handle: int) -> Device:
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    for call in (library.ggml_backend_dev_name, library.ggml_backend_dev_description):
        call.restype, call.argtypes = ctypes.c_char_p, [ctypes.c_void_p]
    counted = ctypes.POINTER(ctypes.c_size_t)
    library.ggml_backend_dev_memory.argtypes = [ctypes.c_void_p, counted, counted]
    library.ggml_backend_dev_memory.restype = None
    library.ggml_backend_dev_memory(handle, ctypes.byref(free), ctypes.byref(total))
    return Device(
        library.ggml_backend_dev_name(handle).decode(errors="replace"),
        library.ggml_backend_dev_description(handle).decode(errors="replace"),
        free.value,
        total.value,
    )
