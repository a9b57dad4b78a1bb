"""What a GGUF file says of itself."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import BadModelFile
from runtime.inspect import inspect, inspect_here, parameter_size
from runtime.testing import write_tiny_gguf
from runtime.testing_gguf import write_runnable_gguf


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
            outcome = inspect_here(path)
        except BadModelFile as error:
            outcome = error.hint
        assert outcome

    damage()


def test_prv_3_the_reader_is_another_process(tmp_path: Path) -> None:
    """What it finds comes back whole, and so does what it refuses."""
    path = tmp_path / "m.gguf"
    content = write_runnable_gguf(path)
    assert inspect(path) == inspect_here(path)
    assert inspect(path, whole_arrays=True) == inspect_here(path, whole_arrays=True)
    path.write_bytes(content.replace(b"<0x41>", b"<0x42>"))
    with pytest.raises(BadModelFile, match="is damaged") as here:
        inspect_here(path)
    with pytest.raises(BadModelFile) as apart:
        inspect(path)
    assert (apart.value.message, apart.value.hint) == (here.value.message, here.value.hint)


def test_a_file_that_has_not_changed_is_read_once(tmp_path: Path) -> None:
    """The same answer for the same state of a file, another one after a change."""
    path = tmp_path / "m.gguf"
    write_tiny_gguf(path, "one")
    first = inspect(path)
    assert inspect(path) is first
    write_tiny_gguf(path, "two")
    assert inspect(path).keys["general.description"] == "two"


def test_prv_3_a_reader_that_ends_refuses_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the reader is stopped by its limits, the file is not to be used."""
    path = tmp_path / "m.gguf"
    write_tiny_gguf(path)
    monkeypatch.setattr("runtime.inspect.TIMEOUT_S", 0.0)
    with pytest.raises(BadModelFile, match="could not be inspected") as caught:
        inspect(path)
    assert "do not use it" in caught.value.hint


def test_a_list_by_layer_is_known(tmp_path: Path) -> None:
    """A number for all layers is the same in each; a longer list is kept apart from the keys."""
    path = tmp_path / "m.gguf"
    write_runnable_gguf(path)
    assert inspect(path).by_layer("attention.head_count") == [2, 2]
    assert inspect(path).by_layer("nothing") == []
    assert inspect(path).weights_bytes < path.stat().st_size


@pytest.mark.parametrize(
    ("count", "text"),
    [(134_515_008, "135M"), (1_543_714_304, "1.5B"), (22_565_376, "22.57M"), (500, "0K")],
)
def test_a_number_of_weights_is_short(count: int, text: str) -> None:
    """As Ollama shows it."""
    assert parameter_size(count) == text
