"""What compose.yaml says of a service, as its process would see it; for tests."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

# ${NAME}, ${NAME:-usual} and ${NAME:?}; $$ is a dollar.
_VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<usual>[^}]*))?\})")


def service(path: Path, name: str) -> dict[str, Any]:
    """One service of a compose file."""
    found: dict[str, Any] = yaml.safe_load(path.read_text())["services"][name]
    return found


def environment_of(one: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """A service's environment, filled in from what is given. Raises LookupError."""
    return {name: _filled(str(value), given) for name, value in one["environment"].items()}


def _filled(value: str, given: Mapping[str, str]) -> str:
    def fill(found: re.Match[str]) -> str:
        name = found["name"]
        if name is None:
            return "$"
        if given.get(name):
            return given[name]
        if found["kind"] == "-":
            return str(found["usual"])
        raise LookupError(f"{name} is not set")

    return _VARIABLE.sub(fill, value)
