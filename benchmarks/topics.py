"""A load with the shape of a policy assistant's: a few topics that many people ask about at once.

Everybody who asks about a topic sends its passages word for word, with a question of their own. A
topic is made of sentences of the samples in an order that its seed gives, so that two topics share
no passage, and no server has seen one before.
"""

import random
import re
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "samples" / "source"
SYSTEM = (Path(__file__).parent.parent / "rag" / "prompts" / "system.txt").read_text()
PASSAGES = 5
PASSAGE_CHARS = 900  # five of them make about 1,100 tokens
SENTENCE = re.compile(r"(?<=[.!?])\s+")
QUESTIONS = (
    "Quote everything that is said about who is responsible, word for word.",
    "Which times and limits are given? List all of them with their sentences.",
    "What must be written down, and where? Quote the sentences.",
    "What is to be done first, and what after that? Answer at length.",
    "Who must be told, and how soon? Quote the sentences word for word.",
    "Which exceptions are there? Explain each of them in full.",
    "Summarise the extracts one after the other, in full sentences.",
    "What is forbidden? Quote every sentence that says so.",
)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of one user."""

    topic: int
    messages: tuple[dict[str, str], ...]


def sentences() -> list[str]:
    """Every sentence of the sample policies."""
    text = "\n".join(path.read_text() for path in sorted(SOURCE.glob("*.md")))
    lines = (line.strip("#*->| ") for line in text.splitlines())
    return sorted({part for line in lines for part in SENTENCE.split(line) if len(part) > 40})


def topic(seed: int) -> str:
    """The passages of a topic, as they stand in a prompt."""
    chance = random.Random(seed)
    pool = sentences()
    passages = []
    for number in range(1, PASSAGES + 1):
        passage = ""
        while len(passage) < PASSAGE_CHARS:
            passage += chance.choice(pool) + " "
        passages.append(f"[{number}] {passage.strip()}")
    return "\n\n".join(passages)


def load(seed: int, users: int, each: int, topics: int, first_question: int) -> list[list[Ask]]:
    """What each user asks, one after the other; another first question makes another pass."""
    chance = random.Random(seed)
    texts = [topic(seed * 1000 + number) for number in range(topics)]
    plan = []
    for user in range(users):
        chosen = [chance.randrange(topics) for _ in range(each)]
        plan.append(
            [
                _ask(number, texts[number], QUESTIONS[(first_question + user + turn) % 8])
                for turn, number in enumerate(chosen)
            ]
        )
    return plan


def _ask(number: int, passages: str, question: str) -> Ask:
    asked = f"{passages}\n\nQuestion: {question}\nAnswer:"
    return Ask(
        number,
        ({"role": "system", "content": SYSTEM}, {"role": "user", "content": asked}),
    )
