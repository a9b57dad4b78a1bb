"""What a figure was measured on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path


def describe() -> str:
    """One line: processor, cores, memory, and the versions that matter for speed."""
    info = Path("/proc/cpuinfo")
    models = [
        line.split(":")[1].strip()
        for line in (info.read_text().splitlines() if info.exists() else [])
        if line.startswith("model name")
    ]
    pages, page_size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return (
        f"{models[0] if models else platform.processor()}, {os.cpu_count()} cores, "
        f"{pages * page_size / 2**30:.0f} GiB, Python {platform.python_version()}, "
        f"llama-cpp-python {version('llama-cpp-python')}, "
        f"qdrant-edge {version('qdrant-edge-py')}"
    )


def resident_mib(process_id: int) -> float:
    """Resident memory of a process and of its children, MiB each counted once."""
    kib = sum(_resident_kib(pid) for pid in (process_id, *descendants(process_id)))
    return kib / 1024


def descendants(process_id: int) -> list[int]:
    """Every process below this one."""
    children = Path(f"/proc/{process_id}/task/{process_id}/children")
    found = [int(pid) for pid in children.read_text().split()] if children.exists() else []
    return found + [below for pid in found for below in descendants(pid)]


def command_of(process_id: int) -> str:
    """The command line of a process."""
    return Path(f"/proc/{process_id}/cmdline").read_text().replace("\0", " ").strip()


def _resident_kib(process_id: int) -> int:
    status = Path(f"/proc/{process_id}/status").read_text()
    return next(
        (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")), 0
    )
