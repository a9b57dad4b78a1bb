"""How much of what the questions' answers stand in is read, in order, and on which page.

The PDF and DOCX files among the shared documents whose passages answer a question are read whole.
The pages are checked against another reader, pypdf. Sections are checked against labels/, which
were written by looking at pictures of the pages: a phrase of the text, the heading that it stands
under, and its page.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

import pytest
from pypdf import PdfReader

from ingest.config import IngestSettings
from ingest.document import ParsedDocument
from ingest.parser import parse_file
from ingest.source import inspect
from ingest.split import split

pytestmark = pytest.mark.corpus

LEAST_SHARE = 0.98
FILES = 44
LABELS = Path(__file__).parent / "labels"
LEAST_SECTIONS = 0.95


@dataclass(frozen=True, slots=True)
class Gold:
    """A passage that answers a question, and the words in it that do."""

    name: str
    passage: str
    evidence: str


@cache
def golds(corpus: Path) -> tuple[Gold, ...]:
    found = [
        Gold(gold["doc"], gold["passage"], gold["evidence"])
        for line in (corpus / "qa-dev.jsonl").read_text().splitlines()
        for gold in json.loads(line).get("gold") or ()
    ]
    return tuple(dict.fromkeys(one for one in found if one.name.endswith((".pdf", ".docx"))))


@pytest.fixture(scope="module")
def documents(corpus: Path) -> dict[str, ParsedDocument]:
    """Every file with such a passage, once read."""
    return read_all(corpus / "qa-dev-docs", {gold.name for gold in golds(corpus)})


def read_all(folder: Path, names: Iterable[str]) -> dict[str, ParsedDocument]:
    """The files of a folder, read two at a time."""
    ordered = sorted(names)
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda name: read(folder / name), ordered)
        return dict(zip(ordered, found, strict=True))


def read(path: Path) -> ParsedDocument:
    settings = IngestSettings()
    media_type = inspect(path.name, path.read_bytes(), settings).media_type
    return parse_file(path, media_type, path.name, settings)


def words(text: str) -> list[str]:
    """Words as letters and digits, hyphenation undone, so that line ends do not count."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = re.sub(r"(?<=\w)[-\u2010-\u2015\u00ad]\s*(?=\w)", "", plain)
    return re.findall(r"\w+", plain)


def share_in_order(wanted: Sequence[str], text: Sequence[str]) -> float:
    """How many of the wanted words stand in the text in their order, 0 to 1."""
    matcher = SequenceMatcher(None, wanted, text, autojunk=False)
    block = matcher.find_longest_match()
    # Only what stands around the longest common stretch: a word of it may stand anywhere else.
    start = max(0, block.b - block.a - len(wanted) // 2)
    near = text[start : start + 2 * len(wanted)]
    found = SequenceMatcher(None, wanted, near, autojunk=False).get_matching_blocks()
    return sum(match.size for match in found) / max(len(wanted), 1)


def test_every_gold_passage_stands_in_order(
    corpus: Path, documents: dict[str, ParsedDocument]
) -> None:
    """At least 98 % of the words of all passages are in the extracted text, in order."""
    assert len(documents) == FILES
    texts = {name: words(" ".join(one.page_texts)) for name, one in documents.items()}
    shares = [
        (share_in_order(wanted := words(gold.passage), texts[gold.name]), len(wanted))
        for gold in golds(corpus)
    ]
    found = sum(share * count for share, count in shares)
    assert found / sum(count for _, count in shares) >= LEAST_SHARE
    assert min(share for share, _ in shares) >= 0.9


def test_the_words_that_answer_stand_on_the_page_they_are_said_to(
    corpus: Path, documents: dict[str, ParsedDocument], settings: IngestSettings
) -> None:
    """The passage with the evidence names the page on which another reader finds it, each time."""
    wrong = []
    for gold in golds(corpus):
        pages = set(pages_of(corpus / "qa-dev-docs" / gold.name, gold.evidence))
        said = [
            set(range(passage.page_from, passage.page_to + 1))
            for passage in split(documents[gold.name], settings)
            if joined(gold.evidence) in joined(passage.text)
        ]
        if pages and said and not all(pages & one for one in said):
            wrong.append((gold.name, sorted(pages), said))
    assert wrong == []


def test_every_page_has_its_own_words(corpus: Path) -> None:
    """Each page of the PDFs among the questions' documents holds what another reader sees on it."""
    folder = corpus / "qa-dev-docs"
    wrong = []
    for name, document in read_all(folder, (path.name for path in folder.glob("*.pdf"))).items():
        seen = PdfReader(folder / name).pages
        for number, (text, page) in enumerate(zip(document.page_texts, seen, strict=True), 1):
            ours, theirs = words(text), set(words(page.extract_text()))
            if not ours or sum(word in theirs for word in ours) < LEAST_SHARE * len(ours):
                wrong.append((name, number))
    assert wrong == []


@pytest.mark.parametrize("name", ["sections.jsonl", "sections_docx.jsonl"])
def test_a_passage_has_the_section_that_the_page_shows(
    corpus: Path, settings: IngestSettings, name: str
) -> None:
    """At least 95 % of the labelled phrases stand under their heading, and all on their page.

    Thirty PDFs and thirty DOCX; a DOCX has one page.
    """
    labels = [json.loads(line) for line in (LABELS / name).read_text().splitlines()]
    documents = read_all(corpus, {label["file"] for label in labels})
    assert len(documents) >= 30
    passages = {name: split(document, settings) for name, document in documents.items()}
    wrong = []
    for label in labels:
        phrase = joined(label["phrase"])
        holding = [one for one in passages[label["file"]] if phrase in joined(one.text)]
        on_page = [one for one in holding if one.page_from <= label["page"] <= one.page_to]
        assert on_page, label
        if not any(joined(last(one.section)).endswith(joined(label["section"])) for one in on_page):
            wrong.append((label, [one.section for one in on_page]))
    assert len(wrong) <= (1 - LEAST_SECTIONS) * len(labels), wrong


def last(section: str) -> str:
    """The innermost heading of a section's path."""
    return section.rpartition(" > ")[2]


def pages_of(path: Path, quote: str) -> Iterator[int]:
    """The pages on which a quote stands as pypdf reads them; a DOCX has one page."""
    if path.suffix == ".docx":
        yield 1
        return
    for number, text in enumerate(page_texts(path), start=1):
        if joined(quote) in text:
            yield number


@cache
def page_texts(path: Path) -> tuple[str, ...]:
    return tuple(joined(page.extract_text()) for page in PdfReader(path).pages)


def joined(text: str) -> str:
    """Letters and digits alone."""
    return "".join(words(text))
