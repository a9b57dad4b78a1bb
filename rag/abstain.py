"""Whether what was found can answer at all: decided before the model is asked.

Pure. Small models answer from anything, so the decision is not left to them. Measured on qa-dev
with the policies as distractors (169 answerable questions, 51 not, 40 of these written to
deceive): the strength below tells the two apart with an area under the curve of .83, the best
cosine alone with .76, the words alone with .71.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from rag.check import Sources, coverage
from rag.claims import amounts, names
from rag.words import Vocabulary, shared

NEAREST = 3  # passages whose cosines count beside the best one's, which may be near by chance
UNKNOWN_NAME = 0.2  # off the strength where a name or number of the question stands nowhere


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about a request's passages; shares go from 0 to 1.

    words: of the question's words, by rarity, that the best unit holds, with title and section.
    similarity: the best cosine, averaged with the mean of the three best; None where the words
    alone were searched.
    unknown_name: the question names or counts something that no passage mentions.
    """

    words: float
    similarity: float | None
    unknown_name: bool


def weigh_evidence(
    question: str, sources: Sources, similarities: Sequence[float | None]
) -> Evidence:
    """Compare the question with the passages of its request."""
    shares = [
        coverage(sources.asked, vocabulary | one.context_vocabulary, sources.weights)
        for one in sources.all
        for vocabulary in one.vocabularies
    ]
    known = sorted((value for value in similarities if value is not None), reverse=True)[:NEAREST]
    return Evidence(
        words=max(shares, default=0.0),
        similarity=(known[0] + sum(known) / len(known)) / 2 if known else None,
        unknown_name=_names_unknown(question, sources),
    )


def strength(evidence: Evidence) -> float:
    """Return one figure for the evidence, about 0 to 1."""
    penalty = UNKNOWN_NAME if evidence.unknown_name else 0.0
    if evidence.similarity is None:
        return evidence.words - penalty
    return (evidence.words + 2 * evidence.similarity) / 3 - penalty


def enough(evidence: Evidence, threshold: float) -> bool:
    """Decide whether the model is asked."""
    return strength(evidence) >= threshold


def _names_unknown(question: str, sources: Sources) -> bool:
    asked = names(question) | {amount.number for amount in amounts(question)}
    texts = (Vocabulary.of(f"{one.context} {one.text}") for one in sources.all)
    everything = reduce(or_, texts, Vocabulary(frozenset(), frozenset()))
    return len(shared(asked, everything)) < len(asked)
