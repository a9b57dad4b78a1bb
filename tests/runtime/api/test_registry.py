"""Models to and from a registry that is not ours: Debian's docker-registry, started by the test."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from runtime.api.app import create_app
from runtime.api.testing import OpenGate
from runtime.config import RuntimeSettings
from runtime.errors import RegistryFailed, RegistryNotAllowed, WrongDigest
from runtime.manifest import CONFIG_TYPE, MODEL_TYPE, Layer, make_manifest
from runtime.names import parse_name
from runtime.registry import Registry
from runtime.store import Store
from runtime.testing import write_tiny_gguf
from runtime.testing_server import registry_in


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """HOST:PORT of a registry with an empty store."""
    with registry_in(tmp_path_factory.mktemp("registry")) as host:
        yield host


def runtime_with(folder: Path, *allowed: str) -> tuple[TestClient, Store, OpenGate]:
    settings = RuntimeSettings(
        models_dir=folder, allowed_registries=allowed, download_attempts=2, min_free_bytes=0
    )
    store, gate = Store(folder), OpenGate()
    app = create_app(settings, store, gate)
    return TestClient(app, base_url="http://127.0.0.1"), store, gate


def install(store: Store, name: str, note: str = "") -> bytes:
    path = store.models_dir / "made.gguf"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = write_tiny_gguf(path, note)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    store.add_file(path, digest)
    config = store.add_bytes(CONFIG_TYPE, b'{"model_family":"llama"}')
    layers = (Layer(MODEL_TYPE, digest, len(content)),)
    store.write_model(parse_name(name), make_manifest(config, layers))
    return content


def lines(answer: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_model_goes_to_a_registry_and_comes_back(tmp_path: Path, registry: str) -> None:
    """The manifest's bytes and every blob are the same; the steps have Ollama's words."""
    name = f"http://{registry}/library/tiny:1"
    there, first, gate = runtime_with(tmp_path / "a", registry)
    content = install(first, name)
    told = lines(there.post("/api/push", json={"model": name, "insecure": True}))
    assert told[0] == {"status": "retrieving manifest"}
    assert told[-2:] == [{"status": "pushing manifest"}, {"status": "success"}]
    digest = first.read(parse_name(name)).manifest.model.digest
    pushed = [line for line in told if line.get("digest") == digest]
    assert pushed[-1] == {
        "status": f"pushing {digest[7:19]}",
        "digest": digest,
        "total": len(content),
        "completed": len(content),
    }
    here, second, other = runtime_with(tmp_path / "b", registry)
    told = lines(here.post("/api/pull", json={"name": name, "insecure": True}))
    statuses = [line["status"] for line in told]
    assert statuses[0] == "pulling manifest"
    assert f"pulling {digest[7:19]}" in statuses
    assert statuses[-3:] == ["verifying sha256 digest", "writing manifest", "success"]
    model = second.read(parse_name(name))
    assert model.manifest.raw == first.read(parse_name(name)).manifest.raw
    assert model.path.read_bytes() == content
    assert [(c.verb, c.outcome) for c in (*gate.changes, *other.changes)] == [
        ("push", "done"),
        ("pull", "done"),
    ]


def test_a_pull_goes_on_where_an_earlier_one_stopped(tmp_path: Path, registry: str) -> None:
    """What is there already is not fetched again, and the whole is checked all the same."""
    name = f"http://{registry}/library/resumed:1"
    there, first, _ = runtime_with(tmp_path / "a", registry)
    content = install(first, name, "x" * 5000)
    there.post("/api/push", json={"model": name, "insecure": True})
    here, second, _ = runtime_with(tmp_path / "b", registry)
    digest = first.read(parse_name(name)).manifest.model.digest
    partial = tmp_path / "b/downloads" / f"{digest.replace(':', '-')}.partial"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(content[:3000])
    told = lines(here.post("/api/pull", json={"model": name, "insecure": True}))
    first_count = next(line["completed"] for line in told if line.get("digest") == digest)
    assert first_count > 3000
    assert second.read(parse_name(name)).path.read_bytes() == content


def test_a_damaged_part_is_found_before_the_model_is_visible(tmp_path: Path, registry: str) -> None:
    """The digest decides; the damaged file is gone, and the next pull brings it whole."""
    name = f"http://{registry}/library/damaged:1"
    there, first, _ = runtime_with(tmp_path / "a", registry)
    content = install(first, name, "y" * 5000)
    there.post("/api/push", json={"model": name, "insecure": True})
    here, second, gate = runtime_with(tmp_path / "b", registry)
    digest = first.read(parse_name(name)).manifest.model.digest
    partial = tmp_path / "b/downloads" / f"{digest.replace(':', '-')}.partial"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"!" * 3000)
    told = lines(here.post("/api/pull", json={"model": name, "insecure": True}))
    assert told[-1]["error"].startswith("digest mismatch, file must be downloaded again")
    assert (second.names(), gate.changes[-1].outcome) == ([], "failed")
    here.post("/api/pull", json={"model": name, "insecure": True})
    assert second.read(parse_name(name)).path.read_bytes() == content


def test_a_model_that_the_registry_lacks_is_said_in_the_stream(
    tmp_path: Path, registry: str
) -> None:
    """200 and an error line, as upstream; without a stream the status says it."""
    here, _, _ = runtime_with(tmp_path, registry)
    body = {"model": f"http://{registry}/library/nobody", "insecure": True}
    told = here.post("/api/pull", json=body)
    assert told.status_code == 200
    assert lines(told)[-1]["error"] == "pull model manifest: file does not exist"
    assert here.post("/api/pull", json=body | {"stream": False}).status_code == 404


def test_a_new_version_lets_go_of_the_old_files(tmp_path: Path, registry: str) -> None:
    """A tag may move; what no model needs any more is removed."""
    name = f"http://{registry}/library/moved:1"
    there, first, _ = runtime_with(tmp_path / "a", registry)
    here, second, _ = runtime_with(tmp_path / "b", registry)
    for note in ("old", "new"):
        content = install(first, name, note)
        there.post("/api/push", json={"model": name, "insecure": True})
        told = lines(here.post("/api/pull", json={"model": name, "insecure": True}))
    assert {"status": "removing unused layers"} in told
    sizes = [p.stat().st_size for p in (tmp_path / "b/blobs").iterdir()]
    assert len(sizes) == 2
    assert second.read(parse_name(name)).path.read_bytes() == content


def test_plain_http_needs_the_word_insecure(tmp_path: Path, registry: str) -> None:
    """403, and nothing is sent."""
    here, _, _ = runtime_with(tmp_path, registry)
    answer = here.post("/api/pull", json={"model": f"http://{registry}/library/tiny:1"})
    assert (answer.status_code, answer.json()["error"]) == (403, "insecure protocol http")


# --- A registry that means harm --------------------------------------------------------------


class Hostile:
    """Answers every request with what the test says. asked: paths that it was asked for."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.asked: list[str] = []
        hostile = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hostile.asked.append(self.path)
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self.host = f"127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> "Hostile":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def asking(host: str) -> Registry:
    name = parse_name(f"{host}/library/tiny:1")
    return Registry(name, (host,), scheme="http", insecure=True, attempts=1, timeout_s=5)


def test_a_redirect_to_another_host_is_not_followed() -> None:
    """A registry that is allowed cannot send us to one that is not."""
    with (
        Hostile(307, {"Location": "http://169.254.169.254/latest"}) as other,
        asking(other.host) as registry,
        pytest.raises(RegistryNotAllowed, match="leads to"),
    ):
        registry.manifest()
        assert len(other.asked) == 1


def test_a_token_is_not_fetched_from_another_host() -> None:
    """The realm must be the registry's own host: upstream's fix for stolen tokens."""
    challenge = 'Bearer realm="https://evil.example/token",service="x",scope="y"'
    with (
        Hostile(401, {"WWW-Authenticate": challenge}) as other,
        asking(other.host) as registry,
        pytest.raises(RegistryFailed, match="another host"),
    ):
        registry.manifest()


def test_a_manifest_without_an_end_is_cut_off() -> None:
    """A manifest has a few kilobytes."""
    with (
        Hostile(200, {}, b" " * 5_000_000) as other,
        asking(other.host) as registry,
        pytest.raises(RegistryFailed, match="too long"),
    ):
        registry.manifest()


def test_a_blob_that_is_longer_than_its_manifest_says_is_cut_off(tmp_path: Path) -> None:
    """The disk takes no more than was announced."""
    layer = Layer(MODEL_TYPE, "sha256:" + "0" * 64, 1000)
    with (
        Hostile(200, {}, b"x" * 100_000) as other,
        asking(other.host) as registry,
        pytest.raises(WrongDigest, match="longer than"),
    ):
        registry.fetch(layer, tmp_path / "partial", lambda _: None)
    assert (tmp_path / "partial").stat().st_size <= 1000


def test_a_digest_that_is_a_path_never_becomes_a_file_name(tmp_path: Path) -> None:
    """What stands in a manifest is checked before it names a file (OLL-1)."""
    digest = "sha256:../../../../etc/passwd"
    entry = {"mediaType": MODEL_TYPE, "digest": digest, "size": 3}
    manifest = {"config": entry, "layers": [entry]}
    with Hostile(200, {}, json.dumps(manifest).encode()) as other:
        here, store, _ = runtime_with(tmp_path, other.host)
        body = {"model": f"http://{other.host}/library/x", "insecure": True, "stream": False}
        answer = here.post("/api/pull", json=body)
    assert answer.status_code == 500
    assert "the manifest cannot be read" in answer.json()["error"]
    assert store.names() == []
