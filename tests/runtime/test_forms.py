"""Which forms of a model are worth measuring, and which figures make one worth having."""

import math

import pytest

from runtime.forms import Figures, Machine, candidates, decide, expected
from runtime.gguf import Tensor
from runtime.inspect import ModelFile

GIB = 2**30
WIDE = Machine(frozenset({"avx2", "fma"}), has_gpu=False, budget_bytes=8 * GIB)
TYPES = {"F16": 1, "Q4_0": 2, "Q4_K_M": 15, "Q8_0": 7, "Q6_K": 18}


def a_model(kind: str, *, embeds: bool = False, width: int = 4096) -> ModelFile:
    """A model of one matrix, which weighs as its type says."""
    keys = {"general.architecture": "bert" if embeds else "llama", "general.file_type": TYPES[kind]}
    size = width * width * 2
    return ModelFile(keys, (Tensor("blk.0.ffn_up.weight", (width, width), "F16", size, 0),))


def figures(prompt: float, answer: float, nats: float = 3.0) -> Figures:
    return Figures(prompt, answer, nats)


@pytest.mark.parametrize(
    ("kind", "machine", "wanted"),
    [
        ("Q4_K_M", WIDE, ("Q4_0",)),
        ("Q8_0", WIDE, ("Q4_0",)),
        ("Q4_0", WIDE, ()),
        ("F16", WIDE, ("Q8_0", "Q4_0")),
        ("Q4_K_M", Machine(frozenset({"ssse3"}), False, 8 * GIB), ()),
        ("Q4_K_M", Machine(frozenset({"asimddp"}), False, 8 * GIB), ("Q4_0",)),
        ("Q4_K_M", Machine(frozenset({"avx2"}), True, 8 * GIB), ()),
        ("F16", Machine(frozenset({"avx2"}), True, 8 * GIB), ("Q8_0", "Q4_K_M")),
        ("F16", Machine(frozenset({"avx2"}), False, 1024), ()),
    ],
)
def test_forms_worth_measuring(kind: str, machine: Machine, wanted: tuple[str, ...]) -> None:
    """By the model's own type, the processor, a card, and the memory that there is."""
    assert candidates(a_model(kind), machine) == wanted


def test_an_embedding_model_has_no_other_form() -> None:
    """Every stored vector would have to be made anew."""
    assert candidates(a_model("F16", embeds=True), WIDE) == ()


def test_a_question_is_weighed_as_it_is_asked_here() -> None:
    """1,100 tokens of prompt and 48 of answer."""
    assert math.isclose(figures(110, 12).request_s, 14.0)


@pytest.mark.parametrize(
    ("others", "form", "reason"),
    [
        ({}, None, "No other form"),
        ({"Q4_0": figures(140, 17)}, "Q4_0", "clearly faster"),
        ({"Q4_0": figures(110, 11)}, None, "gains too little"),
        ({"Q4_0": figures(50, 40)}, None, "gains too little"),
        ({"Q4_0": figures(300, 30, nats=3.2)}, None, "clearly worse"),
        ({"Q4_0": figures(300, 30, nats=3.2), "Q8_0": figures(150, 15)}, "Q8_0", "Q8_0 is"),
        ({"Q8_0": figures(150, 15), "Q4_0": figures(300, 30)}, "Q4_0", "Q4_0 is"),
    ],
)
def test_a_form_must_be_clearly_faster_and_hardly_worse(
    others: dict[str, Figures], form: str | None, reason: str
) -> None:
    """15 % of a whole question's time, and a tenth of a nat for each token."""
    decision = decide(figures(100, 10), others)
    assert decision.form == form
    assert reason in decision.reason


def test_the_gain_and_the_loss_are_told() -> None:
    """How many times shorter a question is, and how much less sure the model."""
    decision = decide(figures(100, 10, 3.0), {"Q4_0": figures(200, 20, 3.03)})
    assert math.isclose(decision.gain, 2.0)
    assert math.isclose(decision.loss_nats, 0.03, abs_tol=1e-9)


def test_what_another_model_will_do() -> None:
    """Four times the weights: a quarter of the pace."""
    found = expected(figures(100, 20), a_model("F16", width=1024), a_model("F16", width=2048))
    assert (found.prompt_tokens_per_s, found.answer_tokens_per_s) == (25, 5)
