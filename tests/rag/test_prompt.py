"""What the model reads: fixed text first, then the most telling units, within a budget."""

from hypothesis import given
from hypothesis import strategies as st

from rag.check import gather
from rag.prompt import choose, estimate_tokens, version, write

FILLER = "The committee meets in the large room. " * 10
TEXTS = (
    f"{FILLER}Visiting ends at eight in the evening. {FILLER}",
    "The kitchen opens at noon. Visiting children need an adult.",
)
SOURCES = gather("When does visiting end?", [(text, f"Title {n}") for n, text in enumerate(TEXTS)])


def test_the_telling_sentence_is_read_though_its_passage_is_long() -> None:
    """A long passage gives its best sentences, with a sign where some were left out."""
    user = write("When does visiting end?", SOURCES, 2, 80).user
    assert "Visiting ends at eight in the evening." in user
    assert len(user) < 600


def test_the_fixed_text_never_changes() -> None:
    """The runtime's prefix cache finds the system text again whatever is asked."""
    assert write("a?", SOURCES, 2, 80).system == write("b?", SOURCES, 1, 300).system
    assert write("a?", SOURCES, 2, 80).version == version()


def test_numbers_are_those_of_the_page() -> None:
    """A passage keeps its number, though one before it gave nothing."""
    user = write("When does visiting end?", SOURCES, 2, 400).user
    assert "Extract [1], Title 0:" in user
    assert "Extract [2], Title 1:" in user
    assert user.index("[1]") < user.index("[2]")


def test_a_question_cannot_fill_in_the_template() -> None:
    """Dollar signs in questions and passages stay what they are."""
    sources = gather("$extracts", [("It costs $5 and $question.", "T")])
    user = write("$extracts?", sources, 1, 100).user
    assert "$5 and $question." in user
    assert "Question: $extracts?" in user


@given(st.integers(0, 400), st.integers(0, 3))
def test_the_budget_is_kept(tokens: int, passages: int) -> None:
    """The chosen units never cost more than the budget, and keep their order."""
    chosen = choose(SOURCES, passages, tokens)
    texts = [SOURCES.all[n].units[unit].text for n, inside in chosen.items() for unit in inside]
    assert sum(map(estimate_tokens, texts)) <= tokens
    assert all(list(inside) == sorted(inside) for inside in chosen.values())
    assert set(chosen) <= set(range(passages))
