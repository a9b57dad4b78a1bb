"""The door to an OCI registry: manifests and blobs, in the subset that Ollama's registry speaks.

Only the host that a model's name says is spoken to, and only where the settings allow it: neither
a redirect nor a token challenge leads to one that they do not name. An account is shown to the
registry that it is for, and to the allowed host that this one names for its tokens.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urljoin

import httpx

from runtime.errors import RegistryFailed, RegistryNotAllowed, UnknownModel, WrongDigest
from runtime.manifest import MANIFEST_TYPE, Layer
from runtime.names import DEFAULT_HOST, ModelName
from runtime.registry_accounts import Account

MAX_MANIFEST_BYTES = 4 * 1024 * 1024
MAX_REDIRECTS = 5
PUSH_CHUNK_BYTES = 16 * 1024 * 1024
BACKOFF_S = 0.5
_REDIRECTS = (301, 302, 303, 307, 308)
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
Counted = Callable[[int], None]


def check_allowed(name: ModelName, allowed: tuple[str, ...]) -> None:
    """Whether a registry may be spoken to at all. Raises RegistryNotAllowed."""
    if name.host.casefold() not in {host.casefold() for host in allowed}:
        said = "" if name.host != DEFAULT_HOST else " (meant by names without a host)"
        raise RegistryNotAllowed(
            f"the registry {name.host}{said} is not allowed",
            "Name it in the setting runtime.allowed_registries"
            " (LAMPLIGHT_RUNTIME_ALLOWED_REGISTRIES), or install a file with"
            " lamplight pull NAME --from FILE.",
        )


class Registry:
    """One registry, for one repository. allowed: hosts that a redirect may lead to.

    scheme: `https`, or `http` where the caller has said that it may be insecure.
    """

    def __init__(
        self,
        name: ModelName,
        allowed: tuple[str, ...],
        *,
        scheme: str = "https",
        insecure: bool = False,
        timeout_s: float = 60.0,
        attempts: int = 5,
        backoff_s: float = BACKOFF_S,
        account: Account | None = None,
    ) -> None:
        check_allowed(name, allowed)
        if scheme == "http" and not insecure:
            raise RegistryNotAllowed("insecure protocol http", "Ask with insecure, or use https.")
        self._allowed = {host.casefold() for host in allowed}
        self._base = f"{scheme}://{name.host}/v2/{name.namespace}/{name.model}/"
        self._name = name
        self._attempts = attempts
        self._backoff_s = backoff_s
        self._client = httpx.Client(timeout=timeout_s, verify=not insecure, follow_redirects=False)
        self._headers: dict[str, str] = {}
        self._account = account

    def __enter__(self) -> "Registry":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        self._client.close()

    # --- To us -----------------------------------------------------------------------------

    def manifest(self) -> bytes:
        """The manifest of the tag. Raises UnknownModel, RegistryFailed."""
        headers = {"Accept": MANIFEST_TYPE}
        with self._open("GET", f"manifests/{self._name.tag}", headers) as answer:
            if answer.status_code == httpx.codes.NOT_FOUND:
                raise UnknownModel(
                    "pull model manifest: file does not exist",
                    f"{self._name.host} has no model {self._name}.",
                )
            self._check(answer)
            return b"".join(_bounded(answer, MAX_MANIFEST_BYTES))

    def fetch(self, layer: Layer, partial: Path, report: Counted) -> None:
        """Bring a blob, going on where an earlier try stopped. Raises RegistryFailed."""
        for attempt in range(1, self._attempts + 1):
            before = _size(partial)
            try:
                self._fetch_rest(layer, partial, report)
            except httpx.TransportError as error:
                if attempt == self._attempts:
                    raise self._failed(type(error).__name__) from error
                time.sleep(self._backoff_s * (1 if _size(partial) > before else attempt))
            else:
                return

    def _fetch_rest(self, layer: Layer, partial: Path, report: Counted) -> None:
        have = _size(partial)
        if have >= layer.size:
            if have > layer.size:
                partial.unlink()
                have = 0
            elif have:
                report(have)
                return
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with self._open("GET", f"blobs/{layer.digest}", headers) as answer:
            self._check(answer)
            resumed = answer.status_code == httpx.codes.PARTIAL_CONTENT
            with partial.open("ab" if resumed else "wb") as file:
                for chunk in answer.iter_raw():
                    if file.tell() + len(chunk) > layer.size:
                        raise WrongDigest(
                            f"{layer.digest} is longer than its manifest says",
                            f"Do not use {self._name.host}, and tell whoever keeps it.",
                        )
                    file.write(chunk)
                    report(file.tell())
        if _size(partial) < layer.size:
            raise httpx.ReadError("the registry sent less than the whole blob")

    # --- From us ---------------------------------------------------------------------------

    def has(self, digest: str) -> bool:
        """Whether the registry holds a blob already."""
        with self._open("HEAD", f"blobs/{digest}", {}, push=True) as answer:
            return answer.status_code == httpx.codes.OK

    def upload(self, layer: Layer, path: Path, report: Counted) -> None:
        """Send a blob in parts; a part that fails is asked for and sent again.

        Raises RegistryFailed.
        """
        with self._open("POST", "blobs/uploads/", {}, push=True) as answer:
            self._check(answer)
            place = self._next_place(answer)
        sent, failures = 0, 0
        with path.open("rb") as file:
            while sent < layer.size:
                file.seek(sent)
                part = file.read(PUSH_CHUNK_BYTES)
                try:
                    place = self._send_part(place, part, sent)
                    sent += len(part)
                except httpx.TransportError as error:
                    failures += 1
                    if failures >= self._attempts:
                        raise self._failed(type(error).__name__) from error
                    time.sleep(self._backoff_s * failures)
                    place, sent = self._where(place)
                report(sent)
        whole = str(httpx.URL(place).copy_merge_params({"digest": layer.digest}))
        with self._open("PUT", whole, {}, push=True) as answer:
            self._check(answer)

    def put_manifest(self, content: bytes) -> None:
        """Make what was uploaded visible. Raises RegistryFailed."""
        headers = {"Content-Type": MANIFEST_TYPE}
        path = f"manifests/{self._name.tag}"
        with self._open("PUT", path, headers, content, push=True) as answer:
            self._check(answer)

    def _send_part(self, place: str, part: bytes, sent: int) -> str:
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"{sent}-{sent + len(part) - 1}",
        }
        with self._open("PATCH", place, headers, part, push=True) as answer:
            self._check(answer)
            return self._next_place(answer)

    def _where(self, place: str) -> tuple[str, int]:
        """Where an upload goes on, and how many bytes of it have arrived."""
        with self._open("GET", place, {}, push=True) as answer:
            self._check(answer)
            last = answer.headers.get("Range", "").rpartition("-")[2]
            return self._next_place(answer), int(last) + 1 if last.isdigit() and last != "0" else 0

    def _next_place(self, answer: httpx.Response) -> str:
        place = str(urljoin(str(answer.url), answer.headers.get("Location", "")))
        self._check_host(place)
        return place

    # --- Both ways -------------------------------------------------------------------------

    @contextmanager
    def _open(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
        *,
        push: bool = False,
    ) -> Iterator[httpx.Response]:
        """A response whose body has not been read. Raises RegistryFailed."""
        url, answered = urljoin(self._base, path), False
        for _ in range(MAX_REDIRECTS):
            sent = dict(headers) | (self._headers if self._is_ours(url) else {})
            try:
                request = self._client.build_request(method, url, headers=sent, content=content)
                answer = self._client.send(request, stream=True)
            except httpx.TransportError as error:
                if method in ("PATCH", "GET") and "/blobs/" in url:
                    raise  # the caller tries again
                raise self._failed(type(error).__name__) from error
            try:
                if answer.status_code == httpx.codes.UNAUTHORIZED and not answered:
                    answered = True
                    self._answer_challenge(answer.headers.get("WWW-Authenticate", ""), push)
                elif answer.status_code in _REDIRECTS and method in ("GET", "HEAD"):
                    url = urljoin(url, answer.headers.get("Location", ""))
                    self._check_host(url)
                else:
                    yield answer
                    return
            finally:
                answer.close()
        raise self._failed("it leads from one address to the next")

    def _answer_challenge(self, challenge: str, push: bool) -> None:
        """Show the account that is asked for, or a token for it. Raises RegistryFailed."""
        kind, _, rest = challenge.partition(" ")
        asked = dict(_CHALLENGE.findall(rest))
        if kind.lower() == "basic":
            if self._account is None:
                raise self._failed("it asks for an account")
            self._headers["Authorization"] = self._account.basic
            return
        if kind.lower() != "bearer" or "realm" not in asked:
            raise self._failed("it asks for an account in a way that is not known here")
        action = "pull,push" if push else "pull"
        scope = (
            asked.get("scope") or f"repository:{self._name.namespace}/{self._name.model}:{action}"
        )
        parameters = {"service": asked.get("service", ""), "scope": scope}
        self._headers["Authorization"] = f"Bearer {self._token(asked['realm'], parameters)}"

    def _token(self, realm: str, parameters: dict[str, str]) -> str:
        """A token from where the registry sends us. Raises RegistryFailed."""
        # A token for one host must not be fetched from, or given to, one that nobody allowed.
        try:
            self._check_host(realm)
        except RegistryNotAllowed as error:
            raise self._failed("it sends us to another host for a token") from error
        headers = {"Authorization": self._account.basic} if self._account else {}
        try:
            with self._client.stream("GET", realm, params=parameters, headers=headers) as answer:
                content = b"".join(_bounded(answer, MAX_MANIFEST_BYTES))
        except httpx.TransportError as error:
            raise self._failed(type(error).__name__) from error
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise self._failed("it refuses our account" if headers else "it asks for an account")
        found = _object(content) if answer.is_success else {}
        token = found.get("token") or found.get("access_token")
        if not isinstance(token, str) or not token.isprintable():
            raise self._failed("it gives no token")
        return token

    def _is_ours(self, url: str) -> bool:
        ours, other = httpx.URL(self._base), httpx.URL(url)
        return (ours.scheme, ours.netloc) == (other.scheme, other.netloc)

    def _check_host(self, url: str) -> None:
        if self._is_ours(url):
            return
        host = httpx.URL(url).netloc.decode()
        if host.casefold() not in self._allowed or not url.startswith("https://"):
            raise RegistryNotAllowed(
                f"the registry {self._name.host} leads to {host}, which is not allowed",
                "Name that host in runtime.allowed_registries, too, if you trust it.",
            )

    def _check(self, answer: httpx.Response) -> None:
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise self._failed("it refuses our account")
        if not answer.is_success:
            raise self._failed(f"it answered {answer.status_code}")

    def _failed(self, reason: str) -> RegistryFailed:
        return RegistryFailed(
            f"the registry {self._name.host} did not serve {self._name}: {reason}",
            "Check its address and your rights there (lamplight login). What was fetched is kept:"
            " try again.",
        )


def scheme_of(text: str) -> str:
    """The scheme that a name was written with; https where none is."""
    scheme, marks, _ = text.partition("://")
    return scheme.lower() if marks else "https"


def _bounded(answer: httpx.Response, limit_bytes: int) -> Iterator[bytes]:
    total = 0
    for chunk in answer.iter_bytes():
        total += len(chunk)
        if total > limit_bytes:
            raise RegistryFailed("the registry sent too long a manifest", "Use another one.")
        yield chunk


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
