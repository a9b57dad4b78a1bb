"""What stands in a page's text shows again: headings, lists, tables, and the quote in them."""

import pytest

from ingest.quotes import Quote, find_quote
from web.marks import Mark, Piece, marks_of
from web.page_text import Anchor, Kind, Shown, block_around, shown_blocks

TABLE = """| Place | Range |
| --- | --- |
| Freezer | -25 °C |
| Either \\| or | 2 °C |"""


def quoted(text: str, quote: str) -> tuple[Mark, ...]:
    """The marks of a quote in a page's text."""
    return marks_of(find_quote(text, Quote(quote)))


def written(words: tuple[Piece, ...]) -> str:
    """The words with their marks: « and » where one begins and ends, < and > where it goes on."""
    return "".join(
        f"{'«' if one.opens else '<'}{one.text}{'»' if one.closes else '>'}"
        if one.marked
        else one.text
        for one in words
    )


def lines(block: Shown) -> list[str]:
    """The lines of a block as they are written."""
    return [written(words) for words in block.lines]


def table(block: Shown) -> tuple[list[str], list[list[str]]]:
    """The head and the rows of a table."""
    return [written(cell) for cell in block.head], [
        [written(cell) for cell in row] for row in block.rows
    ]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("", []),
        ("1. Purpose\n\nThis policy says when.", ["heading", "paragraph"]),
        ("3. First aid\n\n3.1 Wounds\n\n1. Stop the work.", ["heading", "heading", "numbers"]),
        ("1. Gloves\n\n2. Apron\n\n3. Mask", ["numbers"]),
        ("(a) Gloves\n\n(b) Apron", ["numbers"]),
        ("Wear these:\n\n- gloves\n\n- a mask", ["paragraph", "bullets"]),
        ("- gloves\n\n1. Wash them.", ["bullets", "numbers"]),
        ("Required Actions\n\nEach ward keeps a list.", ["heading", "paragraph"]),
        ("Approved by\n\nJane Doe\n\nWard 4", ["paragraph"] * 3),
        ("A last line", ["paragraph"]),
        ("Each ward keeps a list.\n\nWe do.", ["paragraph"] * 2),
        (f"4.1 Storage ranges\n\n{TABLE}", ["heading", "table"]),
        (f"{TABLE}\n\n{TABLE}", ["table", "table"]),
        ("| no ruler |\n| here |", ["paragraph"]),
        ("Contents ........ 1\nScope ........ 2", ["paragraph"]),
    ],
)
def test_a_block_is_shown_as_what_it_is(text: str, kinds: list[str]) -> None:
    """Numbers make headings where no next number follows at once."""
    assert [block.kind for block in shown_blocks(text)] == kinds


def test_what_the_outline_names_is_a_heading() -> None:
    """Whatever its shape is."""
    assert shown_blocks("Who to call:", outline=["Who to call:"])[0].kind is Kind.HEADING


def test_a_table_has_a_head_rows_and_the_heading_above_it() -> None:
    """The ruler is gone, and an escaped bar is a bar."""
    block = shown_blocks(f"4.1 Storage ranges\n\nThe ranges are these.\n\n{TABLE}")[-1]
    assert table(block) == (["Place", "Range"], [["Freezer", "-25 °C"], ["Either | or", "2 °C"]])
    assert block.caption == "4.1 Storage ranges"
    assert not block.wide


def test_a_list_of_facts_has_no_head() -> None:
    """Its first row is a name and a value as all others are."""
    block = shown_blocks("| Policy number | IC-001 |\n| --- | --- |\n| Owner | Pharmacy |")[0]
    assert table(block) == ([], [["Policy number", "IC-001"], ["Owner", "Pharmacy"]])


def test_a_table_of_many_columns_is_wide() -> None:
    """It does not fit beside a picture."""
    assert shown_blocks("| a " * 6 + "|\n" + "| --- " * 6 + "|")[0].wide


def test_a_bullet_is_drawn_and_a_number_is_kept() -> None:
    """Other places may name the number."""
    bullets, numbers = shown_blocks("- gloves\n\n- a mask\n\n7. Wash the hands.")
    assert lines(bullets) == ["gloves", "a mask"]
    assert lines(numbers) == ["7. Wash the hands."]


def test_a_quoted_row_is_marked_cell_by_cell() -> None:
    """As one mark."""
    block = shown_blocks(TABLE, quoted(TABLE, "| Freezer | -25 °C |"))[0]
    assert table(block)[1][0] == ["«Freezer>", "<-25 °C»"]
    assert table(block)[1][1] == ["Either | or", "2 °C"]


def test_a_quote_runs_over_paragraph_list_and_table() -> None:
    """One mark from its first word to its last."""
    text = f"Take care. Keep these:\n\n- the freezer\n\n- the bag\n\n{TABLE}"
    quote = "Keep these:\n- the freezer\n- the bag\n\n| Place | Range |"
    paragraph, bullets, rows = shown_blocks(text, quoted(text, quote))
    assert lines(paragraph) == ["Take care. «Keep these:>"]
    assert lines(bullets) == ["<the freezer>", "<the bag>"]
    assert table(rows)[0] == ["<Place>", "<Range»"]


def test_no_letter_of_the_page_is_lost() -> None:
    """But for markers and rulers, all of it is shown."""
    text = f"1. Purpose\n\nSay why.\nAnd when.\n\n- one\n\n{TABLE}"
    blocks = shown_blocks(text, quoted(text, "why. And when."))
    said = "".join(piece.text for block in blocks for piece in block.words)
    assert [c for c in said if c.isalnum()] == [c for c in text if c.isalnum()]


def test_a_heading_of_the_contents_is_a_heading_with_its_anchor() -> None:
    """Whatever its shape is."""
    text = "Before.\n\nwho to call, and when\n\nCall 222."
    blocks = shown_blocks(text, anchors={9: Anchor("s1", 2)})
    assert [(one.kind, one.anchor) for one in blocks][1] == (Kind.HEADING, Anchor("s1", 2))


def test_a_part_of_a_text_shows_the_blocks_that_begin_in_it() -> None:
    """Each block is in one part."""
    text = "One.\n\nTwo.\n\nThree."
    parts = [shown_blocks(text, within=within) for within in ((0, 6), (6, len(text)))]
    assert [[lines(block)[0] for block in part] for part in parts] == [["One."], ["Two.", "Three."]]


def test_a_place_is_in_one_block() -> None:
    """Between two blocks there is none."""
    assert block_around("One.\n\nTwo.", 7) == (6, 10)
    assert block_around("One.\n\nTwo.", 4) == (4, 4)
