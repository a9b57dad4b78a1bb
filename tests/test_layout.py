"""The house rules on who may import whom, read from the source itself."""

import ast
import importlib.util
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("governance", "ingest", "lamplight", "rag", "runtime", "web")
# Prefixes of our own modules that each package may import besides itself.
MAY_IMPORT = {
    "governance": (),
    "runtime": ("governance",),
    "rag": ("governance",),
    # The walls of a child process are one file of system calls: they are raised around readers too.
    # What is reported at loading is what is kept out of prompts, so both go by one set of rules.
    "ingest": (
        "governance",
        "rag.contradiction",
        "rag.hostile",
        "rag.schema",
        "rag.index",
        "rag.embed",
        "rag.errors",
        "runtime.walls",
    ),
    "web": ("governance", "rag", "ingest"),
    "lamplight": PACKAGES,
}
# Each outside thing has one door.
DOORS = {
    "llama_cpp": (
        "runtime/backend.py",
        "runtime/build.py",
        "runtime/quantizer.py",
        "runtime/sight.py",
    ),
    "qdrant_edge": ("rag/index/edge.py", "rag/index/server.py"),
    "qdrant_client": ("rag/index/server.py",),
    "sqlalchemy": ("governance/",),
    "alembic": ("governance/record/",),
    "dbos": ("ingest/workflow.py", "rag/workflow.py"),
    "argon2": ("governance/passwords.py",),
    "authlib": ("web/identity_provider.py",),
    "httpx2": ("web/identity_provider.py", "web/bounded_transport.py"),
    "joserfc": ("web/id_token.py", "web/identity_provider.py", "web/testing_oidc.py"),
    "model_signing": ("runtime/signature.py",),
    "tuf": ("runtime/tuf_author.py", "runtime/tuf_client.py"),
    "securesystemslib": ("runtime/tuf_author.py",),
    "rfc8785": ("governance/audit/leaf.py",),
    "rapidocr": ("ingest/parse/ocr.py",),
    "openpyxl": ("ingest/parse/xlsx.py", "ingest/policy_list.py"),
    "pptx": ("ingest/parse/pptx.py",),
    "olefile": ("ingest/parse/msg.py", "ingest/parse/libreoffice.py"),
}
FORBIDDEN_NAMES = {"utils", "common", "helpers", "core", "base"}


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


@pytest.mark.parametrize("path", list(sources()), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_package_imports_only_what_it_may(path: Path) -> None:
    """The import arrows of the house point one way."""
    package = path.relative_to(ROOT).parts[0]
    allowed = (package, *MAY_IMPORT[package])
    ours = [name for name in imported(path) if name.split(".")[0] in PACKAGES]
    assert [name for name in ours if not within(name, allowed)] == []


def test_the_runtime_meets_governance_only_at_its_interface() -> None:
    """Scheduler and backend know nothing of people and rights."""
    inner = [p for p in (ROOT / "runtime").rglob("*.py") if p.parent.name != "api"]
    assert [p for p in inner if any(within(n, ("governance",)) for n in imported(p))] == []


@pytest.mark.parametrize("library", DOORS)
def test_each_outside_thing_has_one_door(library: str) -> None:
    """A library that touches the outside is imported in one place."""
    users = {
        path.relative_to(ROOT).as_posix()
        for path in sources()
        if any(within(name, (library,)) for name in imported(path))
    }
    assert {user for user in users if not user.startswith(DOORS[library])} == set()


def test_only_the_settings_read_the_environment() -> None:
    """No other file of ours asks for environment variables."""
    readers = {
        path.relative_to(ROOT).as_posix()
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in {"environ", "getenv"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    }
    # Haystack reads its own two switches once, at import: they must be set before.
    assert readers <= {"lamplight/settings.py", "rag/__init__.py", "ingest/__init__.py"}


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_name_is_ours_alone(name: str) -> None:
    """The name resolves inside the repository, and no other distribution provides it."""
    found = importlib.util.find_spec(name)
    assert found is not None
    assert found.origin is not None
    assert Path(found.origin).is_relative_to(ROOT)
    assert set(packages_distributions().get(name, ["lamplight"])) == {"lamplight"}


def test_no_file_is_named_for_nothing() -> None:
    """A newcomer finds each thing by its name."""
    assert [p for p in sources() if p.stem in FORBIDDEN_NAMES] == []


def test_tests_are_no_packages() -> None:
    """An `__init__.py` below tests would hide the package of the same name."""
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_no_file_is_longer_than_the_house_allows() -> None:
    """Over 400 lines a file says why, in the file."""
    long = [p for p in sources() if len(p.read_text().splitlines()) > 400]
    assert [p for p in long if "Why this file is long" not in p.read_text()] == []
