"""Words are compared folded and stemmed; the same word in two forms is one word."""

import pytest

from rag.words import Vocabulary, content_words, fold, rarity, shared, stem, weigh


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Café\tCRÈME ", "cafe creme"),
        ("hy-\ngiene", "hygiene"),
        ("soft\u00adhyphen", "softhyphen"),
        ("nurse’s “day–night”", "nurse's “day-night”"),
        ("ﬁt ½", "fit 1⁄2"),
    ],
)
def test_fold(text: str, expected: str) -> None:
    """Case, accents, typography and line-end hyphens make no difference."""
    assert fold(text) == expected


@pytest.mark.parametrize(
    "forms",
    [
        ("vial", "vials"),
        ("discard", "discards", "discarded", "discarding"),
        ("require", "required", "requires", "requirement", "requirements"),
        ("policy", "policies"),
        ("organization", "organisation", "organisations"),
        ("nurse", "nurses", "nurse's"),
        ("stop", "stops", "stopped", "stopping"),
    ],
)
def test_forms_of_a_word_share_a_stem(forms: tuple[str, ...]) -> None:
    """A sentence may use another form of the passage's word."""
    assert len({stem(form) for form in forms}) == 1


@pytest.mark.parametrize("pair", [("status", "state"), ("bus", "but"), ("28", "2"), ("OH", "PH")])
def test_other_words_keep_apart(pair: tuple[str, str]) -> None:
    """A stem must not make two words one."""
    assert stem(pair[0]) != stem(pair[1])


def test_content_words_leave_out_what_says_nothing() -> None:
    """Function words and single letters go, numbers of one digit stay."""
    assert content_words("What is the dose of a 5 mg x tablet?") == ["dos", "5", "mg", "tablet"]


def test_a_longer_form_counts_as_the_word() -> None:
    """What begins alike with five letters is one word; three letters are not enough."""
    there = Vocabulary.of("hygienic gloves for patients")
    assert shared(["hygien", "pat", "glov"], there) == ["hygien", "glov"]


def test_rare_words_weigh_more_and_unknown_ones_as_the_rarest() -> None:
    """A word of every text tells least."""
    weights = rarity(["ward nurse", "ward doctor", "ward"])
    assert weights["ward"] < weights["doctor"]
    assert weigh(["unheard"], weights) == max(weights.values())
    assert weigh(["unheard"], {}) == 1.0
