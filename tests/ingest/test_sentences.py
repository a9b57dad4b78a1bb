from ingest.sentences import sentences


def test_sentences_end_at_full_stops_and_questions() -> None:
    """Each sentence stands alone, with its mark."""
    assert sentences("Wash. Why? Germs!") == ["Wash.", "Why?", "Germs!"]


def test_abbreviations_numbers_and_initials_do_not_end_one() -> None:
    """A full stop inside a sentence does not cut it."""
    text = "See Dr. J. Smith, e.g. Form 2.5 No. 7 of the U.S. Code."
    assert sentences(text) == [text]


def test_a_leading_number_stays_with_its_sentence() -> None:
    """A list item's number is no sentence."""
    assert sentences("1. Wash. 2. Dry.")[0] == "1. Wash."


def test_nothing_is_lost() -> None:
    """The sentences together are the text."""
    text = "One (two.) Three: “Four.” Five; 6. Seven"
    assert " ".join(sentences(text)) == text
