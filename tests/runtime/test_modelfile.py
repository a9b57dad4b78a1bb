"""Modelfiles, as people write them."""

import pytest

from runtime.errors import BadRequest
from runtime.modelfile import quoted, read_modelfile


def test_instructions_come_in_any_order_and_case() -> None:
    """Comments and empty lines are nothing; values are bare or quoted."""
    found = read_modelfile(b'\n# hi\nsystem "Be brief."\nFrom qwen\nPARAMETER num_ctx 99\n')
    assert (found.sources, found.system, found.parameters) == (
        ["qwen"],
        "Be brief.",
        {"num_ctx": 99},
    )


def test_three_quotes_last_over_lines() -> None:
    """Everything between them is the value, comments included."""
    found = read_modelfile(
        b'FROM a\nTEMPLATE """{% if x %}\n# no comment\n{% endif %}"""\nSYSTEM s'
    )
    assert found.template == "{% if x %}\n# no comment\n{% endif %}"
    assert found.system == "s"


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
def test_other_codings_are_read(coding: str) -> None:
    """As editors write them."""
    assert read_modelfile("FROM a\nSYSTEM Grüße".encode(coding)).system == "Grüße"


def test_what_is_written_can_be_read() -> None:
    """The value survives."""
    for text in ("plain", 'with "quotes"', "two\nlines"):
        assert read_modelfile(f"FROM a\nSYSTEM {quoted(text)}".encode()).system == text


def test_old_parameters_have_no_effect() -> None:
    """Older Modelfiles are still read."""
    assert read_modelfile(b"FROM a\nPARAMETER mirostat 2").parameters == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no FROM line"),
        ('FROM a\nSYSTEM """open', "not closed"),
        ("FROM a\nPARAMETER top_k many", "invalid value 'many'"),
        ("FROM a\nMESSAGE robot hi", "message role must be one of"),
        ("FROM a\nPARAMETER", "a name and a value are needed"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, words: str) -> None:
    """Upstream's words."""
    with pytest.raises(BadRequest, match=words):
        read_modelfile(text.encode())
