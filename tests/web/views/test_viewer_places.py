"""The viewer's steps, its find field, its contents, its parts and its versions, as HTML."""

import re
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count

import httpx
import pytest
from sqlalchemy import select

from governance.policy_fields import PolicyFields
from governance.record.tables import passages
from ingest.testing import load_in_force
from web.testing import Site
from web.testing_hands import Hands

CALL = "Call 2222 at once."
FALLS = "# Preventing falls\n\n" + "\n\n".join(
    f"## {n} Ward {n}\n\nThe nurse in charge of ward {n} acts first. {CALL} Stay with them.\n\n"
    + "Walk with the patient to the bathroom at night and switch the light on. " * 30
    for n in range(1, 17)
)


@dataclass(frozen=True)
class Falls:
    """A long policy without pages that has been replaced once, and some passages of it."""

    document_id: str
    passages: tuple[tuple[str, str], ...]

    def address(self, version: int = 2) -> str:
        """The viewer of one of its versions."""
        return f"/documents/{self.document_id}/versions/{version}"

    def quote(self, ward: int) -> tuple[str, int, int]:
        """The passage and the stretch of the same sentence in the section of one ward."""
        for passage_id, text in self.passages:
            if f"ward {ward} acts first" in text:
                start = text.index(CALL)
                return passage_id, start, start + len(CALL)
        raise AssertionError(ward)

    def cited(self, ward: int, *others: int) -> str:
        """The address of the quote, with others of the same answer."""
        passage_id, start, end = self.quote(ward)
        also = "".join("&also={}.{}.{}".format(*self.quote(one)) for one in others)
        return f"{self.address()}?passage={passage_id}&from={start}&to={end}{also}"


@pytest.fixture(scope="module")
def falls(site: Site) -> Falls:
    """Loaded twice: version 2 has one sentence more and is in force."""
    platform, hands = site.platform, Hands(site, ExitStack(), count())
    place = platform.policies.department("Pharmacy")
    fields = PolicyFields(title="Preventing falls", policy_number="NU-007")
    first = load_in_force(platform.loader, "falls.md", FALLS.encode(), place, fields)
    hands.settle()
    newer = f"{FALLS}\n\nReport every fall.\n".encode()
    load_in_force(platform.loader, "falls.md", newer, place, fields, replaces=first.document_id)
    hands.settle()
    version = platform.policies.version(first.document_id, 2).version_id
    return Falls(first.document_id, passages_of(site, version))


def passages_of(site: Site, version_id: str) -> tuple[tuple[str, str], ...]:
    """Ids and texts of the passages of a version."""
    query = select(passages.c.id, passages.c.text).where(passages.c.version_id == version_id)
    with site.platform.record.read() as connection:
        return tuple((row.id, row.text) for row in connection.execute(query))


def marked(html: str) -> list[str]:
    """What is marked as the current place."""
    return re.findall(r'<mark id="[^"]*">.*?</span>([^<]+)<', html)


def test_t14_the_same_sentence_is_marked_in_the_section_that_was_cited(
    falls: Falls, client: httpx.Client
) -> None:
    """And nowhere else."""
    for ward in (2, 9):
        page = client.get(falls.cited(ward)).text
        assert marked(page) == [CALL]
        before = page[: page.index("<mark id=")]
        assert f"ward {ward} acts first. " in before[-120:]
        assert page.count("<mark") == 1


def test_quotes_of_one_answer_are_stepped_through_in_the_order_of_the_document(
    falls: Falls, client: httpx.Client
) -> None:
    """Forwards and back, by links alone."""
    page = client.get(falls.cited(9, 14, 2)).text
    assert "Quoted: <strong>2 of 3</strong>" in page
    assert page.count("lamp-steps__step") == 2
    seen = []
    for _ in range(2):
        seen.append(re.findall(r"ward (\d+) acts first. <mark id", page))
        links = re.findall(r'class="lamp-steps__step" href="([^"#]+)#', page)
        page = client.get(links[-1].replace("&amp;", "&")).text
    seen.append(re.findall(r"ward (\d+) acts first. <mark id", page))
    assert seen == [["9"], ["14"], ["9"]]
    assert "3 of 3" in client.get(falls.cited(14, 9, 2)).text


def test_words_are_found_and_stepped_through(falls: Falls, client: httpx.Client) -> None:
    """Each with its line; accents and hyphens make no difference."""
    page = client.get(f"{falls.address()}?find=n\u00farse+in+char-ge").text
    assert "16 places with" in page
    assert '<details class="nhsuk-details lamp-fold" open>' in page
    assert "Found: <strong>1 of 16</strong>" in page
    links = re.findall(r'<li><a href="([^"#]+)#p1"', page)
    assert len(links) == 16
    page = client.get(links[11].replace("&amp;", "&")).text
    assert "Found: <strong>12 of 16</strong>" in page
    assert re.findall(r"of ward (\d+) acts", page[page.index("<mark id=") :])[0] == "12"
    nothing = client.get(f"{falls.address()}?find=zebra").text
    assert "is not in this document" in nothing
    assert "<mark" not in nothing


def test_what_is_looked_for_is_shown_as_text(falls: Falls, client: httpx.Client) -> None:
    """Whatever somebody types there."""
    page = client.get(falls.address(), params={"find": '"><script>alert(1)</script>'}).text
    assert "<script>alert" not in page


def test_the_contents_lead_to_each_section(falls: Falls, client: httpx.Client) -> None:
    """Also to one in another part; there it is marked as where the reader is."""
    page = client.get(falls.address()).text
    links = re.findall(r'<a href="([^"]*section=[^"]*)#(s\d+)"[^>]*>([^<]+)</a>', page)
    assert [title for _, _, title in links[:3]] == ["Preventing falls", "1 Ward 1", "2 Ward 2"]
    address, anchor, title = links[-1]
    page = client.get(address).text
    assert f'<h3 id="{anchor}" class="lamp-level-2">{title}</h3>' in page
    assert re.search(rf'aria-current="location">{title}<', page)


def test_a_long_text_is_turned_to_part_by_part(falls: Falls, client: httpx.Client) -> None:
    """From the first to the last, and nothing is left out."""
    page = client.get(falls.address()).text
    wards = set(re.findall(r"of ward (\d+) acts", page))
    while later := re.search(r'href="([^"#]+)#p\d+">Next part: \d+ Ward', page):
        page = client.get(later[1]).text
        wards |= set(re.findall(r"of ward (\d+) acts", page))
    assert "Previous part" in page
    assert "Report every fall." in page
    assert wards == {str(n) for n in range(1, 17)}


def test_who_may_see_them_is_shown_all_versions_and_warned_of_an_old_one(
    falls: Falls, client: httpx.Client, staff: httpx.Client
) -> None:
    """With the way to the one in force; staff see that one only."""
    old = client.get(falls.address(1)).text
    assert "This version was replaced by a newer one" in old
    assert f'<a href="{falls.address(2)}">Open version 2, which is in force</a>' in old
    assert "2 versions" in old
    new = client.get(falls.address(2)).text
    assert "<strong>Version 2</strong> (shown here)" in new
    assert "lamp-warning" not in new
    shown = staff.get(falls.address(2))
    assert "Version 1<" not in shown.text
    assert staff.get(falls.address(1)).status_code == 404
    assert staff.get(f"{falls.address(1)}/print").status_code == 404


def test_the_print_says_version_and_uncontrolled_copy(
    falls: Falls, client: httpx.Client, site: Site
) -> None:
    """And who printed it, when, and that an old version is an old one."""
    page = client.get(f"{falls.address(2)}/print").text
    assert "Number NU-007. Version 2. In force" in page
    assert "by Editor Person." in page
    assert "Uncontrolled copy: check the current version in Lamplight before use." in page
    assert "Report every fall." in page
    assert "This version was replaced" in client.get(f"{falls.address(1)}/print").text
    vials = f"/documents/{site.vials}/versions/1/print"
    assert "<img" not in client.get(vials).text
    assert client.get(f"{vials}?as=pictures&from=2&to=3").text.count("<img") == 2
    assert client.get(f"{vials}?as=pictures&from=9&to=x").text.count("<img") == 1
