"""A question with the department's abbreviations written out."""

from rag.query import MAX_ADDED, written_out

FORMS = {"IV": ("intravenous",), "OH": ("Occupational Health", "oral hygiene")}


def test_a_short_form_brings_what_it_stands_for() -> None:
    """The question keeps its words; the others follow."""
    assert written_out("Who flushes an IV line?", FORMS) == "Who flushes an IV line? (intravenous)"
    assert written_out("When is OH told?", FORMS).endswith("(Occupational Health, oral hygiene)")


def test_a_long_form_brings_its_short_one() -> None:
    """Policies may use either."""
    assert written_out("When is occupational health told?", FORMS).endswith("(OH)")


def test_a_part_of_a_word_is_no_abbreviation() -> None:
    """ "IV" is not in "given", and nothing is said twice."""
    assert written_out("Is it given?", FORMS) == "Is it given?"
    assert written_out("IV (intravenous) line?", FORMS) == "IV (intravenous) line?"


def test_the_question_is_not_drowned() -> None:
    """However many forms there are, few are added."""
    many = {f"a{n}": (f"long {n}",) for n in range(50)}
    asked = " ".join(many)
    assert written_out(asked, many).count("long") == MAX_ADDED
