"""Accounts at registries: kept for their owner, and shown to nobody else."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from runtime.catalog import builtin_catalog
from runtime.config import RuntimeSettings
from runtime.errors import BadAccounts, RegistryFailed
from runtime.exchange import Exchange
from runtime.manifest import CONFIG_TYPE, MODEL_TYPE, Layer, make_manifest
from runtime.names import parse_name
from runtime.registry import Registry
from runtime.registry_accounts import Account, account_of, forget_account, keep_account
from runtime.store import Store, sha256_of
from runtime.testing import write_tiny_gguf
from runtime.testing_server import registry_in

PASSWORD = "open sesame"
HTPASSWD = "ada:$2b$05$9E06GfQNFb11.u863Nbsa.0QWbAtejz9nUCdRdxi1R3EoBVf4DVIS\n"
HOST = "registry.example:5000"
BASIC = base64.b64encode(f"ada:{PASSWORD}".encode()).decode()


def test_an_account_is_kept_found_and_forgotten(tmp_path: Path) -> None:
    """In Docker's form, and the file is for its owner alone."""
    path = tmp_path / "registries.json"
    keep_account(path, HOST, Account("ada", PASSWORD))
    keep_account(path, "other.example", Account("b", "c:d"))
    assert json.loads(path.read_text())["auths"][HOST] == {"auth": BASIC}
    assert path.stat().st_mode & 0o777 == 0o600
    assert account_of(path, HOST) == Account("ada", PASSWORD)
    assert account_of(path, "other.example") == Account("b", "c:d")
    assert PASSWORD not in repr(account_of(path, HOST))
    assert (forget_account(path, HOST), forget_account(path, HOST)) == (True, False)
    assert account_of(path, HOST) is None
    assert account_of(None, HOST) is None


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"auths": 5}', '{"auths": {"%s": 5}}', '{"auths": {"%s": {"auth": "*"}}}',
     '{"auths": {"%s": {"auth": "YWRh"}}}'],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: str) -> None:
    """With what to do; nobody is taken for somebody without an account."""
    path = tmp_path / "registries.json"
    path.write_text(content.replace("%s", HOST))
    path.chmod(0o600)
    with pytest.raises(BadAccounts, match="cannot be read"):
        account_of(path, HOST)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """A password that others know is none."""
    path = tmp_path / "registries.json"
    keep_account(path, HOST, Account("ada", PASSWORD))
    path.chmod(0o640)
    with pytest.raises(BadAccounts, match="other users"):
        account_of(path, HOST)


def exchange(folder: Path, host: str, password: str = PASSWORD) -> tuple[Exchange, Store]:
    path = folder / "registries.json"
    if password:
        keep_account(path, host, Account("ada", password))
    settings = RuntimeSettings(
        models_dir=folder,
        allowed_registries=(host,),
        download_attempts=1,
        min_free_bytes=0,
        registry_accounts_path=path,
    )
    store = Store(folder)
    return Exchange(settings, store, builtin_catalog()), store


def test_a_registry_that_asks_for_a_password_gets_it(tmp_path: Path) -> None:
    """Push and pull against Debian's docker-registry; without the password neither goes."""
    (tmp_path / "registry").mkdir()
    with registry_in(tmp_path / "registry", HTPASSWD) as host:
        name = f"http://{host}/library/tiny:1"
        there, store = exchange(tmp_path / "a", host)
        write_tiny_gguf(tmp_path / "tiny", "")
        digest, size = sha256_of(tmp_path / "tiny"), (tmp_path / "tiny").stat().st_size
        store.add_file(tmp_path / "tiny", digest)
        config = store.add_bytes(CONFIG_TYPE, b"{}")
        manifest = make_manifest(config, (Layer(MODEL_TYPE, digest, size),))
        store.write_model(parse_name(name), manifest)
        there.push(name, lambda _: None, insecure=True)
        here, other = exchange(tmp_path / "b", host)
        here.pull(name, lambda _: None, insecure=True)
        assert other.read(parse_name(name)).manifest.raw == manifest.raw
        for number, (password, why) in enumerate(
            (("wrong", "refuses our account"), ("", "asks for an account"))
        ):
            refused, _ = exchange(tmp_path / f"c{number}", host, password)
            with pytest.raises(RegistryFailed, match=why):
                refused.pull(name, lambda _: None, insecure=True)


@contextmanager
def token_registry() -> Iterator[tuple[str, list[str]]]:
    """A registry that gives tokens for an account, and what it was shown."""
    shown: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            who = self.headers.get("Authorization", "")
            shown.append(f"{self.path.split('?')[0]} {who}")
            if self.path.startswith("/token"):
                self._answer(200 if who == f"Basic {BASIC}" else 401, b'{"token": "t0ken"}')
            elif who == "Bearer t0ken":
                self._answer(200, b'{"schemaVersion": 2}')
            else:
                self._answer(401, b"{}")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            host = self.headers["Host"]
            if status == 401:
                challenge = f'Bearer realm="http://{host}/token",service="s",scope="x"'
                self.send_header("WWW-Authenticate", challenge)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}", shown
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def asking(host: str, account: Account | None) -> Registry:
    name = parse_name(f"{host}/library/tiny:1")
    return Registry(
        name, (host,), scheme="http", insecure=True, attempts=1, timeout_s=5, account=account
    )


def test_a_token_is_had_for_an_account() -> None:
    """The account goes to the token's place alone, the token to the registry."""
    with token_registry() as (host, shown), asking(host, Account("ada", PASSWORD)) as registry:
        assert registry.manifest() == b'{"schemaVersion": 2}'
        manifests = "/v2/library/tiny/manifests/1"
        assert shown == [f"{manifests} ", f"/token Basic {BASIC}", f"{manifests} Bearer t0ken"]


@pytest.mark.parametrize(
    ("account", "why"),
    [(None, "asks for an account"), (Account("ada", "wrong"), "refuses our account")],
)
def test_no_token_without_the_right_account(account: Account | None, why: str) -> None:
    """And it is said which of both it is."""
    with (
        token_registry() as (host, _),
        asking(host, account) as registry,
        pytest.raises(RegistryFailed, match=why),
    ):
        registry.manifest()
