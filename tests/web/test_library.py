"""The library narrows, counts and orders; nothing that makes no sense breaks it."""

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from governance.policies import DocumentSummary
from governance.versions import VersionState
from web.library import PAGE_DOCUMENTS, Wanted, browse, wanted_of

TODAY = date(2026, 3, 1)
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def policy(title: str, **more: Any) -> DocumentSummary:
    values: dict[str, Any] = {field.name: None for field in fields(DocumentSummary)}
    given = {"title": title, "file_name": "a.md", "version": 1, "created_at": NOW}
    return DocumentSummary(**values | given | {"state": VersionState.EFFECTIVE} | more)


HANDS = policy("Hand hygiene", policy_number="IC-010", area="Infection", owner="Anna")
FALLS = policy("Falls", policy_number="CL-2", area="Wards", review_due=date(2026, 2, 1))
VIALS = policy("Vials", area="Infection", review_due=date(2026, 4, 1), state=VersionState.DRAFT)
NUMBER = policy("10 rules", policy_number="IC-009", review_due=date(2027, 1, 1))
ALL = [HANDS, FALLS, VIALS, NUMBER]


def titles(**wanted: Any) -> list[str]:
    return [one.title for one in browse(ALL, Wanted(**wanted), TODAY).shown]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["10 rules", "Falls", "Hand hygiene", "Vials"]),
        ({"area": "Infection"}, ["Hand hygiene", "Vials"]),
        ({"area": "Infection", "state": "draft"}, ["Vials"]),
        ({"owner": "Anna"}, ["Hand hygiene"]),
        ({"review": "overdue"}, ["Falls"]),
        ({"review": "soon"}, ["Vials"]),
        ({"review": "none"}, ["Hand hygiene"]),
        ({"letter": "#"}, ["10 rules"]),
        ({"letter": "V"}, ["Vials"]),
        ({"words": "ic hygiene"}, ["Hand hygiene"]),
        ({"words": "zebra"}, []),
        ({"area": "Kitchen"}, []),
    ],
)
def test_each_choice_narrows_the_list(wanted: dict[str, str], found: list[str]) -> None:
    """Alone and together."""
    assert titles(**wanted) == found


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("number", ["Falls", "10 rules", "Hand hygiene", "Vials"]),
        ("review", ["Falls", "Vials", "10 rules", "Hand hygiene"]),
        ("newest", ["10 rules", "Falls", "Hand hygiene", "Vials"]),
    ],
)
def test_the_list_has_an_order(order: str, found: list[str]) -> None:
    """What has no number or no date stands last."""
    assert titles(order=order) == found


def test_a_count_says_what_a_choice_would_show() -> None:
    """Together with the other choices, not with its own."""
    choices = browse(ALL, Wanted(area="Infection"), TODAY).choices
    assert {one.value: one.count for one in choices["area"]} == {"Infection": 2, "Wards": 1}
    assert {one.text: one.count for one in choices["state"]} == {"Draft": 1, "In force": 1}


def test_a_long_list_has_pages() -> None:
    """The last one holds what is left; one beyond it is the last."""
    many = [policy(f"Rule {n:03}") for n in range(PAGE_DOCUMENTS + 5)]
    library = browse(many, Wanted(page=99), TODAY)
    assert (library.wanted.page, library.pages, library.first) == (2, 2, PAGE_DOCUMENTS + 1)
    assert len(library.shown) == 5


def test_a_link_keeps_the_other_choices() -> None:
    """And begins at the first page; what is usual is not said."""
    wanted = Wanted(area="Wards & beds", page=3)
    assert wanted.link(order="number") == "area=Wards+%26+beds&order=number"
    assert Wanted().link() == ""


@pytest.mark.parametrize("page", ["0", "-1", "x", "9999999", "", "٣"])
def test_an_address_that_makes_no_sense_shows_the_beginning(page: str) -> None:
    """Nobody is refused for a link that was cut."""
    found = wanted_of({"page": page, "order": "sideways", "words": "x" * 500})
    assert browse(ALL, found, TODAY).wanted.page == 1
    assert (found.order, len(found.words)) == ("title", 100)


def test_a_review_is_due_soon_for_sixty_days() -> None:
    """The last of them is in; today is not overdue."""
    days = [TODAY, TODAY + timedelta(days=60), TODAY + timedelta(days=61)]
    shown = [policy(f"P{n}", review_due=day) for n, day in enumerate(days)]
    found = browse(shown, Wanted(review="soon"), TODAY).shown
    assert [one.title for one in found] == ["P0", "P1"]
