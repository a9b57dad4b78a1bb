"""From tokens to text that may be sent."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.answer_text import AnswerText


def sent(text: AnswerText, *pieces: bytes) -> list[str]:
    return [text.feed(piece) for piece in pieces]


def test_a_character_is_sent_whole() -> None:
    """Bytes of one character that come in several tokens are held until it is complete."""
    assert sent(AnswerText(), b"a\xe2", b"\x82", b"\xac") == ["a", "", "€"]


def test_a_broken_character_at_the_end_is_marked() -> None:
    """An answer that ends inside a character still ends."""
    text = AnswerText()
    assert text.feed(b"a\xe2\x82") == "a"
    assert text.end() == "\ufffd"


def test_a_stop_string_is_never_sent() -> None:
    """Neither whole nor in parts, also where it comes in several tokens."""
    text = AnswerText(["###"])
    assert sent(text, b"Hi #", b"#", b"# more") == ["Hi ", "", ""]
    assert text.stopped
    assert (text.feed(b"x"), text.end()) == ("", "")


def test_what_only_looked_like_a_stop_is_sent() -> None:
    """Held text is released as soon as it cannot be a stop any more."""
    assert sent(AnswerText(["END"]), b"E", b"N", b"X") == ["", "", "ENX"]


def test_the_earliest_stop_counts() -> None:
    """With several stop strings the text ends before the first of them."""
    assert sent(AnswerText(["c", "ab"]), b"xabc") == ["x"]


@given(st.text(max_size=60), st.lists(st.text(min_size=1, max_size=3), max_size=3), st.data())
def test_cutting_into_tokens_changes_nothing(
    text: str, stops: list[str], data: st.DataObject
) -> None:
    """However an answer is cut into tokens, what is sent is the text before the first stop."""
    content = text.encode("utf-8", errors="replace")
    text = content.decode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=8)))
    bounds = list(zip([0, *cuts], [*cuts, len(content)], strict=True))
    answer = AnswerText(stops)
    got = "".join(answer.feed(content[start:end]) for start, end in bounds)
    got += answer.end()
    found = [text.find(stop) for stop in stops if stop in text]
    assert got == (text[: min(found)] if found else text)
