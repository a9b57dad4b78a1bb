from io import BytesIO
from typing import Any

import pytest
from docx import Document

from ingest.config import IngestSettings
from ingest.document import Block, BlockKind
from ingest.parse.docx import parse

H, P, L = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM


@pytest.fixture
def document() -> Any:
    return Document()


def bold(document: Any, text: str, style: str | None = None) -> Any:
    added = document.add_paragraph(style=style)
    added.add_run(text).bold = True
    return added


def blocks(document: Any) -> tuple[Block, ...]:
    buffer = BytesIO()
    document.save(buffer)
    return parse(buffer.getvalue(), IngestSettings()).blocks


def test_a_bold_line_heads_what_follows_it(document: Any) -> None:
    """It stands one level below the heading with a style, and lower by its own number."""
    document.add_heading("Falls", 1)
    bold(document, "Purpose:")
    document.add_paragraph("To prevent falls.")
    bold(document, "2.1 Night staff")
    document.add_paragraph("Look in every hour.")
    assert blocks(document) == (
        Block(H, "Falls", 1, 1),
        Block(H, "Purpose:", 1, 2),
        Block(P, "To prevent falls.", 1),
        Block(H, "2.1 Night staff", 1, 3),
        Block(P, "Look in every hour.", 1),
    )


@pytest.mark.parametrize(
    "line",
    [
        "Owner: Matron",
        "Never leave the bed rails down.",
        "Staff who find a patient on the floor call for help before they move the patient",
        "***",
    ],
)
def test_a_bold_line_with_other_words_is_text(document: Any, line: str) -> None:
    """Labels with their values, sentences and ornaments head nothing."""
    bold(document, line)
    document.add_paragraph("Text.")
    assert [block.kind for block in blocks(document)][-1] is P
    assert H not in [block.kind for block in blocks(document)]


def test_bold_lines_above_each_other_are_text(document: Any) -> None:
    """A cover or a signature is no row of headings; nor is what ends the document one."""
    for line in ("City Hospital", "Ward 7"):
        bold(document, line)
    document.add_heading("Falls", 1)
    document.add_paragraph("Look in every hour.")
    bold(document, "Jane Smith")
    assert [block.kind for block in blocks(document)] == [P, P, H, P, P]


def test_a_bold_list_item_stays_one(document: Any) -> None:
    """A bullet is no heading; a number may be."""
    bold(document, "Bed rails", "List Bullet")
    document.add_paragraph("Up at night.")
    bold(document, "Duties", "List Number")
    document.add_paragraph("Of all staff.")
    assert [(block.kind, block.text) for block in blocks(document)][::2] == [
        (L, "- Bed rails"),
        (H, "1. Duties"),
    ]


def test_weight_comes_from_run_or_style(document: Any) -> None:
    """A style may be bold, a run of it not; what is neither letter nor figure does not count."""
    document.styles["Normal"].font.bold = True
    document.add_paragraph("Scope")
    document.add_paragraph().add_run("All staff.").bold = False
    mixed = bold(document, "Not all of it")
    mixed.add_run(" is bold").bold = False
    document.add_paragraph().add_run("So it is text.").bold = False
    marked = bold(document, "Night staff")
    marked.add_run(" \u2691").bold = False
    document.add_paragraph().add_run("Look in.").bold = False
    assert [block.kind for block in blocks(document)] == [H, P, P, P, H, P]


def test_a_sentence_in_a_headings_style_is_text(document: Any) -> None:
    """What was only made to look like a heading heads nothing."""
    document.add_heading("When you share your name with us, we write to you " * 2 + "soon.", 2)
    document.add_paragraph("Text.")
    assert [block.kind for block in blocks(document)] == [P, P]


def test_a_bold_line_is_not_the_title(document: Any) -> None:
    """The title is that of the heading with a style."""
    bold(document, "Front matter")
    document.add_paragraph("How to use this.")
    document.add_heading("Falls", 1)
    document.add_heading("Scope", 2)
    document.add_paragraph("All staff.")
    document.core_properties.title = ""
    buffer = BytesIO()
    document.save(buffer)
    assert parse(buffer.getvalue(), IngestSettings()).title == "Falls"
