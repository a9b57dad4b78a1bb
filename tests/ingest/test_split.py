from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.config import IngestSettings
from ingest.document import Block, BlockKind, ParsedDocument, PassageText
from ingest.split import cells, split

H, P, L, T = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.TABLE
SETTINGS = IngestSettings()


def document(*blocks: Block, title: str | None = "Sharps") -> ParsedDocument:
    return ParsedDocument(title, blocks, 9, ("",) * 9)


def passages(*blocks: Block, settings: IngestSettings = SETTINGS) -> tuple[PassageText, ...]:
    return split(document(*blocks), settings)


def prose(words: int, mark: str = "word") -> str:
    """Sentences of ten words each."""
    sentence = " ".join(["Word", *[mark] * 8, "end."])
    return " ".join([sentence] * (words // 10))


def test_a_passage_never_crosses_a_section() -> None:
    """Two short sections are two passages, each with its path of headings."""
    first, second = passages(
        Block(H, "Sharps", 1, 1),
        Block(H, "Scope", 1, 2),
        Block(P, "All staff.", 1),
        Block(H, "First aid", 2, 2),
        Block(P, "Wash the wound.", 2),
    )
    assert (first.section, first.text) == ("Sharps > Scope", "All staff.")
    assert (second.section, second.text) == ("Sharps > First aid", "Wash the wound.")
    assert (second.page_from, second.page_to) == (2, 2)


def test_the_path_forgets_deeper_headings() -> None:
    """A heading of a higher level closes those below the last one."""
    result = passages(
        Block(H, "A", 1, 1), Block(H, "B", 1, 3), Block(H, "C", 1, 2), Block(P, "text", 1)
    )
    assert result[-1].section == "A > C"


def test_short_paragraphs_of_one_section_are_merged() -> None:
    """Ten small paragraphs are one passage, apart by blank lines."""
    (passage,) = passages(*[Block(P, "Wash your hands.", 1)] * 10)
    assert passage.text.count("\n\n") == 9


def test_long_sections_are_cut_between_sentences_evenly() -> None:
    """No passage is over the limit, none is a small rest, and each ends with a sentence."""
    result = passages(Block(P, prose(1000), 1))
    lengths = [len(passage.text.split()) for passage in result]
    assert max(lengths) <= SETTINGS.passage_max_words
    assert min(lengths) >= 100
    assert all(passage.text.endswith("end.") for passage in result)


def test_a_sentence_without_end_is_cut_between_words() -> None:
    """A run of a thousand words is cut into passages within the limit, without loss."""
    result = passages(Block(P, "word " * 999 + "word", 1))
    assert max(len(passage.text.split()) for passage in result) <= SETTINGS.passage_max_words
    assert sum(len(passage.text.split()) for passage in result) == 1000


def test_text_without_blanks_is_cut_too() -> None:
    """Chinese text and endless codes cannot make a passage without bounds."""
    result = passages(Block(P, "手" * 20_000, 1))
    assert max(len(passage.text) for passage in result) < 3000
    assert sum(passage.text.count("手") for passage in result) == 20_000


def test_each_passage_of_a_table_repeats_its_header() -> None:
    """Rows are never cut, and the header stands above them in every passage."""
    rows = "\n".join(f"| Bin {n} | {prose(20)} |" for n in range(30))
    result = passages(Block(T, f"| Name | Use |\n| --- | --- |\n{rows}", 3))
    assert len(result) > 3
    assert all(p.text.startswith("| Name | Use |\n| --- | --- |\n| Bin") for p in result)
    assert sum(p.text.count("| Bin ") for p in result) == 30


def test_a_row_too_long_for_a_passage_is_told_cell_by_cell() -> None:
    """A cell of a thousand words keeps its column's name and stays within the limit."""
    result = passages(Block(T, f"| Name | Use |\n| --- | --- |\n| Bin | {prose(1000)} |", 1))
    assert max(len(p.text.split()) for p in result) <= SETTINGS.passage_max_words
    assert result[0].text.startswith("Name: Bin\n\nUse: Word")


def test_a_lead_in_stays_with_its_list() -> None:
    """What ends in a colon is not the last of its passage."""
    result = passages(Block(P, prose(140), 1), Block(P, "Do this:", 1), Block(L, "- wash " * 60, 1))
    assert not any(passage.text.endswith(":") for passage in result)


def test_a_heading_with_nothing_below_it_is_a_passage() -> None:
    """Words that look like a heading and stand alone are not lost."""
    first, second = passages(
        Block(H, "Call 2222", 1, 1), Block(H, "Then", 1, 1), Block(P, "Wait.", 1)
    )
    assert first.text == "Call 2222"
    assert second.section == "Then"


def test_what_is_embedded_has_title_and_path_in_front() -> None:
    """The title is not said twice where the first heading is the title."""
    blocks = (Block(H, "sharps", 1, 1), Block(H, "Scope", 1, 2), Block(P, "All staff.", 1))
    assert split(document(*blocks), SETTINGS)[0].embed_text == "sharps > Scope\nAll staff."
    assert split(document(*blocks), SETTINGS, title="Policy 7")[0].embed_text == (
        "Policy 7 > sharps > Scope\nAll staff."
    )
    assert split(document(*blocks[2:], title=None), SETTINGS)[0].embed_text == "All staff."


def test_pages_of_a_passage_span_its_paragraphs() -> None:
    """A paragraph that runs over a page's end counts for both pages."""
    (passage,) = passages(Block(P, "One.", 2), Block(P, "Two.", 3, page_to=4))
    assert (passage.page_from, passage.page_to) == (2, 4)


def test_cells_are_told_apart_by_bars_that_are_not_escaped() -> None:
    """An escaped bar belongs to its cell."""
    assert cells(r"| a \| b | c |") == ["a | b", "c"]


BODY = st.builds(
    Block,
    st.sampled_from([P, L]),
    st.text("ab. :A\n", min_size=1, max_size=300).filter(str.strip),
    st.integers(1, 5),
)
HEADING = st.builds(Block, st.just(H), st.text("XY", min_size=1), st.just(1), st.integers(1, 3))
BLOCKS = st.lists(BODY | HEADING, max_size=12)


@given(BLOCKS, st.integers(3, 40))
def test_no_word_is_lost_and_order_is_kept(blocks: list[Block], words: int) -> None:
    """All body text comes out once, in order, in numbered passages, the same each time."""
    settings = replace(SETTINGS, passage_words=words, passage_max_words=2 * words)
    result = split(document(*blocks), settings)
    body = "".join("".join(b.text.split()) for b in blocks if b.kind is not H)
    said = "".join("".join(p.text.split()) for p in result if not set(p.text) <= {"X", "Y"})
    assert said == body
    assert [passage.ordinal for passage in result] == list(range(len(result)))
    assert result == split(document(*blocks), settings)


@pytest.mark.parametrize("count", [0, 1])
def test_a_document_without_text_has_no_passages(count: int) -> None:
    """Nothing in, nothing out."""
    assert passages(*[Block(P, "", 1)] * count) == ()
