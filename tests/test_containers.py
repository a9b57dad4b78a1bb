"""The image and the containers: what they must not do, and that what they set is known."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lamplight.settings import load_settings
from lamplight.testing_containers import environment_of, service
from web.session_cookie import PLAIN_NAME

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = ("web", "worker", "runtime", "install")
SET = {"POSTGRES_PASSWORD": "secret", "QDRANT_API_KEY": "key"}


def instructions() -> list[tuple[str, str]]:
    """Each instruction of the Dockerfile with its words, comments left out, lines joined."""
    text = (ROOT / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines())]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for instruction in instructions():
        if instruction[0] == "FROM":
            found.append([])
        if instruction[0]:
            found[-1].append(instruction)
    return found


def test_every_image_has_a_version() -> None:
    """None is `latest`, ours among them."""
    named = [rest.split()[0] for word, rest in instructions() if word == "FROM"]
    named += [one["image"] for one in SERVICES.values()]
    for image in named:
        _, _, tag = image.rpartition("/")[2].partition(":")
        assert re.search(r"\d+\.\d+", tag), image


def test_the_image_is_not_run_by_root() -> None:
    """It names its user after everything that only root may do, and by number."""
    last = [word for word, _ in stages()[-1]]
    assert dict(stages()[-1])["USER"] == "10001"
    assert "RUN" not in last[last.index("USER") :]


def test_models_and_data_stay_outside_the_image() -> None:
    """Nothing is fetched into it, and both folders are volumes."""
    words = dict(stages()[-1])
    assert words["VOLUME"] == '["/data", "/models"]'
    assert not any("lamplight pull" in rest for _, rest in instructions())
    for one in ("web", "worker", "runtime"):
        folders = [volume.split(":")[1] for volume in SERVICES[one]["volumes"]]
        assert folders == ["/data", "/models"]


def test_only_what_is_needed_is_copied() -> None:
    """The context is a list of what may go in; tests, git and data of others may not."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    for line in rules[1:]:
        if line.startswith("!"):
            assert (ROOT / line[1:]).exists(), line


def test_packages_are_cleaned_up_and_pinned() -> None:
    """Debian's lists go, no recommended ones come, and Python's come by the lock."""
    for word, rest in instructions():
        if word == "RUN" and "apt-get install" in rest:
            assert "--no-install-recommends" in rest
            assert "rm -rf /var/lib/apt/lists/*" in rest
        if word == "RUN" and "pip install" in rest and "uv==" not in rest:
            assert "--constraint requirements.lock" in rest or "--no-deps" in rest


@pytest.mark.parametrize("name", OURS)
def test_ours_may_change_nothing_but_their_volumes(name: str) -> None:
    """No more rights than they need."""
    one = SERVICES[name]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]


def test_only_the_proxy_is_open_and_only_to_this_machine() -> None:
    """The rest has no way in; and out only those who ask an identity provider or fetch models."""
    assert {name for name, one in SERVICES.items() if "ports" in one} == {"proxy"}
    assert SERVICES["proxy"]["ports"] == ["127.0.0.1:8080:8080"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    outside = {name for name, one in SERVICES.items() if "outside" in one["networks"]}
    assert outside == {"proxy", "web", "install"}


def test_two_web_processes_and_two_workers_share_one_data_directory() -> None:
    """Each with a lock and a socket of its own; only the workers load files."""
    for name in ("web", "worker"):
        assert SERVICES[name]["deploy"] == {"replicas": 2}
        told = SERVICES[name]["environment"]
        assert told["LAMPLIGHT_RUN"].startswith("/tmp/")
        assert SERVICES[name]["tmpfs"] == ["/tmp"]
    assert SERVICES["web"]["environment"]["LAMPLIGHT_INGEST_PARALLEL_FILES"] == "0"
    assert "LAMPLIGHT_INGEST_PARALLEL_FILES" not in SERVICES["worker"]["environment"]


def test_the_proxy_keeps_a_session_at_one_web_process_and_streams() -> None:
    """Its cookie is the one of plain HTTP, which is what we speak behind it."""
    proxy = SERVICES["proxy"]
    assert proxy["read_only"] is True
    assert proxy["cap_drop"] == ["ALL"]
    content = COMPOSE["configs"]["proxy"]["content"]
    assert f"$$cookie_{PLAIN_NAME}" in content
    # Compose puts variables in; nginx's own need a second dollar.
    assert not re.search(r"(?<!\$)\$(?!\$)", content)
    assert "proxy_buffering off;" in content
    assert content.count("{") == content.count("}")


def test_no_secret_stands_in_the_file() -> None:
    """They come from the environment, and without them nothing starts."""
    text = (ROOT / "compose.yaml").read_text()
    for name in SET:
        assert f"${{{name}:?}}" in text
        others = {key: value for key, value in SET.items() if key != name}
        with pytest.raises(LookupError, match=name):
            environment_of(service(ROOT / "compose.yaml", "web"), others)


@pytest.mark.parametrize("name", OURS)
def test_every_setting_is_one_of_ours(name: str, tmp_path: Path) -> None:
    """An unknown name is refused, and so are values of another kind."""
    environment = environment_of(service(ROOT / "compose.yaml", name), SET)
    settings = load_settings(tmp_path, environment=environment)
    if name != "install":
        assert settings.rag.qdrant_url == "http://qdrant:6333"
        assert settings.rag.runtime_url == "http://runtime:11434/"
        assert settings.runtime.upstreams == ()
