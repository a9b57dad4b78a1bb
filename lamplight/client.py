"""Speaks to the platform of a data directory over its socket: the command line's only door."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from lamplight.errors import BadUse, PlatformRefused
from lamplight.launch import platform_for_a_command
from lamplight.settings import Settings
from lamplight.supervisor import answers
from rag.results import CONFIDENCE_HEADER

# An answer of a large model on a slow machine takes minutes, and must not be cut off here.
TIMEOUT_S = 900.0
CONNECT_TIMEOUT_S = 5.0


class PlatformClient:
    """The platform's own HTTP interface, as the administrator at the machine."""

    def __init__(self, socket_path: Path) -> None:
        self._http = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(socket_path)),
            base_url="http://localhost",
            timeout=httpx.Timeout(TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON at a path. Raises PlatformRefused."""
        known = {name: value for name, value in parameters.items() if value is not None}
        return _answer(self._http.get(path, params=known))

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """What a JSON request brings back. Raises PlatformRefused."""
        known = {name: value for name, value in body.items() if value is not None}
        return _answer(self._http.post(path, json=known))

    def ask(self, question: str, department: str) -> tuple[dict[str, Any], float | None]:
        """The Answer to a question, and how sure it is (0 to 1). Raises PlatformRefused."""
        body = {"question": question, "department": department}
        response = self._http.post("/api/v1/ask", json=body)
        sure = response.headers.get(CONFIDENCE_HEADER)
        return _answer(response), None if sure is None else float(sure)

    def delete(self, path: str) -> Any:
        """What removing the thing at a path brings back. Raises PlatformRefused."""
        return _answer(self._http.delete(path))

    def upload(self, path: Path, name: str, fields: Mapping[str, str | None]) -> Any:
        """Hand one file in. Raises PlatformRefused, OSError."""
        known = {name: value for name, value in fields.items() if value is not None}
        with path.open("rb") as content:
            return _answer(
                self._http.post("/api/v1/documents", data=known, files={"file": (name, content)})
            )

    def department(self, name: str | None, *, create: bool = False) -> tuple[str, bool]:
        """The department to work on, and whether it was made just now. Raises BadUse."""
        names = [d["name"] for d in self.get("/api/v1/departments")["departments"]]
        if name in names:
            return str(name), False
        if name is not None and create:
            return str(self.post("/api/v1/departments", {"name": name})["name"]), True
        if name is not None:
            raise BadUse(f"There is no department {name!r}.", f"Known: {_listed(names)}.")
        if len(names) == 1:
            return str(names[0]), False
        raise BadUse(
            "There is no department yet." if not names else "There are several departments.",
            f"Name one with --department. Known: {_listed(names)}.",
        )


@contextmanager
def connect(
    settings: Settings,
    reload: Callable[[Mapping[str, object]], Settings],
    purpose: str,
    report: Callable[[str], None],
    prepare: Callable[[], None],
) -> Iterator[PlatformClient]:
    """The running platform, or one that is started for the length of the block.

    prepare: called before one is started.
    """
    if answers("http://localhost/healthz", settings.admin_socket):
        client = PlatformClient(settings.admin_socket)
        try:
            yield client
        finally:
            client.close()
        return
    prepare()
    with platform_for_a_command(settings, reload, purpose, report):
        client = PlatformClient(settings.admin_socket)
        try:
            yield client
        finally:
            client.close()


@contextmanager
def running(settings: Settings) -> Iterator[PlatformClient | None]:
    """The platform of this data directory if one runs, else None."""
    if not answers("http://localhost/healthz", settings.admin_socket):
        yield None
        return
    client = PlatformClient(settings.admin_socket)
    try:
        yield client
    finally:
        client.close()


def _answer(response: httpx.Response) -> Any:
    if response.is_success:
        return response.json() if response.content else None
    try:
        error = response.json()["error"]
        raise PlatformRefused(
            error["type"], error["message"], error.get("hint", ""), response.status_code
        )
    except (ValueError, KeyError, TypeError):
        raise PlatformRefused(
            "internal",
            f"The platform answered {response.status_code}.",
            "Look into logs/platform.log of the data directory.",
            response.status_code,
        ) from None


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"
