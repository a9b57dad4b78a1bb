"""What a sentence may be shown with: the ways it can be wrong, and the ways it is right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.check import Sources, find_support, gather, nearest
from rag.sentences import units

VIALS = (
    "Multi-dose vials must be discarded 28 days after first puncture. "
    "Staff must not share vials between patients. Label each vial with the date of opening."
)
DOSES = "| Drug | Maximum dose (mg) |\n| --- | --- |\n| Paracetamol | 4000 |\n| Ibuprofen | 1200 |"
STEPS = (
    "1. Wash the wound with soap and water.\n"
    "2. Report to Occupational Health within two hours.\n"
    "3. Complete form OH-12."
)
VISITS = (
    "Visiting ends at 8 pm on weekdays. Visitors may stay overnight only with the approval of the "
    "charge nurse, except in Intensive Care. Smoking is prohibited on all hospital grounds. "
    "The register is kept for at least 6 years and reviewed before 1 March 2027."
)
TEXTS = (VIALS, DOSES, STEPS, VISITS)
CONTEXTS = ("Multi-dose vials > Storage", "Dosing > Table 1", "Sharps injury > Steps", "Visitors")
THRESHOLD = 0.6


@pytest.fixture(scope="module")
def sources() -> Sources:
    return gather(
        "How long may a multi-dose vial be used?", list(zip(TEXTS, CONTEXTS, strict=True))
    )


def quote(sentence: str, sources: Sources, markers: tuple[int, ...] = ()) -> str | None:
    found = find_support(sentence, markers, sources, THRESHOLD)
    return None if found is None else TEXTS[found.passage][found.start : found.end]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (
            "Multi-dose vials must be discarded 28 days after first puncture.",
            "Multi-dose vials must be discarded 28 days after first puncture.",
        ),
        (
            "A multi-dose vial must be discarded twenty-eight days after the first puncture.",
            "Multi-dose vials must be discarded 28 days after first puncture.",
        ),
        (
            "Vials must not be shared between patients.",
            "Staff must not share vials between patients.",
        ),
        (
            "Staff may not share vials between patients.",
            "Staff must not share vials between patients.",
        ),
        ("28 days.", "Multi-dose vials must be discarded 28 days after first puncture."),
        ("The maximum dose of ibuprofen is 1,200 mg.", "| Ibuprofen | 1200 |"),
        ("Ibuprofen: maximum dose 1200 mg", "| Ibuprofen | 1200 |"),
        (
            "Report it to Occupational Health within 2 hours.",
            "2. Report to Occupational Health within two hours.",
        ),
        ("Complete form OH-12.", "3. Complete form OH-12."),
        (
            "Smoking is not allowed on hospital grounds.",
            "Smoking is prohibited on all hospital grounds.",
        ),
        (
            "The register is kept for no less than 6 years.",
            "The register is kept for at least 6 years and reviewed before 1 March 2027.",
        ),
    ],
)
def test_what_stands_in_a_passage_is_quoted(sentence: str, expected: str, sources: Sources) -> None:
    """A sentence in the passage's words gets the shortest whole unit that says it."""
    assert quote(sentence, sources) == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "Multi-dose vials must be discarded 14 days after first puncture.",  # another number
        "Multi-dose vials must be discarded 28 weeks after first puncture.",  # another unit
        "Multi-dose vials must be discarded 28.5 days after first puncture.",
        "Multi-dose vials need not be discarded 28 days after first puncture.",  # a no added
        "Staff must share vials between patients.",  # a no dropped
        "Staff share vials between patients.",
        "Do not wash the wound with soap and water.",
        "Smoking is allowed on all hospital grounds.",  # the opposite word
        "Report to Occupational Health after two hours.",  # the other side of a limit
        "The register is kept for at most 6 years.",
        "The register is reviewed before 1 May 2027.",  # another month
        "Report to Human Resources within two hours.",  # another name
        "The maximum dose of paracetamol is 1200 mg.",  # the other row's amount
        "The maximum dose of ibuprofen is 4000 mg.",
        "Complete form OH-21.",  # another code
        "Vials are delivered by the pharmacy every morning.",  # nothing of the kind
        "Sharps injury steps",  # a title says nothing
        "Yes.",
        "[1]",
        "",
    ],
)
def test_what_no_passage_says_is_not_supported(sentence: str, sources: Sources) -> None:
    """One changed number, unit, date, name or no is enough."""
    assert quote(sentence, sources) is None


def test_a_right_marker_is_kept(sources: Sources) -> None:
    """Where the model names a passage that supports the sentence, that one is cited."""
    twice = gather("vials?", [(VIALS, "Old"), (VIALS, "New")])
    found = find_support("Label each vial with the date of opening.", (2,), twice, THRESHOLD)
    assert found is not None
    assert found.passage == 1


@pytest.mark.parametrize("marker", [0, 1, 2, 4, 5, 99, 10**9])
def test_a_forged_marker_counts_for_nothing(marker: int, sources: Sources) -> None:
    """A marker of no passage, or of one that says something else, gives way to the real source."""
    found = find_support("Wash the wound with soap and water.", (marker,), sources, THRESHOLD)
    assert found is not None
    assert found.passage == 2


def test_a_forged_marker_saves_no_sentence(sources: Sources) -> None:
    """Naming a passage does not make it say so."""
    assert find_support("Vials may be boiled.", (1,), sources, THRESHOLD) is None


def test_a_quote_may_span_sentences() -> None:
    """What two neighbouring sentences say together is quoted with both."""
    text = "The ward keeps a register. It is reviewed by the matron every Monday. Doors are locked."
    sources = gather("register", [(text, "Ward")])
    found = find_support(
        "The ward register is reviewed by the matron every Monday.", (), sources, 0.9
    )
    assert found is not None
    assert text[found.start : found.end] == text.partition(" Doors")[0]


def test_a_closer_sentence_with_another_amount_wins() -> None:
    """An amount that belongs to a neighbour does not back a sentence about something else."""
    text = "Open vials are kept for 28 days. Open insulin pens of patients are kept for 14 days."
    sources = gather("insulin", [(text, "Storage")])
    assert find_support("Open insulin pens of patients are kept 28 days.", (), sources, 0.5) is None


def test_a_bare_figure_is_compared_by_what_was_asked() -> None:
    """A figure alone is no answer where another sentence is closer to the question."""
    hands = "Wash hands without a wound for 40 seconds."
    wound = "Wash the wound of a needlestick with soap and water for 5 minutes, then report it."
    sources = gather(
        "How long do I wash a needlestick wound?", [(hands, "Hand hygiene"), (wound, "Sharps")]
    )
    assert find_support("40 seconds.", (), sources, THRESHOLD) is None
    assert find_support("5 minutes.", (), sources, THRESHOLD) is not None


def test_conflicting_policies_each_back_their_own_amount() -> None:
    """Where two policies differ, a sentence is cited with the one that says it."""
    sources = gather(
        "retention", [("Logs are kept 6 years.", "A"), ("Logs are kept 2 years.", "B")]
    )
    for number, sentence in enumerate(["Logs are kept 6 years.", "Logs are kept 2 years."]):
        found = find_support(sentence, (), sources, THRESHOLD)
        assert found is not None
        assert found.passage == number


def test_no_passages_support_nothing() -> None:
    """Without passages there is no quote, and no error."""
    assert find_support("Wash your hands.", (1,), gather("hands?", []), 0.0) is None


WORDS = st.sampled_from(
    ["nurse", "vial", "must", "not", "28", "days", "[1]", "e.g.", "1.", "-", "|", "Dr.", "No",
     "ward", "\n", "\n\n", ".", "!", "locked", "#", "**", "…", "°", "µg", "½", "ﬁt", "İ"]
)  # fmt: skip
TEXT = st.one_of(st.lists(WORDS, max_size=40).map(" ".join), st.text(max_size=80))


@given(TEXT)
def test_units_are_slices_and_lose_nothing(text: str) -> None:
    """Every unit stands where it says; what is between units is white space."""
    end = 0
    for unit in units(text):
        assert text[unit.start : unit.end] == unit.text
        assert not text[end : unit.start].strip()
        end = unit.end
    assert not text[end:].strip()


@given(st.lists(TEXT, min_size=1, max_size=4), TEXT, st.lists(st.integers(-3, 9), max_size=3))
def test_every_quote_is_whole_units_of_its_passage(
    texts: list[str], sentence: str, markers: list[int]
) -> None:
    """Whatever the model writes and names, a quote begins and ends with units of one passage."""
    found = find_support(sentence, markers, gather("nurse?", [(t, "ward") for t in texts]), 0.3)
    if found is not None:
        inside = units(texts[found.passage])
        assert found.start in {unit.start for unit in inside}
        assert found.end in {unit.end for unit in inside}
        assert found.start < found.end


def test_what_may_not_be_cited_supports_nothing() -> None:
    """Neither by its words nor by the model's marker."""
    texts = [("Visiting ends at 8 pm.", "A"), ("Smoking is prohibited on all grounds.", "B")]
    sources = gather("smoking", texts, [0])
    assert find_support("Smoking is prohibited on all grounds.", (2,), sources, 0.6) is None
    assert nearest("Smoking is prohibited on all grounds.", sources, 0.5) is None
    assert nearest("Smoking is prohibited on all grounds.", gather("smoking", texts), 0.5)
