"""Places in a document: where a quote stands, the steps between several, their addresses."""

from urllib.parse import parse_qsl

import pytest

from governance.policies import PassageRecord
from governance.policy_sections import PassageText
from web.finding import Hit
from web.marks import Mark
from web.places import (
    MOST_PLACES,
    Opened,
    Place,
    Sought,
    Stretch,
    found_place,
    in_order,
    quoted_place,
    stretches_of,
    with_places,
)

CALL = "Call 2222 at once."
PAGES = (
    f"1 Wards\n\nThe nurse in charge acts. {CALL} Stay with the patient.",
    f"2 Theatres\n\n{CALL}\n\n3 Clinics\n\n{CALL}\n\nA sentence that goes on over the",
    "end of the page and stops here. Then another.",
)


def passage(text: str, pages: tuple[int, int], section: str = "") -> PassageRecord:
    """A passage with this text."""
    return PassageRecord("p", "d", "v", None, "T", 1, "A", section, *pages, text, None, None, "f")


def marked(place: Place) -> list[tuple[int, str]]:
    """What is marked, by page."""
    return [
        (page, PAGES[page - 1][start:end])
        for page, spans in place.spans.items()
        for start, end in spans
    ]


def before(place: Place) -> str:
    """The heading above what is marked."""
    page, spans = next(iter(place.spans.items()))
    return PAGES[page - 1][: spans[0][0]].strip().split("\n")[-1]


def test_t14_a_sentence_that_stands_twice_is_marked_where_it_was_cited() -> None:
    """In the second of two sections that say the same, by the headings around it."""
    clinics = passage(CALL, (2, 2), "3 Clinics")
    theatres = PassageText("2 Theatres", CALL)
    after = PassageText("3 Clinics > 3.1", "A sentence that goes on over the end of the page.")
    place = quoted_place(clinics, Stretch("p", 0, len(CALL)), (theatres, after), PAGES)
    assert marked(place) == [(2, CALL)]
    assert before(place) == "3 Clinics"

    other = passage(CALL, (2, 2), "2 Theatres")
    wards = PassageText("1 Wards", f"The nurse in charge acts. {CALL} Stay with the patient.")
    place = quoted_place(other, Stretch("p", 0, 0), (wards, PassageText("3 Clinics", CALL)), PAGES)
    assert before(place) == "2 Theatres"


def test_a_sentence_over_two_pages_is_marked_on_both() -> None:
    """Each page has its part."""
    text = "A sentence that goes on over the end of the page and stops here. Then another."
    place = quoted_place(passage(text, (2, 3)), Stretch("p", 0, 64), (None, None), PAGES)
    assert marked(place) == [
        (2, "A sentence that goes on over the"),
        (3, "end of the page and stops here."),
    ]


def test_a_passage_whose_pages_are_not_there_marks_nothing() -> None:
    """And breaks nothing."""
    place = quoted_place(passage("Nothing of it.", (9, 12)), Stretch("p", 0, 0), (None, None), ())
    assert place.spans == {}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("passage=p&from=1&to=5", [("p", 1, 5)]),
        ("passage=p&from=1&to=5&also=q.2.9&also=r.0.3", [("p", 1, 5), ("q", 2, 9), ("r", 0, 3)]),
        ("passage=p&from=1&to=5&also=p.1.5", [("p", 1, 5)]),
        ("passage=p", [("p", 0, 0)]),
        ("passage=p&from=5&to=1", [("p", 0, 0)]),
        ("passage=p&from=x&to=1&also=q&also=q.1&also=q.-1.4", [("p", 0, 0)]),
        ("passage=p&from=0&to=1&passage=q", [("p", 0, 1)]),
        ("also=q.2.9", []),
        ("", []),
    ],
)
def test_an_address_names_stretches(query: str, found: list[tuple[str, int, int]]) -> None:
    """What makes no sense in it is left out."""
    assert stretches_of(parse_qsl(query)) == tuple(Stretch(*one) for one in found)


def test_an_address_names_no_more_places_than_are_shown() -> None:
    """Whatever somebody writes there."""
    query = [("passage", "p"), *(("also", f"q.{n}.{n + 1}") for n in range(100))]
    assert len(stretches_of(query)) == MOST_PLACES


def test_a_citation_leads_to_the_others_in_the_same_version_as_well() -> None:
    """And not to those of other documents."""
    url = "/documents/d/versions/1?passage=p&from=0&to=9#p3"
    others = [
        url,
        "/documents/d/versions/1?passage=q&from=2&to=8#p1",
        "/documents/e/versions/1?passage=r&from=2&to=8#p1",
        "/documents/d/versions/1?passage=s#p1",
    ]
    found = with_places(url, others)
    assert found == "/documents/d/versions/1?passage=p&from=0&to=9&also=q.2.8#p3"
    assert with_places(url, [url]) == url
    assert with_places("/elsewhere", others) == "/elsewhere"


def test_a_step_makes_another_place_the_current_one() -> None:
    """All of them stay in its address."""
    stretches = [Stretch(name, 0, 5) for name in "abc"]
    places = tuple(Place({n: ((0, 5),)}, n, "", one) for n, one in enumerate(stretches, 1))
    opened = Opened(Sought.QUOTED, places, at=1)
    assert stretches_of(parse_qsl(opened.query())) == (stretches[1], stretches[0], stretches[2])
    assert stretches_of(parse_qsl(opened.query(2)))[0] == stretches[2]
    found = Opened(Sought.FOUND, places, 0, "a b")
    assert parse_qsl(found.query(2)) == [("find", "a b"), ("at", "3")]


def test_places_come_in_the_order_of_the_document_and_none_twice() -> None:
    """Two sentences of an answer may rest on the same words."""
    late, early, same = (
        Place(spans, 1, "", Stretch(name, 0, 5))
        for name, spans in (("a", {2: ((0, 5),)}), ("b", {1: ((3, 9),)}), ("c", {2: ((0, 5),)}))
    )
    assert in_order([late, early, same]) == (early, late)


def test_only_the_current_place_has_the_current_mark() -> None:
    """Where two lie over each other it is the one that is seen."""
    places = (found_place(Hit(1, ((0, 9),))), found_place(Hit(1, ((5, 12), (20, 22)))))
    opened = Opened(Sought.FOUND, places, 1, "x")
    assert opened.marks_on(1) == (Mark(5, 12), Mark(20, 22))
    assert opened.marks_on(2) == ()
