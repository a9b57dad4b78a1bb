import pytest

from ingest.config import IngestSettings
from ingest.document import BlockKind, FindingKind
from ingest.errors import NoText
from ingest.parse.text import decode, parse

H, P, L = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_the_encoding_is_found(encoding: str) -> None:
    """The encodings that Windows programs write are told apart without help."""
    assert decode("Ward “7” – café".encode(encoding)) == "Ward “7” – café"


def test_a_declared_encoding_is_used_if_it_fits() -> None:
    """What is not UTF-8 is read as declared; a name nobody knows is passed over."""
    assert decode("привет".encode("koi8-r"), "koi8-r") == "привет"
    assert decode("café".encode("cp1252"), "x-none") == "café"


def test_paragraphs_lists_and_headings_are_told_apart(settings: IngestSettings) -> None:
    """Underlines, capitals and numbers make headings; wrapped lines are joined."""
    text = (
        "Sharps\n======\n\nA wrapped\nline.\n\n"
        "FIRST AID\n\n- wash\n- call\n  now\n\n2.1 Reporting\n\nTell us."
    )
    document = parse(text.encode(), settings)
    assert [(b.kind, b.text, b.level) for b in document.blocks] == [
        (H, "Sharps", 1),
        (P, "A wrapped line.", 0),
        (H, "FIRST AID", 2),
        (L, "- wash", 0),
        (L, "- call now", 0),
        (H, "2.1 Reporting", 3),
        (P, "Tell us.", 0),
    ]
    assert document.title == "Sharps"


def test_text_without_letters_is_refused(settings: IngestSettings) -> None:
    """Rules and dots say nothing."""
    with pytest.raises(NoText):
        parse(b"-----\n\n.....", settings)


def test_codes_without_a_shape_are_left_out_and_counted() -> None:
    """Unicode tags spell words for a model alone; a mark turns the reading order over."""
    tags = "".join(chr(0xE0000 + ord(char)) for char in "yes")
    document = parse(f"Doors stay shut.{tags}\u202e\n".encode(), IngestSettings())
    assert document.page_texts == ("Doors stay shut.",)
    (found,) = document.findings
    assert (found.kind, found.count) == (FindingKind.HIDDEN, 4)
