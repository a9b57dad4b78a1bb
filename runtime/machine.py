"""What this machine is: its processor, cores, what they can, and the cards that the system sees.

Pure but for two functions that read the system's own files. What llama.cpp makes of it is another
question, and `measuring` asks it.
"""

import hashlib
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# Of all that a processor tells, what matters for multiplying weights.
KNOWN_FEATURES = (
    *("ssse3", "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512_vnni"),
    *("avx512_bf16", "amx_int8", "asimd", "asimddp", "i8mm", "sve", "bf16", "fphp"),
)
NVIDIA, AMD = Path("/proc/driver/nvidia/gpus"), Path("/sys/class/kfd/kfd/topology/nodes")


@dataclass(frozen=True, slots=True)
class Processor:
    """The processor. cores: those that we may use."""

    name: str
    cores: int
    features: tuple[str, ...]

    @property
    def id(self) -> str:
        """A short mark of machines that measure alike."""
        told = f"{self.name} {self.cores} {' '.join(self.features)}"
        return hashlib.sha256(told.encode()).hexdigest()[:12]


def read_cpuinfo(text: str, cores: int, otherwise: str) -> Processor:
    """What Linux tells of a processor. otherwise: the name where it tells none."""
    lines = [line.partition(":") for line in text.splitlines()]
    told = {key.strip().lower(): value.strip() for key, _, value in reversed(lines)}
    flags = set((told.get("flags") or told.get("features") or "").lower().split())
    name = told.get("model name") or otherwise
    return Processor(name, cores, tuple(known for known in KNOWN_FEATURES if known in flags))


def processor() -> Processor:
    """The processor of this machine."""
    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.exists() else ""
    return read_cpuinfo(text, usable_cores(), platform.processor() or platform.machine())


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def graphics_cards() -> tuple[str, ...]:
    """The cards that the system has drivers for, whether or not our build can use them."""
    nvidia = [_field(path / "information", "Model") for path in _in(NVIDIA)]
    amd = [(path / "name").read_text().strip() for path in _in(AMD) if _has_shaders(path)]
    apple = ["Apple"] if (platform.system(), platform.machine()) == ("Darwin", "arm64") else []
    return tuple(name or "a graphics card" for name in (*nvidia, *amd, *apple))


def _in(folder: Path) -> Iterable[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else ()


def _field(path: Path, name: str) -> str:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "")


def _has_shaders(node: Path) -> bool:
    """Processors stand in AMD's list, too; they have none."""
    try:
        words = (node / "properties").read_text().split()
    except OSError:
        return False
    return "simd_count" in words and words[words.index("simd_count") + 1] != "0"
