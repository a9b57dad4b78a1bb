"""Accounts at registries from the command line, against Debian's docker-registry."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.catalog import builtin_catalog
from runtime.config import RuntimeSettings
from runtime.exchange import Exchange
from runtime.names import parse_name
from runtime.registry_accounts import Account, keep_account
from runtime.store import Store
from runtime.testing_engine import install_runnable
from runtime.testing_server import registry_in

PASSWORD = "open sesame"
HTPASSWD = "ada:$2b$05$9E06GfQNFb11.u863Nbsa.0QWbAtejz9nUCdRdxi1R3EoBVf4DVIS\n"


def push(folder: Path, name: str, host: str) -> None:
    """Take a small model to the registry."""
    folder.mkdir()
    store = install_runnable(folder, "llama")
    store.copy(parse_name("llama"), parse_name(name))
    keep_account(folder / "accounts", host, Account("ada", PASSWORD))
    settings = RuntimeSettings(
        folder, allowed_registries=(host,), registry_accounts_path=folder / "accounts"
    )
    Exchange(settings, store, builtin_catalog()).push(name, lambda _: None, insecure=True)


def test_an_account_opens_a_registry(tmp_path: Path) -> None:
    """login, pull --insecure, logout; the password is shown nowhere."""
    (tmp_path / "registry").mkdir()
    with registry_in(tmp_path / "registry", HTPASSWD) as host:
        name = f"http://{host}/library/tiny:1"
        push(tmp_path / "source", name, host)
        own = {
            "LAMPLIGHT_DATA": str(tmp_path / "data"),
            "LAMPLIGHT_RUNTIME_ALLOWED_REGISTRIES": host,
        }

        def lamplight(*words: str, given: str = "") -> "subprocess.CompletedProcess[str]":
            command = [sys.executable, "-m", "lamplight", *words]
            return subprocess.run(
                command, input=given, capture_output=True, text=True, env={**os.environ, **own}
            )

        refused = lamplight("pull", name, "--insecure")
        assert "asks for an account" in refused.stderr.replace("\n", " ")
        kept = lamplight("login", host, "--user", "ada", "--password-stdin", given=f"{PASSWORD}\n")
        assert (kept.returncode, PASSWORD in kept.stdout + kept.stderr) == (0, False)
        assert "insecure protocol http" in lamplight("pull", name).stderr
        done = lamplight("pull", name, "--insecure")
        assert done.returncode == 0, done.stderr
        assert Store(tmp_path / "data/models").find(parse_name(name)) is not None
        assert "forgotten" in lamplight("logout", host).stderr
        assert "No account" in lamplight("logout", host).stderr
        other = lamplight("login", "other.example", "--user", "a", "--password-stdin", given="b\n")
        assert "not allowed" in other.stderr


@pytest.mark.parametrize(("user", "given"), [("a:b", "c\n"), ("ada", "\n")])
def test_an_account_needs_a_name_and_a_password(tmp_path: Path, user: str, given: str) -> None:
    """What could not be shown to a registry is not kept."""
    environment = {
        **os.environ,
        "LAMPLIGHT_DATA": str(tmp_path),
        "LAMPLIGHT_RUNTIME_ALLOWED_REGISTRIES": "registry.example",
    }
    words = ["login", "registry.example", "--user", user, "--password-stdin"]
    command = [sys.executable, "-m", "lamplight", *words]
    done = subprocess.run(command, input=given, capture_output=True, text=True, env=environment)
    assert done.returncode == 2
    assert not (tmp_path / "registries.json").exists()
