"""The viewer: pages, marks, images and the original."""

import re

import httpx
import pytest

from governance.policies import PassageRecord
from ingest.quotes import Quote, find_quote
from web.marks import marks_of
from web.page_text import shown_blocks
from web.places import Stretch, quoted_place
from web.testing import Site
from web.viewing import Leaf, ShownPage, paging, placed, window

RECORD = PassageRecord(
    "p", "d", "v", None, "T", 1, "A", "", 2, 3, "One sentence. Another.", None, None, "f.pdf"
)


@pytest.mark.parametrize(
    ("pages", "asked", "shown"),
    [
        (3, (2, 2), (1, 3)),
        (200, (1, 1), (1, 3)),
        (200, (100, 101), (98, 103)),
        (200, (200, 200), (198, 200)),
        (200, (999, 999), (198, 200)),
    ],
)
def test_a_long_document_shows_the_pages_around_the_passage(
    pages: int, asked: tuple[int, int], shown: tuple[int, int]
) -> None:
    """A short one is shown whole."""
    assert window(pages, *asked, around=2) == shown


def test_paging_reaches_every_page() -> None:
    """Going on from page to page leaves none out."""
    seen, at = set(), 1
    while True:
        first, last = window(23, at, at, 2)
        seen |= set(range(first, last + 1))
        later = paging(first, last, 23)["later"]
        if later is None:
            break
        assert later > at
        at = later
    assert seen == set(range(1, 24))


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (0, 13, "One sentence."),
        (0, 0, RECORD.text),
        (5, 2, RECORD.text),
        (0, 999, RECORD.text),
    ],
)
def test_a_link_can_only_mark_words_of_the_passage(start: int, end: int, text: str) -> None:
    """Numbers that make no sense mark all of it."""
    pages = ["Before.", f"It says: {RECORD.text}", "After."]
    place = quoted_place(RECORD, Stretch("p", start, end), (None, None), pages)
    assert [pages[1][left:right] for left, right in place.spans[2]] == [text]


def test_the_quoted_words_are_marked_in_text_and_picture(site: Site, client: httpx.Client) -> None:
    """With words for those who do not see the colour."""
    passage = site.assistant.passages[0]
    address = f"/documents/{site.vials}/versions/1"
    page = client.get(f"{address}?passage={passage.passage_id}&from=0&to=61").text
    mark = re.search(r"<mark[^>]*>.*?Quoted passage: </span>([^<]+)<", page)
    assert mark is not None
    assert mark[1].startswith("Multi-dose vials may be used for 28 days")
    assert "Review overdue since" in page
    assert "PH-014" in page

    plain = client.get(f"{address}/pages/1.png")
    marked = client.get(f"{address}/pages/1.png?passage={passage.passage_id}&from=0&to=61")
    assert plain.headers["Content-Type"] == "image/png"
    assert plain.content != marked.content
    assert marked.content.startswith(b"\x89PNG")


def test_a_kept_picture_is_asked_for_again_each_time(
    site: Site, client: httpx.Client, stranger: httpx.Client
) -> None:
    """Not drawn again, but not shown to who may not see it either."""
    path = f"/documents/{site.vials}/versions/1/pages/1.png"
    drawn = client.get(path)
    assert drawn.headers["Cache-Control"] == "private, no-cache"
    kept = {"If-None-Match": drawn.headers["ETag"]}
    assert client.get(path, headers=kept).status_code == 304
    assert client.get(f"{path}?passage=x", headers=kept).status_code == 200
    assert stranger.get(path, headers=kept).status_code == 303
    with site.client("outsider") as outsider:
        assert outsider.get(path, headers=kept).status_code == 404


def test_every_picture_has_its_text_beside_it(site: Site, client: httpx.Client) -> None:
    """The alternative names document and page."""
    page = client.get(f"/documents/{site.vials}/versions/1").text
    assert page.count("<img") == page.count('class="lamp-page__text"') == 3
    assert 'alt="PH-014 Multi-dose vials, page 2. The text of the page follows."' in page
    assert page.count('loading="lazy"') == 2, "the first picture is wanted at once"


def test_a_format_without_pages_shows_its_text(site: Site, client: httpx.Client) -> None:
    """And has no picture."""
    page = client.get(f"/documents/{site.hands}/versions/1").text
    assert "<img" not in page
    assert "<p>Clean hands before touching a patient." in page
    assert '<h3 id="s2" class="lamp-level-2">When to clean hands</h3>' in page
    assert ">Situation</th>" in page
    assert "---" not in page
    assert "| " not in page
    assert client.get(f"/documents/{site.hands}/versions/1/pages/1.png").status_code == 404


def shown(number: int, quote: str = "") -> ShownPage:
    """A page that says which one it is."""
    text = f"This is what page {number} says."
    marks = marks_of(find_quote(text, Quote(quote)))
    return ShownPage(Leaf(number, number, 0, len(text)), shown_blocks(text, marks))


@pytest.mark.parametrize(
    ("quote", "asked_page", "ids", "mark_ids", "first"),
    [
        ("page 2 says", None, ["p1", "", "p3"], ["", "p2", ""], 2),
        # The words are only on the passage's second page; its address still leads to them.
        ("page 3 says", None, ["p1", "", "p3"], ["", "", "p2"], 3),
        ("not there", None, ["p1", "p2", "p3"], ["", "", ""], 2),
        ("page 2 says", 1, ["p1", "p2", "p3"], ["", "", ""], 1),
    ],
)
def test_the_address_of_a_citation_leads_to_the_marked_words(
    quote: str, asked_page: int | None, ids: list[str], mark_ids: list[str], first: int
) -> None:
    """Without JavaScript; where a page was asked for, to that page."""
    pages = placed([shown(1), shown(2, quote), shown(3, quote)], 2, asked_page)
    assert [page.id for page in pages] == ids
    assert [page.mark_id for page in pages] == mark_ids
    assert [page.number for page in pages if page.first] == [first]


def test_a_document_opened_without_a_quote_starts_with_its_first_page() -> None:
    """Every page has its address."""
    pages = placed([shown(1), shown(2)], None, None)
    assert [(page.id, page.first) for page in pages] == [("p1", True), ("p2", False)]


def test_a_quoted_row_is_marked_in_its_cells(site: Site, client: httpx.Client) -> None:
    """It is announced once."""
    passage = next(one for one in site.assistant.passages if "| Hands look dirty" in one.text)
    start = passage.text.index("| Hands look dirty")
    page = client.get(passage.url.replace("#", f"&from={start}&to={len(passage.text)}#")).text
    assert page.count("<mark") == 2
    assert page.count("Quoted passage: ") == 1
    assert '<mark id="p1">' in page
    assert 'href="#p1">Go to the quoted passage</a>' in page


def test_a_passage_of_another_document_marks_nothing(site: Site, client: httpx.Client) -> None:
    """A link cannot be forged into showing other words as quoted."""
    passage = site.assistant.passages[0]
    page = client.get(f"/documents/{site.hands}/versions/1?passage={passage.passage_id}").text
    assert "<mark" not in page


def test_the_original_is_saved_and_never_shown(site: Site, client: httpx.Client) -> None:
    """Whatever it holds, the browser does not run it."""
    file = client.get(f"/documents/{site.vials}/versions/1/file")
    assert file.content.startswith(b"%PDF")
    assert file.headers["Content-Disposition"] == "attachment; filename*=UTF-8''vials.pdf"
    assert "sandbox" in file.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["versions/9", "versions/1/pages/99.png", "versions/x", ""])
def test_what_is_not_there_is_not_found(site: Site, client: httpx.Client, path: str) -> None:
    """A page says so."""
    assert client.get(f"/documents/{site.vials}/{path}").status_code == 404
