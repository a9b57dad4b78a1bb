"""Real files, read as they are loaded: every one gets a verdict, and the evidence survives."""

import json
import random
import re
import unicodedata
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from ingest.config import IngestSettings
from ingest.document import ParsedDocument
from ingest.errors import RefusedFile
from ingest.page_image import render_page
from ingest.parser import parse_file
from ingest.source import PDF, inspect
from ingest.split import split

pytestmark = pytest.mark.corpus

# Files of pictures alone, with words of theirs that OCR must find.
SCANS = {
    "policies/pod-memo-from-the-acting-deputy-secretary-et-alia-open-data-policy.pdf": (
        "As part of the Data Management Enterprise Service project",
        "we have met the initial requirements of the policy",
        "Deputy Chief Financial Officer",
    ),
    "torture/docling__ocr_test.pdf": ("JSON and Markdown in an easy self contained package",),
    "torture/markitdown__pdf_scanned_minimal.pdf": ("just a few lines of text.",),
}
SEED = 20_251_122


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix != ".tsv")


def sample(paths: list[Path], count: int) -> list[Path]:
    return random.Random(SEED).sample(paths, min(count, len(paths)))


def read(path: Path, settings: IngestSettings) -> ParsedDocument:
    source = inspect(path.name, path.read_bytes(), settings)
    return parse_file(path, source.media_type, path.name, settings)


def verdict(path: Path, settings: IngestSettings) -> str:
    """What became of a file: "loaded", or the kind of its refusal."""
    try:
        document = read(path, settings)
    except RefusedFile as refusal:
        told = path.name in refusal.message and bool(refusal.hint)
        return refusal.type if told else "refused without a reason"
    passages = split(document, settings)
    assert passages
    assert max(len(p.text.split()) for p in passages) <= settings.passage_max_words
    assert all(1 <= p.page_from <= p.page_to <= document.page_count for p in passages)
    assert len(document.page_texts) == document.page_count
    return "loaded"


def verdicts_of(paths: Iterable[Path], settings: IngestSettings) -> dict[str, str]:
    """The verdict on each file, two at a time."""
    named = sorted(paths)
    with ThreadPoolExecutor(2) as pool:
        said = pool.map(lambda path: verdict(path, settings), named)
        return {path.name: word for path, word in zip(named, said, strict=True)}


def test_all_policies_load(corpus: Path, settings: IngestSettings) -> None:
    """All 136 policies load, the two that are pictures of pages among them."""
    verdicts = verdicts_of(files(corpus / "policies"), settings)
    assert {name for name, said in verdicts.items() if said != "loaded"} == set()
    assert len(verdicts) == 136


@pytest.mark.parametrize("name", SCANS, ids=lambda name: Path(name).stem)
def test_real_scans_are_read(corpus: Path, settings: IngestSettings, name: str) -> None:
    """Whole sentences are there, and a person is told of each page that it is a picture."""
    document = read(corpus / name, settings)
    text = " ".join(" ".join(document.page_texts).split())
    assert [words for words in SCANS[name] if words not in text] == []
    assert [finding.page for finding in document.findings] == [*range(1, document.page_count + 1)]


def test_torture_files_get_a_verdict(corpus: Path, settings: IngestSettings) -> None:
    """Broken, odd, locked and huge files neither crash nor hang: each is loaded or refused."""
    paths = files(corpus / "torture")
    huge = [path for path in paths if path.stat().st_size > 2_000_000]
    verdicts = verdicts_of({*sample(paths, 15), *huge}, settings)
    assert set(verdicts.values()) <= {"loaded", *(k.type for k in RefusedFile.__subclasses__())}


def test_torture_files_can_be_drawn_or_are_refused(corpus: Path, settings: IngestSettings) -> None:
    """No page of a hostile PDF takes the process down with it."""
    for path in sample([p for p in files(corpus / "torture") if p.suffix == ".pdf"], 15):
        try:
            assert render_page(path, 1, ["the"], 1.0, settings).png.startswith(b"\x89PNG")
        except RefusedFile as refusal:
            assert refusal.hint  # noqa: PT017  # either outcome is right: neither is a crash


def test_the_evidence_survives_reading(corpus: Path, settings: IngestSettings) -> None:
    """The words that answer a question stand in one passage or in two neighbours."""
    golds = [
        (gold["doc"], gold["evidence"])
        for line in (corpus / "qa-dev.jsonl").read_text().splitlines()
        for gold in json.loads(line).get("gold") or ()
    ]
    lost = []
    for name in sample_names(sorted({name for name, _ in golds})):
        path = corpus / "qa-dev-docs" / name
        texts = [fold(p.text) for p in split(read(path, settings), settings)]
        pairs = [a + b for a, b in pairwise(texts)] or texts
        lost += [e for n, e in golds if n == name and not any(fold(e) in t for t in pairs)]
    assert lost == []


def sample_names(names: list[str]) -> list[str]:
    return random.Random(SEED).sample(names, min(25, len(names)))


def fold(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\s\-\u2010-\u2015\u00ad|]+", "", plain)


def test_a_passage_can_be_marked_on_its_page(corpus: Path, settings: IngestSettings) -> None:
    """Sentences of a real policy's passages are found again on the page they are said to be on."""
    path = corpus / "policies" / "epa-information-security-policy.pdf"
    assert inspect(path.name, path.read_bytes(), settings).media_type == PDF
    passages = split(read(path, settings), settings)
    long = [passage for passage in passages if len(passage.text) > 200][:6]
    assert all(render_page(path, p.page_from, [p.text], 1.0, settings).boxes for p in long)
