"""The sample policies: eight files that can be rebuilt, and questions they do or do not answer."""

import csv
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import docx
import pypdf
import pytest
from docx.table import Table
from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser

SAMPLES = Path(__file__).parent.parent / "samples"
SUFFIXES = {".pdf", ".docx", ".html", ".md"}
POLICIES = sorted(path for path in SAMPLES.iterdir() if path.suffix in SUFFIXES)
BUILT = {
    *POLICIES,
    SAMPLES / "policies.csv",
    SAMPLES / "superseded" / "ph-005-medication-storage-v5.pdf",
    SAMPLES / "drafts" / "fa-003-visitors-v4-draft.docx",
}
QUESTIONS: list[dict[str, Any]] = [
    json.loads(line) for line in (SAMPLES / "questions.jsonl").read_text("utf-8").splitlines()
]
ANSWERABLE = [question for question in QUESTIONS if question["answerable"]]


def by_id(question: dict[str, Any]) -> str:
    return str(question["id"])


def html_text(page: str) -> str:
    body = LexborHTMLParser(page).body
    assert body is not None
    return body.text(separator=" ")


def docx_text(path: Path) -> str:
    parts: list[str] = []
    for part in docx.Document(str(path)).iter_inner_content():
        if isinstance(part, Table):
            parts += [cell.text for row in part.rows for cell in row.cells]
        else:
            parts.append(part.text)
    return " ".join(parts)


@cache
def text_of(name: str) -> str:
    """The words of a file in reading order, with single spaces."""
    path = SAMPLES / name
    match path.suffix:
        case ".pdf":
            text = " ".join(page.extract_text() for page in pypdf.PdfReader(path).pages)
        case ".docx":
            text = docx_text(path)
        case ".html":
            text = html_text(path.read_text("utf-8"))
        case _:
            reader = MarkdownIt("commonmark").enable("table")
            text = html_text(reader.render(path.read_text("utf-8")))
    return " ".join(text.split())


def test_there_are_eight_policies_in_four_formats() -> None:
    """Two of each: PDF, DOCX, HTML and Markdown."""
    assert sorted(path.suffix for path in POLICIES) == sorted([*SUFFIXES, *SUFFIXES])


def test_the_sources_build_the_committed_files(tmp_path: Path) -> None:
    """A rebuild gives the same bytes, so a change to a source cannot be forgotten."""
    command = [sys.executable, str(SAMPLES / "build.py"), "--out", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    built = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    assert built == {path.relative_to(SAMPLES) for path in BUILT}
    changed = [n for n in built if (tmp_path / n).read_bytes() != (SAMPLES / n).read_bytes()]
    assert changed == []


def test_the_policy_list_names_each_policy_once() -> None:
    """What `lamplight up` loads is the eight policies, not the old version nor the draft."""
    with (SAMPLES / "policies.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert sorted(row["file"] for row in rows) == [path.name for path in POLICIES]
    assert len({row["policy_number"] for row in rows}) == 8
    assert all(row["effective_from"] < row["review_due"] for row in rows)


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.name)
def test_a_policy_says_what_it_is(path: Path) -> None:
    """Number, dates and the warning that it is fictional stand in each file."""
    text = text_of(path.name)
    assert path.name[:6].upper() in text
    assert all(name in text for name in ("Effective date", "Next review", "Supersedes"))
    raw = path.read_bytes() if path.suffix != ".pdf" else text.encode()
    assert b"Fictional sample document" in raw


@pytest.mark.parametrize("name", ["superseded", "drafts"])
def test_what_is_not_in_force_says_so(name: str) -> None:
    """The old version and the draft carry their status on the first page."""
    (path,) = (SAMPLES / name).iterdir()
    text = text_of(f"{name}/{path.name}")
    assert ("Superseded by version 6.0" if name == "superseded" else "Do not follow") in text


def test_the_question_file_has_both_kinds() -> None:
    """Three out of four can be answered, and every id stands once."""
    assert len(ANSWERABLE) == 24
    assert len(QUESTIONS) == 32
    assert len({question["id"] for question in QUESTIONS}) == 32


@pytest.mark.parametrize("question", ANSWERABLE, ids=by_id)
def test_the_evidence_stands_in_its_file(question: dict[str, Any]) -> None:
    """The gold sentence or table row is there word for word, within its passage."""
    assert question["answers"]
    (gold,) = question["gold"]
    assert gold["evidence"] in gold["passage"]
    assert gold["evidence"] in text_of(gold["doc"])


@pytest.mark.parametrize("question", [q for q in QUESTIONS if not q["answerable"]], ids=by_id)
def test_an_unanswerable_question_says_why(question: dict[str, Any]) -> None:
    """It names no answer, and the reason is written down for whoever reviews it."""
    assert question["answers"] == []
    assert question["gold"] == []
    assert question["reason"]
