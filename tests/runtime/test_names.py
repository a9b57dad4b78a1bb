"""Names of models."""

import pytest

from runtime.errors import BadName
from runtime.names import ModelName, parse_name


@pytest.mark.parametrize(
    ("text", "short", "full"),
    [
        ("m", "m:latest", "registry.ollama.ai/library/m:latest"),
        ("m:1b", "m:1b", "registry.ollama.ai/library/m:1b"),
        ("me/m", "me/m:latest", "registry.ollama.ai/me/m:latest"),
        ("host:5000/me/m:t", "host:5000/me/m:t", "host:5000/me/m:t"),
        ("https://host/me/m:t", "host/me/m:t", "host/me/m:t"),
    ],
)
def test_a_name_is_completed_and_shown_short(text: str, short: str, full: str) -> None:
    """Defaults are filled in, and left out again when shown; the tag always stands."""
    name = parse_name(text)
    assert (str(name), name.full) == (short, full)


@pytest.mark.parametrize(
    "text", ["", ":", "a b", "a:", ".a", "-a", "a:b:c", "../x", "a/../b", "a//b", "a" * 81, "ä"]
)
def test_what_cannot_be_a_name_is_refused(text: str) -> None:
    """Nothing that could leave the models directory, or that Ollama refuses, is a name."""
    with pytest.raises(BadName):
        parse_name(text)


def test_case_does_not_make_a_name() -> None:
    """Two spellings of one name are one model."""
    assert parse_name("SmolLM2:135M").folded() == ModelName("smollm2", "135m").folded()
