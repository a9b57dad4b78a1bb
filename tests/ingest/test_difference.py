from hypothesis import given
from hypothesis import strategies as st

from ingest.difference import Change, ChangeKind, differences
from ingest.word_difference import Mark, Weight, segments

S = "3. Treatment"


def told(change: Change) -> str:
    """A change in one line: [-removed-] and {+added+}."""
    brackets = {Mark.KEPT: "{}", Mark.REMOVED: "[-{}-]", Mark.ADDED: "{{+{}+}}"}
    return "".join(brackets[part.mark].format(part.text) for part in change.segments)


def side(change: Change, left_out: Mark) -> str:
    return "".join(part.text for part in change.segments if part.mark is not left_out)


def test_a_changed_dose_stands_first() -> None:
    """A dose before another number, a number before words, whatever the order of the text."""
    old = "Ask for the name. Call within 10 minutes. Give 5 mg of morphine at once."
    new = "Ask for the full name. Call within 15 minutes. Give 10 mg of morphine at once."
    changes = differences([(S, old)], [(S, new)])
    assert [told(change) for change in changes] == [
        "Give [-5-]{+10+} mg of morphine at once.",
        "Call within [-10-]{+15+} minutes.",
        "Ask for the {+full +}name.",
    ]
    assert [change.weight for change in changes] == [Weight.DOSE, Weight.FIGURE, Weight.WORDS]


def test_a_changed_unit_is_a_changed_dose() -> None:
    """Milligrams that became micrograms are as grave as another number."""
    (change,) = differences([(S, "Give 5 mg at once.")], [(S, "Give 5 micrograms at once.")])
    assert (change.weight, told(change)) == (
        Weight.DOSE,
        "Give 5 [-mg-]{+micrograms+} at once.",
    )


def test_an_hour_written_as_a_word_counts_as_a_number() -> None:
    """Once that became twice is a change of a number."""
    (change,) = differences([(S, "Check it once a day.")], [(S, "Check it twice a day.")])
    assert change.weight is Weight.FIGURE


def test_the_same_text_has_no_changes() -> None:
    """Other spacing, case and list markers are no change either."""
    old = [(S, "1. Wash your hands.\n2. Dry them.")]
    assert differences(old, old) == ()
    assert differences(old, [(S, "- Wash  your hands.\n- dry them.")]) == ()


def test_added_and_removed_sentences_name_their_section() -> None:
    """What is gone is found under its old heading, what came under its new one."""
    old = [("1. Scope", "All staff take part. Visitors wait outside of the room.")]
    new = [("1. Scope", "All staff take part."), ("2. Bins", "Needles go into yellow bins.")]
    added, removed = sorted(differences(old, new), key=lambda change: change.kind)
    assert (added.kind, added.section) == (ChangeKind.ADDED, "2. Bins")
    assert (removed.kind, removed.section) == (ChangeKind.REMOVED, "1. Scope")
    assert told(removed) == "[-Visitors wait outside of the room.-]"


def test_a_sentence_at_another_place_has_moved() -> None:
    """Word for word elsewhere is neither removed nor added, and says where it stood."""
    moved = "Report the injury to Occupational Health."
    old = [("1. First aid", f"Wash it. {moved} Dry it. Cover it."), ("2. Reporting", "Call.")]
    new = [("1. First aid", "Wash it. Dry it. Cover it."), ("2. Reporting", f"Call. {moved}")]
    (change,) = differences(old, new)
    assert (change.kind, change.section) == (ChangeKind.MOVED, "2. Reporting")
    assert change.section_before == "1. First aid"


def test_a_sentence_moved_and_changed_is_shown_as_changed() -> None:
    """What reads almost the same in another section is compared by its words."""
    old = [
        ("1. Drugs", "Wash. Give at most 40 mg of drug A within one day. Dry."),
        ("2. End", "So."),
    ]
    new = [
        ("1. Drugs", "Wash. Dry."),
        ("2. End", "So. Give at most 80 mg of drug A within one day."),
    ]
    (change,) = differences(old, new)
    assert (change.kind, change.weight) == (ChangeKind.CHANGED, Weight.DOSE)
    assert (change.section_before, change.section) == ("1. Drugs", "2. End")


def test_a_row_of_a_table_is_compared_by_its_cells() -> None:
    """A changed cell is marked in its row; a header that is repeated is none."""
    header = "| Place | Range | Alarm |\n| --- | --- | --- |\n"
    old = [(S, f"{header}| Fridge | 2 °C to 8 °C | 30 minutes |\n| Room | 25 °C | none |")]
    new = [
        (S, f"{header}| Fridge | 2 °C to 8 °C | 10 minutes |"),
        (S, f"{header}| Room | 25 °C | none |"),
    ]
    (change,) = differences(old, new)
    assert told(change) == "Fridge | 2 °C to 8 °C | [-30-]{+10+} minutes"


def test_a_renamed_section_is_told_once_and_last() -> None:
    """Its sentences are the same, so only the heading has changed."""
    text = "Wash it. Dry it. Cover it well."
    (change,) = differences([("2. Aid", text)], [("3. First aid", text)])
    assert (change.weight, change.section_before) == (Weight.HEADING, "2. Aid")


def test_long_documents_without_a_common_sentence_are_told_all_the_same() -> None:
    """Where comparing each with each would take hours, all is removed and all is added."""
    old = [(S, " ".join(f"Rule a{n} holds." for n in range(600)))]
    new = [(S, " ".join(f"Law b{n} counts." for n in range(600)))]
    kinds = [change.kind for change in differences(old, new)]
    assert kinds.count(ChangeKind.REMOVED) == kinds.count(ChangeKind.ADDED) == 600


def test_a_sentence_of_thousands_of_words_is_shown_whole() -> None:
    """Nothing is lost where words are too many to be compared."""
    old, new = "a " * 3000, "b " * 3000
    assert [part.text for part in segments(old, new)] == [old, new]


SENTENCE = st.lists(
    st.sampled_from(["wash", "dry", "give", "5", "10", "mg"]), min_size=1, max_size=6
)
TEXT = st.lists(SENTENCE.map(lambda words: " ".join(words).capitalize() + "."), max_size=8)
SIDE = st.lists(st.tuples(st.sampled_from(["A", "B"]), TEXT.map(" ".join)), max_size=3)


@given(SIDE, SIDE)
def test_every_change_carries_both_sides_of_the_text(
    old: list[tuple[str, str]], new: list[tuple[str, str]]
) -> None:
    """Without its added words a change is old text, without its removed ones new text."""
    before, after = (" ".join(text for _, text in side) for side in (old, new))
    changes = [one for one in differences(old, new) if one.weight is not Weight.HEADING]
    for change in changes:
        if change.kind is not ChangeKind.MOVED:
            assert side(change, Mark.ADDED) in before
        assert side(change, Mark.REMOVED) in after
    if sorted(before.casefold().split()) != sorted(after.casefold().split()):
        assert changes
    assert [change.weight for change in changes] == sorted(change.weight for change in changes)


@given(st.text("ab 5mg.", max_size=40), st.text("ab 5mg.", max_size=40))
def test_segments_give_back_both_sentences(old: str, new: str) -> None:
    """No letter is lost and none invented."""
    parts = segments(old, new)
    assert "".join(part.text for part in parts if part.mark is not Mark.ADDED) == old
    assert "".join(part.text for part in parts if part.mark is not Mark.REMOVED) == new
