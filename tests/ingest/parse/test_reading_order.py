from ingest.document import ScanLine
from ingest.parse.reading_order import goes_on, in_reading_order

PROSE = "staff wash their hands well"


def piece(text: str, left: float, top: float, right: float, height: float = 12.0) -> ScanLine:
    edges = (left, top, right, top + height)
    return ScanLine(text, 0.99, edges, edges)


def texts(lines: list[ScanLine]) -> list[str]:
    return [line.text for line in lines]


def test_rows_are_read_from_the_top_and_from_the_left() -> None:
    """Pieces of one row may waver in height and come in any order."""
    pieces = [
        piece("all staff", 200, 101, 300),
        piece("May 2026", 72, 140, 160),
        piece("To:", 72, 103, 90),
    ]
    assert texts(in_reading_order(pieces)) == ["To:", "all staff", "May 2026"]


def test_columns_are_read_one_after_the_other() -> None:
    """A heading over both comes first, what stands below both last."""
    pieces = [piece("Hand hygiene for all who work here", 72, 60, 520)]
    for n in range(6):
        pieces.append(piece(f"left {n} {PROSE}", 72, 100 + 15 * n, 280))
        pieces.append(piece(f"right {n} {PROSE}", 312, 104 + 15 * n, 520))
    pieces.append(piece("Signed by the director of the hospital", 72, 300, 520))
    read = texts(in_reading_order(pieces))
    assert read[0].startswith("Hand hygiene")
    assert [text.split()[0] for text in read[1:-1]] == ["left"] * 6 + ["right"] * 6
    assert read[-1].startswith("Signed")


def test_columns_of_justified_lines_are_read_one_after_the_other() -> None:
    """Wide spaces part the pieces of a line, and of the gutter OCR leaves two points."""
    pieces = []
    for n in range(6):
        for name, left in (("left", 72.0), ("right", 302.0)):
            space = left + 60 + 8 * n
            pieces.append(piece(f"{name} {n} staff", left, 100 + 15 * n, space))
            pieces.append(piece("wash their hands well", space + 8, 100 + 15 * n, left + 228))
    read = [text.split()[0] for text in texts(in_reading_order(pieces))]
    assert read == ["left", "wash"] * 6 + ["right", "wash"] * 6


def test_three_columns_are_read_one_after_the_other() -> None:
    """Each gutter parts what lies on its sides."""
    pieces = [
        piece(f"{name} {PROSE}", left, 100 + 15 * n, left + 140)
        for n in range(6)
        for name, left in (("one", 50.0), ("two", 210.0), ("three", 370.0))
    ]
    read = [text.split()[0] for text in texts(in_reading_order(pieces))]
    assert read == ["one"] * 6 + ["two"] * 6 + ["three"] * 6


def test_a_table_is_read_by_rows() -> None:
    """Short cells side by side belong together across the gutter."""
    pieces = []
    for n in range(8):
        pieces.append(piece(f"Ward {n}", 72, 100 + 15 * n, 130))
        pieces.append(piece(f"phone {n}", 400, 100 + 15 * n, 460))
    assert texts(in_reading_order(pieces))[:4] == ["Ward 0", "phone 0", "Ward 1", "phone 1"]


def test_a_table_of_longer_cells_is_read_by_rows() -> None:
    """Cells begin with capitals and figures, lines of a column mostly do not."""
    pieces = []
    for n in range(8):
        pieces.append(piece("Emergency department desk", 72, 100 + 15 * n, 250))
        pieces.append(piece(f"{n} to 18 on weekdays only", 300, 100 + 15 * n, 480))
    assert len({text[0] for text in texts(in_reading_order(pieces))[::2]}) == 1


def test_a_page_without_text_has_no_order() -> None:
    """Nothing in, nothing out."""
    assert in_reading_order([]) == []


def test_what_stands_beside_goes_on_and_what_stands_below_does_not() -> None:
    """One row is told by the middles of its pieces."""
    label = piece("To:", 72, 100, 90)
    assert goes_on(label, piece("all staff", 200, 102, 300))
    assert not goes_on(label, piece("May 2026", 72, 115, 160))
