"""Settings come from four places in order, and a bad one is refused by name."""

import os
from pathlib import Path

import pytest

from lamplight.errors import BadSetting
from lamplight.settings import load_settings


def test_everything_lies_below_the_data_directory(tmp_path: Path) -> None:
    """Record, index and models follow the directory."""
    settings = load_settings(tmp_path, environment={})
    assert settings.governance.data_dir == tmp_path
    assert settings.rag.index_dir == tmp_path / "index"
    assert settings.runtime.models_dir == tmp_path / "models"


def test_the_environment_names_the_data_directory(tmp_path: Path) -> None:
    """`$LAMPLIGHT_DATA` is the default of --data."""
    settings = load_settings(environment={"LAMPLIGHT_DATA": str(tmp_path)})
    assert settings.data_dir == tmp_path


def test_command_line_wins_over_environment_over_file(tmp_path: Path) -> None:
    """Each place overrides the next."""
    (tmp_path / "lamplight.toml").write_text(
        "[web]\nport = 1\n[runtime]\nport = 1\n[rag]\nseed = 1"
    )
    settings = load_settings(
        tmp_path,
        {"web.port": 3},
        {"LAMPLIGHT_WEB_PORT": "2", "LAMPLIGHT_RUNTIME_PORT": "2"},
    )
    assert (settings.web.port, settings.runtime.port, settings.rag.seed) == (3, 2, 1)


def test_the_assistant_follows_the_runtime_port(tmp_path: Path) -> None:
    """Moving the runtime moves who speaks to it, unless another server was named."""
    moved = load_settings(tmp_path, {"runtime.port": 5}, {})
    assert moved.rag.chat_url == "http://127.0.0.1:5/v1"
    other = {"LAMPLIGHT_CHAT_URL": "http://127.0.0.1:8000/v1"}
    assert load_settings(tmp_path, {"runtime.port": 5}, other).rag.chat_url.endswith(":8000/v1")


@pytest.mark.parametrize("name", ["LAMPLIGHT_WEB_PROT", "LAMPLIGHT_NONSENSE"])
def test_an_unknown_variable_is_refused_by_name(tmp_path: Path, name: str) -> None:
    """A typing error is not ignored in silence."""
    with pytest.raises(BadSetting, match=name):
        load_settings(tmp_path, environment={name: "1"})


@pytest.mark.parametrize(
    ("text", "name"),
    [("[web]\nprot = 1", "web.prot"), ("[wbe]\nport = 1", "wbe"), ("= 1", "lamplight.toml")],
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, text: str, name: str) -> None:
    """Unknown sections and names, and what is no TOML."""
    (tmp_path / "lamplight.toml").write_text(text)
    with pytest.raises(BadSetting, match=name):
        load_settings(tmp_path, environment={})


@pytest.mark.parametrize("value", ["eighty", "", "8.5"])
def test_a_value_of_the_wrong_type_is_refused_by_name(tmp_path: Path, value: str) -> None:
    """The refusal names the setting, the value and the type."""
    with pytest.raises(BadSetting, match=r"web\.port"):
        load_settings(tmp_path, environment={"LAMPLIGHT_WEB_PORT": value})


def test_lists_are_written_as_paths_and_names_are(tmp_path: Path) -> None:
    """Folders with the system's separator, anything else with commas: addresses hold colons."""
    given = {
        "LAMPLIGHT_RUNTIME_SHARED_MODELS_DIRS": f"/a{os.pathsep}/b",
        "LAMPLIGHT_RUNTIME_ALLOWED_ORIGINS": "http://a.local:1,http://b.local",
    }
    runtime = load_settings(tmp_path, environment=given).runtime
    assert runtime.shared_models_dirs == (Path("/a"), Path("/b"))
    assert runtime.allowed_origins == ("http://a.local:1", "http://b.local")


@pytest.mark.parametrize(("word", "meant"), [("no", False), ("true", True), ("", None)])
def test_hip_7_passwords_are_switched_in_a_word(
    tmp_path: Path, word: str, meant: bool | None
) -> None:
    """On, off, or as the identity provider wants it."""
    settings = load_settings(tmp_path, environment={"LAMPLIGHT_WEB_LOCAL_PASSWORDS": word})
    assert settings.web.local_passwords is meant
    with pytest.raises(BadSetting, match=r"web\.local_passwords"):
        load_settings(tmp_path, environment={"LAMPLIGHT_WEB_LOCAL_PASSWORDS": "perhaps"})


def test_keys_do_not_print(tmp_path: Path) -> None:
    """A secret in the settings does not reach a log."""
    settings = load_settings(tmp_path, environment={"LAMPLIGHT_RAG_API_KEY": "s3cret"})
    assert settings.rag.api_key == "s3cret"
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"QDRANT_SHARDS": "0"}, r"rag\.qdrant_shards cannot be 0"),
        ({"QDRANT_WRITE_CONSISTENCY": "-1"}, r"rag\.qdrant_write_consistency cannot be -1"),
        ({"QDRANT_WRITE_CONSISTENCY": "2"}, "wait for 2 copies .* where there are 1"),
    ],
)
def test_copies_that_cannot_be_are_refused(
    tmp_path: Path, given: dict[str, str], said: str
) -> None:
    """Before the first start makes a collection that nobody can write to."""
    with pytest.raises(BadSetting, match=said):
        load_settings(
            tmp_path, environment={f"LAMPLIGHT_RAG_{name}": n for name, n in given.items()}
        )
