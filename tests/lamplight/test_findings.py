"""What looks wrong on a machine, and the next step for it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lamplight.findings import Facts, ModelFacts, findings, missing_instructions
from runtime.config import RuntimeSettings
from runtime.machine import Processor
from runtime.measuring import Build
from runtime.walls import Wall

GIB = 2**30
FLAGS = "CPU : AVX2 = 1 | FMA = 1 | LLAMAFILE = 1"
SOUND = Facts(
    settings=RuntimeSettings(models_dir=Path("models")),
    chat_model="m",
    walls=frozenset(Wall),
    processor=Processor("P", 4, ("avx2", "fma")),
    cards=(),
    build=Build(FLAGS, False, ()),
    available_bytes=8 * GIB,
    budget_bytes=6 * GIB,
    models=(ModelFacts("m", GIB, worth_measuring=True, measured=True),),
    missing=(),
    quarantined=(),
)


def runtime(**more: Any) -> RuntimeSettings:
    return replace(SOUND.settings, **more)


def said(facts: Facts) -> Sequence[str]:
    return [f"{one.what} {one.next}" for one in findings(facts)]


def test_a_sound_machine_has_no_finding() -> None:
    assert findings(SOUND) == ()


@pytest.mark.parametrize(
    ("facts", "what", "following"),
    [
        (replace(SOUND, walls=frozenset(Wall) - {Wall.NETWORK}), "No wall", "user namespaces"),
        (replace(SOUND, quarantined=("m",)), "quarantined", "lamplight release m"),
        (replace(SOUND, missing=("m",)), "not installed", "lamplight pull m"),
        (replace(SOUND, settings=runtime(memory_bytes=9 * GIB)), "than is free", "Lower it"),
        (replace(SOUND, models=(ModelFacts("m", 7 * GIB),)), "7.0 GiB of 6.0 GiB", "context"),
        (replace(SOUND, cards=("H200",)), "There is H200", "scripts/llama-build"),
        (replace(SOUND, build=Build(FLAGS, True, ())), "finds none", "driver"),
        (
            replace(SOUND, build=Build(FLAGS, True, ({},)), settings=runtime(gpu_layers=0)),
            "card rests",
            "-1",
        ),
        (
            replace(SOUND, processor=Processor("P", 4, ("avx2", "avx512f"))),
            "compiled without AVX512,",
            "make clean",
        ),
        (replace(SOUND, processor=Processor("P", 4, ("ssse3",))), "no AVX2", "2013"),
        (replace(SOUND, settings=runtime(threads=8)), "8, and there are 4 cores", "Set it to 0"),
        (replace(SOUND, settings=runtime(gentle_threads=True)), "a third as fast", "Switch it off"),
        (replace(SOUND, settings=runtime(max_queue=2)), "smaller", "Raise it"),
        (replace(SOUND, settings=runtime(keep_alive_s=0)), "anew", "300"),
        (
            replace(SOUND, models=(ModelFacts("m", GIB, worth_measuring=True),)),
            "Nobody has measured",
            "lamplight tune m",
        ),
        (replace(SOUND, models=(ModelFacts("m", GIB, advice="Do it"),)), "could be", "Do it"),
    ],
)
def test_each_finding_has_a_next_step(facts: Facts, what: str, following: str) -> None:
    """One thing is wrong: it alone is named, with what to do."""
    [one] = said(facts)
    assert what in one
    assert following in one


def test_a_build_is_held_against_the_processor() -> None:
    """By llama.cpp's own words; a flag that says 0 is lacking."""
    assert missing_instructions(("avx2", "fma"), "CPU : AVX2 = 0 | FMA = 1") == ["AVX2"]
    assert missing_instructions(("asimd",), "CPU : NEON = 1") == []
