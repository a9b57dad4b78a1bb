"""What an approval was decided on besides the model, and whether that is still so (APR-5).

Pure. The manifest's digest names the file with its quantization and vocabulary, the template,
parameters, system text and adapters: a change of any of these is another model, which nobody has
approved. What else decides how a model answers is noted with the proposal, and when one of these
is different now, the approval does not count until the model is approved anew.

    runtime      the part of its version that breaks with what was before
    retrieval    how passages are searched and put before the model
    embedding    the model that finds the passages, by its digest
    suite        the questions that evaluations must use, by their digest, where one is set

What was not known, then or now, is not compared: an embedding model that is not installed finds
nothing, and search goes by words alone.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum


class Trigger(StrEnum):
    """What makes a new approval necessary though the model is the same."""

    RUNTIME = "runtime"
    RETRIEVAL = "retrieval"
    EMBEDDING = "embedding"
    SUITE = "suite"


TRIGGER_WORDS: Mapping[Trigger, str] = {
    Trigger.RUNTIME: "the version of the runtime",
    Trigger.RETRIEVAL: "the settings of the search",
    Trigger.EMBEDDING: "the embedding model",
    Trigger.SUITE: "the questions of the evaluation",
}

Basis = Mapping[str, str]
KnowsBasis = Callable[[], Basis]


def nothing_known() -> Basis:
    """Where nothing is compared."""
    return {}


def changed(then: Basis, now: Basis) -> tuple[Trigger, ...]:
    """What is different now."""
    return tuple(
        one for one in Trigger if then.get(one) and now.get(one) and then.get(one) != now.get(one)
    )


def change_words(triggers: tuple[Trigger, ...]) -> str:
    """These as part of a sentence."""
    return " and ".join(TRIGGER_WORDS[one] for one in triggers)


def breaking_part(version: str) -> str:
    """The part of a version whose change may break: the first number, or with 0 the first two."""
    parts = version.split(".")
    return ".".join(parts[:2]) if parts[0] == "0" else parts[0]
