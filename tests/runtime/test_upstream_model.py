"""Upstream models in a store: what they are known by, and what they hide."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runtime.config import RuntimeSettings
from runtime.errors import BadRequest
from runtime.names import parse_name
from runtime.store import Store
from runtime.upstream_config import UpstreamSettings, read_upstreams
from runtime.upstream_model import UpstreamModel, upstream_model
from runtime.upstream_store import UpstreamStore

[BASE] = read_upstreams("smollm2:135m https://a.example/v1 model=prod")


def digest(settings: UpstreamSettings) -> str:
    """What governance knows a model by."""
    return upstream_model(settings, datetime.now(UTC)).manifest.digest


def test_another_server_model_or_weights_is_another_digest() -> None:
    """Whatever answers in another place, or is declared to be other, needs another approval."""
    others = [
        replace(BASE, url=("https://b.example/v1",)),
        replace(BASE, url=(*BASE.url, "https://b.example/v1")),
        replace(BASE, model="other"),
        replace(BASE, root="/models/prod"),
        replace(BASE, weights="0" * 64),
    ]
    assert len({digest(one) for one in (BASE, *others)}) == len(others) + 1


def test_what_changes_no_answer_changes_no_digest() -> None:
    """Our own name for it, a key, limits and the order of servers."""
    both = replace(BASE, url=("https://a.example/v1", "https://b.example/v1/"))
    turned = replace(BASE, url=("https://b.example/v1", "https://a.example/v1"))
    same = replace(BASE, name="x:1", key_file=Path("/k"), check_s=1.0, max_queue=1)
    assert digest(same) == digest(BASE)
    assert digest(both) == digest(turned)


def test_an_upstream_hides_the_installed_model_of_its_name(settings: RuntimeSettings) -> None:
    """Moving to another server is a setting; without it the installed model is there again."""
    store = UpstreamStore(settings.models_dir, (), (BASE,))
    name = parse_name("SmolLM2:135m")
    assert isinstance(store.read(name), UpstreamModel)
    assert [str(model.name) for model in store.models()].count("smollm2:135m") == 1
    assert not isinstance(Store(settings.models_dir).read(name), UpstreamModel)


def test_an_upstream_is_not_changed_from_here(settings: RuntimeSettings) -> None:
    """It cannot be deleted, copied, overwritten or verified; the hidden model stays as it is."""
    store, name = UpstreamStore(settings.models_dir, (), (BASE,)), parse_name("smollm2:135m")
    model = store.read(name)
    here = Store(settings.models_dir).read(name)
    for change in (
        lambda: store.delete(name),
        lambda: store.copy(name, parse_name("other")),
        lambda: store.write_model(name, here.manifest),
        lambda: store.verify(model),
    ):
        with pytest.raises(BadRequest, match="another server"):
            change()
    assert Store(settings.models_dir).read(name) == here
