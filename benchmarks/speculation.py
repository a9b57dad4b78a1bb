"""What guessing from the prompt gains on answers that quote, and whether it changes them.

python -m benchmarks.speculation [--model NAME] [--prompts N] [--tokens N]

Every prompt is answered at temperature 0 three times on the same cached prompt: plain, guessing,
and plain beside another answer. The third shows how often rounding alone, which depends on how
many tokens a step has, changes an answer.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import describe
from benchmarks.topics import Ask, load
from lamplight.testing import SMALL_CHAT_MODEL
from runtime.answering import Answering
from runtime.backend import Backend
from runtime.chat import ChatTemplate
from runtime.inspect import inspect
from runtime.names import parse_name
from runtime.protocol import Delta, Done, Failed, FromWorker, Generate, WorkerConfig
from runtime.sampling import Options
from runtime.store import Store

MODELS = Path("~/.cache/lamplight/models").expanduser()
CONTEXT_TOKENS, BATCH_TOKENS, THREADS = 4096, 256, 2
QUESTIONS = (
    "Copy the second extract word for word.",
    "Quote every sentence of the first extract.",
    "Copy the last extract word for word.",
    "Quote the third extract in full.",
)


@dataclass(frozen=True, slots=True)
class Written:
    """An answer, its seconds after the first token, and the steps that it took."""

    text: str
    tokens: int
    seconds: float
    steps: int


class Writer:
    """One model in this process."""

    def __init__(self, path: Path) -> None:
        config = WorkerConfig(path, False, CONTEXT_TOKENS, THREADS, 4, BATCH_TOKENS)
        self._backend = Backend(
            path,
            cells=config.cells,
            slots=config.slots,
            batch_tokens=BATCH_TOKENS,
            threads=THREADS,
            embeds=False,
        )
        words = self._backend.begin_and_end()
        template = inspect(path).chat_template
        chat = ChatTemplate(template, *words, self._backend.control_words())
        self._said: list[FromWorker] = []
        self._work = Answering(config, self._backend, chat, self._said.append)
        self._number = 0

    def write(self, ask: Ask, tokens: int, *, drafts: bool, beside: Ask | None = None) -> Written:
        """Answer once; `beside` is answered at the same time."""
        self._said.clear()
        number = self._add(ask, tokens, drafts)
        if beside is not None:
            self._add(beside, tokens, False)
        steps, began = 0, 0.0
        while not self._work.is_idle:
            self._work.step()
            if any(isinstance(message, Delta) for message in self._said):
                began = began or time.perf_counter()
                steps += 1
        seconds = time.perf_counter() - began
        assert not any(isinstance(message, Failed) for message in self._said)
        mine = [m for m in self._said if isinstance(m, Delta | Done) and m.id == number]
        text = "".join(message.text for message in mine if isinstance(message, Delta))
        done = next(message for message in mine if isinstance(message, Done))
        return Written(text, done.answer_tokens, seconds, steps)

    def _add(self, ask: Ask, tokens: int, drafts: bool) -> int:
        self._number += 1
        options = Options(temperature=0.0, num_predict=tokens)
        self._work.add(Generate(self._number, options, ask.messages, drafts=drafts))
        return self._number


def main() -> None:
    """Answer every prompt, print one JSON object."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", default=SMALL_CHAT_MODEL)
    options.add_argument("--prompts", type=int, default=200)
    options.add_argument("--tokens", type=int, default=96)
    chosen = options.parse_args()
    writer = Writer(Store(MODELS).read(parse_name(chosen.model)).path)
    rows = [compare(writer, ask, chosen.tokens) for ask in prompts(chosen.prompts)]
    told = {"machine": describe(), "model": chosen.model, **figures(rows)}
    print(json.dumps(told, indent=2))


def prompts(count: int) -> Iterator[Ask]:
    """Questions whose answers quote, several about each topic."""
    for number in range(count):
        topic, turn = divmod(number, len(QUESTIONS))
        (ask,) = load(7000 + topic, 1, 1, 1, 0)[0]
        system, user = ask.messages
        passages = user["content"].split("\n\nQuestion:")[0]
        asked = f"{passages}\n\nQuestion: {QUESTIONS[turn]}\nAnswer:"
        yield Ask(topic, (system, {**user, "content": asked}))


def compare(writer: Writer, ask: Ask, tokens: int) -> tuple[Written, Written, Written]:
    """The same prompt plain, guessing, and plain beside another."""
    writer.write(ask, 1, drafts=False)  # the prompt is read here, the same for all three
    other = Ask(ask.topic, (*ask.messages[:-1], {"role": "user", "content": "Count to fifty."}))
    writer.write(other, 1, drafts=False)
    plain = writer.write(ask, tokens, drafts=False)
    guessing = writer.write(ask, tokens, drafts=True)
    beside = writer.write(ask, tokens, drafts=False, beside=other)
    return plain, guessing, beside


def figures(rows: list[tuple[Written, Written, Written]]) -> dict[str, Any]:
    """Tokens per second and per step, and the share of answers that are the same."""

    def speed(at: int) -> float:
        return sum(row[at].tokens for row in rows) / sum(row[at].seconds for row in rows)

    def per_step(at: int) -> float:
        return sum(row[at].tokens for row in rows) / sum(row[at].steps for row in rows)

    return {
        "prompts": len(rows),
        "plain_tokens_per_s": round(speed(0), 1),
        "guessing_tokens_per_s": round(speed(1), 1),
        "gain": round(speed(1) / speed(0), 2),
        "tokens_per_step": round(per_step(1), 2),
        "same_answer_guessing": sum(row[0].text == row[1].text for row in rows) / len(rows),
        "same_answer_beside_another": sum(row[0].text == row[2].text for row in rows) / len(rows),
    }


if __name__ == "__main__":
    main()
