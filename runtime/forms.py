"""Which other forms of a model may be faster on this machine, and whether one of them is.

Pure. A form is the same model with its weights written in another type. Which one a processor reads
fastest cannot be told from its name: it is measured, with the load that this assistant has, a long
prompt and a short answer. A form is worth having where a request is clearly shorter and the model
is hardly worse at foretelling a page of policy. Whether it may be used is not decided here: another
form is another digest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runtime.inspect import ModelFile
from runtime.memory import REPACKED, need_of

PROMPT_TOKENS, ANSWER_TOKENS = 1100, 48  # of one question with its passages
MIN_GAIN = 1.15  # below this, noise and the trouble of an approval outweigh it
MAX_LOSS_NATS = 0.10  # a token's mean log probability may fall by so much: perplexity by a tenth
MEASURE_CELLS, MEASURE_BATCH_TOKENS = 1024, 256
# Bits of one weight, with the scales of its block.
BITS = {"Q4_0": 4.5, "Q4_K_M": 4.9, "Q8_0": 8.5}
WHOLE = frozenset({"F32", "F16", "BF16"})
# What multiplies several numbers at once; without one of them llama.cpp reorders no weights.
WIDE = frozenset({"avx2", "avx512f", "asimddp", "i8mm", "sve"})


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides about speed. has_gpu: this build can use a graphics card that is here."""

    features: frozenset[str]
    has_gpu: bool
    budget_bytes: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured of one form. nats_per_token: surprise at a known text."""

    prompt_tokens_per_s: float
    answer_tokens_per_s: float
    nats_per_token: float

    @property
    def request_s(self) -> float:
        """Seconds of one question of the usual size."""
        return PROMPT_TOKENS / self.prompt_tokens_per_s + ANSWER_TOKENS / self.answer_tokens_per_s


@dataclass(frozen=True, slots=True)
class Decision:
    """The form to have, None for the one that is there; gain: how many times shorter a request is.

    loss_nats: by how much a token's mean log probability falls.
    """

    form: str | None
    gain: float
    loss_nats: float
    reason: str


def candidates(file: ModelFile, machine: Machine) -> tuple[str, ...]:
    """The types worth measuring besides the model's own.

    None for embeddings: all stored vectors would have to be made anew.
    """
    own = file.quantization
    wanted: tuple[str, ...]
    if file.embeds:
        return ()
    if machine.has_gpu:
        # Cards read all types at nearly the same pace; only fewer bytes help.
        wanted = ("Q8_0", "Q4_K_M") if own in WHOLE else ()
    elif own in WHOLE:
        wanted = ("Q8_0", "Q4_0")
    elif machine.features & WIDE:
        # Q8_0 of fewer bits is larger and was no faster; IQ4_NL was slower than Q4_0.
        wanted = ("Q4_0",)
    else:
        wanted = ()
    return tuple(
        kind for kind in wanted if kind != own and _need(file, kind) <= machine.budget_bytes
    )


def _need(file: ModelFile, kind: str) -> int:
    """Bytes that a form takes while it is measured."""
    now = need_of(file, cells=MEASURE_CELLS, slots=1, batch_tokens=MEASURE_BATCH_TOKENS)
    weights = int(file.parameter_count * BITS[kind] / 8)
    other = now.total_bytes - now.weights_bytes - now.repacked_bytes
    return other + weights * (2 if kind in REPACKED else 1)


def best(rounds: Sequence[Figures]) -> Figures:
    """The figures of several rounds: the fastest, for whatever disturbs only slows down."""
    return Figures(
        max(one.prompt_tokens_per_s for one in rounds),
        max(one.answer_tokens_per_s for one in rounds),
        rounds[0].nats_per_token,
    )


def decide(own: Figures, others: Mapping[str, Figures]) -> Decision:
    """The fastest form that is fast enough and good enough."""
    if not others:
        return Decision(None, 1.0, 0.0, "No other form is worth trying here.")
    sound = {k: f for k, f in others.items() if _loss(own, f) <= MAX_LOSS_NATS}
    if not sound:
        return Decision(None, 1.0, 0.0, "Every other form answers clearly worse.")
    form = min(sound, key=lambda kind: sound[kind].request_s)
    gain, loss = own.request_s / sound[form].request_s, _loss(own, sound[form])
    if gain < MIN_GAIN:
        return Decision(None, gain, loss, f"The next best form, {form}, gains too little.")
    return Decision(form, gain, loss, f"{form} is clearly faster and hardly worse.")


def expected(known: Figures, measured: ModelFile, other: ModelFile) -> Figures:
    """What another model will roughly do: prompts cost by weights, answers by bytes read."""
    by_weights = measured.parameter_count / max(other.parameter_count, 1)
    by_bytes = measured.weights_bytes / max(other.weights_bytes, 1)
    return Figures(
        known.prompt_tokens_per_s * by_weights, known.answer_tokens_per_s * by_bytes, 0.0
    )


def _loss(own: Figures, other: Figures) -> float:
    return other.nats_per_token - own.nats_per_token
