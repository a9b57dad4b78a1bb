"""What a machine tells of itself."""

import os

from runtime.machine import Processor, graphics_cards, processor, read_cpuinfo

X86 = """processor\t: 0
model name\t: AMD EPYC
flags\t\t: fpu pni ssse3 avx avx2 fma f16c avx512f

processor\t: 1
model name\t: AMD EPYC
flags\t\t: fpu pni ssse3 avx avx2 fma f16c avx512f
"""
ARM = "processor\t: 0\nFeatures\t: fp asimd fphp asimddp i8mm sve\nCPU part\t: 0xd40\n"


def test_an_intel_like_processor() -> None:
    """Its name, and of its flags those that matter."""
    found = read_cpuinfo(X86, 2, "x86_64")
    assert found == Processor("AMD EPYC", 2, ("ssse3", "avx", "avx2", "fma", "f16c", "avx512f"))


def test_an_arm_processor() -> None:
    """It says no name: the system's word for it stands in."""
    found = read_cpuinfo(ARM, 4, "aarch64")
    assert found == Processor("aarch64", 4, ("asimd", "asimddp", "i8mm", "sve", "fphp"))


def test_a_system_without_that_file() -> None:
    """Nothing is known but the cores."""
    assert read_cpuinfo("", 8, "arm64") == Processor("arm64", 8, ())


def test_another_number_of_cores_is_another_machine() -> None:
    """Figures of one do not hold for the other."""
    assert read_cpuinfo(X86, 2, "").id != read_cpuinfo(X86, 4, "").id


def test_this_machine() -> None:
    """It has a name and at least one core, and its cards can be asked for."""
    here = processor()
    assert here.name
    assert 1 <= here.cores <= (os.cpu_count() or 1)
    assert isinstance(graphics_cards(), tuple)
