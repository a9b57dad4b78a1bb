"""From a request to the tokens that the model reads first, cut to what fits its context."""

from collections.abc import Callable, Sequence
from functools import partial

from runtime.chat import ChatTemplate, Message, may_go, shortened
from runtime.errors import BadRequest, InputTooLong
from runtime.protocol import Generate

TOO_LONG = "the input length exceeds the context length"
Tokenize = Callable[[str], list[int]]


def prompt_tokens(
    job: Generate,
    template: ChatTemplate,
    tokenize: Tokenize,
    vocabulary_size: int,
    context_tokens: int,
) -> list[int]:
    """The tokens of a prompt, with room left to answer. Raises BadRequest, InputTooLong."""
    if not all(0 <= token < vocabulary_size for token in job.context):
        raise BadRequest("context holds numbers that are no tokens of this model")
    room = context_tokens - 1 - len(job.context)
    if job.messages is None:
        tokens = tokenize(job.text or "")
        if len(tokens) > room:
            raise _too_long(len(tokens) + len(job.context), context_tokens)
    else:
        form = partial(template.render, rendering=job.rendering)
        tokens = _chat_tokens(job.messages, form, tokenize, room, truncate=job.truncate)
    if not tokens and not job.context:
        raise BadRequest("the prompt is empty")
    return [*job.context, *tokens]


def _chat_tokens(
    messages: Sequence[Message],
    form: Callable[[Sequence[Message]], str],
    tokenize: Tokenize,
    room: int,
    *,
    truncate: bool,
) -> list[int]:
    """A conversation's tokens; its oldest turns go first where it is too long.

    How many must go is searched for by halves, because each try is a rendering of the whole.
    """
    tokens = tokenize(form(messages))
    if len(tokens) <= room:
        return tokens
    fewest, most = 1, may_go(messages) if truncate else 0
    found: list[int] | None = None
    while fewest <= most:
        count = (fewest + most) // 2
        is_last = found is None and count == most
        tried = _tried(shortened(messages, count), form, tokenize, is_last=is_last)
        if tried is not None and len(tried) <= room:
            found, most = tried, count - 1
        else:
            tokens, fewest = tried or tokens, count + 1
    if found is None:
        raise _too_long(len(tokens), room + 1)
    return found


def _tried(
    messages: Sequence[Message],
    form: Callable[[Sequence[Message]], str],
    tokenize: Tokenize,
    *,
    is_last: bool,
) -> list[int] | None:
    """The tokens, or None for a template that wants no such order of roles, and may want another.

    Raises BadRequest where there is no other.
    """
    try:
        return tokenize(form(messages))
    except BadRequest:
        if is_last:
            raise
        return None


def _too_long(tokens: int, context_tokens: int) -> InputTooLong:
    return InputTooLong(
        f"{TOO_LONG}: {tokens} tokens, and the context has {context_tokens}",
        "Ask for a larger num_ctx, or send less text.",
    )


def cut_text(
    tokens: Sequence[int], frame: Sequence[int], limit_tokens: int, *, truncate: bool
) -> list[int]:
    """The tokens of a text to embed, cut to the limit.

    frame: the tokens of an empty text, which stand around every text. Raises InputTooLong.
    """
    if len(tokens) <= limit_tokens:
        return list(tokens)
    if not truncate:
        raise InputTooLong(TOO_LONG, "Send shorter texts, or leave truncate on.")
    if limit_tokens <= len(frame):
        raise InputTooLong(
            "input after truncation exceeds maximum context length", "Ask for a larger num_ctx."
        )
    tail = [tokens[-1]] if len(frame) > 1 and tokens[-1] == frame[-1] else []
    return [*tokens[: limit_tokens - len(tail)], *tail]
