"""The form of a gold question and the file of many, without a site."""

import pytest

from governance.errors import InvalidEvaluation
from governance.gold_drafts import MAX_PLACES, Origin, Place
from web.evaluation_form import MAX_FILE_BYTES, GoldForm, draft_of, drafts_in, form_in, prefilled
from web.evaluation_words import chance_words


def test_there_is_always_an_empty_row_for_one_place_more() -> None:
    """Up to as many as can be kept."""
    assert len(GoldForm().rows) == 2
    three = GoldForm(places=tuple(Place("a.pdf", str(n)) for n in range(3)))
    assert [one.evidence for one in three.rows] == ["0", "1", "2", ""]
    full = GoldForm(places=(Place("a.pdf", "x"),) * MAX_PLACES)
    assert len(full.rows) == MAX_PLACES


def test_what_is_typed_becomes_a_draft() -> None:
    """Blank lines are no answers, empty rows no places; feedback is remembered as the origin."""
    typed = {"question": "Why?", "answerable": "yes", "answers": "a\n\n b", "answer_type": "span"}
    draft = draft_of(form_in({**typed, "doc-2": "b.pdf", "evidence-2": "b", "feedback": "f"}))
    assert draft.answers == ("a", " b")
    assert draft.places == (Place("b.pdf", "b"),)
    assert draft.origin is Origin.FEEDBACK
    with pytest.raises(InvalidEvaluation):
        draft_of(form_in({**typed, "answerable": ""}))


def test_feedback_brings_its_question_and_the_policies_that_were_cited() -> None:
    """Two rows at most; without a policy nobody has said yet whether one answers."""
    form = prefilled("Why?", ["a.pdf", "b.pdf", "c.pdf"], "f")
    assert [one.doc for one in form.places] == ["a.pdf", "b.pdf"]
    assert prefilled("Why?", [], "f").answerable == ""


def test_a_line_without_an_id_gets_none_from_its_number() -> None:
    """Or it would change a question of another file; a blank line shifts nothing."""
    lines = b'\xef\xbb\xbf{"id": "x", "question": "A?", "answerable": false}\n\n'
    found = drafts_in(lines + b'{"question": "B?", "answerable": false}\n')
    assert [(one.question, one.key) for one in found] == [("A?", "x"), ("B?", "")]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b"\n", b" " * (MAX_FILE_BYTES + 1)]
)
def test_a_file_that_cannot_be_read_is_told(content: bytes) -> None:
    """In words, with what to do."""
    with pytest.raises(InvalidEvaluation) as told:
        drafts_in(content)
    assert told.value.hint


def test_chance_is_told_in_words() -> None:
    """For people who never heard of a p value."""
    assert "hardly chance" in chance_words(0.003)
    assert "about 30 of 100" in chance_words(0.30)
    assert chance_words(1.0) == "No run was better than the other."
