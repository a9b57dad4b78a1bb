"""Alive, and ready part by part."""

import httpx
import pytest

from web.api.health import check_upstreams, missing_models
from web.errors import ModelsMissing, UpstreamsDown


def test_a_platform_with_everything_is_ready(
    administrator: httpx.Client, stranger: httpx.Client
) -> None:
    """Each part says how it is, to who runs the platform; nobody else hears of parts."""
    assert stranger.get("/readyz").json() == {"ready": True}
    answer = administrator.get("/readyz")
    assert answer.status_code == 200
    parts = answer.json()["parts"]
    assert set(parts) == {"record", "index", "runtime", "models"}
    assert all(part["ready"] for part in parts.values())
    assert stranger.get("/healthz").status_code == 200


def test_a_missing_model_is_named() -> None:
    """With the command that installs it."""
    with pytest.raises(ModelsMissing) as missing:
        missing_models(("chat:1b", "embed"), ["embed:latest"])
    assert "lamplight pull chat:1b" in missing.value.hint
    assert missing_models(("embed",), ["embed:latest"]) == "embed"


def test_a_wanted_model_whose_servers_are_silent_is_named() -> None:
    """Others that nobody waits for make nothing unready."""
    check_upstreams(("chat:1b", "embed"), {"embed:latest": True, "other": False})
    with pytest.raises(UpstreamsDown, match="embed"):
        check_upstreams(("chat:1b", "embed"), {"embed:latest": False})
