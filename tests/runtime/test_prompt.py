"""From a request to tokens that fit."""

from collections.abc import Sequence

import pytest

from runtime.chat import PLAIN, ChatTemplate, Message
from runtime.errors import BadRequest, InputTooLong
from runtime.prompt import cut_text, prompt_tokens
from runtime.protocol import Generate, Rendering
from runtime.sampling import Options

TEMPLATE = ChatTemplate("{% for m in messages %}{{ m['content'] }}{% endfor %}", "", "", ())


def tokens_of(
    context: int = 10,
    messages: tuple[dict[str, str], ...] | None = None,
    text: str | None = None,
    earlier: tuple[int, ...] = (),
    truncate: bool = True,
) -> list[int]:
    """One token per character."""
    job = Generate(1, Options(), messages, text, earlier, truncate=truncate)
    return prompt_tokens(job, TEMPLATE, lambda s: [ord(c) for c in s], 256, context)


def turn(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def test_old_turns_are_dropped_until_the_rest_fits() -> None:
    """C-07: a conversation that has grown too long goes on without its beginning."""
    assert tokens_of(messages=(turn("aaaaaa"), turn("bbbb"), turn("cc"))) == [98] * 4 + [99] * 2


def test_what_must_go_is_found_in_few_tries() -> None:
    """A thousand turns are not rendered a thousand times, and no more go than must."""
    rendered: list[int] = []

    class Counting(ChatTemplate):
        def render(self, messages: Sequence[Message], rendering: Rendering = PLAIN) -> str:
            rendered.append(len(messages))
            return super().render(messages, rendering)

    template = Counting("{% for m in messages %}{{ m.content }}{% endfor %}", "", "", ())
    job = Generate(1, Options(), tuple(turn("abcde") for _ in range(1000)))
    tokens = prompt_tokens(job, template, lambda s: [ord(c) for c in s], 256, 53)
    assert len(tokens) == 50
    assert len(rendered) <= 12


def test_a_template_that_wants_turns_in_order_is_given_them() -> None:
    """Where an answer cannot come first, the answer goes with its question."""
    source = (
        "{% if messages[0].role == 'assistant' %}{{ raise_exception('no') }}{% endif %}"
        "{% for m in messages %}{{ m.content }}{% endfor %}"
    )
    answer = {"role": "assistant", "content": "bbbb"}
    job = Generate(1, Options(), (turn("aaaaaa"), answer, turn("cc")))
    template = ChatTemplate(source, "", "", ())
    assert prompt_tokens(job, template, lambda s: [ord(c) for c in s], 256, 9) == [99, 99]


def test_without_truncation_a_long_conversation_is_refused() -> None:
    """Who forbids cutting is told that it does not fit."""
    with pytest.raises(InputTooLong, match="exceeds the context length"):
        tokens_of(messages=(turn("aaaaaa"), turn("bbbbbb")), truncate=False)


def test_one_message_that_cannot_fit_is_refused() -> None:
    """C-07: nothing is cut out of the middle of what somebody wrote."""
    with pytest.raises(InputTooLong, match="exceeds the context length"):
        tokens_of(messages=(turn("a" * 11),))
    with pytest.raises(InputTooLong):
        tokens_of(text="a" * 10)


def test_an_earlier_context_comes_first() -> None:
    """Its tokens count too, and must be tokens."""
    assert tokens_of(text="b", earlier=(1, 2)) == [1, 2, 98]
    with pytest.raises(BadRequest, match="no tokens of this model"):
        tokens_of(text="b", earlier=(256,))


def test_nothing_to_read_is_refused() -> None:
    """A model needs at least one token to begin."""
    with pytest.raises(BadRequest, match="empty"):
        tokens_of(text="")


@pytest.mark.parametrize(
    ("limit", "kept"), [(6, [1, 5, 6, 7, 8, 2]), (5, [1, 5, 6, 7, 2]), (3, [1, 5, 2])]
)
def test_a_text_is_cut_inside_its_frame(limit: int, kept: list[int]) -> None:
    """E-04: the closing token stays where a text is cut."""
    assert cut_text([1, 5, 6, 7, 8, 2], [1, 2], limit, truncate=True) == kept


def test_a_text_is_not_cut_to_nothing() -> None:
    """E-05, and E-04 where cutting is forbidden."""
    with pytest.raises(InputTooLong, match="input after truncation exceeds maximum context length"):
        cut_text([1, 5, 6, 2], [1, 2], 2, truncate=True)
    with pytest.raises(InputTooLong, match="the input length exceeds the context length"):
        cut_text([1, 5, 6, 2], [1, 2], 3, truncate=False)
