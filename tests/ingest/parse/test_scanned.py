import pytest

from ingest.document import ScanLine
from ingest.parse.scanned import lines_of, needs_scan

BODY = "Bins are closed when they are three quarters full"


def piece(
    text: str, top: float, height: float = 14.0, left: float = 72.0, score: float = 0.99
) -> ScanLine:
    edges = (left, top, left + 7 * len(text), top + height)
    return ScanLine(text, score, edges, edges)


def page(*pieces: ScanLine) -> list[tuple[str, float]]:
    """The texts of the lines of one page, each with its size as a share of the text's own."""
    body = [piece(BODY, 500 + 17 * n, 14 + n % 3) for n in range(8)]
    lines = lines_of({1: [*pieces, *body]})[1]
    usual = lines[-1].size_pt
    return [(line.text, round(line.size_pt / usual, 2)) for line in lines[: len(lines) - 8]]


def test_sizes_that_waver_are_one() -> None:
    """The height of a box depends on the letters in it; the text is of one size all the same."""
    assert page(piece("on a new sun", 80, 12), piece("(gf) QJ|", 120, 17)) == [
        ("on a new sun", 1.0),
        ("(gf) QJ|", 1.0),
    ]


def test_larger_type_is_larger() -> None:
    """By steps, so that headings of one rank share a size."""
    sizes = [size for _, size in page(piece("Sharps", 80, 28), piece("Bins", 200, 29))]
    assert sizes[0] == sizes[1] > 1.5


def test_a_heading_of_two_rows_is_one_line() -> None:
    """What is set large over two rows is one heading."""
    ((text, size),) = page(
        piece("Sharps and what to do", 80, 28), piece("after an injury", 112, 26)
    )
    assert (text, size > 1.5) == ("Sharps and what to do after an injury", True)


def test_a_paragraph_in_larger_type_is_text() -> None:
    """An introduction is set larger and is no heading."""
    rows = [
        piece("This policy tells all staff what they are to do.", 80 + 26 * n, 20) for n in (0, 1)
    ]
    assert [size for _, size in page(*rows)] == [1.0, 1.0]


def test_handwriting_is_no_heading() -> None:
    """A signature is tall and was read with doubts."""
    assert page(piece("Rhea Suh", 80, 40, score=0.83)) == [("Rhea Suh", 1.0)]


def test_pieces_of_one_row_are_one_line() -> None:
    """A label and what stands beside it are read together."""
    assert (
        page(piece("From:", 80), piece("The director", 81, left=200))[0][0] == "From: The director"
    )


def test_what_could_not_be_read_is_no_text() -> None:
    """A guess that is more likely wrong than right is left out."""
    assert page(piece("sap nl eoo", 80, score=0.4)) == []


@pytest.mark.parametrize(
    ("seen", "read"), [("Secretary戈, SD", "Secretary, SD"), ("（see below）", "(see below)")]
)
def test_stray_signs_of_another_script_are_left_out(seen: str, read: str) -> None:
    """On a page of Latin letters OCR now and then sees an East Asian one."""
    assert page(piece(seen, 80))[0][0] == read


def test_a_page_of_another_script_keeps_it() -> None:
    """A page that is written so is read so."""
    (line,) = lines_of({1: [piece("请洗手并戴口罩", 80)]})[1]
    assert line.text == "请洗手并戴口罩"


def test_scanned_text_has_the_size_of_the_text_around_it() -> None:
    """So a scanned page among others is not taken for one great heading."""
    (line,) = lines_of({3: [piece(BODY, 80, 14.0)]}, text_pt=11.0)[3]
    assert line.size_pt == 11.0
    (line,) = lines_of({3: [piece("Annex A", 80, 40.0)]}, text_pt=11.0)[3]
    assert line.size_pt > 30


@pytest.mark.parametrize(
    ("inked", "share", "wanted"),
    [(0, 0.0, False), (0, 0.02, True), (10, 0.9, True), (10, 0.1, False), (400, 1.0, False)],
)
def test_pages_for_ocr_are_pictures_with_next_to_no_text(
    inked: int, share: float, wanted: bool
) -> None:
    """A page of text over a picture has its text; an empty page has nothing to read."""
    assert needs_scan(inked, share) is wanted
