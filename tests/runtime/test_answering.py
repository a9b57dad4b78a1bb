"""Answers with and without guesses, by a model whose every choice can be foretold."""

from collections.abc import Sequence as Items
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.answering import Answering
from runtime.protocol import Delta, Done, FromWorker, Generate, WorkerConfig
from runtime.sampling import Options

WORDS = [b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"h"]
END = 7


class ForetoldBackend:
    """Says what follows the last token in the prompt, unless its chain has seen that too often."""

    vocabulary_size = len(WORDS)

    def __init__(self, *, keeps_prefixes: bool = True) -> None:
        self.keeps_prefixes = keeps_prefixes
        self.memory: dict[int, list[int]] = {}
        self.places: list[list[int]] = []
        self.computed = 0
        self.steps = 0

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        return [WORDS.index(letter.encode()) for letter in text]

    def piece(self, token: int) -> bytes:
        return WORDS[token]

    def ends(self, token: int) -> bool:
        return token == END

    def copy(self, source: int, target: int, length: int) -> None:
        self.memory[target] = self.memory[source][:length]

    def truncate(self, slot: int, length: int) -> None:
        self.memory[slot] = self.memory.get(slot, [])[:length]

    def decode(self, parts: Items[Any]) -> list[range]:
        self.places, found = [], []
        self.steps += 1
        for part in parts:
            held = self.memory.setdefault(part.slot, [])
            assert len(held) == part.start, "tokens follow each other"
            for token in part.tokens:
                held.append(token)
                self.places.append(list(held))
            self.computed += len(part.tokens)
            found.append(range(len(self.places) - part.logits, len(self.places)))
        return found

    def new_chain(self, steps: Items[Any], schema: str | None = None) -> "ForetoldChain":
        return ForetoldChain(self)

    def log_chances(self, place: int) -> Any:
        return np.array([float(len(self.places[place]) + n) for n in range(len(WORDS))])


class ForetoldChain:
    """Remembers what was chosen, as penalties and grammars do."""

    def __init__(self, backend: ForetoldBackend) -> None:
        self._backend = backend
        self._accepted: list[int] = []

    def accept(self, token: int) -> None:
        self._accepted.append(token)

    def sample(self, place: int) -> int:
        held = self._backend.places[place]
        again = [n for n in range(len(held) - 1) if held[n] == held[-1]]
        token = held[again[0] + 1] if again else (held[-1] + 1) % 7
        if self._accepted.count(token) > 6:
            token = (token + len(self._accepted)) % 8
        self._accepted.append(token)
        return token

    def close(self) -> None:
        pass


def answer(
    *prompts: str, draft_tokens: int, sequences: int = 4, **more: Any
) -> tuple[list[list[FromWorker]], ForetoldBackend]:
    """What is said to each prompt, when all are asked at once."""
    config = WorkerConfig(Path("x"), False, 200, 1, sequences, 64, draft_tokens=draft_tokens)
    said: list[FromWorker] = []
    backend = ForetoldBackend(keeps_prefixes=more.pop("keeps_prefixes", True))
    work = Answering(config, backend, None, said.append)  # type: ignore[arg-type]
    logprobs = more.pop("logprobs", None)
    options = Options(**({"num_predict": 60} | more))
    for number, prompt in enumerate(prompts):
        work.add(Generate(number, options, text=prompt, logprobs=logprobs))
    while not work.is_idle:
        work.step()
    return [[m for m in said if getattr(m, "id", None) == n] for n in range(len(prompts))], backend


def told(messages: list[FromWorker]) -> tuple[str, Any, Any]:
    """Text, chances, and the last message without its times."""
    deltas = [message for message in messages if isinstance(message, Delta)]
    chances = [chance for delta in deltas for chance in delta.chances]
    done = messages[-1]
    assert isinstance(done, Done)
    return "".join(d.text for d in deltas), chances, (done.reason, done.answer_tokens, done.tokens)


@pytest.mark.parametrize(
    "more",
    [{}, {"stop": ("efga",)}, {"logprobs": 2}, {"num_predict": 7}, {"num_ctx": 40}],
    ids=str,
)
@pytest.mark.parametrize("prompt", ["abcdefgabcdefg", "abcabdabe", "gfedcba", "aabbaabbaa"])
def test_guessing_changes_nothing_but_the_steps(prompt: str, more: dict[str, Any]) -> None:
    """Text, log probabilities, stops, limits and what the samplers remember stay the same."""
    plain, slow = answer(prompt, draft_tokens=0, **more)
    guessing, fast = answer(prompt, draft_tokens=15, **more)
    assert told(guessing[0]) == told(plain[0])
    assert fast.steps <= slow.steps


def test_a_quote_takes_fewer_steps() -> None:
    """Several tokens of an answer that repeats its prompt come of one step."""
    _, slow = answer("abcdefgabcdefg", draft_tokens=0)
    _, fast = answer("abcdefgabcdefg", draft_tokens=15)
    assert fast.steps < slow.steps / 2


def test_answers_beside_each_other_do_not_mix() -> None:
    """Each is what it would be alone, with guesses and shared beginnings."""
    prompts = ["abcdefgabcdefg" * 6 + end for end in ("", "a", "b", "gfe", "dab")]
    together, _ = answer(*prompts, draft_tokens=15)
    alone = [answer(prompt, draft_tokens=0)[0][0] for prompt in prompts]
    assert [told(each) for each in together] == [told(each) for each in alone]


def test_a_memory_that_cannot_be_cut_is_never_guessed_on() -> None:
    """A wrong guess could not be taken back."""
    said, backend = answer("abcdefgabcdefg", draft_tokens=15, keeps_prefixes=False)
    done = said[0][-1]
    assert isinstance(done, Done)
    assert backend.computed == done.prompt_tokens + done.answer_tokens - 1
