"""ATL-1: each technique that is tried against systems like this one has tests that are there."""

import ast
import re
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
THREATS = ROOT / "tests" / "threats.yaml"
# Of MITRE ATLAS: those that concern retrieval, generation, rendering and the supply of models.
TECHNIQUES = frozenset(
    {
        "AML.T0010.003", "AML.T0018", "AML.T0024", "AML.T0029", "AML.T0034", "AML.T0051",
        "AML.T0054", "AML.T0056", "AML.T0057", "AML.T0058", "AML.T0064", "AML.T0067",
        "AML.T0068", "AML.T0070", "AML.T0071", "AML.T0076", "AML.T0077", "AML.T0080",
        "AML.T0082", "AML.T0085.000", "AML.T0092", "AML.T0109",
    }
)  # fmt: skip
SECRET = re.compile(r"(?i)password|token|api.?key|secret|bearer|https?://|\b[0-9a-f]{32,}\b")


def mapped() -> dict[str, list[str]]:
    found = yaml.safe_load(THREATS.read_text())
    assert isinstance(found, dict)
    return found


@lru_cache
def named_in(path: str) -> frozenset[str]:
    """The tests of a file, by name; none where there is no file."""
    file = ROOT / path
    tree = ast.parse(file.read_text()) if file.is_file() else ast.Module([], [])
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(one.name for one in tree.body if isinstance(one, functions))


def test_atl_1_every_technique_has_a_test() -> None:
    """None of our list is without one, and none is mapped that the list does not know."""
    known = mapped()
    assert set(known) == TECHNIQUES
    assert [name for name, tests in known.items() if not tests] == []


def test_atl_1_every_test_that_is_named_is_there() -> None:
    """By its file and its name."""
    named = {test for tests in mapped().values() for test in tests}
    missing = [one for one in named if one.partition("::")[2] not in named_in(one.split("::")[0])]
    assert missing == []


def test_llm_07_the_prompts_hold_no_secret() -> None:
    """Whoever gets the model to print them learns nothing that opens anything."""
    prompts = list((Path(str(files("rag"))) / "prompts").glob("*.txt"))
    assert prompts
    assert [path.name for path in prompts if SECRET.search(path.read_text())] == []
