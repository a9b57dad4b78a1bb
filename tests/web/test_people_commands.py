"""`lamplight user`, `department` and `key`, against a running platform over its socket."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lamplight.cli import app
from lamplight.settings import load_settings
from web.testing import Site

Run = Callable[..., Any]


@pytest.fixture
def run(site: Site, tmp_path: Path) -> Run:
    """Runs a command in a data directory whose platform is the site; gives its JSON."""
    socket = load_settings(tmp_path).admin_socket
    socket.parent.mkdir(parents=True)
    socket.symlink_to(str(site.platform.admin_socket))

    def run(*words: str) -> Any:
        result = CliRunner().invoke(app, [*words, "--json", "--data", str(tmp_path)])
        if result.exception is not None:
            raise result.exception
        return json.loads(result.stdout)

    return run


def test_people_are_managed_from_the_terminal(run: Run, site: Site) -> None:
    """Added, listed, given a role, suspended, restored, linked, and a role withdrawn."""
    made = run(
        *("user", "add", "hal", "--name", "Hal Porter"),
        *("--role", "staff", "--department", "Pharmacy", "--until", "2030-12-31"),
    )
    assert "/set-password/" in made["link"]
    assert made["grants"][0]["expires_at"].startswith("2031-01-01T00:00")
    names = [one["username"] for one in run("user", "list")["people"]]
    assert "hal" in names
    assert run("user", "grant", "hal", "editor", "--department", "Catering")["role"] == "editor"
    assert run("user", "suspend", "hal")["state"] == "suspended"
    assert run("user", "restore", "hal")["state"] == "active"
    assert run("user", "link", "hal")["link"] != made["link"]
    assert run("user", "withdraw", "hal", "editor")["state"] == "withdrawn"
    person = site.platform.people.by_username("hal")
    assert person is not None
    assert [held.role.value for held in person.grants] == ["staff"]


def test_departments_and_keys_from_the_terminal(run: Run) -> None:
    """A key is made for a department, listed without its secret, and revoked."""
    assert run("department", "create", "Radiology")["name"] == "Radiology"
    assert "Radiology" in [one["name"] for one in run("department", "list")["departments"]]
    made = run("key", "create", "--name", "Screen", "--department", "Radiology")
    assert made["key"].startswith("lmp_")
    listed = {one["id"]: one for one in run("key", "list")["keys"]}
    assert "key" not in listed[made["id"]]
    assert run("key", "revoke", made["id"])["state"] == "revoked"


def test_what_is_meant_must_be_clear(run: Run) -> None:
    """Without a department where there are several, and for a role that nobody holds."""
    with pytest.raises(Exception, match="There are several departments"):
        run("key", "create", "--name", "Screen")
    with pytest.raises(Exception, match="The person has no such role"):
        run("user", "withdraw", "staff", "auditor")
    with pytest.raises(Exception, match="nobody with the user name"):
        run("user", "link", "no-such-name")
