"""Follow-up questions, rewritten so that they can be searched and answered alone.

Pure. A model rewrites; code decides whether its words may be used: nothing may stand in the new
question that neither the question nor the conversation said. Otherwise the last question is put
before the new one, which searches well and reads clumsily.
"""

import re
from collections.abc import Sequence

from rag.claims import amounts, names
from rag.schema import Turn
from rag.words import content_words, fold, tokens

MAX_CHARS = 400
ANSWER_CHARS = 300  # of each earlier answer that the model reads
MIN_KEPT = 0.5  # share of the question's own words that the rewritten one must keep
MIN_WORDS = 3  # content words without which a question can hardly stand alone
_POINTS_BACK = frozenset(
    re.findall(
        r"\w+",
        "it its they them their theirs that those these this he him his she her hers there then "
        "one ones same else instead otherwise",
    )
)
_GOES_ON = re.compile(r"^(?:and|but|or|so|then|also|what about|how about|what if|why|how so)\b")
_MARKER = re.compile(r"\s*\[\d{1,3}\]")


def stands_alone(question: str) -> bool:
    """Tell whether a question can be understood without what was said before."""
    folded = fold(question)
    if _GOES_ON.match(folded) or _POINTS_BACK & set(tokens(folded)):
        return False
    return len(set(content_words(question))) >= MIN_WORDS


def told(question: str, earlier: Sequence[Turn]) -> str:
    """Return what the model reads of a conversation, with the question to be rewritten."""
    turns = [
        f"Question: {one.question}\nAnswer: {_MARKER.sub('', one.answer)[:ANSWER_CHARS]}"
        for one in earlier
    ]
    return "\n".join([*turns, f"Question: {question}"])


def understood(rewritten: str, question: str, earlier: Sequence[Turn]) -> str:
    """Return the question to search and answer: the model's where it may be used, else ours."""
    line = " ".join(rewritten.strip().removeprefix("Question:").split())
    said = " ".join([question, *(f"{one.question} {one.answer}" for one in earlier)])
    if line and len(line) <= MAX_CHARS and _keeps(line, question) and not _adds(line, said):
        return line
    return f"{earlier[-1].question} {question}" if earlier else question


def _keeps(line: str, question: str) -> bool:
    own = [word for word in content_words(question) if word not in _POINTS_BACK]
    kept = set(content_words(line))
    return not own or sum(word in kept for word in own) >= MIN_KEPT * len(own)


def _adds(line: str, said: str) -> bool:
    new_words = set(content_words(line)) - set(content_words(said))
    new_numbers = {one.number for one in amounts(line)} - {one.number for one in amounts(said)}
    return bool(new_words or new_numbers or names(line) - set(content_words(said)))
