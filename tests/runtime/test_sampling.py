"""Options and the samplers that they mean."""

from typing import Any

import pytest

from runtime.errors import BadRequest
from runtime.sampling import Options, Sampler, chain_of, read_options


def kinds(**options: Any) -> list[Sampler]:
    return [step.kind for step in chain_of(read_options(options), 100, seed=1)]


def test_no_temperature_means_the_likeliest_token() -> None:
    """Temperature 0 is greedy, whatever else is asked."""
    assert kinds(temperature=0, top_k=5) == [Sampler.GREEDY]


def test_what_changes_nothing_is_left_out() -> None:
    """The chain holds what the options ask for, in llama.cpp's usual order."""
    assert kinds(top_k=0, top_p=1.0) == [Sampler.TEMPERATURE, Sampler.RANDOM]
    assert kinds(min_p=0.1, repeat_penalty=1.1) == [
        Sampler.PENALTIES,
        Sampler.TOP_K,
        Sampler.TOP_P,
        Sampler.MIN_P,
        Sampler.TEMPERATURE,
        Sampler.RANDOM,
    ]


def test_removed_and_unknown_options_are_ignored() -> None:
    """Old clients still send them."""
    given = {"mirostat": 2, "tfs_z": 1.0, "use_mlock": True, "nonsense": [], "top_k": None}
    assert read_options(given) == Options()


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("num_ctx", "many", "integer"),
        ("num_ctx", 1.5, "integer"),
        ("num_predict", True, "integer"),
        ("temperature", "hot", "float32"),
        ("stop", 3, "array"),
        ("stop", [3], "array"),
    ],
)
def test_a_wrong_type_is_named(name: str, value: Any, kind: str) -> None:
    """The error says which option must be what."""
    with pytest.raises(BadRequest, match=f'option "{name}" must be of type {kind}'):
        read_options({name: value})


def test_a_request_goes_before_the_model() -> None:
    """What the request says replaces the model's own value."""
    own = Options(num_ctx=256, temperature=0.1)
    assert read_options({"temperature": 1}, own) == Options(num_ctx=256, temperature=1.0)


@pytest.mark.parametrize("value", [float("inf"), 1e300, -(10**30)])
def test_numbers_beyond_the_model_are_bounded(value: float) -> None:
    """A number that llama.cpp cannot hold does not reach it."""
    assert abs(read_options({"top_k": value}).top_k) < 2**31


def test_an_answer_without_a_limit_has_one() -> None:
    """Ten contexts are the most, as in Ollama."""
    assert Options().max_new_tokens(100) == 1000
    assert Options(num_predict=5).max_new_tokens(100) == 5
