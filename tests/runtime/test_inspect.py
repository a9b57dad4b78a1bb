"""What a GGUF file says of itself."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import BadModelFile
from runtime.inspect import inspect, parameter_size
from runtime.testing import write_tiny_gguf


def test_a_header_is_read(tmp_path: Path) -> None:
    """Keys and tensors; a vocabulary is left out unless asked for."""
    write_tiny_gguf(tmp_path / "m.gguf")
    file = inspect(tmp_path / "m.gguf")
    assert (file.architecture, file.context_length, file.parameter_count) == ("llama", 128, 160)
    assert file.keys["tokenizer.ggml.tokens"] == []
    whole = inspect(tmp_path / "m.gguf", whole_arrays=True)
    assert len(whole.keys["tokenizer.ggml.tokens"]) == 20
    assert not file.embeds


def test_a_file_without_its_end_is_damaged(tmp_path: Path) -> None:
    """A copy that broke off is found before it is loaded."""
    path = tmp_path / "m.gguf"
    path.write_bytes(write_tiny_gguf(path)[:-1])
    with pytest.raises(BadModelFile, match="it should have"):
        inspect(path)


def test_any_damage_is_an_error_and_nothing_else(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever bytes stand in a header, reading ends with a model or with BadModelFile."""
    folder = tmp_path_factory.mktemp("damage")
    good = write_tiny_gguf(folder / "good.gguf")
    path = folder / "bad.gguf"

    @given(at=st.integers(4, 700), value=st.integers(0, 255), cut=st.integers(0, len(good)))
    def damage(at: int, value: int, cut: int) -> None:
        content = bytearray(good)
        content[at] = value
        path.write_bytes(content[:cut])
        outcome: object = None
        try:
            outcome = inspect(path)
        except BadModelFile as error:
            outcome = error.hint
        assert outcome

    damage()


@pytest.mark.parametrize(
    ("count", "text"),
    [(134_515_008, "135M"), (1_543_714_304, "1.5B"), (22_565_376, "22.57M"), (500, "0K")],
)
def test_a_number_of_weights_is_short(count: int, text: str) -> None:
    """As Ollama shows it."""
    assert parameter_size(count) == text
