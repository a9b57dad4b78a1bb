"""What a model has besides its own file: adapters, and a projector through which it sees.

All of it is named by the manifest, so whatever is changed here is another model for whoever
approves models. A part that does not fit is refused whole: half an adapter would be a model that
nobody has looked at.
"""

from dataclasses import dataclass
from pathlib import Path

from runtime.errors import WrongParts
from runtime.gguf import Tensor
from runtime.inspect import ModelFile, inspect
from runtime.manifest import ADAPTER_TYPE, PROJECTOR_TYPE, Layer, Manifest
from runtime.store import Store

CLIP = "clip"  # the architecture of every projector
LOW, HIGH = ".lora_a", ".lora_b"
TABLE = "token_embd.weight"  # looked up by row, so its two matrices are the other way round
WEIGHTS = frozenset({"F32", "F16", "BF16", "Q8_0"})
DIMENSIONS = 4
MAX_VISION = 16_384  # of any number in a projector's header
ANOTHER = "Use the adapter with the model that it was trained for."


@dataclass(frozen=True, slots=True)
class Parts:
    """The files of a model besides its own. size_bytes: what their weights take in memory."""

    adapters: tuple[Path, ...] = ()
    projector: Path | None = None
    size_bytes: int = 0


def parts_of(store: Store, manifest: Manifest) -> Parts:
    """Inspect a model's parts and check that they fit it. Raises BadModelFile, UnknownBlob."""
    base = inspect(store.held(manifest.model.digest))
    check_base(base)
    adapters = [_inspected(store, layer) for layer in manifest.layers_of(ADAPTER_TYPE)]
    projectors = [_inspected(store, layer) for layer in manifest.layers_of(PROJECTOR_TYPE)]
    for _, file in adapters:
        check_adapter(base, file)
    for _, file in projectors:
        check_projector(file)
    if len(projectors) > 1:
        raise WrongParts("a model can have only one projector", "Leave the others out.")
    return Parts(
        tuple(path for path, _ in adapters),
        projectors[0][0] if projectors else None,
        sum(file.weights_bytes for _, file in (*adapters, *projectors)),
    )


def _inspected(store: Store, layer: Layer) -> tuple[Path, ModelFile]:
    path = store.held(layer.digest)
    return path, inspect(path)


def is_adapter(file: ModelFile) -> bool:
    """Whether a file only changes another one."""
    return file.keys.get("general.type") == "adapter"


def is_projector(file: ModelFile) -> bool:
    """Whether a file only sees for another one."""
    return file.architecture == CLIP


def check_base(file: ModelFile) -> None:
    """Refuse what is no model by itself. Raises WrongParts."""
    if is_adapter(file):
        raise WrongParts("the file is an adapter, not a model", "Name it as ADAPTER.")
    if is_projector(file):
        raise WrongParts("the file is a projector, not a model", "Name its model, too.")


def check_adapter(base: ModelFile, adapter: ModelFile) -> None:
    """Refuse an adapter that is none, or of another model. Raises WrongParts."""
    if not is_adapter(adapter) or adapter.keys.get("adapter.type") != "lora":
        raise WrongParts(
            "the file is no LoRA adapter", "Convert it with llama.cpp's convert_lora_to_gguf.py."
        )
    if adapter.architecture != base.architecture:
        raise WrongParts(
            f"the adapter is for {adapter.architecture}, and the model is {base.architecture}",
            ANOTHER,
        )
    if "adapter.alora.invocation_tokens" in adapter.keys:
        raise WrongParts("the adapter wants to be woken by words (aLoRA)", "Use a plain LoRA.")
    found = {tensor.name: tensor for tensor in adapter.tensors}
    names = {name.removesuffix(LOW).removesuffix(HIGH) for name in found}
    if not names:
        raise WrongParts("the adapter changes nothing", "Use another file.")
    own = {tensor.name: tensor for tensor in base.tensors}
    for name in sorted(names):
        _check_pair(name, own.get(name), found.get(name + LOW), found.get(name + HIGH))


def _check_pair(name: str, own: Tensor | None, low: Tensor | None, high: Tensor | None) -> None:
    if low is None or high is None:
        raise WrongParts(f"the adapter does not have both halves for {name!r}", ANOTHER)
    if own is None or len(own.shape) < 2:
        raise WrongParts(f"the model has nothing that {name!r} could change", ANOTHER)
    if not {low.type_name, high.type_name} <= WEIGHTS:
        raise WrongParts(f"the adapter's {name!r} is compressed too much", "Use F16 or F32.")
    if not _fits(*(_whole(x) for x in (own, low, high)), table=name == TABLE):
        raise WrongParts(f"the adapter's {name!r} does not have the model's shape", ANOTHER)


def _fits(
    own: tuple[int, ...], low: tuple[int, ...], high: tuple[int, ...], *, table: bool
) -> bool:
    """Whether low times high has the shape of the model's own."""
    if own[2:] != low[2:] or own[2:] != high[2:]:
        return False
    if table:
        return (own[0], own[1]) == (high[1], low[1]) and low[0] == high[0]
    return (own[0], own[1]) == (low[0], high[1]) and low[1] == high[0]


def _whole(tensor: Tensor) -> tuple[int, ...]:
    return (*tensor.shape, *(1,) * (DIMENSIONS - len(tensor.shape)))


def check_projector(file: ModelFile) -> None:
    """Refuse a projector that is none, or that does not see. Raises WrongParts."""
    if not is_projector(file) or not file.tensors:
        raise WrongParts("the file is no projector", "Use the mmproj file of the model.")
    if file.keys.get("clip.has_vision_encoder") is not True:
        raise WrongParts("the projector does not see", "Only projectors for images are used.")
    least = {"patch_size": 1, "image_size": 1, "block_count": 1, "attention.head_count": 1}
    for key, limit in least.items():
        value = file.keys.get(f"clip.vision.{key}")
        if not isinstance(value, int) or not limit <= value <= MAX_VISION:
            raise WrongParts(f"the projector's {key!r} cannot be {value!r}", "Use another file.")
