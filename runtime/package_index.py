"""The door to a Python package index: finds wheels and downloads them, resuming what was begun."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
from pypi_simple import NoSuchProjectError, PyPISimple, UnsupportedContentTypeError
from requests import RequestException

from runtime.errors import IndexUnreachable, WrongDigest
from runtime.store import sha256_of

BACKOFF_S = 0.5


@dataclass(frozen=True, slots=True)
class Wheel:
    """A file of the index. digest: `sha256:HEX`; size_bytes: 0 if the index does not say."""

    file_name: str
    url: str
    digest: str
    size_bytes: int


class PackageIndex:
    """One index. url None means the client library's default."""

    def __init__(
        self, url: str | None, timeout_s: float, attempts: int, backoff_s: float = BACKOFF_S
    ) -> None:
        self._pages = PyPISimple() if url is None else PyPISimple(endpoint=url)
        self._files = httpx.Client(timeout=timeout_s, follow_redirects=True)
        self._timeout_s = timeout_s
        self._attempts = attempts
        self._backoff_s = backoff_s

    def close(self) -> None:
        """Close the connections."""
        self._pages.s.close()
        self._files.close()

    def find(self, project: str, version: str) -> Wheel:
        """The wheel of one version of a project. Raises IndexUnreachable."""
        try:
            page = self._pages.get_project_page(project, timeout=self._timeout_s)
        except NoSuchProjectError as error:
            raise IndexUnreachable(
                f"the package index has no project {project}",
                "Mirror it in your index, or name another index with"
                " LAMPLIGHT_RUNTIME_PACKAGE_INDEX_URL.",
            ) from error
        except (RequestException, UnsupportedContentTypeError) as error:
            raise _unreachable(project, error) from error
        for package in page.packages:
            if package.version == version and package.package_type == "wheel":
                digest = (package.digests or {}).get("sha256")
                if digest:
                    url, size = str(package.url), int(package.size or 0)
                    return Wheel(package.filename, url, f"sha256:{digest}", size)
        raise IndexUnreachable(
            f"the package index has no wheel of {project} {version} with a SHA-256",
            "Mirror that version in your index.",
        )

    def download(self, wheel: Wheel, target: Path, report: Callable[[int], None]) -> Path:
        """Fetch a wheel, going on where an earlier try stopped.

        report: called with the bytes that are there. Raises IndexUnreachable, WrongDigest, OSError.
        """
        if target.exists() and sha256_of(target) == wheel.digest:
            report(target.stat().st_size)
            return target
        partial = target.with_name(f"{target.name}.partial")
        self._fetch(wheel, partial, report)
        if sha256_of(partial) != wheel.digest:
            partial.unlink()
            raise WrongDigest(
                f"digest mismatch, file must be downloaded again: {wheel.file_name}"
                " is not what the package index names",
                "Pull again. If it repeats, a proxy or the index is damaged.",
            )
        partial.replace(target)
        return target

    def _fetch(self, wheel: Wheel, partial: Path, report: Callable[[int], None]) -> None:
        for attempt in range(1, self._attempts + 1):
            before = _size(partial)
            try:
                self._fetch_rest(wheel, partial, report)
            except httpx.HTTPError as error:
                if attempt == self._attempts or _is_final(error):
                    raise _unreachable(wheel.file_name, error) from error
                # A try that brought something is not a reason to wait longer.
                waited = 1 if _size(partial) > before else attempt
                time.sleep(self._backoff_s * waited)
            else:
                return

    def _fetch_rest(self, wheel: Wheel, partial: Path, report: Callable[[int], None]) -> None:
        have = _size(partial)
        if wheel.size_bytes and have == wheel.size_bytes:
            report(have)
            return
        if wheel.size_bytes and have > wheel.size_bytes:
            have = 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with self._files.stream("GET", wheel.url, headers=headers) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                partial.unlink()
            response.raise_for_status()
            resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
            with partial.open("ab" if resumed else "wb") as file:
                for chunk in response.iter_raw():
                    file.write(chunk)
                    report(file.tell())


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _is_final(error: httpx.HTTPError) -> bool:
    """Whether trying again cannot help: the server has refused the file."""
    if not isinstance(error, httpx.HTTPStatusError):
        return False
    status = error.response.status_code
    return 400 <= status < 500 and status not in (408, 416, 429)


def _unreachable(what: str, error: Exception) -> IndexUnreachable:
    return IndexUnreachable(
        f"the package index did not deliver {what}: {type(error).__name__}",
        "Check the network, or name another index with LAMPLIGHT_RUNTIME_PACKAGE_INDEX_URL."
        " What was fetched is kept: pull again to go on.",
    )
