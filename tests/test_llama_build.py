"""scripts/llama-build: for which device llama.cpp is compiled, and why."""

import os
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parent.parent / "scripts/llama-build"


@pytest.fixture(scope="module")
def script() -> Any:
    """The script as a module; it leaves no compiled copy beside itself."""
    spec = spec_from_loader("llama_build", SourceFileLoader("llama_build", str(SCRIPT)))
    assert spec is not None
    assert spec.loader is not None
    module, kept = module_from_spec(spec), sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = kept
    return module


@pytest.mark.parametrize(
    ("system", "machine", "programs", "sees", "device", "defines"),
    [
        ("Linux", "x86_64", "", True, "cpu", ()),
        ("Linux", "x86_64", "nvcc", True, "cpu", ()),
        ("Linux", "x86_64", "nvidia-smi", True, "cpu", ()),
        ("Linux", "x86_64", "nvcc nvidia-smi", False, "cpu", ()),
        ("Linux", "x86_64", "nvcc nvidia-smi", True, "cuda", ("GGML_CUDA=ON",)),
        ("Linux", "x86_64", "rocminfo", True, "cpu", ()),
        ("Linux", "x86_64", "hipcc rocminfo", False, "cpu", ()),
        ("Linux", "x86_64", "hipcc rocminfo", True, "rocm", ("GGML_HIP=ON",)),
        ("Darwin", "arm64", "", False, "metal", ("GGML_METAL=ON",)),
        ("Darwin", "x86_64", "", False, "cpu", ()),
    ],
)
def test_the_build_follows_what_is_found(
    script: Any, system: str, machine: str, programs: str, sees: bool, device: str,
    defines: tuple[str, ...],
) -> None:  # fmt: skip
    """A card that answers and a compiler for it; one alone is not enough, and it says so."""
    have = {name: f"/bin/{name}" for name in programs.split()}
    choice = script.choose(system, machine, have.get, lambda _: sees)
    assert (choice.device, choice.defines[:1]) == (device, defines)
    if device == "cpu" and programs in ("nvidia-smi", "rocminfo"):
        assert "to compile for it" in choice.reason


def run(path: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    """The script with these programs alone on its path."""
    environment = {"PATH": f"{path}", "CMAKE_ARGS": "-DGGML_LLAMAFILE=ON", **more}
    return subprocess.run(
        [sys.executable, str(SCRIPT)], capture_output=True, text=True, check=True, env=environment
    )


def test_a_machine_without_a_card_builds_as_ever(tmp_path: Path) -> None:
    """Nothing more is told to uv, so that what it has compiled is used."""
    told = run(tmp_path)
    if sys.platform == "linux":
        assert told.stdout.strip() == ""
        assert "llama.cpp for cpu" in told.stderr
    assert "-DGGML_LLAMAFILE=ON" in told.stderr


def test_a_card_of_nvidia_is_told_to_uv_for_this_package_alone(tmp_path: Path) -> None:
    """uv keeps what it compiled by these settings; LLAMA_DEVICE=cpu turns it off."""
    if sys.platform != "linux":
        pytest.skip("a Mac is compiled for Metal, whatever lies on the path")
    for name, says in (("nvcc", ""), ("nvidia-smi", "GPU 0: NVIDIA H200")):
        (tmp_path / name).write_text(f"#!{os.path.realpath('/bin/sh')}\necho '{says}'\n")
        (tmp_path / name).chmod(0o755)
    told = run(tmp_path)
    assert told.stdout.splitlines() == [
        "--config-settings-package=llama-cpp-python:cmake.define.GGML_CUDA=ON",
        "--config-settings-package=llama-cpp-python:cmake.define.CMAKE_CUDA_COMPILER="
        f"{tmp_path / 'nvcc'}",
    ]
    assert "nvidia-smi sees a card" in told.stderr
    assert run(tmp_path, LLAMA_DEVICE="cpu").stdout.strip() == ""
