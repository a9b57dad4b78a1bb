"""What changed between two versions, on the page and as JSON: a dose stands first."""

from contextlib import ExitStack
from itertools import count

import httpx
import pytest

from governance.events import SYSTEM
from ingest.testing import load_in_force
from web.testing import Site
from web.testing_hands import Hands

OLD = """# Insulin

## Storage

Open pens are kept at room temperature for 28 days. Doors stay locked.

## Dose

Give 4 units before breakfast.
"""
NEW = OLD.replace("4 units", "8 units").replace("Doors stay locked", "Doors are always locked")


@pytest.fixture(scope="module")
def insulin(site: Site) -> str:
    """A policy in force whose second version is a draft; gives its document."""
    platform = site.platform
    place = platform.policies.department("Pharmacy")
    first = load_in_force(platform.loader, "insulin.md", OLD.encode(), place)
    with ExitStack() as stack:
        hands = Hands(site, stack, count(500))
        hands.settle()
        platform.loader.submit(
            SYSTEM, "insulin.md", NEW.encode(), place, replaces=first.document_id
        )
        hands.settle()
    return first.document_id


def test_the_changed_dose_stands_first(editor: httpx.Client, insulin: str) -> None:
    """Without naming it, a draft is compared with the version in force."""
    path = f"/api/v1/documents/{insulin}/versions/2/difference"
    told = editor.get(path).json()
    assert (told["from"], told["to"]) == (1, 2)
    dose, words = told["changes"]
    assert (dose["weight"], words["weight"]) == ("dose", "words")
    marks = [(part["mark"], part["text"]) for part in dose["segments"]]
    assert ("removed", "4") in marks
    assert ("added", "8") in marks


def test_the_page_says_it_in_words(editor: httpx.Client, insulin: str) -> None:
    """Struck through and underlined, under headings by what matters."""
    text = editor.get(f"/documents/{insulin}/versions/2/difference").text
    assert "<del>4</del>" in text
    assert "<ins>8</ins>" in text
    assert text.index("Doses and amounts") < text.index("Other words")
    assert "version 1 to version 2" in text


def test_there_is_nothing_before_the_first_version(editor: httpx.Client, insulin: str) -> None:
    """Said in words; a number that is none is refused."""
    answer = editor.get(f"/documents/{insulin}/versions/1/difference")
    assert answer.status_code == 404
    assert "no earlier version" in answer.text
    assert editor.get(f"/documents/{insulin}/versions/2/difference?with=x").status_code == 422


def test_staff_see_no_difference(staff: httpx.Client, insulin: str) -> None:
    """What is not in force is not for them."""
    assert staff.get(f"/documents/{insulin}/versions/2/difference").status_code in (403, 404)
