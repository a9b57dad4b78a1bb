from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pptx import Presentation
from pptx.util import Inches

from ingest.config import IngestSettings
from ingest.document import Block, BlockKind, FindingKind
from ingest.errors import DamagedFile, NoText
from ingest.parse.pptx import parse
from ingest.parser import parse_file
from ingest.source import PPTX

H, P, L, T = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.TABLE


def saved(fill: Callable[[Any], object]) -> bytes:
    """A slide show that the function has written into."""
    show = Presentation()
    fill(show)
    buffer = BytesIO()
    show.save(buffer)
    return buffer.getvalue()


def sepsis(show: Any) -> None:
    slide = show.slides.add_slide(show.slide_layouts[1])
    slide.shapes.title.text = "Sepsis bundle"
    frame = slide.placeholders[1].text_frame
    frame.text = "Take cultures"
    added = frame.add_paragraph()
    added.text, added.level = "Two bottles", 1
    slide.notes_slide.notes_text_frame.text = "Say why time matters."
    second = show.slides.add_slide(show.slide_layouts[6])
    box(second.shapes, 4, 3, "right")
    box(second.shapes, 1, 3, "left")
    box(second.shapes, 1, 1, "top")
    table = second.shapes.add_table(2, 2, Inches(1), Inches(5), Inches(4), Inches(1)).table
    for number, text in enumerate(("Drug", "Dose", "Insulin", "4")):
        table.cell(number // 2, number % 2).text = text
    box(second.shapes.add_group_shape().shapes, 1, 6.5, "grouped")


def box(shapes: Any, left: float, top: float, text: str) -> Any:
    shape = shapes.add_textbox(Inches(left), Inches(top), Inches(2), Inches(0.5))
    shape.text_frame.text = text
    return shape


def test_a_slide_is_a_page_in_reading_order(settings: IngestSettings) -> None:
    """Title, list with its levels, notes apart; boxes from the top, then from the left."""
    document = parse(saved(sepsis), settings)
    assert document.blocks == (
        Block(H, "Sepsis bundle", 1, 1),
        Block(L, "- Take cultures", 1),
        Block(L, "- Two bottles", 1, 1),
        Block(H, "Notes", 1, 2),
        Block(P, "Say why time matters.", 1),
        Block(H, "Slide 2", 2, 1),
        Block(P, "top", 2),
        Block(P, "left", 2),
        Block(P, "right", 2),
        Block(T, "| Drug | Dose |\n| --- | --- |\n| Insulin | 4 |", 2),
        Block(P, "grouped", 2),
    )
    assert document.page_count == len(document.page_texts) == 2


def test_hidden_slides_and_shapes_are_reported_and_not_read(settings: IngestSettings) -> None:
    """The pages keep their numbers, and none of the hidden words is there."""

    def fill(show: Any) -> None:
        hidden = show.slides.add_slide(show.slide_layouts[6])
        box(hidden.shapes, 1, 1, "secret")
        hidden.element.set("show", "0")
        slide = show.slides.add_slide(show.slide_layouts[6])
        box(slide.shapes, 1, 1, "seen")
        box(slide.shapes, 1, 2, "secret")._element.nvSpPr.cNvPr.set("hidden", "1")

    document = parse(saved(fill), settings)
    assert document.page_texts == ("", "Slide 2\n\nseen")
    assert [(f.kind, f.page) for f in document.findings] == [
        (FindingKind.HIDDEN, 1),
        (FindingKind.HIDDEN, 2),
    ]


def test_an_empty_show_is_refused(settings: IngestSettings) -> None:
    """No slide has a word on it."""
    with pytest.raises(NoText):
        parse(saved(lambda show: show.slides.add_slide(show.slide_layouts[6])), settings)


@pytest.mark.parametrize("cut", [100, 5000, -400])
def test_a_cut_file_is_refused_as_damaged(settings: IngestSettings, cut: int) -> None:
    """Half a file is no file."""
    with pytest.raises(DamagedFile, match="PowerPoint"):
        parse(saved(sepsis)[:cut], settings)


def test_a_show_goes_through_the_child(tmp_path: Path, settings: IngestSettings) -> None:
    """The walls of the child let the library be imported and do its work."""
    path = tmp_path / "show"
    path.write_bytes(saved(sepsis))
    assert parse_file(path, PPTX, "sepsis.pptx", settings).page_count == 2
