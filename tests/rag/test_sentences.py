"""Texts come apart into units that can be quoted, and nowhere else."""

import pytest

from rag.sentences import UnitKind, units


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Use e.g. gel. Dr. Smith agrees.", ["Use e.g. gel.", "Dr. Smith agrees."]),
        ("Keep 2.5 ml at 4 p.m. daily. Then stop", ["Keep 2.5 ml at 4 p.m. daily.", "Then stop"]),
        ('He said "Go." She went.', ['He said "Go."', "She went."]),
        ("Done. [1] Next. [2][3]", ["Done. [1]", "Next. [2][3]"]),
        ("1. Do x\n2. Do y. Then z.", ["1. Do x", "2. Do y.", "Then z."]),
        ("- a\n  goes on\n- b", ["- a\n  goes on", "- b"]),
        ("a) first\nb) second", ["a) first", "b) second"]),
        ("A line\ngoes on. Next", ["A line\ngoes on.", "Next"]),
        ("## Head\nText", ["## Head", "Text"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_units(text: str, expected: list[str]) -> None:
    """Abbreviations, decimals and list numbers end no sentence."""
    assert [unit.text for unit in units(text)] == expected


def test_table_rows_know_their_header() -> None:
    """A row is a unit; the rule under the header says nothing; a new table has a new header."""
    found = units("| a | b |\n|---|---|\n| 1 | 2 |\n\nText\n| c |\n| 3 |")
    assert [(one.kind, one.header) for one in found] == [
        (UnitKind.TABLE_ROW, ""),
        (UnitKind.HEADING, "| a | b |"),
        (UnitKind.TABLE_ROW, "| a | b |"),
        (UnitKind.SENTENCE, ""),
        (UnitKind.TABLE_ROW, ""),
        (UnitKind.TABLE_ROW, "| c |"),
    ]
