from ingest.parse.pdf_tables import Rule, Table, clusters, rules_of


def test_a_thin_box_is_one_rule_and_a_frame_is_four() -> None:
    """Programs draw lines as thin boxes."""
    assert list(rules_of(10, 100, 200, 101)) == [Rule(100.5, 10, 200, upright=False)]
    assert list(rules_of(10, 100, 11, 200)) == [Rule(10.5, 100, 200, upright=True)]
    assert len(list(rules_of(10, 100, 200, 200))) == 4
    assert list(rules_of(10, 100, 11, 101)) == []


def test_places_close_to_each_other_are_one() -> None:
    """Neighbouring cells draw their common edge twice."""
    assert clusters([100.4, 10, 100, 50, 50.1]) == (10, 50, 100)


def test_a_table_is_written_in_markdown() -> None:
    """Its first row is the header."""
    table = Table((0, 0, 1, 1), (0, 1, 2), (("Bin", "Use"), ("A", "")))
    assert table.text == "| Bin | Use |\n| --- | --- |\n| A |  |"
