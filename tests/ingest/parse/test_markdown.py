from ingest.config import IngestSettings
from ingest.document import BlockKind
from ingest.parse.markdown import parse

H, P, L, T = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.TABLE

POLICY = """---
title: "Fall prevention"
review: 2026
---
# Falls

See [the form](http://x.test/a) and **act** `now`.

1. Assess
   - bed low
2. Record

| Risk | Act |
| ---- | --- |
| high \\| very | alarm |

<div><h2>Hidden?</h2><p>No, <b>shown</b>.</p><script>x()</script></div>

    code stays
"""


def test_markdown_keeps_its_structure(settings: IngestSettings) -> None:
    """Headings, lists with their markers and depth, tables, code and HTML become blocks."""
    document = parse(POLICY.encode(), settings)
    assert [(b.kind, b.text, b.level) for b in document.blocks] == [
        (H, "Falls", 1),
        (P, "See the form and act now.", 0),
        (L, "1. Assess", 0),
        (L, "- bed low", 1),
        (L, "2. Record", 0),
        (T, "| Risk | Act |\n| --- | --- |\n| high \\| very | alarm |", 0),
        (H, "Hidden?", 2),
        (P, "No, shown.", 0),
        (P, "code stays", 0),
    ]


def test_the_front_matter_gives_the_title_and_is_no_text(settings: IngestSettings) -> None:
    """What stands between the rules is about the document."""
    document = parse(POLICY.encode(), settings)
    assert document.title == "Fall prevention"
    assert "2026" not in document.page_texts[0]


def test_the_first_heading_is_the_title_if_it_stands_above_all(settings: IngestSettings) -> None:
    """One heading over all others names the document; one among equals does not."""
    assert parse(b"# Falls\n\n## Scope\n\nAll.", settings).title == "Falls"
    assert parse(b"# Scope\n\nAll.\n\n# Duties\n\nMany.", settings).title is None


def test_hidden_characters_are_taken_out(settings: IngestSettings) -> None:
    """Tag characters and NUL do not reach a passage."""
    document = parse("Wash\U000e0041\u200b \x00hands".encode(), settings)
    assert document.blocks[0].text == "Wash hands"
