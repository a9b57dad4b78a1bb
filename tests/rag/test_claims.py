"""What a sentence claims beyond its words: amounts, names, and whether it says no."""

import pytest

from rag.claims import Amount, Fault, amounts, fault, names, other_amount, plain, polarity_fault


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("28 days", {("28", "day")}),
        ("a 28-day limit", {("28", "day")}),
        ("twenty-eight days", {("28", "day")}),
        ("$1,000.50 or 5 %", {("1000.5", "dollar"), ("5", "percent")}),
        ("between 2 and 8 °C", {("2", ""), ("8", "celsius")}),
        ("two hours and 30 mins", {("2", "hour"), ("30", "minute")}),
        ("one of the nurses", set()),
        ("one hour", {("1", "hour")}),
        ("form OH-012", {("12", "")}),
        ("twice a day", {("2", "time")}),
        ("28 days once it is open", {("28", "day")}),
        ("no number", set()),
        ("007 and 0", {("7", ""), ("0", "")}),
    ],
)
def test_amounts(text: str, expected: set[tuple[str, str]]) -> None:
    """Numbers come with their unit, in one form however they were written."""
    assert amounts(text) == {Amount(*one) for one in expected}


@pytest.mark.parametrize(
    ("sentence", "quote", "expected"),
    [
        ("Keep 28 days.", "Keep it 28 days.", None),
        ("Keep 28 days.", "| Keep | 28 |", None),  # the unit stands in the header
        ("Keep 28.", "Keep 28 days.", None),
        ("Keep 28 days.", "Keep 28 weeks.", Fault.AMOUNT),
        ("Keep 28 days.", "Keep it.", Fault.AMOUNT),
        ("Check it twice a day.", "Check it once a day.", Fault.AMOUNT),
        ("Due in March.", "Due in March.", None),
        ("Due in May.", "Due in March.", Fault.DATE),
        ("Staff may go.", "Staff may go.", None),
        ("Call Occupational Health.", "Call Occupational Health.", None),
        ("Call Human Resources.", "Call Occupational Health.", Fault.NAME),
        ("Staff must not smoke.", "Staff must smoke.", Fault.NEGATION),
        ("Staff smoke.", "Staff must never smoke.", Fault.NEGATION),
        ("Smoking is not permitted.", "Smoking is prohibited.", None),
        ("Staff must leave.", "Staff may leave.", Fault.OPPOSITE),
        ("Staff may not leave.", "Staff must not leave.", None),
        ("Wash before meals.", "Wash after meals.", Fault.OPPOSITE),
        ("At most 3 visitors.", "At least 3 visitors.", Fault.OPPOSITE),
        ("No more than 3 visitors.", "At most 3 visitors.", None),
        ("No later than 5 days.", "Within 5 days.", None),
        ("Not only nurses but doctors too.", "Nurses and doctors too.", None),
        ("Share passwords.", "Do not, in any case, share passwords.", Fault.NEGATION),
        ("If not sterile, discard the item.", "Discard the item if not sterile.", None),
    ],
)
def test_faults(sentence: str, quote: str, expected: Fault | None) -> None:
    """Each kind of change is named, and each harmless rewording passes."""
    assert fault(sentence, quote, quote) is expected


def test_names_may_stand_in_the_context() -> None:
    """A name of the title or the section need not be repeated in the quote."""
    assert fault("Ask the Pharmacy first.", "Ask them first.", "Pharmacy > Ask them first.") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We call Dr Smith", {"dr", "smith"}),
        ("President Wilson spoke", {"president", "wilson"}),
        ("The ward", set()),
        ("The Pharmacy", {"pharmacy"}),
        ("End. The ward", set()),
    ],
)
def test_names(text: str, expected: set[str]) -> None:
    """Capitals inside sentences are names; those at their start are not."""
    assert names(text) == expected


@pytest.mark.parametrize(
    ("unit", "in_table", "expected"),
    [
        ("14 days", False, True),
        ("28 days", False, False),
        ("14 mg", False, False),
        ("| x | 14 |", True, True),
        ("no number", False, False),
    ],
)
def test_other_amounts(unit: str, in_table: bool, expected: bool) -> None:
    """Another number counts where it is of the same unit, in a table any."""
    assert other_amount("28 days", unit, in_table=in_table) is expected


def test_plain_takes_off_marks_alone() -> None:
    """List and heading marks and emphasis go, words stay."""
    assert [plain("1. **Wash** it"), plain("## Head"), plain("- 2 x")] == ["Wash it", "Head", "2 x"]


def test_no_words_have_no_polarity() -> None:
    """Nothing shared, nothing turned round."""
    assert polarity_fault("", "Never do it.") is None
