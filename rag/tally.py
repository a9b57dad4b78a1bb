"""What the chat model took for one question; whoever asks keeps it, however the question ends."""

from dataclasses import dataclass

# Only where no runtime counts: a token of English is about four characters.
CHARS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Counted:
    """What the runtime itself counted."""

    prompt_tokens: int
    answer_tokens: int


NOTHING = Counted(0, 0)


@dataclass(slots=True)
class Tally:
    """So far. began: the model was given the prompt, also when its answer was never read."""

    began: bool = False
    prompt_tokens: int = 0
    answer_chars: int = 0
    counted: Counted | None = None

    def begin(self, prompt: str) -> None:
        """The model is given this."""
        self.began = True
        self.prompt_tokens = tokens_of(prompt)

    def hear(self, text: str, counted: Counted | None) -> None:
        """The model wrote this, shown or not, or said how much it took."""
        self.answer_chars += len(text)
        if counted is not None:
            self.counted = counted if self.counted is None else _both(self.counted, counted)

    @property
    def took(self) -> Counted:
        """As the runtime counted it, else about."""
        return self.counted or Counted(self.prompt_tokens, -(-self.answer_chars // CHARS_PER_TOKEN))

    @property
    def tokens(self) -> int:
        """All of them."""
        return self.took.prompt_tokens + self.took.answer_tokens


def _both(one: Counted, other: Counted) -> Counted:
    """Two requests over one prompt: the second finds it in the runtime's cache."""
    return Counted(
        max(one.prompt_tokens, other.prompt_tokens), one.answer_tokens + other.answer_tokens
    )


def tokens_of(text: str) -> int:
    """About how many tokens a text is."""
    return -(-len(text) // CHARS_PER_TOKEN)
