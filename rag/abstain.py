"""Whether what was found can answer at all: decided by evidence, before an answer is written.

Pure. Small models answer from anything, so the decision is not left to their manners. Four signs
are weighed by a logistic regression: how many of the question's words the passages hold, how near
they are in meaning, whether the question names something that stands nowhere, and the chance that
the chat model itself gives to "Yes" where it is asked whether the extracts state the answer.

The weights were fitted on qa-dev with the policies as distractors (169 answerable questions, 51
not, 40 of these written to deceive). Cross-validated, the area under the curve is .82 without the
model's chance and .93 with that of the default chat model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import exp
from operator import or_

from rag.check import Sources, coverage
from rag.claims import amounts, names
from rag.words import Vocabulary, shared

NEAREST = 3  # passages whose cosines count beside the best one's, which may be near by chance


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about a request's passages; shares go from 0 to 1.

    words: of the question's words, by rarity, that the best unit holds, with title and section.
    similarity: the best cosine, averaged with the mean of the three best; None where the words
    alone were searched.
    unknown_name: the question names or counts something that no passage mentions.
    chance: natural log of the odds that the chat model gives to "Yes, they state the answer"; None
    before it was asked, and where its server tells no probabilities.
    """

    words: float
    similarity: float | None
    unknown_name: bool
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """Of a logistic regression: what each sign adds to the log of the odds."""

    constant: float
    words: float
    similarity: float
    unknown_name: float
    chance: float


# Where the chat model's chance is not known: with a vector, and by words alone.
UNJUDGED = {
    True: Weights(-4.47, 2.75, 6.96, -1.32, 0.0),
    False: Weights(-1.08, 3.24, 0.0, -1.47, 0.0),
}
# Where it is. How far apart a model's Yes and No lie is its own: a smaller one says No to nearly
# everything, and yet more so where it is right. A model that was not measured is taken for the
# default one; `lamplight eval` shows whether that fits.
JUDGED: Mapping[str, Mapping[bool, Weights]] = {
    "": {
        True: Weights(-4.52, 1.34, 6.39, -1.91, 2.11),
        False: Weights(-1.40, 1.72, 0.0, -1.84, 2.11),
    },
    "qwen2.5-coder:0.5b": {
        True: Weights(-1.90, 2.83, 6.44, -1.15, 2.47),
        False: Weights(1.36, 3.32, 0.0, -1.27, 2.69),
    },
}


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


def confidence(evidence: Evidence, model: str = "") -> float:
    """Return the probability, from 0 to 1, that the passages answer the question.

    model: the name of the chat model whose chance it is.
    """
    by_vector = UNJUDGED if evidence.chance is None else JUDGED.get(model, JUDGED[""])
    weights = by_vector[evidence.similarity is not None]
    odds = (
        weights.constant
        + weights.words * evidence.words
        + weights.similarity * (evidence.similarity or 0.0)
        + weights.unknown_name * evidence.unknown_name
        + weights.chance * (evidence.chance or 0.0)
    )
    return 1 / (1 + exp(-odds))


def _names_unknown(question: str, sources: Sources) -> bool:
    asked = names(question) | {amount.number for amount in amounts(question)}
    texts = (Vocabulary.of(f"{one.context} {one.text}") for one in sources.all)
    everything = reduce(or_, texts, Vocabulary(frozenset(), frozenset()))
    return len(shared(asked, everything)) < len(asked)
