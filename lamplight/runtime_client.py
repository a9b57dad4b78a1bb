"""Speaks to the running model runtime of a data directory: the command line's door to models."""

import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from lamplight.errors import CommandError, PlatformRefused
from lamplight.settings import Settings
from rag.model_keys import ModelKeys
from runtime.api.guard import is_loopback

TIMEOUT_S = 600.0


class RuntimeNotRunning(CommandError):
    """The command asks a running runtime, and none answers."""


class RuntimeClient:
    """The runtime's own HTTP interface, with the owner's right where one is needed."""

    def __init__(self, settings: Settings) -> None:
        self._url = f"http://{settings.runtime.host}:{settings.runtime.port}"
        self._settings = settings

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The JSON that a request brings back. Raises RuntimeNotRunning, PlatformRefused."""
        with self._open(method, path, body) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def lines(self, path: str, body: Mapping[str, Any]) -> Generator[dict[str, Any], None, None]:
        """What a stream tells, piece by piece. Raises RuntimeNotRunning, PlatformRefused."""
        with self._open("POST", path, body) as answer:
            for line in answer.iter_lines():
                found: dict[str, Any] = json.loads(line)
                if "error" in found:
                    raise _refused(found, 500)
                yield found

    @contextmanager
    def _open(
        self, method: str, path: str, body: Mapping[str, Any] | None
    ) -> Iterator[httpx.Response]:
        options: dict[str, Any] = {"timeout": TIMEOUT_S, "trust_env": False}
        try:
            with (
                httpx.Client(base_url=self._url, auth=self._credential(), **options) as client,
                client.stream(method, path, json=body) as answer,
            ):
                if answer.is_error:
                    raise _refused(_object(answer.read()), answer.status_code)
                yield answer
        except httpx.ConnectError as error:
            raise RuntimeNotRunning(
                f"No model runtime answers at {self._url}.",
                "Start it with `lamplight up` or `serve`.",
            ) from error
        except httpx.HTTPError as error:
            raise RuntimeNotRunning(
                f"The model runtime at {self._url} stopped answering ({type(error).__name__}).",
                "Look into logs/runtime.log of the data directory.",
            ) from error

    def _credential(self) -> httpx.Auth | None:
        """The owner's right to read the key of this start, where nobody is served without."""
        runtime = self._settings.runtime
        needed = runtime.ask_for_key or not is_loopback(runtime.host)
        return ModelKeys(self._settings.rag) if needed else None


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _refused(said: Mapping[str, Any], status: int) -> PlatformRefused:
    message = str(said.get("error", f"The runtime answered {status}."))
    return PlatformRefused(
        "runtime", message, str(said.get("hint", "See `lamplight list`.")), status
    )
