from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.config import IngestSettings
from ingest.document import Block, BlockKind, ParsedDocument
from ingest.fields import Certainty, FieldName, ProposedField, propose_fields
from ingest.parse import docx, html, markdown, pdf
from ingest.policy_list import read_policy_list

SAMPLES = Path(__file__).parents[2] / "samples"
PARSERS = {".pdf": pdf.parse, ".docx": docx.parse, ".html": html.parse, ".md": markdown.parse}
H, P, T = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.TABLE


def document(*blocks: Block | str, title: str | None = "Hand hygiene") -> ParsedDocument:
    """A document of these blocks; a string is a paragraph, or with a bar in front a table."""
    read = tuple(
        Block(T if one.startswith("|") else P, one, 1) if isinstance(one, str) else one
        for one in blocks
    )
    return ParsedDocument(title, read, 1, ("\n\n".join(block.text for block in read),))


def table(*rows: str) -> str:
    lines = [f"| {row} |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * (rows[0].count("|") + 1), *lines[1:]])


def proposed(
    *blocks: Block | str, title: str | None = "Hand hygiene", file: str = "scan.pdf"
) -> dict[FieldName, ProposedField]:
    found = propose_fields(document(*blocks, title=title), file)
    return {one.name: one for one in found}


def values(*blocks: Block | str, title: str | None = "Hand hygiene") -> dict[str, str]:
    """What is proposed besides the title."""
    return {
        str(name): one.value
        for name, one in proposed(*blocks, title=title).items()
        if name is not FieldName.TITLE
    }


def test_a_date_is_proposed_with_the_line_it_stands_in() -> None:
    """A person checks the value against the quote, on the page that it names."""
    block = Block(P, "Effective Date: 3 April 2026", 2)
    found = proposed("First page.", block)[FieldName.EFFECTIVE_FROM]
    assert (found.value, found.page) == ("2026-04-03", 2)
    assert found.quote == "Effective Date: 3 April 2026"
    assert found.certainty is Certainty.STATED


def test_03_04_2026_is_not_guessed() -> None:
    """Unless another date of the document shows which number is the month."""
    line = "Effective Date: 03/04/2026"
    assert values(line) == {}
    assert values(line, "The board met on 25/03/2026.") == {"effective_from": "2026-04-03"}
    assert values(line, "The board met on 03/25/2026.") == {"effective_from": "2026-03-04"}


def test_every_field_of_the_samples_is_proposed_as_their_list_has_it() -> None:
    """Four formats, one header table: numbers, titles and dates all agree with the list."""
    listed = read_policy_list((SAMPLES / "policies.csv").read_bytes(), "policies.csv")
    for row in listed.rows:
        path = SAMPLES / str(row.file)
        read = PARSERS[path.suffix](path.read_bytes(), IngestSettings())
        found = {one.name: one.value for one in propose_fields(read, path.name)}
        assert {name: found[name] for name in row.values} == {
            name: str(value) for name, value in row.values.items()
        }
        assert {FieldName.OWNER, FieldName.APPLIES_TO, FieldName.SUPERSEDES} <= set(found)


def test_a_draft_without_dates_has_none_proposed() -> None:
    """ "Not yet set" is no date, and what it would supersede is named."""
    path = SAMPLES / "drafts" / "fa-003-visitors-v4-draft.docx"
    read = docx.parse(path.read_bytes(), IngestSettings())
    found = {one.name: one.value for one in propose_fields(read, path.name)}
    assert found[FieldName.SUPERSEDES] == "version 3.0 (1 October 2024)"
    assert not {FieldName.EFFECTIVE_FROM, FieldName.REVIEW_DUE} & set(found)


def test_a_header_of_four_columns_is_read_in_pairs() -> None:
    """Labels and values side by side, two to a row."""
    header = table(
        "Policy Number: | IC-001 | Policy Owner: | Infection Control",
        "Effective Date: | 01/15/2024 | Last Revised: | 02/03/2024",
        "Origination: | 6/2009 | Next Review: | 01/2027",
        "Applies To: | All staff | Department: | Nursing",
    )
    assert values(header) == {
        "policy_number": "IC-001",
        "owner": "Infection Control",
        "effective_from": "2024-01-15",
        "last_revised": "2024-02-03",
        "originated": "2009-06-01",
        "review_due": "2027-01-31",
        "applies_to": "All staff",
        "area": "Nursing",
    }


def test_a_month_without_its_day_is_less_certain() -> None:
    """The first day of what begins, the last of what is due."""
    found = proposed("Effective date: May 2024", "Next review date: April 2026")
    assert found[FieldName.EFFECTIVE_FROM].value == "2024-05-01"
    assert found[FieldName.REVIEW_DUE].value == "2026-04-30"
    assert found[FieldName.REVIEW_DUE].certainty is Certainty.LIKELY


def test_labels_above_their_values_are_read_by_columns() -> None:
    """A row of labels, a row of values; two rows of values are a list of other things."""
    header = table("Document No. | Version | Effective Date", "QS-12 | 3 | 4 May 2026")
    more = table("Policy number | Effective date", "A-1 | 4 May 2026", "A-2 | 5 May 2026")
    assert values(header) == {"policy_number": "QS-12", "effective_from": "2026-05-04"}
    assert values(more) == {}


def test_cells_that_hold_label_and_value_are_read() -> None:
    """As forms of the government have them."""
    header = table("AUTHORIZED BY: Jane Doe | EFFECTIVE DATE October 2, 2014", "Policy No. | 90-81")
    assert values(header) == {"policy_number": "90-81", "effective_from": "2014-10-02"}


def test_a_table_that_describes_data_is_not_the_header() -> None:
    """It has the words of a header as names of columns, and placeholders as values."""
    data = table("Owner | Text | who keeps it", "Effective date | Date | 2024-05-01")
    blank = table("Document ID | <number>", "Owner | Head of <team>", "Effective date | <date>")
    named = table("Reference number | Version | Supersedes | Level", "A-1 | 2 | n/a | Basic")
    assert values(data) == values(blank) == {}
    assert values(named) == {"policy_number": "A-1"}


def test_a_line_with_a_label_that_is_not_known_gives_no_words() -> None:
    """Where such a label begins is not to be seen, so neither is where the value ends."""
    line = "Effective date: 1 May 2024 Owner: Jane Doe Room of the owner: 12"
    assert values(line) == {"effective_from": "2024-05-01"}


def test_a_review_date_beside_its_cycle_is_not_computed() -> None:
    """What is stated another way is left to the reader."""
    header = table("Effective date | 2026-09-01", "Review cycle | Annually (next on 2027-08-31)")
    assert values(header) == {"effective_from": "2026-09-01"}


def test_several_labels_in_one_line_end_each_other() -> None:
    """As headers come out of a PDF."""
    line = (
        "Policy No: PH 5.02 Owner: Chief Pharmacist Effective Date: 1 May 2024 Version: 3 Page: 1"
    )
    assert values(line) == {
        "policy_number": "PH 5.02",
        "owner": "Chief Pharmacist",
        "effective_from": "2024-05-01",
    }


def test_a_label_and_its_value_on_the_next_line() -> None:
    """Only a date or a number is taken from there: anything else may be anything."""
    assert values("Effective date:", "1 May 2024", "Policy owner:", "Jane Doe") == {
        "effective_from": "2024-05-01"
    }


@pytest.mark.parametrize(
    "text",
    [
        "The effective date of coverage is 1 May 2024 for new members.",
        "Policies are approved by the board. Reviews: see chapter 3.",
        "Effective Date: ____________",
        "Effective date: to be confirmed after 1 May 2024 by the board of the trust, 2 May 2025",
        "Name: ____ Date: 1 May 2024 Signature: ____",
        "Owner: Jane Doe",
        "Policy number 12 requires that all staff wash their hands.",
        "Department: see below",
        "Supersedes: all previous versions",
        "Next review: when the law changes",
        "Review every 3 years",
        "Date of birth: 1 May 1954",
    ],
)
def test_what_only_looks_like_a_field_is_not_proposed(text: str) -> None:
    """Prose, forms, placeholders, a label without company."""
    assert values(text) == {}


def test_two_places_that_differ_propose_nothing() -> None:
    """A better place counts more; equally good ones cancel each other."""
    assert values("Effective date: 1 May 2024", "Effective date: 2 May 2024") == {}
    header = table("Policy number | A-1", "Effective date | 1 May 2024")
    assert values(header, "Effective date: 2 May 2024")["effective_from"] == "2024-05-01"


def test_the_newest_of_several_revisions_counts() -> None:
    """Lists of revisions grow; the last date is the one in force."""
    assert values("Effective: 3/15/2010", "Revised: 3/16/2012, 4/17/2015, 1/20/2014") == {
        "effective_from": "2010-03-15",
        "last_revised": "2015-04-17",
    }


def test_half_a_title_is_not_proposed() -> None:
    """A heading below may be its second line; a numbered one is the first chapter."""
    line = "Subject: Mitigate the vulnerability from August"
    cut = proposed(line, Block(H, "2020 Patch Tuesday", 1, 1))
    whole = proposed(line, Block(H, "1. What to do", 1, 1))
    assert cut[FieldName.TITLE].value == "Hand hygiene"
    assert whole[FieldName.TITLE].value == "Mitigate the vulnerability from August"


def test_a_review_every_three_years_is_computed_from_a_stated_date() -> None:
    """It says so and quotes both; without a date to start from there is nothing to propose."""
    found = proposed("Effective date: 1 May 2024", "Review cycle: every 3 years")
    review = found[FieldName.REVIEW_DUE]
    assert (review.value, review.certainty) == ("2027-05-01", Certainty.COMPUTED)
    assert review.quote == "Review cycle: every 3 years / Effective date: 1 May 2024"
    assert values("Approved: 2 June 2024", "This policy will be reviewed annually.") == {
        "last_approved": "2024-06-02",
        "review_due": "2025-06-02",
    }


def test_a_bare_review_date_counts_only_after_all_others() -> None:
    """Before them it is a review that has been."""
    effective = "Effective date: 1 May 2024"
    assert values(effective, "Review date: 1 May 2027")["review_due"] == "2027-05-01"
    assert "review_due" not in values(effective, "Review date: 1 March 2024")
    assert values("Review date: 1 May 2027") == {}


def test_dates_that_contradict_each_other_are_dropped() -> None:
    """A next review before the effective date was misread or forgotten."""
    assert values("Effective date: 1 May 2024", "Next review: 1 May 2023") == {
        "effective_from": "2024-05-01"
    }


def test_sentences_about_the_policy_itself_are_likely() -> None:
    """What it replaces, from when it counts, for whom; nothing of what other things do."""
    found = proposed(
        "This policy takes effect on 1 May 2024. This policy applies to all nursing staff.",
        "This policy supersedes IC-001 version 3, which is withdrawn. It replaces nothing else.",
        "The form replaces form 12. The rule is effective from 1 May 2020.",
    )
    told = {str(name): one.value for name, one in found.items() if name is not FieldName.TITLE}
    assert told == {
        "effective_from": "2024-05-01",
        "applies_to": "all nursing staff",
        "supersedes": "IC-001 version 3",
    }
    assert {one.certainty for one in found.values()} == {Certainty.LIKELY}


def test_a_section_on_its_audience_says_whom_it_is_for() -> None:
    """One paragraph under a heading of that name."""
    assert values(
        Block(H, "3. AUDIENCE", 1, 1), "All staff of the wards.", Block(H, "4. X", 1, 1)
    ) == {"applies_to": "All staff of the wards"}


@pytest.mark.parametrize(
    ("title", "number", "rest"),
    [
        ("IC-001 Hand Hygiene", "IC-001", "Hand Hygiene"),
        ("Security: Access, Directive # CIO 2150-P-01.3", "CIO 2150-P-01.3", "Security: Access"),
        ("BOD 18-01", "BOD 18-01", None),
        ("COVID-19 Visitors", None, "COVID-19 Visitors"),
        ("ISO 27001 in short", None, "ISO 27001 in short"),
        ("VA 2024 Guideline", None, "VA 2024 Guideline"),
        ("4. Risk management", None, "4. Risk management"),
    ],
)
def test_a_number_in_the_title_is_told_from_other_numbers(
    title: str, number: str | None, rest: str | None
) -> None:
    """Standards, years and chapters are no numbers of policies."""
    found = proposed("Text.", title=title)
    assert (found[FieldName.POLICY_NUMBER].value if number else None) == number
    assert (FieldName.POLICY_NUMBER in found) is bool(number)
    assert (found[FieldName.TITLE].value if rest else None) == rest


def test_the_name_of_the_file_comes_last() -> None:
    """It gives a number and a title only where the document has none, and page 0."""
    found = proposed("Text.", title=None, file="ic-001-hand-hygiene.pdf")
    assert found[FieldName.POLICY_NUMBER].value == "IC-001"
    assert found[FieldName.TITLE].value == "Hand hygiene"
    assert {one.page for one in found.values()} == {0}
    assert {one.quote for one in found.values()} == {"ic-001-hand-hygiene.pdf"}
    stated = proposed("Policy number: PH-005", title=None, file="ic-001-hand-hygiene.pdf")
    assert stated[FieldName.POLICY_NUMBER].value == "PH-005"


def test_a_name_of_numbers_is_no_title() -> None:
    """ "cisa-ed-20-02.pdf" says which document it is, not what it is about."""
    assert proposed("Text.", title=None, file="cisa-ed-20-02.pdf") == {}


def test_a_table_of_related_policies_is_not_the_header() -> None:
    """Their numbers and dates are not this policy's."""
    related = table("Policy number | Effective date", "A-1 | 4 May 2026")
    assert values(Block(H, "Related policies", 1, 1), related) == {}


def test_what_stands_in_the_middle_of_a_policy_is_not_about_it() -> None:
    """Only the first blocks and the last are read."""
    body = ["Text."] * 40
    assert values(*body, "Effective date: 1 May 2024", *body) == {}
    assert values(*body, "Effective date: 1 May 2024") == {"effective_from": "2024-05-01"}


def test_a_document_of_millions_of_characters_is_read_at_its_start() -> None:
    """Neither a cell nor a paragraph without end keeps the header from being read."""
    endless = "Policy number Effective date " * 100_000
    header = table("Policy number | A-1", "Effective date | 1 May 2024", f"Owner | {endless}")
    assert values(header, endless, "\n".join([endless[:500]] * 5000)) == {
        "policy_number": "A-1",
        "effective_from": "2024-05-01",
    }


@given(
    st.lists(st.text("Policy number: Effective date 1/2 May 2024 | \n", max_size=80), max_size=6)
)
def test_any_text_gives_dates_that_exist_and_quotes_that_stand_there(texts: list[str]) -> None:
    """Nothing is made up, and nothing breaks."""
    blocks = [text.replace("|", " ") for text in texts if text.strip(" |\n")]
    for name, one in proposed(*blocks).items():
        assert one.value
        if one.page and one.certainty is not Certainty.COMPUTED and name is not FieldName.TITLE:
            assert one.quote.split("\n")[0].strip() in " ".join(blocks)
