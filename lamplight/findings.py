"""What looks wrong on a machine, and what to do next about each thing.

Pure: it reads the facts that `lamplight doctor` has collected, and knows nothing of how.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from runtime.config import RuntimeSettings
from runtime.machine import Processor
from runtime.measuring import Build
from runtime.walls import WHAT_IT_KEEPS, Wall

# What a processor has, and the word by which llama.cpp says that it was compiled for it.
COMPILED = {"avx2": "AVX2", "fma": "FMA", "avx512f": "AVX512", "amx_int8": "AMX_INT8"}
RAISE = {
    Wall.FILES: "Use Linux 5.13 or newer with Landlock (CONFIG_SECURITY_LANDLOCK, lsm=landlock,…).",
    Wall.NETWORK: "Allow unprivileged user namespaces (kernel.unprivileged_userns_clone=1, and"
    " in a container a seccomp profile that permits unshare).",
    Wall.CALLS: "Use Linux on x86-64 or ARM64 with seccomp (CONFIG_SECCOMP_FILTER).",
    Wall.LIMITS: "Use a system with POSIX resource limits.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What looks wrong, and the next step."""

    what: str
    next: str


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """An installed model. need_bytes: as the settings would load it. advice: of its measurement.

    measured: whether it was; worth_measuring: whether another form of it could be faster.
    """

    name: str
    need_bytes: int
    worth_measuring: bool = False
    measured: bool = False
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of a machine. cards: graphics cards that the system has drivers for."""

    settings: RuntimeSettings
    chat_model: str
    walls: frozenset[Wall]
    processor: Processor
    cards: Sequence[str]
    build: Build
    available_bytes: int
    budget_bytes: int
    models: Sequence[ModelFacts]
    missing: Sequence[str]
    quarantined: Sequence[str]


def findings(facts: Facts) -> tuple[Finding, ...]:
    """Everything that looks wrong, the gravest first."""
    return (
        *_walls(facts.walls),
        *(_quarantined(name) for name in facts.quarantined),
        *(Finding(f"{x} is not installed.", f"lamplight pull {x}") for x in facts.missing),
        *_memory(facts),
        *_device(facts),
        *_settings(facts.settings, facts.processor),
        *_forms(facts.models),
    )


def _walls(standing: frozenset[Wall]) -> Iterator[Finding]:
    for wall in Wall:
        if wall not in standing:
            yield Finding(f"No wall: a model's process {_not(WHAT_IT_KEEPS[wall])}.", RAISE[wall])


def _not(keeps: str) -> str:
    return f"cannot be held to this: {keeps.partition(' (')[0]}"


def _quarantined(name: str) -> Finding:
    return Finding(
        f"{name} is quarantined: its process died too often.",
        f"Find out why (logs/runtime.log, memory), then: lamplight release {name}",
    )


def _memory(facts: Facts) -> Iterator[Finding]:
    if facts.settings.memory_bytes > facts.available_bytes and not facts.build.cards:
        yield Finding(
            "runtime.memory_bytes is more than is free now.",
            "Lower it, or end other programs: a model that does not fit takes the machine down.",
        )
    for model in facts.models:
        if model.need_bytes > facts.budget_bytes:
            yield Finding(
                f"{model.name} does not fit: it needs {_gib(model.need_bytes)} of"
                f" {_gib(facts.budget_bytes)}.",
                "Lower runtime.context_length_tokens or runtime.memory_contexts, use a smaller"
                " model, or add memory.",
            )


def _device(facts: Facts) -> Iterator[Finding]:
    if facts.cards and not facts.build.offloads:
        yield Finding(
            f"There is {facts.cards[0]}, but llama.cpp was compiled for the processor alone.",
            "scripts/llama-build says what is missing; then run `make clean` and `make up`.",
        )
    if facts.build.offloads and not facts.build.cards:
        yield Finding(
            "llama.cpp was compiled for a graphics card, and finds none.",
            "Check its driver (nvidia-smi, rocminfo) and, in a container, its device files.",
        )
    if facts.build.cards and not facts.settings.gpu_layers:
        yield Finding("runtime.gpu_layers is 0: the graphics card rests.", "Set it to -1.")
    lacking = missing_instructions(facts.processor.features, facts.build.flags)
    if lacking:
        yield Finding(
            f"llama.cpp was compiled without {', '.join(lacking)}, which this processor has.",
            "It was compiled on another machine: run `make clean`, `uv cache clean"
            " llama-cpp-python` and `make up` here.",
        )
    if facts.processor.features and not ({"avx2", "asimd"} & set(facts.processor.features)):
        yield Finding(
            "The processor has no AVX2: answers take several times longer.",
            "Use a machine from after 2013, or the smallest model.",
        )


def missing_instructions(features: Sequence[str], flags: str) -> list[str]:
    """What a processor can do and the build does not use."""
    words = {
        part.split("=")[0].split(":")[-1].strip() for part in flags.split("|") if "= 1" in part
    }
    return [word for feature, word in COMPILED.items() if feature in features and word not in words]


def _settings(settings: RuntimeSettings, processor: Processor) -> Iterator[Finding]:
    if settings.threads > processor.cores:
        yield Finding(
            f"runtime.threads is {settings.threads}, and there are {processor.cores} cores.",
            "Set it to 0: more threads than cores wait for each other.",
        )
    if settings.gentle_threads:
        yield Finding(
            "runtime.gentle_threads is on: alone on a machine, a model writes a third as fast.",
            "Switch it off unless other programs keep the cores busy.",
        )
    if settings.max_queue < settings.max_sequences:
        yield Finding(
            "runtime.max_queue is smaller than runtime.max_sequences.",
            "Raise it: people are turned away while there is room.",
        )
    if not settings.keep_alive_s:
        yield Finding(
            "runtime.keep_alive_s is 0: a model is loaded anew for each request.",
            "Set it to 300, or to -1 for ever.",
        )


def _forms(models: Sequence[ModelFacts]) -> Iterator[Finding]:
    for model in models:
        if model.advice:
            yield Finding(f"{model.name} could be faster here.", model.advice)
        elif model.worth_measuring and not model.measured:
            yield Finding(
                f"Nobody has measured which form of {model.name} is fastest here.",
                f"lamplight tune {model.name}",
            )


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / 2**30:.1f} GiB"


def as_values(found: Sequence[Finding]) -> list[Mapping[str, str]]:
    """As JSON can hold them."""
    return [{"what": one.what, "next": one.next} for one in found]
