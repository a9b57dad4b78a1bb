"""Templates with values that the running site does not have."""

from typing import Any

import pytest

from governance.policies import Department
from web.config import WebSettings
from web.pages import Pages

TWO = (Department("1", "Pharmacy"), Department("2", "Surgery & <Wards>"))


@pytest.fixture
def pages() -> Pages:
    """The templates under the product's own name."""
    return Pages(WebSettings(), "digest")


def first_page(pages: Pages, **values: Any) -> str:
    """The question page."""
    given = {"departments": TWO, "department": "Surgery & <Wards>", "policies": 3, "question": ""}
    return pages.fragment("ask/page.html", **{**given, **values})


def test_several_departments_can_be_chosen_from(pages: Pages) -> None:
    """The one that is meant is chosen, and its name is escaped."""
    page = first_page(pages)
    assert 'name="department"' in page
    assert '<option value="Surgery &amp; &lt;Wards&gt;" selected>' in page


def test_nothing_loaded_leads_to_the_documents_page(pages: Pages) -> None:
    """The first visit of the first person."""
    page = first_page(pages, departments=(), department="", policies=0, may_load=True)
    assert "No policies are loaded yet" in page
    assert 'href="/documents"' in page


def test_the_first_upload_names_a_department(pages: Pages) -> None:
    """Where there is none, one is asked for by name."""
    lists = {"departments": (), "documents": (), "open_jobs": (), "troubled": ()}
    lists |= {"may_create": (True,)}
    page = pages.fragment("documents/page.html", **lists)
    assert 'name="new_department"' in page
    assert "No documents yet" in page


def test_no_page_shows_another_organisations_name(pages: Pages) -> None:
    """The components come from a health service; its name and logo do not."""
    assert "NHS" not in first_page(pages)
    assert "Lamplight" in first_page(pages)
